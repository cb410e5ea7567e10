/* SPDX-License-Identifier: Apache-2.0 */
#include "apply.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "ipc/wire.h"
#include "tools/common/input.h"

enum {
	TICK_US = 10000,
	PATIENCE_S = 30,
	/* An operation that cannot be done now is brought again so often. */
	TRIES = 20,
	AGAIN_US = 500000
};

struct apply {
	struct apply_settings settings;
	pthread_t thread;
	bool started;
	_Atomic bool stop;
	struct apply_one *one;
	struct input {
		uint8_t *bytes;
		size_t n;
	} * operation;
	uint8_t packet[WIRE_PACKET_MAX];
};

/* --- an operation ----------------------------------------------------------
 */

static enum sg_err connect_to(const char *path, int *out)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	*out = -1;
	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return SG_CONFIG;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return SG_IO;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) != 0 ||
	    connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0) {
		(void)close(fd);
		return SG_IO;
	}
	*out = fd;
	return SG_OK;
}

/* What the answer of N bytes says. */
static enum sg_err judge(struct apply *a, size_t n, struct apply_one *one)
{
	struct span rest = span_of(a->packet, n);
	struct wire_problem p;
	struct wire_msg m;

	if (wire_next(&rest, &m) != SG_OK)
		return SG_MALFORMED;
	if (m.type == WIRE_ANSWER)
		return SG_OK;
	if (m.type != WIRE_PROBLEM || wire_get_problem(&m, &p) != SG_OK)
		return SG_MALFORMED;
	(void)snprintf(
		one->why, sizeof(one->why), "%.*s",
		(int)(p.detail.n < APPLY_WHY_MAX ? p.detail.n : APPLY_WHY_MAX),
		p.detail.n > 0 ? (const char *)p.detail.p : "");
	return p.err != SG_OK ? (enum sg_err)p.err : SG_MALFORMED;
}

static enum sg_err exchange(struct apply *a, int fd, struct span operation,
			    struct apply_one *one)
{
	const struct wire_operate m = {.operation = operation};
	struct wire_packet w = {.buf = a->packet, .cap = sizeof(a->packet)};
	enum sg_err err = wire_put_operate(&w, 1, &m);
	ssize_t n;

	if (err != SG_OK)
		return err;
	n = send(fd, w.buf, w.len, MSG_NOSIGNAL);
	if (n == (ssize_t)w.len)
		n = recv(fd, a->packet, sizeof(a->packet), 0);
	return n > 0 ? judge(a, (size_t)n, one) : SG_IO;
}

static void bring(struct apply *a, size_t i)
{
	const struct span bytes =
		span_of(a->operation[i].bytes, a->operation[i].n);
	struct apply_one *one = &a->one[i];
	enum sg_err err = SG_BUSY;

	for (int tries = 0; tries < TRIES && !atomic_load(&a->stop); tries++) {
		int fd;

		if (tries > 0)
			(void)usleep(AGAIN_US);
		one->begun_us = clock_mono_us();
		one->why[0] = '\0';
		err = connect_to(a->settings.socket, &fd);
		if (err == SG_OK) {
			err = exchange(a, fd, bytes, one);
			(void)close(fd);
		}
		if (err != SG_BUSY && err != SG_TOKEN_DOWN)
			break;
	}
	one->ended_us = clock_mono_us();
	one->done = err == SG_OK;
	if (!one->done && one->why[0] == '\0')
		(void)snprintf(one->why, sizeof(one->why), "%s", err_text(err));
}

/* --- the thread ------------------------------------------------------------
 */

static bool is_over(const struct apply *a)
{
	return atomic_load(&a->stop) ||
	       atomic_load(&a->settings.progress->phase) == BULK_DRAINING;
}

static void *work(void *arg)
{
	struct apply *a = arg;
	const struct bulk_progress *p = a->settings.progress;
	uint64_t begun;

	while (atomic_load(&p->phase) < BULK_MEASURING && !is_over(a))
		(void)usleep(TICK_US);
	begun = clock_mono_us();
	for (size_t i = 0; i < a->settings.n; i++) {
		const uint64_t at = begun + (i + 1) * a->settings.every_us;

		while (clock_mono_us() < at && !is_over(a))
			(void)usleep(TICK_US);
		if (is_over(a))
			break;
		bring(a, i);
	}
	return NULL;
}

/* --- all of them -----------------------------------------------------------
 */

static enum sg_err read_all(struct apply *a, char *why, size_t cap)
{
	const struct apply_settings *s = &a->settings;
	enum sg_err err = SG_OK;

	for (size_t i = 0; i < s->n && err == SG_OK; i++) {
		a->one[i].file = s->file[i];
		(void)snprintf(a->one[i].why, sizeof(a->one[i].why),
			       "the run was over before its turn");
		err = input_bytes(s->file[i], &a->operation[i].bytes,
				  &a->operation[i].n, why, cap);
		if (err != SG_OK || a->operation[i].n <= WIRE_OPERATION_MAX)
			continue;
		(void)snprintf(why, cap, "%s: no operation is so long",
			       s->file[i]);
		err = SG_TOO_BIG;
	}
	return err;
}

enum sg_err apply_open(const struct apply_settings *settings,
		       struct apply **out, char *why, size_t cap)
{
	struct apply *a = calloc(1, sizeof(*a));
	enum sg_err err;
	int fd;

	if (a == NULL)
		return SG_NO_MEMORY;
	a->settings = *settings;
	a->one = calloc(settings->n, sizeof(a->one[0]));
	a->operation = calloc(settings->n, sizeof(a->operation[0]));
	err = a->one != NULL && a->operation != NULL ? read_all(a, why, cap)
						     : SG_NO_MEMORY;
	if (err == SG_OK) {
		err = connect_to(settings->socket, &fd);
		if (err == SG_OK)
			(void)close(fd);
		else
			(void)snprintf(why, cap, "--socket %.300s: %s",
				       settings->socket,
				       strerrordesc_np(errno));
	}
	if (err != SG_OK)
		apply_free(a);
	else
		*out = a;
	return err;
}

enum sg_err apply_start(struct apply *a)
{
	a->started = pthread_create(&a->thread, NULL, work, a) == 0;
	return a->started ? SG_OK : SG_NO_MEMORY;
}

void apply_stop(struct apply *a)
{
	atomic_store(&a->stop, true);
	if (a->started)
		(void)pthread_join(a->thread, NULL);
	a->started = false;
}

const struct apply_one *apply_results(const struct apply *a, size_t *n)
{
	*n = a->settings.n;
	return a->one;
}

void apply_free(struct apply *a)
{
	if (a == NULL)
		return;
	apply_stop(a);
	for (size_t i = 0; i < a->settings.n && a->operation != NULL; i++)
		free(a->operation[i].bytes);
	free(a->operation);
	free(a->one);
	free(a);
}
