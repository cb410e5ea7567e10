/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_SURVEY_H
#define SG_TOOLS_SURVEY_H

#include "bag.h"
#include "ceremony.h"
#include "walk.h"

/*
 * survey: what a report is about: the entries of a period, counted.  All of its
 * parts are bounded, and tell how much did not fit.
 */
enum {
	SURVEY_CLIENTS = 1000,
	SURVEY_KEYS = 1000,
	SURVEY_POLICIES = 1000,
	SURVEY_CODES = 5000, /* of all clients together */
	SURVEY_DAYS = 4000,
	SURVEY_EVENTS = 2000, /* kept; more are counted */
	SURVEY_GAPS = 50,     /* the longest */
	SURVEY_GAP_S = 3600   /* without an entry, by default */
};

/* Counts of a cell of clients, keys, policies and days. */
enum survey_count {
	SURVEY_ISSUED, /* and the kinds behind it */
	SURVEY_RENEWED = SURVEY_ISSUED + DCC_KINDS, /* the same */
	SURVEY_REFUSED = SURVEY_RENEWED + DCC_KINDS,
	SURVEY_ATTESTED
};

/* What happened to the service, in the order of the log. */
struct survey_event {
	enum entry_type type;
	uint64_t index;
	int64_t time_ms;
	uint8_t hash[ENTRY_HASH_BYTES]; /* of the policy, of the operation */
	size_t bytes;			/* of the operation */
	struct ceremony ceremony;	/* what it says */
	char refusal[ENTRY_REFUSAL_MAX + 1]; /* of it; "": accepted */
	/* ENTRY_KEY_EVENT; HASH is the operation's id then. */
	bool has_operation;
	char label[ENTRY_NAME_MAX + 1];
	char state[ENTRY_STATE_MAX + 1];
	bool has_kid;
	uint8_t kid[COSE_KID_BYTES];
	/* ENTRY_STARTED: what was before it. */
	bool follows;	    /* there is an entry before it */
	bool unclean;	    /* which is not ENTRY_STOPPED */
	int64_t follows_ms; /* its time */
};

/* A time without entries while the service ran. */
struct survey_gap {
	uint64_t index; /* of the entry that ends it */
	int64_t from_ms, to_ms;
};

struct survey {
	int64_t from_ms, to_ms; /* the period; its end is not part of it */
	int64_t gap_ms;
	uint64_t entries;	   /* in it */
	uint64_t first, last;	   /* their indexes */
	int64_t first_ms, last_ms; /* times of these two */
	struct merkle_hash first_leaf, last_leaf;
	uint64_t total[BAG_COUNTS];  /* enum survey_count */
	struct bag *clients, *keys;  /* keys: kid, algorithm's name */
	struct bag *policies, *days; /* days: since 1970, big-endian */
	struct bag *codes;	     /* client, a NUL, code: count[0] */
	size_t nevents;
	uint64_t more_events;
	struct survey_event event[SURVEY_EVENTS];
	size_t ngaps;
	uint64_t gaps; /* in all */
	struct survey_gap gap[SURVEY_GAPS];
	uint64_t unclean; /* starts without a stop */
	uint64_t back;	  /* entries earlier than the one before */
	int64_t back_most_ms;
	/* Before the period. */
	bool has_policy;
	uint8_t policy[ENTRY_HASH_BYTES]; /* in force as it began */
	/* The entry before, whether in the period or not. */
	bool has_before;
	uint64_t before;
	int64_t before_ms;
	enum entry_type before_type;
};

/* Owns: *OUT is the caller's; survey_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err survey_create(int64_t from_ms, int64_t to_ms,
				      int64_t gap_ms, struct survey **out);
void survey_free(struct survey *s); /* NULL is allowed */
/* Count E; entries come in order, also those outside of the period. */
void survey_add(struct survey *s, const struct walk_entry *e);

/* TO - FROM, milliseconds; the most or the least there is where an entry's time
 * is beyond reason. */
int64_t survey_length(int64_t from_ms, int64_t to_ms);
/* The parts of a cell of codes; of days the number of days since 1970. */
void survey_code(const struct bag_cell *c, struct span *client,
		 struct span *code);
int64_t survey_day(const struct bag_cell *c);
/* All that was issued, or renewed, of COUNT. */
uint64_t survey_sum(const uint64_t *count, enum survey_count first);

#endif /* SG_TOOLS_SURVEY_H */
