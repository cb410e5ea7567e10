/* SPDX-License-Identifier: Apache-2.0 */
#include "sendq.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"

enum {
	FIRST_BYTES = 4096, /* a packet's memory at first; it doubles */
	/* Head, fixed part, lengths and padding of the largest message. */
	MESSAGE_SLACK = 128
};

struct sendq_packet {
	struct sendq_packet *next;
	struct wire_packet w; /* owns w.buf */
	bool closed;
	int fd[CHANNEL_FDS_MAX];
	size_t nfds;
};

static struct sendq_packet *filling(const struct sendq *q)
{
	return q->tail != NULL && !q->tail->closed ? q->tail : NULL;
}

size_t sendq_bytes(const struct sendq *q)
{
	const struct sendq_packet *open = filling(q);

	return q->closed_bytes + (open != NULL ? open->w.len : 0);
}

static void packet_free(struct sendq_packet *p)
{
	if (p == NULL)
		return;
	free(p->w.buf);
	free(p);
}

/* Let P hold N more bytes.  N is no more than a packet has left. */
static bool packet_reserve(struct sendq_packet *p, size_t n)
{
	const size_t need = p->w.len + n;
	size_t cap = p->w.cap > 0 ? p->w.cap : FIRST_BYTES;
	uint8_t *buf;

	assert(need <= WIRE_PACKET_MAX);
	if (need <= p->w.cap)
		return true;
	while (cap < need)
		cap *= 2;
	buf = (uint8_t *)realloc(p->w.buf, cap);
	if (buf == NULL)
		return false;
	p->w.buf = buf;
	p->w.cap = cap;
	return true;
}

/* A packet at the tail with room for N bytes. */
static struct sendq_packet *packet_new(struct sendq *q, size_t n)
{
	struct sendq_packet *p = q->spare;

	if (p == NULL)
		p = (struct sendq_packet *)calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	q->spare = NULL;
	if (!packet_reserve(p, n)) {
		packet_free(p);
		return NULL;
	}
	if (q->tail != NULL)
		q->tail->next = p;
	else
		q->head = p;
	q->tail = p;
	return p;
}

static void packet_done(struct sendq *q)
{
	struct sendq_packet *p = q->head;

	q->head = p->next;
	if (q->head == NULL)
		q->tail = NULL;
	if (p->closed)
		q->closed_bytes -= p->w.len;
	for (size_t i = 0; i < p->nfds; i++)
		(void)close(p->fd[i]);
	p->next = NULL;
	p->w.len = 0;
	p->closed = false;
	p->nfds = 0;
	if (q->spare == NULL)
		q->spare = p;
	else
		packet_free(p);
}

void sendq_cut(struct sendq *q)
{
	struct sendq_packet *open = filling(q);

	if (open == NULL || open->w.len == 0)
		return;
	open->closed = true;
	q->closed_bytes += open->w.len;
}

struct wire_packet *sendq_room(struct sendq *q, size_t bytes)
{
	const size_t most = WIRE_PACKET_MAX - MESSAGE_SLACK;
	const size_t need = (bytes < most ? bytes : most) + MESSAGE_SLACK;
	struct sendq_packet *open = filling(q);

	if (open != NULL && need > WIRE_PACKET_MAX - open->w.len) {
		sendq_cut(q);
		open = NULL;
	}
	if (open == NULL)
		open = packet_new(q, need);
	else if (!packet_reserve(open, need))
		open = NULL;
	return open != NULL ? &open->w : NULL;
}

bool sendq_append(struct sendq *q, struct span bytes, const int *fds, size_t n)
{
	struct sendq_packet *p;

	assert(n <= CHANNEL_FDS_MAX && bytes.n > 0);
	sendq_cut(q);
	p = filling(q); /* an empty one may be left */
	if (p == NULL)
		p = packet_new(q, bytes.n);
	else if (!packet_reserve(p, bytes.n))
		return false;
	if (p == NULL)
		return false;
	memcpy(p->w.buf, bytes.p, bytes.n);
	p->w.len = bytes.n;
	for (size_t i = 0; i < n; i++)
		p->fd[i] = fds[i];
	p->nfds = n;
	p->closed = true;
	q->closed_bytes += bytes.n;
	return true;
}

static ssize_t packet_send(const struct sendq_packet *p, int fd)
{
	_Alignas(struct cmsghdr)
		uint8_t control[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))] = {
			0};
	struct iovec iov = {p->w.buf, p->w.len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (p->nfds > 0) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(p->nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(p->nfds * sizeof(int));
		memcpy(CMSG_DATA(c), p->fd, p->nfds * sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

enum sendq_result sendq_write(struct sendq *q, int fd)
{
	while (q->head != NULL && q->head->w.len > 0) {
		ssize_t n = packet_send(q->head, fd);

		if (n >= 0)
			packet_done(q); /* SEQPACKET: all or nothing */
		else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
			return SENDQ_FULL; /* memory is tight: try again */
		else if (errno != EINTR)
			return SENDQ_BROKEN;
	}
	return SENDQ_EMPTY;
}

bool sendq_wait(int fd, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, wait_ms) == 1;
}

void sendq_clear(struct sendq *q)
{
	while (q->head != NULL)
		packet_done(q);
	q->closed_bytes = 0;
}

void sendq_free(struct sendq *q)
{
	sendq_clear(q);
	packet_free(q->spare);
	q->spare = NULL;
}
