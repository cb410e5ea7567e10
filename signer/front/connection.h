/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CONNECTION_H
#define SG_CONNECTION_H

#include "front/bytes.h"
#include "front/front_state.h"
#include "front/http.h"
#include "front/peer.h"
#include "front/tls.h"

/*
 * connection: one client, from accept to close.  Moves bytes between the
 * socket, TLS and HTTP; knows nothing of requests.  What is under way is a
 * pointer that is not NULL.  Loop thread only.
 */
struct connection_write; /* uv_write() under way */

struct connection {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	struct front *front;
	TAILQ_ENTRY(connection)
	all, flush, unsigned_line; /* the front's lists */
	enum door door;		   /* DOOR_CLIENTS: by TLS; else plain */
	bool flush_queued;
	bool reading; /* uv_read_start() is on */
	bool ending;  /* nothing that comes is looked at */
	bool shut;    /* our half of the socket is closed */
	bool eof;     /* theirs is */
	bool entered; /* admission_enter() was called for CLIENT */
	uint16_t client;
	uint64_t address; /* as admission_address() */
	struct tls *tls;
	struct http *http;     /* NULL: handshake, or ending */
	struct http_host host; /* HTTP's view of this */
	struct peer peer;
	struct wheel_timer deadline; /* by its function */
	struct bytes held;	     /* input that HTTP does not take yet */
	struct bytes out;	     /* what goes to the socket */
	struct connection_write *writing; /* the socket is full */
	size_t writing_left;		  /* when last looked at */
	size_t discarded;		  /* bytes read while ending */
	/* recheck.c: as of which reload and which walk the client is known to
	 * be good, and the question about it that is with the core. */
	uint64_t verified, asked;
	bool asking;
	bool signing;	     /* the handshake waits for its signature: */
	bool unasked;	     /* and the core has not been asked for it yet */
	uint64_t question;   /* of either of them: a handshake is before */
	uint64_t sign_by_us; /* CLOCK_MONOTONIC: later it is of no use */
	uint64_t until_us;   /* the handshake has time until then */
};

/* Take the next connection of LISTENER: TLS, or plain HTTP/1.1.  One too many
 * for its DOOR is closed at once. */
void connection_accept(struct front *f, uv_stream_t *listener, enum door door);
/* Finish what is in flight, take nothing new, then close.  NOW: see http.h. */
void connection_finish(struct connection *c, bool now);
/* Destroy, in any state, but not from inside HTTP.  C is gone for its caller.
 */
void connection_drop(struct connection *c);
/* Put C on the flush list: its output leaves after this turn's I/O. */
void connection_wake(struct connection *c);
/* Flush all of the list. */
void connection_flush_all(struct front *f);

/* --- between connection.c, connection_read.c, connection_handshake.c ------ */

/* Nothing more from HTTP: what is in the output leaves, then both hang up. */
void connection_end(struct connection *c);
void connection_deadline(struct connection *c, uint32_t ms,
			 void (*fire)(struct wheel_timer *t));
struct connection *connection_of_deadline(struct wheel_timer *t);
/* From now on C has the handshake's time to finish it. */
void connection_handshake_begin(struct connection *c);
/* Go on with the handshake.  True: it has come to its good end; false: it goes
 * on later, or has failed. */
bool connection_shake_hands(struct connection *c);
/* Ask for the signatures for which there was no room, once a turn. */
void connection_ask_again(struct front *f);
/* Nobody waits for the signature of its handshake any more, if it has asked for
 * one. */
void connection_sign_no_more(struct connection *c);
/* The handshake failed for REASON: count it, and log it. */
void connection_refused(struct connection *c, const char *reason);
/* Take what TLS has been given. */
void connection_read_records(struct connection *c);
SG_MUST_USE enum sg_err connection_start_http(struct connection *c);
/* A request that was pipelined has its turn. */
void connection_give_held(struct connection *c);
/* Read, or do not, as its state demands.  False: broken. */
SG_MUST_USE bool connection_read_on(struct connection *c);

#endif /* SG_CONNECTION_H */
