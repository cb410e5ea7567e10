/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/metrics.h"
#include "ipc/receive.h"

enum { CONTROL_BYTES_MAX = 4096 }; /* the supervisor's messages are short */

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
	struct received r;
	const enum sg_err e = receive_packet(sock, buf, sizeof(buf), &r);

	if (e != SG_OK)
		return e;
	/* The first descriptor is the message's, the rest is nobody's. */
	if (r.nfds > 1)
		receive_close(r.fd + 1, r.nfds - 1);
	return dispatch(r.bytes, r.nfds > 0 ? r.fd[0] : -1, fn, ctx);
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

enum sg_err control_common(int sock, const struct wire_msg *m)
{
	switch (m->type) {
	case WIRE_PAGE: return SG_OK; /* for the fronts */
	case WIRE_RELOAD:
		/* Nothing that a reload may change concerns these roles. */
		return control_send_reloaded(sock);
	default: return SG_MALFORMED;
	}
}

const char *control_read_all(int sock, control_message fn, void *ctx)
{
	enum sg_err e;

	do
		e = control_read(sock, fn, ctx);
	while (e == SG_OK);
	if (e == SG_BUSY)
		return NULL;
	if (e != SG_MALFORMED)
		return "the supervisor is gone";
	metric_add(METRIC_BAD_MESSAGES, 1);
	return "the supervisor sent what makes no sense";
}
