/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_WALK_H
#define SG_TOOLS_WALK_H

#include "auditor.h"
#include "ledger/entry.h"
#include "ranges.h"
#include "trust.h"

/*
 * walk: the entries of a log, one after the other, each bundle proven against
 * the log's signed root (proven.h).  That the whole log is in order, and has
 * not been rewritten since a checkpoint that was kept, is for `verify`.
 */
struct walk; /* opaque */

/* Options of the commands that walk, at these places behind the first. */
enum {
	WALK_VKEY,
	WALK_WITNESS,
	WALK_QUORUM,
	WALK_WITHIN,
	WALK_QUIET,
	WALK_OPTION_COUNT
};

/* clang-format off */
#define WALK_OPTIONS(first)                                                    \
	[(first) + WALK_VKEY] = {"vkey", "KEY|FILE", NULL,                     \
		"the log's verifier key; without it the log's own word"},      \
	[(first) + WALK_WITNESS] = {"witness", "KEY|FILE", NULL,               \
		"verifier keys of witnesses, one a line"},                     \
	[(first) + WALK_QUORUM] = {"quorum", "N", NULL,                        \
		"so many of them must have cosigned (all)"},                   \
	[(first) + WALK_WITHIN] = {"cosigned-within", "SECONDS", NULL,         \
		"of a server that grows, an older state (3600)"},              \
	[(first) + WALK_QUIET] = {"quiet", NULL, NULL, "no progress"}
/* clang-format on */

/* What a walk's log is, and who says so. */
struct walk_head {
	struct trust trust;
	struct trust_checkpoint checkpoint;
	struct note note; /* it, taken apart */
};

/* One entry, while it is looked at. */
struct walk_entry {
	uint64_t index;
	struct span bytes; /* its encoding */
	const struct merkle_hash *leaf;
	struct entry e;
};

/*
 * Open the log WHERE by the options of ARGS (LOG_OPTIONS, and WALK_OPTIONS at
 * FIRST).  Says so on standard error where the key is the log's own word, and
 * what is wrong with its checkpoint.
 * Owns: *OUT is the caller's; walk_close().
 * Errors: SG_BAD_SIGNATURE (a check failed), others; WHY has them in words.
 */
SG_MUST_USE enum sg_err walk_open(const struct args *args, size_t first,
				  const char *where, struct walk **out,
				  char why[WHY_MAX]);
void walk_close(struct walk *w); /* NULL is allowed */
const struct walk_head *walk_head(const struct walk *w);

/*
 * Call EACH for the entries in RANGES, in order.  It returns SG_OK to go on,
 * SG_CLOSED when it has enough, or why it cannot go on, after writing to WHY.
 * EACH's WHY is walk_run()'s.
 * Errors: SG_BAD_SIGNATURE, SG_MALFORMED (a check failed, or the log does not
 * hold what it must), those of EACH but SG_CLOSED; WHY has them in words.
 */
SG_MUST_USE enum sg_err walk_run(struct walk *w, const struct ranges *ranges,
				 enum sg_err (*each)(void *ctx,
						     const struct walk_entry *e,
						     char why[WHY_MAX]),
				 void *ctx, char why[WHY_MAX]);

/* The exit status for ERR, with WHY told: 1 for a check that failed, else 2. */
int walk_trouble(enum sg_err err, const char *why);

#endif /* SG_TOOLS_WALK_H */
