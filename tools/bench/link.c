/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <openssl/err.h>

enum { EVENTS_MAX = 256, TLS_CHUNK = 16384 /* bytes: what fits one record */ };

enum sg_err link_loop_open(struct link_loop *loop, const struct target *target,
			   const struct link_ops *ops)
{
	loop->target = target;
	loop->ops = ops;
	loop->reason[0] = '\0';
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll < 0 ? SG_IO : SG_OK;
}

void link_loop_close(struct link_loop *loop)
{
	if (loop->epoll >= 0)
		close(loop->epoll);
	loop->epoll = -1;
}

static struct epoll_event interest(struct link *k)
{
	struct epoll_event ev = {.data = {.ptr = k}};

	if (!k->deaf)
		ev.events |= EPOLLIN;
	if (k->want_write)
		ev.events |= EPOLLOUT;
	return ev;
}

static void watch(struct link_loop *loop, struct link *k, bool write)
{
	struct epoll_event ev;

	if (k->want_write == write)
		return;
	k->want_write = write;
	ev = interest(k);
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_MOD, k->fd, &ev);
}

enum sg_err link_connect(struct link_loop *loop, struct link *k)
{
	struct epoll_event ev;

	errno = 0;
	if (target_connect(loop->target, &k->fd, &k->ssl) != SG_OK) {
		(void)snprintf(loop->reason, sizeof(loop->reason), "%s",
			       strerrordesc_np(errno));
		k->fd = -1;
		return SG_IO;
	}
	k->want_write = true;
	ev = interest(k);
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, k->fd, &ev) == 0)
		return SG_OK;
	link_close(k);
	return SG_IO;
}

void link_close(struct link *k)
{
	if (k->fd < 0)
		return;
	SSL_free(k->ssl);
	close(k->fd); /* and out of the epoll set */
	k->ssl = NULL;
	k->fd = -1;
	k->open = false;
	k->out_n = 0;
}

/* SG_BUSY: later; SG_IO: broken. */
static enum sg_err blocked(struct link_loop *loop, struct link *k, int code)
{
	switch (SSL_get_error(k->ssl, code)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE: return SG_BUSY;
	default:
		target_reason(k->ssl, loop->reason, sizeof(loop->reason));
		return SG_IO;
	}
}

/* Write all of OUT.  SG_BUSY: the rest when the socket takes more. */
static enum sg_err write_out(struct link_loop *loop, struct link *k)
{
	size_t at = 0;

	while (at < k->out_n) {
		const size_t left = k->out_n - at;
		const int n =
			SSL_write(k->ssl, k->out + at,
				  (int)(left < TLS_CHUNK ? left : TLS_CHUNK));

		if (n <= 0) {
			memmove(k->out, k->out + at, left);
			k->out_n = left;
			return blocked(loop, k, n);
		}
		at += (size_t)n;
	}
	k->out_n = 0;
	return SG_OK;
}

static enum sg_err flush(struct link_loop *loop, struct link *k)
{
	for (;;) {
		enum sg_err err = loop->ops->output(k->owner);

		if (err != SG_OK || k->out_n == 0)
			return err;
		err = write_out(loop, k);
		if (err != SG_OK)
			return err;
	}
}

static enum sg_err receive(struct link_loop *loop, struct link *k)
{
	while (!k->deaf) {
		const int n = SSL_read(k->ssl, loop->in, sizeof(loop->in));
		enum sg_err err;

		if (n <= 0) {
			err = blocked(loop, k, n);
			return err == SG_BUSY ? SG_OK : err;
		}
		err = loop->ops->input(k->owner, span_of(loop->in, (size_t)n));
		/* The next round would bring more: no read() to be told no. */
		if (err == SG_OK && !SSL_has_pending(k->ssl))
			return SG_OK;
		if (err != SG_OK) {
			(void)snprintf(loop->reason, sizeof(loop->reason),
				       "the server broke the protocol");
			return err;
		}
	}
	return SG_OK;
}

static enum sg_err shake(struct link_loop *loop, struct link *k)
{
	const int code = SSL_do_handshake(k->ssl);
	enum sg_err err;

	if (code != 1) {
		err = blocked(loop, k, code);
		if (err == SG_BUSY)
			watch(loop, k, SSL_want_write(k->ssl));
		return err;
	}
	k->open = true;
	return loop->ops->opened(k->owner);
}

enum sg_err link_push(struct link_loop *loop, struct link *k)
{
	enum sg_err err;

	if (!k->open)
		return SG_OK;
	ERR_clear_error();
	errno = 0;
	err = flush(loop, k);
	if (err != SG_OK && err != SG_BUSY)
		return err;
	watch(loop, k, err == SG_BUSY);
	return SG_OK;
}

static enum sg_err handle(struct link_loop *loop, struct link *k)
{
	enum sg_err err = SG_OK;

	ERR_clear_error();
	errno = 0;
	if (!k->open) {
		err = shake(loop, k);
		if (err == SG_BUSY)
			return SG_OK;
	}
	if (err == SG_OK)
		err = receive(loop, k);
	return err == SG_OK ? link_push(loop, k) : err;
}

enum sg_err link_loop_run(struct link_loop *loop, int ms,
			  void (*broken)(void *owner))
{
	struct epoll_event events[EVENTS_MAX];
	const int n = epoll_wait(loop->epoll, events, EVENTS_MAX, ms);

	if (n < 0 && errno != EINTR)
		return SG_IO;
	for (int i = 0; i < n; i++) {
		struct link *k = events[i].data.ptr;

		if (handle(loop, k) != SG_OK)
			broken(k->owner);
	}
	return SG_OK;
}

void link_listen(struct link_loop *loop, struct link *k, bool listen)
{
	struct epoll_event ev;

	k->deaf = !listen;
	if (k->fd < 0)
		return;
	/* What OpenSSL has read ahead raises no event by itself: writable is
	 * one. */
	k->want_write = k->want_write || listen;
	ev = interest(k);
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_MOD, k->fd, &ev);
}
