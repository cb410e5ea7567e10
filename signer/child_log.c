/* SPDX-License-Identifier: Apache-2.0 */
#include "child_log.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/logline.h"
#include "base/metrics.h"

enum {
	NAME_BYTES = 16,       /* "witness/0" */
	QUEUE_BYTES = 1 << 20, /* asked for; the kernel may give less */
	LINES_A_TURN = 64,     /* the loop has more to do */
	PAUSE_MS = 50,	       /* once the limit is reached */
	HANDLES = 2,
	US_PER_S = 1000 * 1000
};

struct child_log {
	uv_poll_t poll;
	uv_timer_t pause;
	int fd;
	char role[NAME_BYTES];
	uint64_t left; /* millionths of a line that may come now */
	uint64_t filled_us;
	unsigned open; /* handles */
};

static void fill(struct child_log *c)
{
	const uint64_t most = (uint64_t)CHILD_LOG_BURST * US_PER_S;
	const uint64_t now_us = clock_mono_us();
	const uint64_t more = (now_us - c->filled_us) * CHILD_LOG_RATE;

	c->left = more < most - c->left ? c->left + more : most;
	c->filled_us = now_us;
}

static void take(struct child_log *c, const char *line, size_t n)
{
	c->left -= US_PER_S;
	if (!log_relay(c->role, line, n))
		metric_add(METRIC_BAD_MESSAGES, 1);
}

/* At most MOST lines.  False: there is nobody any more who could send some. */
static bool read_lines(struct child_log *c, unsigned most)
{
	char line[LOGLINE_MAX];
	ssize_t n;

	while (most > 0 && c->left >= US_PER_S) {
		n = recv(c->fd, line, sizeof(line), MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && errno == EINTR)
			continue;
		/* An empty one is the end, too: no line is. */
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		most--;
		/* One that was cut is longer than any line. */
		take(c, line, (size_t)n);
	}
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
	struct child_log *c = (struct child_log *)timer->data;

	(void)uv_poll_start(&c->poll, UV_READABLE, on_readable);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct child_log *c = (struct child_log *)poll->data;

	(void)events;
	fill(c);
	if (status < 0 || !read_lines(c, LINES_A_TURN)) {
		(void)uv_poll_stop(&c->poll);
	} else if (c->left < US_PER_S) {
		(void)uv_poll_stop(&c->poll);
		(void)uv_timer_start(&c->pause, on_pause_over, PAUSE_MS, 0);
	}
}

static int make_pair(int pair[2])
{
	const int bytes = QUEUE_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, pair) != 0)
		return -1;
	/* Nothing comes back. */
	(void)shutdown(pair[0], SHUT_WR);
	(void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	return 0;
}

enum sg_err child_log_open(uv_loop_t *loop, const char *role,
			   struct child_log **out, int *theirs)
{
	struct child_log *c = (struct child_log *)calloc(1, sizeof(*c));
	int pair[2];

	*out = NULL;
	*theirs = -1;
	if (c == NULL)
		return SG_NO_MEMORY;
	if (make_pair(pair) != 0) {
		free(c);
		return SG_IO;
	}
	c->fd = pair[0];
	(void)snprintf(c->role, sizeof(c->role), "%s", role);
	if (uv_poll_init(loop, &c->poll, c->fd) != 0) {
		(void)close(pair[0]);
		(void)close(pair[1]);
		free(c);
		return SG_IO;
	}
	(void)uv_timer_init(loop, &c->pause);
	c->poll.data = c->pause.data = c;
	c->open = HANDLES;
	c->left = (uint64_t)CHILD_LOG_BURST * US_PER_S;
	c->filled_us = clock_mono_us();
	on_pause_over(&c->pause);
	*out = c;
	*theirs = pair[1];
	return SG_OK;
}

static void on_closed(uv_handle_t *handle)
{
	struct child_log *c = (struct child_log *)handle->data;

	assert(c->open > 0);
	if (--c->open == 0)
		free(c);
}

void child_log_close(struct child_log *c)
{
	if (c == NULL)
		return;
	fill(c);
	(void)!read_lines(c, CHILD_LOG_BURST);
	uv_close((uv_handle_t *)&c->poll, on_closed);
	uv_close((uv_handle_t *)&c->pause, on_closed);
	(void)close(c->fd);
}
