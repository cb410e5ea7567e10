/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONTROL_BYTES_MAX = 4096, /* the supervisor's messages are short */
	CONTROL_FDS_MAX = 4	  /* descriptors beside one packet */
};

/* Descriptors out of MSG: the first is kept, the rest is nobody's. */
static int take_fd(struct msghdr *msg)
{
	int first = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (first < 0)
				first = fd;
			else
				close(fd);
		}
	}
	return first;
}

static enum sg_err dispatch(struct span rest, int fd, control_message fn,
			    void *ctx)
{
	struct wire_msg m;
	enum sg_err e;

	for (;;) {
		e = wire_next(&rest, &m);
		if (e != SG_OK)
			break;
		e = fn(ctx, &m, fd);
		fd = -1; /* descriptors go with a packet's first message */
		if (e != SG_OK)
			return e;
	}
	if (fd >= 0)
		close(fd);
	return e == SG_NOT_FOUND ? SG_OK : SG_MALFORMED;
}

enum sg_err control_read(int sock, control_message fn, void *ctx)
{
	_Alignas(8) uint8_t buf[CONTROL_BYTES_MAX];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
	} beside;
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = beside.bytes,
			     .msg_controllen = sizeof(beside.bytes)};
	ssize_t n;
	int fd;

	do
		n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return SG_BUSY;
	if (n < 0)
		return errno == ECONNRESET ? SG_CLOSED : SG_IO;
	fd = take_fd(&msg);
	if (n == 0 || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		if (fd >= 0)
			close(fd);
		return n == 0 ? SG_CLOSED : SG_MALFORMED;
	}
	return dispatch(span_of(buf, (size_t)n), fd, fn, ctx);
}

static enum sg_err control_send(int sock, const struct wire_packet *w)
{
	ssize_t n;

	do
		n = send(sock, w->buf, w->len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)w->len ? SG_OK : SG_IO;
}

enum sg_err control_send_bare(int sock, enum wire_type type)
{
	_Alignas(8) uint8_t buf[64];
	struct wire_packet w = {buf, sizeof(buf), 0};
	const enum sg_err e = wire_put_bare(&w, type);

	return e == SG_OK ? control_send(sock, &w) : e;
}

enum sg_err control_send_peer_bad(int sock, uint16_t slot)
{
	_Alignas(8) uint8_t buf[64];
	struct wire_packet w = {buf, sizeof(buf), 0};
	const struct wire_peer_bad bad = {.role = WIRE_CORE, .slot = slot};
	const enum sg_err e = wire_put_peer_bad(&w, &bad);

	return e == SG_OK ? control_send(sock, &w) : e;
}

enum sg_err control_send_reloaded(int sock)
{
	_Alignas(8) uint8_t buf[64];
	struct wire_packet w = {buf, sizeof(buf), 0};
	const struct wire_reloaded done = {.ok = true};
	const enum sg_err e = wire_put_reloaded(&w, &done);

	return e == SG_OK ? control_send(sock, &w) : e;
}
