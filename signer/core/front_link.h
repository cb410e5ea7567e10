/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_FRONT_LINK_H
#define SG_FRONT_LINK_H

#include <sys/queue.h>

#include "base/throttle.h"
#include "ipc/channel.h"

/*
 * front_link: the core's end of the channel to one front.  It decodes
 * requests and encodes answers; what happens between is the desk's and the
 * issuer's.  Loop thread only.
 */
struct front_link;

struct front_link_events {
	/* Each returns false when the message makes no sense. */
	bool (*issue)(void *ctx, struct front_link *f, uint64_t id,
		      const struct wire_issue *m);
	bool (*ask)(void *ctx, struct front_link *f, uint64_t id,
		    const struct wire_ask *m);
	bool (*operate)(void *ctx, struct front_link *f, uint64_t id,
			const struct wire_operate *m);
	bool (*handshake)(void *ctx, struct front_link *f, uint64_t id,
			  const struct wire_handshake *m);
	/* All messages of a packet have been given. */
	void (*batch)(void *ctx);
	/* The front is gone (BAD: its fault, which is counted).  Close F. */
	void (*end)(void *ctx, struct front_link *f, bool bad);
};

struct issue;

struct front_link {
	const struct front_link_events *events;
	void *ctx;
	struct channel *channel;
	uint16_t slot;
	uint32_t credit;	   /* requests it may have in flight */
	uint32_t outstanding;	   /* requests it has */
	uint32_t handshakes;	   /* that are being signed for it */
	uint32_t taken;		   /* messages, in this turn of the loop */
	uint32_t costly;	   /* of them, by front_link_bears() */
	uint64_t linked_us;	   /* CLOCK_MONOTONIC: when it was opened */
	bool told;		   /* of its fault, in the metrics */
	struct throttle dropped;   /* answers */
	LIST_HEAD(, issue) issues; /* the issuer's: what it works on for F */
};

struct front_link_parts {
	uv_loop_t *loop;
	int fd;
	uint16_t slot;	 /* the front's */
	uint32_t credit; /* that it is told */
	const struct front_link_events *events;
	void *ctx;
};

/* Take over parts->fd, and tell the front its credit.
 * Owns: parts->fd, from success on; *OUT: front_link_close().
 * Errors: SG_NO_MEMORY, SG_IO. */
SG_MUST_USE enum sg_err front_link_open(const struct front_link_parts *parts,
					struct front_link **out);

/* Answer request ID.  An answer to a front that does not read is dropped: the
 * front ends the request by its deadline. */
void front_link_issued(struct front_link *f, uint64_t id,
		       const struct wire_issued *m);
/* ERR with DETAIL (safe for the client; may be empty) and VIOLATIONS. */
void front_link_problem(struct front_link *f, uint64_t id, enum sg_err err,
			struct span detail, struct span violations);
/* Refused by VIOLATIONS with SG_RATE; it may be sent again after so long. */
void front_link_limited(struct front_link *f, uint64_t id,
			uint32_t retry_after_s, struct span violations);
void front_link_later(struct front_link *f, uint64_t id,
		      const struct wire_later *m);
void front_link_answer(struct front_link *f, uint64_t id, struct span document);
void front_link_status(struct front_link *f, const struct wire_status *m);

/* May one more question of F's that costs the core as much as many requests
 * (files to be read, officers' signatures) be answered in this turn of the
 * loop?  A front that asked them all at once would stop the signing. */
enum { FRONT_LINK_COSTLY_MAX = 64 };
bool front_link_bears(struct front_link *f);

/* Nothing may be listed in F->issues.  NULL is allowed. */
void front_link_close(struct front_link *f);

#endif /* SG_FRONT_LINK_H */
