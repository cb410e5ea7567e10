/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CEREMONY_STORE_H
#define SG_CEREMONY_STORE_H

#include "ceremony/lifecycle.h"
#include "core.h"

/*
 * ceremony_store: the operations that were accepted, in STATE/operations, each
 * under its number:
 *
 *	00000001.cose	as the officers signed it
 *	00000001.done	what came of it, in CBOR; written last
 *	recorded	a line for each that is on record: "NUMBER SHA-256 LEAF"
 *	events		a line for each change of a key's state that came by
 *			its time and is on record: "TIME AFTER STATE LABEL",
 *			AFTER the number of the operation before it
 *
 * Blocking; loop thread only.
 */
struct ceremony_store; /* opaque */

enum {
	STORE_HASH_BYTES = 32,
	STORE_NUMBER_MAX = 99999,
	STORE_EVENTS_MAX = 4096,
	STORE_PATH_BYTES = CORE_PATH_MAX + 64
};

/* A key of signerd.yaml that the first operation adopted. */
struct store_adopted {
	struct span label;
	const uint8_t *spki; /* SHA-256 of its public key: STORE_HASH_BYTES */
};

/* One operation with what came of it. */
struct store_item {
	struct span approved; /* the COSE_Sign */
	struct outcome outcome;
	/* The policy in force, which officers who want to approve policies find
	 * approved when they take over: STORE_HASH_BYTES, or NULL. */
	const uint8_t *policy;
	size_t nadopted; /* of a genesis */
	struct store_adopted adopted[LIFE_KEYS_MAX];
	uint8_t done[STORE_HASH_BYTES]; /* SHA-256 of .done: what binds it to
					   the ledger's entry */
};

struct store_event {
	int64_t time;	/* seconds since 1970 */
	unsigned after; /* the operation before it; 0: none */
	enum key_state state;
	char label[LIFE_LABEL_MAX];
};

/*
 * Open STATE's, which is made if it is not there.  What is damaged is logged
 * (operations-damaged): a gap, a line that makes no sense.
 * Owns: *OUT is the caller's; ceremony_store_close().
 * Errors: SG_IO, SG_MALFORMED, SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err ceremony_store_open(const char *state,
					    struct ceremony_store **out);
void ceremony_store_close(struct ceremony_store *s); /* NULL is allowed */

/* The path of the part of NUMBER that SUFFIX names, "cose" or "done". */
void ceremony_store_part(const char *state, unsigned number, const char *suffix,
			 char out[STORE_PATH_BYTES]);
/* Log that NUMBER is not what was accepted, and WHY: nothing is signed. */
void ceremony_store_damaged(unsigned number, const char *why);

/* Of the last one that is whole; 0: there is none. */
unsigned ceremony_store_last(const struct ceremony_store *s);
/* Read NUMBER.  *OUT lives until the next call on S.
 * Errors: SG_IO, SG_MALFORMED (not what was accepted), SG_NO_MEMORY. */
SG_MUST_USE enum sg_err ceremony_store_read(struct ceremony_store *s,
					    unsigned number,
					    struct store_item *out);
/* Keep ITEM, durably, as the next one; its `done` is set.  Events that could
 * not be written come first, and so does what was taken back, and is not
 * durably gone. Errors: SG_IO (nothing is kept), SG_TOO_BIG, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err ceremony_store_add(struct ceremony_store *s,
					   struct store_item *item);

/* The last one was not accepted after all. */
void ceremony_store_drop(struct ceremony_store *s);
/* Was one that could not be kept, or was dropped, taken back in a way that is
 * not durable yet?  It may be in force again after a power cut.  Nothing is
 * kept until it is gone. */
bool ceremony_store_unsure(const struct ceremony_store *s);

/* Up to which number all are on record. */
unsigned ceremony_store_recorded(const struct ceremony_store *s);
/* Of a recorded one: its leaf, and whether APPROVED is it. */
bool ceremony_store_leaf(const struct ceremony_store *s, unsigned number,
			 struct span approved, uint64_t *leaf);
/* NUMBER, the next after ceremony_store_recorded(), is APPROVED, and on record
 * as LEAF.  Where it cannot be written it is recorded once more later. */
void ceremony_store_note(struct ceremony_store *s, unsigned number,
			 struct span approved, uint64_t leaf);
/* Only those before NUMBER are on record. */
void ceremony_store_forget(struct ceremony_store *s, unsigned number);

/* Is there an event of LABEL and STATE? */
bool ceremony_store_event(const struct ceremony_store *s, const char *label,
			  enum key_state state);
void ceremony_store_add_event(struct ceremony_store *s,
			      const struct store_event *e);
/* All of them, *N, in the order of the ledger; good until the next change. */
const struct store_event *ceremony_store_events(const struct ceremony_store *s,
						size_t *n);
/* The events are E, N of them (STORE_EVENTS_MAX at most), and no others. */
void ceremony_store_set_events(struct ceremony_store *s,
			       const struct store_event *e, size_t n);

#endif /* SG_CEREMONY_STORE_H */
