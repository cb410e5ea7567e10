/* SPDX-License-Identifier: Apache-2.0 */
#include "bell.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct bell {
	uv_poll_t poll; /* first: the memory goes when it is closed */
	int fd;
	_Atomic bool rings; /* and the loop has not come to look yet */
	void (*rung)(void *ctx);
	void (*gone)(void *ctx);
	void *ctx;
};

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct bell *b = poll->data;
	eventfd_t rings;

	(void)status;
	(void)events;
	(void)eventfd_read(b->fd, &rings);
	/* Before the look: who rings from here on writes again. */
	atomic_store(&b->rings, false);
	b->rung(b->ctx);
}

static void on_closed(uv_handle_t *handle)
{
	struct bell *b = handle->data;

	(void)close(b->fd);
	if (b->gone != NULL)
		b->gone(b->ctx);
	free(b);
}

enum sg_err bell_create(uv_loop_t *loop, void (*rung)(void *ctx), void *ctx,
			struct bell **out)
{
	struct bell *b = calloc(1, sizeof(*b));

	*out = NULL;
	if (b == NULL)
		return SG_NO_MEMORY;
	b->rung = rung;
	b->ctx = ctx;
	b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (b->fd < 0)
		goto fail_fd;
	if (uv_poll_init(loop, &b->poll, b->fd) != 0)
		goto fail_poll;
	b->poll.data = b;
	if (uv_poll_start(&b->poll, UV_READABLE, on_readable) != 0) {
		bell_free(b, NULL);
		return SG_INTERNAL;
	}
	*out = b;
	return SG_OK;
fail_poll:
	(void)close(b->fd);
fail_fd:
	free(b);
	return SG_INTERNAL;
}

void bell_ring(struct bell *b)
{
	if (!atomic_exchange(&b->rings, true))
		(void)eventfd_write(b->fd, 1);
}

void bell_free(struct bell *b, void (*gone)(void *ctx))
{
	if (b == NULL)
		return;
	b->gone = gone;
	(void)uv_poll_stop(&b->poll);
	uv_close((uv_handle_t *)&b->poll, on_closed);
}
