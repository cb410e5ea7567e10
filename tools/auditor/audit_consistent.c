/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "audit.h"

/* Hashes that the proof needs are missing or wrong: what that says of the log.
 */
static enum sg_err say_failure(struct source *s, enum sg_err err,
			       struct findings *f, char *why, size_t cap)
{
	switch (err) {
	case SG_NOT_FOUND:
		findings_add(f, FINDING_TILE_MISSING, NULL,
			     "one that the consistency proof needs: %s",
			     source_why(s));
		return SG_OK;
	case SG_MALFORMED:
	case SG_TOO_BIG:
		findings_add(f, FINDING_TILE_SHORT, NULL,
			     "one that the consistency proof needs: %s",
			     source_why(s));
		return SG_OK;
	default:
		(void)snprintf(why, cap, "%s",
			       err == SG_IO || err == SG_FORBIDDEN
				       ? source_why(s)
				       : err_text(err));
		return err;
	}
}

static bool same(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* The proof fails: were the entries rewritten, or are only tiles damaged? */
static void say_fork(uint64_t old, bool tiles_are_new, struct findings *f)
{
	if (tiles_are_new)
		findings_add(f, FINDING_FORKED, NULL,
			     "its first %" PRIu64
			     " entries are not those that were kept",
			     old);
	else
		findings_add(f, FINDING_ROOT_MISMATCH, NULL,
			     "nor do the hash tiles: whether it still begins "
			     "with the %" PRIu64
			     " entries that were kept cannot be shown",
			     old);
}

static enum sg_err prove(struct merkle *m, struct source *s, uint64_t old,
			 const struct merkle_hash *old_root, uint64_t new,
			 const struct merkle_hash *new_root, struct findings *f,
			 char *why, size_t cap)
{
	const struct merkle_source hashes = source_hashes(s, m, new);
	struct merkle_proof proof;
	struct merkle_hash root;
	enum sg_err err =
		merkle_prove_consistency(m, &hashes, old, new, &proof);

	if (err == SG_OK)
		err = merkle_root_of(m, &hashes, new, &root);
	if (err != SG_OK)
		return say_failure(s, err, f, why, cap);
	err = merkle_check_consistency(m, &proof, old, old_root, new, new_root);
	if (err == SG_OK)
		return SG_OK;
	if (err != SG_BAD_SIGNATURE)
		return say_failure(s, err, f, why, cap);
	say_fork(old, same(&root, new_root), f);
	return SG_OK;
}

enum sg_err audit_consistent(struct source *s, uint64_t old,
			     const struct merkle_hash *old_root, uint64_t new,
			     const struct merkle_hash *new_root,
			     struct findings *f, char *why, size_t cap)
{
	struct merkle *m;
	enum sg_err err;

	if (new < old) {
		findings_add(f, FINDING_ROLLED_BACK, NULL,
			     "%" PRIu64 " entries, where there were %" PRIu64,
			     new, old);
		return SG_OK;
	}
	if (new == old) {
		if (!same(old_root, new_root))
			findings_add(f, FINDING_FORKED, NULL,
				     "two different roots of %" PRIu64
				     " entries are signed",
				     new);
		return SG_OK;
	}
	err = merkle_create(&m);
	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s", err_text(err));
		return err;
	}
	err = prove(m, s, old, old_root, new, new_root, f, why, cap);
	merkle_free(m);
	return err;
}
