/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "audit.h"

/* Hash tiles that the proof needs may be missing or short: that is for
 * audit_run() to tell. */
static enum sg_err judge(struct source *s, enum sg_err err, bool *unproved,
			 char *why, size_t cap)
{
	*unproved =
		err == SG_NOT_FOUND || err == SG_MALFORMED || err == SG_TOO_BIG;
	if (*unproved)
		return SG_OK;
	(void)snprintf(why, cap, "%s",
		       err == SG_IO || err == SG_FORBIDDEN ? source_why(s)
							   : err_text(err));
	return err;
}

static bool same(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static enum sg_err prove(struct merkle *m, struct source *s,
			 const struct checkpoint *old,
			 const struct checkpoint *new, struct findings *f,
			 bool *unproved, char *why, size_t cap)
{
	const struct merkle_source hashes = source_hashes(s, m, new->size);
	struct merkle_proof proof;
	struct merkle_hash root;
	enum sg_err err = merkle_prove_consistency(m, &hashes, old->size,
						   new->size, &proof);

	if (err == SG_OK)
		err = merkle_root_of(m, &hashes, new->size, &root);
	if (err == SG_OK) {
		err = merkle_check_consistency(m, &proof, old->size, &old->root,
					       new->size, &new->root);
		if (err == SG_OK)
			return SG_OK;
	}
	if (err != SG_BAD_SIGNATURE)
		return judge(s, err, unproved, why, cap);
	/* Were the entries rewritten, or are only tiles damaged? */
	*unproved = !same(&root, &new->root);
	if (!*unproved)
		findings_add(f, FINDING_FORKED, NULL,
			     "its first %" PRIu64
			     " entries are not those that were kept",
			     old->size);
	return SG_OK;
}

enum sg_err audit_consistent(struct source *s, const struct checkpoint *old,
			     const struct checkpoint *new, struct findings *f,
			     bool *unproved, char *why, size_t cap)
{
	struct merkle *m;
	enum sg_err err;

	*unproved = false;
	if (new->size < old->size) {
		findings_add(f, FINDING_ROLLED_BACK, NULL,
			     "%" PRIu64 " entries, where there were %" PRIu64,
			     new->size, old->size);
		return SG_OK;
	}
	if (new->size == old->size) {
		if (!same(&old->root, &new->root))
			findings_add(f, FINDING_FORKED, NULL,
				     "two different roots of %" PRIu64
				     " entries are signed",
				     new->size);
		return SG_OK;
	}
	err = merkle_create(&m);
	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s", err_text(err));
		return err;
	}
	err = prove(m, s, old, new, f, unproved, why, cap);
	merkle_free(m);
	return err;
}
