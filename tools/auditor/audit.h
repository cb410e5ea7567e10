/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_AUDIT_H
#define SG_TOOLS_AUDIT_H

#include <signal.h>

#include "approvals.h"
#include "findings.h"
#include "ledger/checkpoint.h"
#include "source.h"

/*
 * audit: reads the entries and hash tiles of a log, makes every leaf, every
 * tile and the root anew, and finds what differs.  Several threads read
 * bundles; the calling thread puts their roots together.  Memory does not grow
 * with the log.
 */
enum { AUDIT_JOBS_MAX = 64, AUDIT_TIME_BACK_MS = 5000 };

struct audit_settings {
	struct source_settings where;
	unsigned
		jobs; /* threads; 0: as many as processors, more for a server */
	uint64_t from; /* entries before are only taken from the hash tiles */
	uint64_t size;
	struct merkle_hash root; /* signed, of SIZE */
	/* A directory that gets each tile once it is known to belong to ROOT,
	 * and has those before FROM; NULL: only look. */
	const char *copy;
	/* Something must be wrong; if nothing is found, say that the root is.
	 */
	bool unproved;
	/* Gets the operations that the log says were accepted; or NULL. */
	struct approvals *approvals;
	bool quiet;			   /* no progress */
	const volatile sig_atomic_t *stop; /* not 0: end early; or NULL */
};

struct audit_result {
	uint64_t entries; /* looked at */
	uint64_t reused;  /* bundles that the copy had already */
	unsigned jobs;
	double seconds;
};

/*
 * Errors: SG_IO, SG_FORBIDDEN, SG_CONFIG, SG_NO_MEMORY, SG_INTERNAL with WHY
 * (CAP bytes): it could not be looked at, or not be kept; SG_CLOSED: stopped.
 * What is wrong with the log goes to F and is no error.
 */
SG_MUST_USE enum sg_err audit_run(const struct audit_settings *settings,
				  struct findings *f, struct audit_result *out,
				  char *why, size_t cap);

/*
 * Does the log S, whose checkpoint is NEW, begin with what OLD says?  By the
 * consistency proof from its hash tiles; if not (rolled back, forked), that
 * goes to F.
 * Errors: as above, and SG_BAD_SIGNATURE: its tiles are damaged, and nothing
 * can be said before audit_run() has told where.
 */
SG_MUST_USE enum sg_err audit_consistent(struct source *s,
					 const struct checkpoint *old,
					 const struct checkpoint *new,
					 struct findings *f, char *why,
					 size_t cap);

#endif /* SG_TOOLS_AUDIT_H */
