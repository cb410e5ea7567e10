/* SPDX-License-Identifier: Apache-2.0 */
/* A request whose key's HSM fails is made anew under a key of another one. */
#include "base/clock.h"
#include "base/metrics.h"
#include "hcert/cwt.h"
#include "issue_state.h"

/* A key that cannot leave its HSM has no replica elsewhere: it is another
 * certificate, by another key, with another kid.  It may go there and back. */
enum { MOVES_MAX = 4 };

/* Assemble I under KEY instead.  The payload, the times and what stands beside
 * them are those that it has; it is unchanged where that fails. */
static enum sg_err assemble(struct issue *i, const struct key *key)
{
	struct issuer *s = i->issuer;
	struct assembly fresh = {.more = NULL};
	uint8_t country_uci[DIGEST_BYTES];
	struct cwt_claims claims;
	struct assembly_parts parts = {.country = span_str(key->country),
				       .prot = span_of(key->prot, key->prot_n),
				       .kid = key->dsc.kid,
				       .iat = i->iat,
				       .exp = i->exp,
				       .uvci = i->text.uvci,
				       .warnings = i->text.warnings};
	enum sg_err err = cwt_decode(i->text.payload, &claims);

	if (err != SG_OK)
		return err;
	parts.dcc = claims.dcc;
	err = digest_sum(s->digest, parts.country, parts.uvci, country_uci);
	if (err == SG_OK)
		err = assembly_make(&fresh, &parts, s->scratch);
	if (err != SG_OK)
		return err;
	assembly_replace(&i->text, &fresh);
	memcpy(i->country_uci, country_uci, sizeof(i->country_uci));
	return SG_OK;
}

/* Have I, which is out of the pool, signed by another key.  Errors: SG_NO_KEY
 * (there is none that can), and those of assembly_make(), hsm_pool_submit(). */
static enum sg_err move(struct issue *i)
{
	struct issuer *s = i->issuer;
	const struct hsm_span_of_time time = {
		.now = clock_wall_s(), .iat = i->iat, .exp = i->exp};
	size_t k = 0;
	enum sg_err err = SG_NO_KEY;

	if (i->op.kinds != 0 && i->moves < MOVES_MAX)
		err = hsm_pool_choose_other(s->part.pool, i->op.key, i->kind,
					    &time, &k);
	if (err == SG_OK)
		err = assemble(i, &s->part.keys->key[k]);
	if (err != SG_OK)
		return err;
	i->moves++;
	i->key = &s->part.keys->key[k];
	i->op.key = k;
	i->op.message = i->text.sig_structure;
	metric_add(METRIC_REQUEUED, 1);
	return hsm_pool_submit(s->part.pool, &i->op);
}

enum sg_err again_submit(struct issue *i)
{
	const enum sg_err err = hsm_pool_submit(i->issuer->part.pool, &i->op);

	if (err != SG_TOKEN_DOWN)
		return err;
	return move(i) == SG_OK ? SG_OK : err;
}

bool again_try(struct issue *i, enum sg_err err)
{
	const bool tired = i->op.sends >= HSM_POOL_SENDS_MAX;

	if (err != SG_TOKEN_DOWN)
		return false;
	if (move(i) == SG_OK)
		return true;
	/* The pool gave it back early, for another key that will not do: it
	 * has to be signed by its own. */
	if (tired || i->op.kinds == 0)
		return false;
	i->op.kinds = 0;
	return hsm_pool_submit(i->issuer->part.pool, &i->op) == SG_OK;
}
