/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_SAMPLE_H
#define SG_BENCH_SAMPLE_H

#include "base/err.h"
#include "base/span.h"
#include "hcert/cose.h"
#include "tools/common/https.h"

/*
 * sample: is an answer a certificate that verifies, by the key that its kid
 * names, for the record that was sent?  A run only keeps the certificates, for
 * it shares the machine with the server; they are verified after it, by the
 * keys that /v1/keys had before the run and those that it has then: keys may
 * come and go meanwhile.
 */
struct sampler; /* opaque */

enum sample_form { SAMPLE_JSON, SAMPLE_TEXT, SAMPLE_CBOR };

enum { SAMPLE_KIDS_MAX = 64, SAMPLE_FAULT_MAX = 200 };

struct sample_kid {
	uint8_t kid[COSE_KID_BYTES];
	uint64_t n;
};

struct sample_result {
	uint64_t kept, wrong;
	uint64_t repeated; /* good ones with the signature of another one */
	/* Good ones by the key, in the order of their numbers; those of
	 * further kids are not counted here. */
	size_t nkids;
	struct sample_kid kid[SAMPLE_KIDS_MAX];
	char fault[SAMPLE_FAULT_MAX]; /* of a wrong one; or empty */
};

/* SETTINGS' strings must last.  Errors: SG_CONFIG, SG_IO, SG_MALFORMED,
 * SG_NO_MEMORY; WHY says what. */
SG_MUST_USE enum sg_err sampler_create(const struct https_settings *settings,
				       enum sample_form form,
				       struct sampler **out, char *why,
				       size_t cap);
void sampler_free(struct sampler *s); /* NULL is allowed */
/* A load_sample; CTX is the sampler.  Of one thread. */
bool sampler_keep(void *ctx, struct span answer, struct span uvci);
/*
 * Verify what was kept, with a thread for each CPU.
 * Errors: SG_IO, SG_MALFORMED (the keys), SG_NO_MEMORY; WHY says what.
 */
SG_MUST_USE enum sg_err sampler_verify(struct sampler *s,
				       struct sample_result *out, char *why,
				       size_t cap);

#endif /* SG_BENCH_SAMPLE_H */
