/* SPDX-License-Identifier: Apache-2.0 */
#include "approved_policy.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/fileio.h"
#include "ceremony/approval.h"
#include "ceremony/operation.h"
#include "ceremony_done.h"

/* What the operations have said so far. */
struct standing {
	const uint8_t *hash; /* asked for */
	bool needed, has_policy, once;
	uint8_t newest[APPROVED_POLICY_BYTES];
	/* Of the operation at hand. */
	struct operation op;
	struct approved approved;
	struct store_item item;
};

static enum sg_err read_part(const char *state, unsigned number,
			     const char *suffix, size_t max, uint8_t **out,
			     size_t *n)
{
	char path[STORE_PATH_BYTES];
	enum sg_err err;

	ceremony_store_part(state, number, suffix, path);
	err = fileio_read(path, max, out, n);
	if (err == SG_TOO_BIG)
		return SG_MALFORMED;
	return err == SG_IO && errno == ENOENT ? SG_NOT_FOUND : err;
}

static void approve(struct standing *s, const uint8_t *policy)
{
	memcpy(s->newest, policy, sizeof(s->newest));
	s->has_policy = true;
	if (memcmp(policy, s->hash, sizeof(s->newest)) == 0)
		s->once = true;
}

/* As the core folds it: officers who want to approve policies take over the one
 * that they find. */
static void fold(struct standing *s)
{
	const struct operation *o = &s->op;

	if (o->kind == OPERATION_POLICY) {
		approve(s, o->policy);
	} else if (o->kind == OPERATION_GENESIS ||
		   o->kind == OPERATION_OFFICERS) {
		s->needed = o->roll.policy_approval;
		if (s->needed && !s->has_policy && s->item.policy != NULL)
			approve(s, s->item.policy);
	}
}

static enum sg_err take(struct standing *s, struct span approved,
			struct span done)
{
	uint8_t hash[STORE_HASH_BYTES];
	const char *why;

	if (EVP_Digest(approved.p, approved.n, hash, NULL, EVP_sha256(),
		       NULL) != 1)
		return SG_NO_MEMORY;
	if (approved_decode(approved, &s->approved) != SG_OK ||
	    operation_decode(s->approved.operation, &s->op, &why) != SG_OK ||
	    ceremony_done_decode(done, hash, &s->item) != SG_OK)
		return SG_MALFORMED;
	fold(s);
	return SG_OK;
}

/* Operation NUMBER.  Errors: SG_NOT_FOUND: it has not been accepted (.done is
 * written last). */
static enum sg_err take_number(struct standing *s, const char *state,
			       unsigned number)
{
	uint8_t *approved = NULL;
	uint8_t *done = NULL;
	size_t approved_n;
	size_t done_n;
	enum sg_err err = read_part(state, number, "done",
				    CEREMONY_DONE_BYTES_MAX, &done, &done_n);

	if (err == SG_OK) {
		err = read_part(state, number, "cose", APPROVED_BYTES_MAX,
				&approved, &approved_n);
		if (err == SG_NOT_FOUND)
			err = SG_MALFORMED;
	}
	if (err == SG_OK)
		err = take(s, span_of(approved, approved_n),
			   span_of(done, done_n));
	free(approved);
	free(done);
	return err;
}

static enum approved_policy word(const struct standing *s)
{
	if (!s->needed || !s->has_policy)
		return APPROVED_POLICY_FREE;
	if (memcmp(s->hash, s->newest, sizeof(s->newest)) == 0)
		return APPROVED_POLICY_SAME;
	return s->once ? APPROVED_POLICY_BEFORE : APPROVED_POLICY_OTHER;
}

enum sg_err approved_policy_ask(const char *state,
				const uint8_t hash[APPROVED_POLICY_BYTES],
				enum approved_policy *out,
				uint8_t newest[APPROVED_POLICY_BYTES])
{
	struct standing *s = calloc(1, sizeof(*s));
	enum sg_err err = SG_OK;
	unsigned number = 0;

	if (s == NULL)
		return SG_NO_MEMORY;
	s->hash = hash;
	while (err == SG_OK && number < STORE_NUMBER_MAX)
		err = take_number(s, state, ++number);
	if (err == SG_NOT_FOUND && number > 1)
		err = SG_OK;
	if (err == SG_OK) {
		*out = word(s);
		memcpy(newest, s->newest, sizeof(s->newest));
	}
	free(s);
	return err;
}
