/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_FINDINGS_H
#define SG_TOOLS_FINDINGS_H

#include <jansson.h>
#include <stdio.h>

#include "ledger/tile.h"

/*
 * findings: what is wrong with a log, and where.  Its codes are stable.
 * Any thread may add to them.
 *
 *	X(id, code, what it means)
 */
#define FINDING_MAP(X)                                                         \
	X(CHECKPOINT_MISSING, "checkpoint-missing", "there is no checkpoint")  \
	X(CHECKPOINT_MALFORMED, "checkpoint-malformed",                        \
	  "the checkpoint is not one")                                         \
	X(CHECKPOINT_ORIGIN, "checkpoint-origin",                              \
	  "the checkpoint is of another log")                                  \
	X(CHECKPOINT_UNSIGNED, "checkpoint-unsigned",                          \
	  "the checkpoint is not signed by the log's key")                     \
	X(CHECKPOINT_FORGED, "checkpoint-forged",                              \
	  "the signature of the checkpoint is wrong")                          \
	X(VKEY_DIFFERS, "vkey-differs",                                        \
	  "the log's vkey is not the key that was given")                      \
	X(VKEY_CHANGES, "vkey-changes",                                        \
	  "the log's key is being changed for another one: both have signed")  \
	X(VKEY_MALFORMED, "vkey-malformed", "the log's vkey is not a key")     \
	X(WITNESS_MISSING, "witness-missing",                                  \
	  "a witness has not cosigned the checkpoint")                         \
	X(WITNESS_FORGED, "witness-forged", "a cosignature is wrong")          \
	X(UNWITNESSED, "unwitnessed",                                          \
	  "the newest entries have no witness yet")                            \
	X(ROLLED_BACK, "rolled-back",                                          \
	  "the log is shorter than it was: entries were removed")              \
	X(FORKED, "forked",                                                    \
	  "the log does not begin with what was kept of it: it was rewritten") \
	X(ROOT_MISMATCH, "root-mismatch",                                      \
	  "the entries do not have the root that was signed")                  \
	X(ENTRY_ALTERED, "entry-altered", "the entry was altered")             \
	X(ENTRY_MALFORMED, "entry-malformed", "the entry is not well-formed")  \
	X(BUNDLE_MISSING, "bundle-missing", "the entries are missing")         \
	X(BUNDLE_MALFORMED, "bundle-malformed",                                \
	  "the entries are cut short or do not add up")                        \
	X(TILE_ALTERED, "tile-altered", "the hash tile was altered")           \
	X(TILE_MISSING, "tile-missing", "the hash tile is missing")            \
	X(TILE_SHORT, "tile-short", "the hash tile is too short")              \
	X(PARTIAL_ALTERED, "partial-altered",                                  \
	  "an older partial tile is not the beginning of the newer one")       \
	X(TIME_BACK, "time-back", "the time runs back")                        \
	X(OPERATION_UNAPPROVED, "operation-unapproved",                        \
	  "an operation was accepted that officers had not approved")          \
	X(JOURNAL_MISSING, "journal-missing",                                  \
	  "the entry is not in the journal")                                   \
	X(JOURNAL_DIFFERS, "journal-differs", "the journal has another entry") \
	X(JOURNAL_REVOCATION, "journal-revocation",                            \
	  "the entry's revocation hash is not that of the journal's "          \
	  "signature")                                                         \
	X(JOURNAL_DAMAGED, "journal-damaged", "the journal is damaged")

enum finding_id {
#define X(id, code, about) FINDING_##id,
	FINDING_MAP(X)
#undef X
		FINDING_COUNT
};

enum {
	FINDINGS_MAX = 1000, /* kept; more are counted */
	FINDING_DETAIL_MAX = 320
};

/* Where something is. */
struct finding_place {
	enum { FINDING_LOG, FINDING_ENTRY, FINDING_TILE } kind;
	uint64_t entry;
	struct tile tile;
};

struct finding {
	enum finding_id id;
	struct finding_place place;
	char detail[FINDING_DETAIL_MAX]; /* more than its meaning; or empty */
};

struct findings; /* opaque */

/* Owns: *OUT is the caller's; findings_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err findings_create(struct findings **out);
void findings_free(struct findings *f); /* NULL is allowed */

/* PLACE may be NULL: it is about the log.  FINDING_TIME_BACK,
 * FINDING_VKEY_CHANGES and FINDING_UNWITNESSED are warnings, all others errors.
 */
__attribute__((format(printf, 4, 5))) void findings_add(
	struct findings *f, enum finding_id id,
	const struct finding_place *place, const char *fmt, ...);
struct finding_place findings_entry(uint64_t entry);
struct finding_place findings_tile(const struct tile *t);

uint64_t findings_errors(const struct findings *f);
/* Has more been found than is worth going on for? */
bool findings_full(const struct findings *f);
/* The number that is kept, and the Ith of them. */
size_t findings_n(const struct findings *f);
const struct finding *findings_at(const struct findings *f, size_t i);
bool findings_has(const struct findings *f, enum finding_id id);
const char *findings_code(enum finding_id id); /* static */

/* Put them in the order of the log. */
void findings_sort(struct findings *f);
/* A line for each: "tile-altered tile/0/x001/067: ...". */
void findings_print(const struct findings *f, FILE *to);
/* Those that are errors, or warnings, as an array.
 * Owns: it is the caller's; NULL: no memory. */
json_t *findings_json(const struct findings *f, bool warnings);

#endif /* SG_TOOLS_FINDINGS_H */
