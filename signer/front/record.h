/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RECORD_H
#define SG_RECORD_H

#include "base/err.h"
#include "base/span.h"

/*
 * record: the requests of one stream that are in flight, in their order.
 * Their answers come in any order; what comes early is kept until its turn.
 * The memory of a record is used again by the next ones: none is allocated a
 * request once a stream runs.
 */
enum { RECORDS_MAX = 1024 }; /* a power of two */

/* Bytes that are kept. */
struct record_text {
	uint8_t *p;
	size_t n, cap;
};

/* What a client brings, read and not verified: see struct wire_issue. */
struct brought {
	struct span request, presented, signature;
};

struct record {
	void *owner;
	uint32_t number;   /* of the stream's records, from 1 */
	uint64_t taken_us; /* CLOCK_MONOTONIC */
	bool asked;	   /* QUESTION is with the core */
	bool answered;	   /* LINE waits for its turn */
	bool later;	   /* REQUEST is to be asked again */
	uint64_t question;
	struct record_text id, line, request, presented, signature;
};

struct records {
	uint32_t first, next;  /* numbers of records, modulo 2^32 */
	bool used;	       /* records may have texts */
	struct record *record; /* RECORDS_MAX */
};

/* Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err records_create(struct records *q);
void records_free(struct records *q);
/* None is in flight, nor will be for a while: give the texts' memory back. */
void records_shed(struct records *q);
size_t records_count(const struct records *q);

/* A new one, the last; there are fewer than RECORDS_MAX. */
struct record *records_push(struct records *q, void *owner, uint64_t now_us);
/* The first of all, NULL: none. */
struct record *records_first(const struct records *q);
bool records_is_next(const struct records *q, const struct record *r);
/* The first, if its answer is here already; NULL if not.  *LINE is the answer,
 * empty if there was no memory for it. */
struct record *records_next_answered(const struct records *q,
				     struct span *line);
/* The first is over. */
void records_pop(struct records *q);

void *record_owner(const struct record *r);
struct span record_id(const struct record *r);
/* Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err record_keep_id(struct record *r, struct span id);
/* Keep LINE until R is the first. */
void record_answered(struct record *r, struct span line);

size_t brought_bytes(const struct brought *b);

/* Keep B to be asked again later.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err record_put_off(struct record *r,
				       const struct brought *b);
/* The oldest that is put off; NULL: none is. */
struct record *records_put_off(const struct records *q);
/* R is put off no more; what it brought lies there until R is over. */
struct brought record_resume(struct record *r);

#endif /* SG_RECORD_H */
