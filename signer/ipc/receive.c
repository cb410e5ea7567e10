/* SPDX-License-Identifier: Apache-2.0 */
#include "receive.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Keep the descriptors beside a packet; false when there are too many. */
static bool take_fds(struct msghdr *msg, struct received *r)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (n > RECEIVE_FDS_MAX - r->nfds)
			return false;
		memcpy(r->fd + r->nfds, CMSG_DATA(c), n * sizeof(int));
		r->nfds += n;
	}
	return true;
}

void receive_close(const int *fd, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)close(fd[i]);
}

static enum sg_err drop(struct received *r, enum sg_err err)
{
	receive_close(r->fd, r->nfds);
	r->nfds = 0;
	return err;
}

/* Nothing has been read: is that the end, or a packet of no bytes? */
static bool is_over(int sock)
{
	struct pollfd p = {.fd = sock, .events = POLLRDHUP};

	return poll(&p, 1, 0) > 0 &&
	       (p.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

enum sg_err receive_packet(int sock, void *buf, size_t cap,
			   struct received *out)
{
	_Alignas(struct cmsghdr)
		uint8_t control[CMSG_SPACE(RECEIVE_FDS_MAX * sizeof(int))];
	struct iovec iov = {buf, cap};
	struct msghdr msg;
	ssize_t n;

	out->nfds = 0;
	do { /* ECONNRESET stands before packets that have come all the same */
		msg = (struct msghdr){.msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = control,
				      .msg_controllen = sizeof(control)};
		n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return errno == EAGAIN ? SG_BUSY : SG_IO;
	if (!take_fds(&msg, out) ||
	    (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return drop(out, SG_MALFORMED);
	if (n == 0)
		return drop(out, is_over(sock) ? SG_CLOSED : SG_MALFORMED);
	out->bytes = span_of(buf, (size_t)n);
	return SG_OK;
}
