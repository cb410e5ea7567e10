/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CHANNEL_H
#define SG_CHANNEL_H

#include <uv.h>

#include "receive.h"
#include "wire.h"

/*
 * channel: one end of a SOCK_SEQPACKET socket pair on a libuv loop.  What is
 * sent within one turn of the loop leaves together, in as few packets as
 * hold it, after the turn's I/O callbacks (uv_check) or when a packet is full.
 * Loop thread only.
 */
struct channel; /* opaque */

enum { CHANNEL_FDS_MAX = RECEIVE_FDS_MAX };

struct channel_events {
	/* One message.  FDS are the packet's descriptors (only for its first
	 * message; N may be 0), owned by the callee.  Return false when the
	 * message makes no sense: the channel ends with bad = true. */
	bool (*message)(void *ctx, const struct wire_msg *m, const int *fds,
			size_t n);
	/* What has come until now follows, in this turn of the loop: nothing
	 * that is sent during it leaves before the turn is over. */
	void (*turn)(void *ctx); /* may be NULL */
	/* A packet's messages have all been given: a place to batch. */
	void (*packet_done)(void *ctx); /* may be NULL */
	/* The other end is gone, or (BAD) sent what does not decode.  Called
	 * once, never from inside channel_send().  The channel is still the
	 * owner's to close. */
	void (*end)(void *ctx, bool bad);
};

/*
 * Take over FD (made non-blocking) and read from it.
 * Owns: FD, from success on.  *OUT: channel_close().
 * EVENTS must outlive the channel.
 * Errors: SG_NO_MEMORY, SG_IO.
 */
SG_MUST_USE enum sg_err channel_open(uv_loop_t *loop, int fd,
				     const struct channel_events *events,
				     void *ctx, struct channel **out);

/*
 * Room for one more message of about BYTES, in the packet that leaves next.
 * NULL when more than CHANNEL_QUEUE_MAX bytes already wait for a reader that
 * does not read (the caller answers SG_BUSY), or the channel has ended.
 * Append with exactly one wire_put_*() before the next channel_* call:
 *	w = channel_room(ch, bytes);
 *	if (w == NULL || wire_put_sign(w, id, &m) != SG_OK) ...
 */
enum { CHANNEL_QUEUE_MAX = 8 << 20 };
struct wire_packet *channel_room(struct channel *ch, size_t bytes);

/* Close the packet being filled, so that what follows goes in the next one:
 * one job per packet spreads jobs over the other end's threads. */
void channel_cut(struct channel *ch);

/* Send one packet with descriptors beside it, now.  The descriptors are
 * closed in this process on success and on failure.  Errors: SG_IO, SG_BUSY. */
SG_MUST_USE enum sg_err channel_send_fds(struct channel *ch,
					 const struct wire_packet *w,
					 const int *fds, size_t n);

/* Write what waits; for a process that is about to exit. */
void channel_flush(struct channel *ch);

/* Close, from any state, callbacks included; freed when libuv lets go.  NULL
 * is allowed. */
void channel_close(struct channel *ch);

/* A connected pair, close-on-exec, with large buffers.  -1 with errno. */
int channel_pair(int fd[2]);

#endif /* SG_CHANNEL_H */
