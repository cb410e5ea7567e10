/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/role.h"
#include "messages.h"

enum {
	FLOOD = 40000, /* questions, far beyond any credit */
	BUSY = 2000,   /* questions, not beyond it */
	FEW = 120,     /* the same also as 16 packets, a turn of the core's */
	UNREAD_TURNS =
		250, /* a few at a time, until the core's queue is full */
	MUTATIONS = 400,
	COPIES = 50,
	SOON_MS = 300,
	BLOCK_MS = 9000,
	LONG_S = 30 /* beyond what the supervisor forgives */
};

static uint8_t buffer[2 * WIRE_PACKET_MAX];

static struct wire_packet empty(void)
{
	return (struct wire_packet){.buf = buffer, .cap = WIRE_PACKET_MAX};
}

static bool send_link(struct evil *e, const struct wire_packet *w)
{
	return evil_send(e, e->link, w->buf, w->len, -1, 0);
}

static bool send_control(struct evil *e, const struct wire_packet *w)
{
	return evil_send(e, e->control, w->buf, w->len, -1, 0);
}

/* A packet full of small questions, at most MOST of them. */
static unsigned fill_with_questions(struct wire_packet *w, struct evil *e,
				    enum wire_question question, unsigned most)
{
	unsigned n = 0;

	for (size_t before = SIZE_MAX; n < most && before != w->len; n++) {
		before = w->len;
		messages_put_ask(w, n + 1, question, e);
	}
	return n;
}

/* Which front is it?  The log says so. */
static void whoami(struct evil *e)
{
	(void)e;
}

/* --- in somebody's name ------------------------------------------------------
 */

/* What a client would have to be asked for. */
static void forge(struct evil *e)
{
	struct wire_packet w = empty();

	messages_put_issue(&w, 1, e);
	if (send_link(e, &w))
		evil_listen(e, 1, EVIL_ANSWER_MS);
}

/* The same packet, byte for byte, many times. */
static void replay(struct evil *e)
{
	struct wire_packet w = empty();

	messages_put_issue(&w, 1, e);
	for (int i = 0; i < COPIES; i++)
		(void)send_link(e, &w);
	evil_listen(e, COPIES, EVIL_ANSWER_MS);
}

/* Different questions under one id, at once. */
static void same_id(struct evil *e)
{
	struct wire_packet w = empty();

	messages_put_issue(&w, 7, e);
	messages_put_ask(&w, 7, WIRE_ASK_POLICY, e);
	messages_put_issue(&w, 7, e);
	e->dry_run = true;
	messages_put_issue(&w, 7, e);
	messages_put_issue(&w, 0, e);
	messages_put_issue(&w, UINT64_MAX, e);
	if (send_link(e, &w))
		evil_listen(e, 6, EVIL_ANSWER_MS);
}

/* All that may be asked, in somebody's name. */
static void ask(struct evil *e)
{
	struct wire_packet w = empty();

	for (unsigned q = 0; q < WIRE_QUESTION_COUNT; q++)
		messages_put_ask(&w, q + 1, (enum wire_question)q, e);
	if (send_link(e, &w))
		evil_listen(e, WIRE_QUESTION_COUNT, EVIL_ANSWER_MS);
}

/* An operation that no officer has signed: REQUEST, in a client's name. */
static void operate(struct evil *e)
{
	const struct wire_operate m = {.identity = e->who,
				       .operation = e->request};
	struct wire_packet w = empty();

	for (int i = 0; i < COPIES; i++)
		(void)!wire_put_operate(&w, (uint64_t)i + 1, &m);
	if (send_link(e, &w))
		evil_listen(e, COPIES, EVIL_ANSWER_MS);
}

/* --- what makes no sense
 * -------------------------------------------------------
 */

/* A message of another role's, number SEED. */
static void type(struct evil *e)
{
	struct wire_packet w = empty();

	messages_put_type(&w, (unsigned)e->seed);
	if (send_link(e, &w))
		evil_listen(e, 1, EVIL_ANSWER_MS);
}

/* The same before the core has said a word. */
static void before_hello(struct evil *e)
{
	struct wire_packet w = empty();

	(void)fill_with_questions(&w, e, WIRE_ASK_PROOF, FEW);
	messages_put_type(&w, WIRE_HSM_READY);
	(void)send_link(e, &w);
}

/* The same to the supervisor. */
static void control(struct evil *e)
{
	struct wire_packet w = empty();

	messages_put_type(&w, (unsigned)e->seed);
	for (int i = 0; i < COPIES; i++)
		if (!send_control(e, &w))
			break;
	evil_rest(SOON_MS);
}

static void accuse(struct evil *e)
{
	const struct wire_peer_bad m = {.role = (uint8_t)(e->seed / 100),
					.slot = (uint16_t)(e->seed % 100)};
	struct wire_packet w = empty();

	for (int i = 0; i < COPIES; i++)
		(void)!wire_put_peer_bad(&w, &m);
	(void)send_control(e, &w);
	evil_rest(SOON_MS);
}

/* Lengths that lie, in the way SEED. */
static void lengths(struct evil *e)
{
	struct wire_packet w = empty();
	uint32_t size;

	messages_put_issue(&w, 1, e);
	memcpy(&size, w.buf, sizeof(size));
	switch (e->seed) {
	case 1: size = 0; break;
	case 2: size = 15; break;
	case 3: size = UINT32_MAX; break;
	case 4: size += 8; break;
	case 5: size -= 1; break;
	case 6: w.buf[6] = 1; break;		    /* reserved */
	case 7: w.len -= 8; break;		    /* its end is not there */
	case 8: w.len = 7; break;		    /* not even a head */
	case 9: memset(w.buf + 28, 0xff, 4); break; /* of the identity */
	case 10: w.buf[24] = 2; break;		    /* a bool */
	case 11: w.buf[24] = w.buf[25] = 1; break;  /* dry_run and renew */
	case 12: w.buf[27] = 9; break;		    /* a language */
	default: w.len = WIRE_PACKET_MAX + (size_t)e->seed; break;
	}
	memcpy(w.buf, &size, sizeof(size));
	if (send_link(e, &w))
		evil_listen(e, 1, EVIL_ANSWER_MS);
}

/* A good packet with a few bytes changed, again and again, until one of them
 * makes no sense. */
static void mutate(struct evil *e)
{
	for (int i = 0; i < MUTATIONS && !e->ended; i++) {
		struct wire_packet w = empty();

		messages_put_issue(&w, (uint64_t)i + 1, e);
		for (uint64_t n = evil_random(e) % 4; n < 4; n++)
			w.buf[evil_random(e) % w.len] ^=
				(uint8_t)(1U << evil_random(e) % 8);
		if (!send_link(e, &w))
			break;
		evil_listen(e, 1, SOON_MS);
	}
}

/* --- too much
 * ------------------------------------------------------------------
 */

static void flood(struct evil *e)
{
	struct wire_packet w = empty();
	const unsigned n =
		fill_with_questions(&w, e, (enum wire_question)e->seed, FLOOD);

	for (unsigned sent = 0; sent < FLOOD; sent += n)
		if (!send_link(e, &w))
			break;
	evil_listen(e, FLOOD, EVIL_ANSWER_MS);
}

static void flood_issue(struct evil *e)
{
	struct wire_packet w = empty();
	unsigned n = 0;

	for (size_t before = SIZE_MAX; before != w.len; n++) {
		before = w.len;
		messages_put_issue(&w, n + 1, e);
	}
	for (unsigned sent = 0; sent < FLOOD; sent += n)
		if (!send_link(e, &w))
			break;
	evil_listen(e, FLOOD, EVIL_ANSWER_MS);
}

/* Within its credit, and it never reads. */
static void unread(struct evil *e)
{
	struct wire_packet w = empty();

	(void)fill_with_questions(&w, e, WIRE_ASK_KEYS, FEW);
	for (int i = 0; i < UNREAD_TURNS; i++) {
		if (!send_link(e, &w))
			break;
		evil_rest(SOON_MS / 30);
	}
	/* Not to the front, which would wonder. */
	evil_listen(e, FLOOD, EVIL_ANSWER_MS / 10);
}

/* --- the channel itself
 * ----------------------------------------------------------
 */

/* SEED descriptors beside a good question. */
static void descriptors(struct evil *e)
{
	struct wire_packet w = empty();

	messages_put_ask(&w, 1, WIRE_ASK_CLIENT, e);
	for (int i = 0; i < COPIES; i++)
		if (!evil_send(e, e->link, w.buf, w.len, STDERR_FILENO,
			       (size_t)e->seed))
			break;
	evil_listen(e, 1, EVIL_ANSWER_MS);
}

static void control_descriptors(struct evil *e)
{
	struct wire_packet w = empty();

	messages_put_type(&w, WIRE_UP);
	for (int i = 0; i < COPIES; i++)
		if (!evil_send(e, e->control, w.buf, w.len, STDERR_FILENO,
			       (size_t)e->seed))
			break;
	evil_rest(SOON_MS);
}

static void empty_packet(struct evil *e)
{
	(void)evil_send(e, e->link, buffer, 0, -1, 0);
	evil_listen(e, 1, EVIL_ANSWER_MS);
}

/* The link ends, the process does not. */
static void leave(struct evil *e)
{
	(void)shutdown(e->link, SHUT_WR);
	evil_listen(e, 1, EVIL_ANSWER_MS);
}

/* The newest connection of a client's; or -1. */
static int find_connection(void)
{
	for (int fd = 255; fd > ROLE_FD_LAST; fd--) {
		struct sockaddr_storage peer = {0};
		socklen_t n = sizeof(peer);

		if (getpeername(fd, (struct sockaddr *)&peer, &n) == 0 &&
		    (peer.ss_family == AF_INET || peer.ss_family == AF_INET6))
			return fd;
	}
	return -1;
}

/* The core gets a connection whose close() waits for a client who does not
 * read: a descriptor that is closed by whoever has it last. */
static void linger(struct evil *e)
{
	const struct linger l = {.l_onoff = 1, .l_linger = LONG_S};
	const int sock = e->seed == 1 ? e->link : e->control;
	const int fd = find_connection();
	struct wire_packet w = empty();
	const bool set =
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) == 0;

	log_event(LOG_INFO, "evil-linger", "found=%d set=%d", fd >= 0, set);
	while (send(fd, buffer, sizeof(buffer), MSG_DONTWAIT | MSG_NOSIGNAL) >
	       0) {
	}
	(void)fill_with_questions(&w, e, WIRE_ASK_POLICY, BUSY);
	if (sock == e->link)
		(void)send_link(e, &w); /* has it busy until we have closed */
	w = empty();
	messages_put_ask(&w, 1, WIRE_ASK_CLIENT, e);
	(void)evil_send(e, sock, w.buf, w.len, fd, 1);
	(void)dup2(STDIN_FILENO, fd); /* /dev/null */
	evil_listen(e, FLOOD, SOON_MS);
}

/* Whoever shares our listeners waits in accept(). */
static void block(struct evil *e)
{
	int off = 0;

	for (int i = 0; i < BLOCK_MS / SOON_MS; i++) {
		for (int fd = ROLE_FD_LISTEN; fd <= ROLE_FD_LAST; fd++)
			(void)ioctl(fd, FIONBIO, &off);
		evil_listen(e, 1, SOON_MS);
	}
}

const struct attack ATTACKS[] = {
	{"whoami", whoami},
	{"forge", forge},
	{"replay", replay},
	{"same-id", same_id},
	{"ask", ask},
	{"operate", operate},
	{"type", type},
	{"before-hello", before_hello},
	{"control", control},
	{"accuse", accuse},
	{"lengths", lengths},
	{"mutate", mutate},
	{"flood", flood},
	{"flood-issue", flood_issue},
	{"unread", unread},
	{"descriptors", descriptors},
	{"control-descriptors", control_descriptors},
	{"empty-packet", empty_packet},
	{"leave", leave},
	{"linger", linger},
	{"block", block},
};
const size_t ATTACK_COUNT = sizeof(ATTACKS) / sizeof(ATTACKS[0]);
