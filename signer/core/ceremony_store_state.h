/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CEREMONY_STORE_STATE_H
#define SG_CEREMONY_STORE_STATE_H

#include "ceremony_store.h"

/*
 * ceremony_store_state: the inside of the store, for its files alone:
 * ceremony_store.c (operations, and which are on record), ceremony_events.c
 * (what came by its time).
 */
enum { STORE_FILE_MODE = 0600 };

struct on_record {
	uint8_t hash[STORE_HASH_BYTES]; /* of the COSE_Sign */
	uint64_t leaf;
};

struct ceremony_store {
	char state[CORE_PATH_MAX];
	char dir[CORE_PATH_MAX + 16]; /* in it */
	unsigned last, recorded;
	size_t room; /* of LINE */
	struct on_record *line;
	bool unsure;	       /* the next one was taken back, and a power cut
				  may bring it back */
	bool events_unwritten; /* the last ones */
	size_t nevents;
	struct store_event event[STORE_EVENTS_MAX];
	uint8_t *approved, *done; /* last read */
};

/* --- ceremony_events.c ---------------------------------------------------- */

/* The path of the file NAME. */
void store_path(const struct ceremony_store *s, const char *name,
		char out[STORE_PATH_BYTES]);
/* Log that NAME could not be written. */
void store_unwritten(const char *name);
/* False: logged, and to be tried again. */
bool store_write_events(struct ceremony_store *s);
/* Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err store_read_events(struct ceremony_store *s);

#endif /* SG_CEREMONY_STORE_STATE_H */
