/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_AUDIT_STATE_H
#define SG_TOOLS_AUDIT_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "audit.h"
#include "bar.h"
#include "ledger/tiles.h"
#include "tower.h"

/* audit_state: the common inside of audit, audit_bundle and audit_tiles. */

enum {
	AUDIT_WINDOW = 4096 /* bundles between two meetings of all threads */
};

/* What is known of one bundle. */
struct audit_bundle {
	struct tower_hash hash; /* of its 256 entries */
	bool has_time, earliest_said;
	int64_t earliest, latest; /* ms */
	uint64_t earliest_at;	  /* its entry */
};

/* A hash of the log's tile that is not the one made anew.  Which of the two is
 * right shows at the end. */
struct audit_doubt {
	unsigned level;
	uint64_t n;
	unsigned i;
	struct merkle_hash own, file;
	/* FILE follows from the log's tile below: the fault is further down. */
	bool follows;
};

struct audit {
	const struct audit_settings *settings;
	struct findings *findings;
	struct bar bar;
	/* The window that is being read: bundles FIRST to FIRST + N. */
	uint64_t first;
	unsigned n;
	atomic_uint next;	     /* bundle that nobody has taken */
	_Atomic uint64_t done;	     /* entries */
	_Atomic uint64_t reused;     /* bundles that the copy had */
	_Atomic uint64_t unkept;     /* bundles that did not go to the copy */
	struct audit_bundle *bundle; /* AUDIT_WINDOW of them */
	struct tower_hash last[TILE_WIDTH]; /* leaves of the partial one */
	atomic_bool ended;		    /* for ERR */
	/* Under LOCK. */
	pthread_mutex_t lock;
	pthread_cond_t left; /* a thread has ended */
	unsigned running;
	size_t ndoubts;
	struct audit_doubt doubt[FINDINGS_MAX];
	enum sg_err err; /* the first that ends it all */
	char why[SOURCE_WHY_MAX];
	/* Of the calling thread. */
	struct tower tower;
	bool has_time;
	int64_t latest; /* ms */
};

/* A thread's own. */
struct audit_worker {
	struct audit *a;
	struct source *source;
	struct tiles *copy; /* or NULL */
	struct merkle *m;
	pthread_t thread;
	uint8_t *entries; /* TILE_BUNDLE_MAX */
	size_t entries_n;
	uint8_t tile[TILE_BYTES_MAX]; /* the log's */
	uint8_t own[TILE_BYTES_MAX];  /* from the entries */
	/* For the proof that a tile belongs to the root. */
	uint64_t tile_n;
	struct merkle_source upper;
};

/* End it all for ERR, which is WHY. */
void audit_fail(struct audit *a, enum sg_err err, const char *why);
bool audit_ended(struct audit *a);
/* Read tile T of the log; false, and a finding, if there is none to be had. */
bool audit_read(struct audit_worker *w, const struct tile *t, uint8_t *buf,
		size_t cap, size_t *len);
void audit_doubt(struct audit *a, const struct audit_doubt *d);

/* --- audit_bundle --------------------------------------------------------- */

/* Read and check bundle N. */
void audit_bundle(struct audit_worker *w, uint64_t n);

/* --- audit_tiles ---------------------------------------------------------- */

/* Have the tower begin at the settings' FROM: with the tiles of the copy, or
 * those of the log. */
SG_MUST_USE enum sg_err audit_tower_begin(struct audit_worker *w);
/* Put the window's bundles on it. */
SG_MUST_USE enum sg_err audit_tower_grow(struct audit_worker *w);
/* Compare the tiles that stay partial, and the root; resolve the doubts. */
SG_MUST_USE enum sg_err audit_tower_end(struct audit_worker *w);

#endif /* SG_TOOLS_AUDIT_STATE_H */
