/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "audit.h"

static bool same(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* Whatever the tiles have as the tree of OLD's size, do they prove that NEW
 * begins with it?  *FORKED: then it is not what OLD says.  A damaged tile
 * proves nothing, and accuses nobody. Errors: those of SRC; SG_BAD_SIGNATURE:
 * they do not. */
static enum sg_err prove(struct merkle *m, const struct merkle_source *src,
			 const struct checkpoint *old,
			 const struct checkpoint *new, bool *forked)
{
	struct merkle_proof proof;
	struct merkle_hash root;
	enum sg_err err =
		merkle_prove_consistency(m, src, old->size, new->size, &proof);

	if (err == SG_OK)
		err = merkle_root_of(m, src, old->size, &root);
	if (err == SG_OK)
		err = merkle_check_consistency(m, &proof, old->size, &root,
					       new->size, &new->root);
	*forked = err == SG_OK && !same(&root, &old->root);
	return err;
}

static enum sg_err prove_from(struct source *s, const struct checkpoint *old,
			      const struct checkpoint *new, bool *forked)
{
	struct merkle_source hashes;
	struct merkle *m;
	enum sg_err err = merkle_create(&m);

	if (err != SG_OK)
		return err;
	hashes = source_hashes(s, m, new->size);
	err = prove(m, &hashes, old, new, forked);
	merkle_free(m);
	return err;
}

enum sg_err audit_consistent(struct source *s, const struct checkpoint *old,
			     const struct checkpoint *new, struct findings *f,
			     char *why, size_t cap)
{
	bool forked = false;
	enum sg_err err;

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
	err = prove_from(s, old, new, &forked);
	if (forked)
		findings_add(f, FINDING_FORKED, NULL,
			     "its first %" PRIu64
			     " entries are not those that were signed before",
			     old->size);
	/* Tiles that are missing or cut short are damaged, too. */
	if (err == SG_NOT_FOUND || err == SG_MALFORMED || err == SG_TOO_BIG)
		return SG_BAD_SIGNATURE;
	if (err != SG_OK)
		(void)snprintf(why, cap, "%s",
			       err == SG_IO || err == SG_FORBIDDEN
				       ? source_why(s)
				       : err_text(err));
	return err;
}
