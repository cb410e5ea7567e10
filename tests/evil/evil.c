/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signerd_evil: the daemon as it is, but that a front does what a request tells
 * it to: "EVIL!attack=NAME;seed=N;...!" anywhere in a request's text.  Linked
 * with --wrap of core_link_attach, core_link_issue and core_link_on_bad.
 */
#include "evil.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ipc/role.h"
#include "tests/wrapped.h"

enum {
	ORDER_MAX = 65536,
	SEND_MS = 3000,
	BEAT_MS = 500,
	TOLD_MAX = 64 /* answers that are logged one by one */
};

static const char MARK[] = "EVIL!";
static int link_fd = -1;
static bool early; /* at the next link, before anything has come */

/* --- tools of the trade ----------------------------------------------------
 */

uint64_t evil_random(struct evil *e)
{
	e->seed ^= e->seed << 13;
	e->seed ^= e->seed >> 7;
	e->seed ^= e->seed << 17;
	return e->seed;
}

void evil_rest(unsigned ms)
{
	metrics_sample_process();
	(void)poll(NULL, 0, (int)ms);
}

static bool wait_for(int fd, short events, unsigned ms)
{
	struct pollfd p = {.fd = fd, .events = events};

	metrics_sample_process();
	return poll(&p, 1, (int)ms) > 0;
}

bool evil_send(struct evil *e, int sock, const void *packet, size_t bytes,
	       int fd, size_t n)
{
	static _Alignas(struct cmsghdr)
		uint8_t control[CMSG_SPACE(EVIL_FDS_MAX * sizeof(int))];
	struct iovec iov = {(void *)(uintptr_t)packet, bytes};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n > 0) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(n * sizeof(int)),
				      .cmsg_level = SOL_SOCKET,
				      .cmsg_type = SCM_RIGHTS};
		for (size_t i = 0; i < n; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(fd));
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
	}
	for (int i = 0; i < SEND_MS / BEAT_MS; i++) {
		if (sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
			e->sent++;
			return true;
		}
		if (errno != EAGAIN) {
			log_event(LOG_INFO, "evil-send-failed", "errno=%d",
				  errno);
			return false;
		}
		(void)wait_for(sock, POLLOUT, BEAT_MS);
	}
	return false;
}

/* --- what the core says -----------------------------------------------------
 */

static void take_answer(struct evil *e, const struct wire_msg *m)
{
	struct wire_issued issued = {.ledger_index = WIRE_NO_LEDGER_INDEX};
	struct wire_problem problem = {.err = SG_OK};
	struct wire_violation why = {.code = SPAN_LIT("")};

	if (m->type == WIRE_CREDIT || m->type == WIRE_STATUS)
		return;
	e->answers++;
	if (m->type == WIRE_ISSUED && wire_get_issued(m, &issued) == SG_OK) {
		e->issued += !issued.dry_run && !issued.replayed;
		e->replayed += issued.replayed;
	} else if (m->type == WIRE_PROBLEM &&
		   wire_get_problem(m, &problem) == SG_OK) {
		e->problems++;
		(void)!wire_violation_next(&problem.violations, &why);
	}
	if (e->answers <= TOLD_MAX)
		log_event(LOG_INFO, "evil-answer",
			  "id=%llu type=%d status=%d index=%lld replayed=%d "
			  "code=%.*s",
			  (unsigned long long)m->id, m->type,
			  err_http((enum sg_err)problem.err),
			  (long long)issued.ledger_index, issued.replayed,
			  (int)why.code.n, (const char *)why.code.p);
}

static void take_packet(struct evil *e, struct span packet)
{
	struct wire_msg m;

	while (wire_next(&packet, &m) == SG_OK)
		take_answer(e, &m);
}

void evil_listen(struct evil *e, unsigned n, unsigned ms)
{
	static uint8_t packet[WIRE_PACKET_MAX];
	const uint64_t end = clock_mono_us() + (uint64_t)ms * 1000;
	const unsigned enough = e->answers + n;

	while (e->answers < enough && !e->ended && clock_mono_us() < end) {
		ssize_t got;

		if (!wait_for(e->link, POLLIN, ms < BEAT_MS ? ms : BEAT_MS))
			continue;
		got = recv(e->link, packet, sizeof(packet), MSG_DONTWAIT);
		if (got > 0)
			take_packet(e, span_of(packet, (size_t)got));
		else if (got == 0 || (errno != EAGAIN && errno != EINTR &&
				      errno != ECONNRESET))
			e->ended = true;
	}
}

/* --- orders -----------------------------------------------------------------
 */

static const char *value_of(const char *order, const char *key)
{
	const size_t n = strlen(key);

	for (const char *at = order; *at != '\0'; at++) {
		if (strncmp(at, key, n) == 0 && at[n] == '=')
			return at + n + 1;
		at += strcspn(at, ";");
		if (*at == '\0')
			break;
	}
	return NULL;
}

/* 16: none. */
static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* The bytes of KEY in hex, in PLACE, which is as long as its text; OTHERWISE
 * where there are none. */
static struct span bytes_of(const char *order, const char *key, uint8_t *place,
			    struct span otherwise)
{
	const char *text = value_of(order, key);
	size_t n = 0;

	if (text == NULL)
		return otherwise;
	for (; digit(text[0]) < 16 && digit(text[1]) < 16; text += 2)
		place[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
	return span_of(place, n);
}

static void attack(struct evil *e, const char *name)
{
	for (size_t i = 0; i < ATTACK_COUNT; i++) {
		const struct attack *a = &ATTACKS[i];

		if (strncmp(name, a->name, strlen(a->name)) != 0 ||
		    name[strlen(a->name)] != ';')
			continue;
		log_event(LOG_WARNING, "evil-attack", "attack=%s seed=%llu",
			  a->name, (unsigned long long)e->seed);
		a->run(e);
		log_event(LOG_WARNING, "evil-done",
			  "attack=%s sent=%u answers=%u issued=%u replayed=%u "
			  "problems=%u ended=%d",
			  a->name, e->sent, e->answers, e->issued, e->replayed,
			  e->problems, e->ended);
		return;
	}
	log_event(LOG_ERROR, "evil-unknown", "reason=\"no such attack\"");
}

static void obey(const char *order, struct span identity)
{
	static uint8_t place[4][ORDER_MAX];
	const struct span none = span_of(NULL, 0);
	const char *seed = value_of(order, "seed");
	const char *name = value_of(order, "attack");
	struct evil e = {.link = link_fd, .control = ROLE_FD_CONTROL};

	e.seed = seed != NULL ? strtoull(seed, NULL, 10) : 1;
	e.who = bytes_of(order, "who", place[0], identity);
	e.request = bytes_of(order, "request", place[1], none);
	e.signature = bytes_of(order, "signature", place[2], none);
	e.presented = bytes_of(order, "presented", place[3], none);
	e.dry_run = value_of(order, "dry_run") != NULL;
	e.renew = value_of(order, "renew") != NULL;
	if (name == NULL)
		return;
	if (strncmp(name, "early;", strlen("early;")) == 0)
		early = true;
	else
		attack(&e, name);
}

/* The order in REQUEST, as text in OUT. */
static bool find_order(struct span request, char out[ORDER_MAX])
{
	const uint8_t *from;
	const uint8_t *to;
	size_t n;

	if (request.n == 0)
		return false;
	from = memmem(request.p, request.n, MARK, sizeof(MARK) - 1);
	if (from == NULL)
		return false;
	from += sizeof(MARK) - 1;
	n = (size_t)(request.p + request.n - from);
	to = memchr(from, '!', n);
	if (to == NULL || (size_t)(to - from) >= ORDER_MAX)
		return false;
	memcpy(out, from, (size_t)(to - from));
	out[to - from] = '\0';
	return true;
}

/* --- the front --------------------------------------------------------------
 */

/* What the core still says to questions that were not the front's own is no
 * reason to accuse it: that is an attack of its own. */
void __wrap_core_link_on_bad(struct core_link *l, void (*bad)(void *ctx),
			     void *ctx)
{
	(void)l;
	(void)bad;
	(void)ctx;
}

void __wrap_core_link_attach(struct core_link *l, int fd)
{
	static const char order[] = "attack=before-hello;";

	link_fd = fd;
	if (early)
		obey(order, span_of(NULL, 0));
	early = false;
	__real_core_link_attach(l, fd);
}

enum sg_err __wrap_core_link_issue(struct core_link *l,
				   const struct wire_issue *m,
				   core_answer answer, void *asker,
				   uint64_t *question)
{
	static char order[ORDER_MAX];

	if (!find_order(m->request, order))
		return __real_core_link_issue(l, m, answer, asker, question);
	obey(order, m->identity);
	return SG_BUSY;
}
