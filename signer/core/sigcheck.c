/* SPDX-License-Identifier: Apache-2.0 */
#include "sigcheck.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/metrics.h"

struct sigcheck {
	struct digest *digest;
	uint32_t one_in;
	uint32_t all_ms;
	uint32_t count; /* since the last one that was verified */
};

enum { US_PER_MS = 1000 };

enum sg_err sigcheck_create(const struct core_settings *settings,
			    struct sigcheck **out)
{
	struct sigcheck *s = calloc(1, sizeof(*s));
	enum sg_err err;

	*out = NULL;
	if (s == NULL)
		return SG_NO_MEMORY;
	err = digest_create(&s->digest);
	if (err != SG_OK) {
		free(s);
		return err;
	}
	sigcheck_rates(s, settings);
	*out = s;
	return SG_OK;
}

void sigcheck_rates(struct sigcheck *s, const struct core_settings *settings)
{
	s->one_in = settings->verify_ecdsa_one_in;
	s->all_ms = settings->verify_all_ms;
}

enum sg_err sigcheck_digest(struct sigcheck *s, struct span message,
			    uint8_t out[32])
{
	return digest_sum(s->digest, message, span_of(NULL, 0), out);
}

uint64_t sigcheck_alarm(const struct sigcheck *s, uint64_t now_us)
{
	return now_us + (uint64_t)s->all_ms * US_PER_MS;
}

/* Is it this signature's turn? */
static bool due(struct sigcheck *s, const struct key *key)
{
	if (key->alg == COSE_PS256 || key->ledger || key->tls)
		return true;
	if (++s->count < s->one_in)
		return false;
	s->count = 0;
	return true;
}

enum sg_err sigcheck_verify(struct sigcheck *s, const struct key *key,
			    struct span message, struct span signature,
			    bool always)
{
	if (signature.n != cose_key_sig_bytes(key->verifier))
		return SG_BAD_SIGNATURE;
	if (!always && !due(s, key))
		return SG_OK;
	metric_add(METRIC_VERIFIED, 1);
	return cose_key_verify(key->verifier, key->alg, message, signature);
}

void sigcheck_free(struct sigcheck *s)
{
	if (s == NULL)
		return;
	digest_free(s->digest);
	free(s);
}
