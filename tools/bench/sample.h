/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_SAMPLE_H
#define SG_BENCH_SAMPLE_H

#include "base/err.h"
#include "base/span.h"
#include "tools/common/https.h"

/*
 * sample: is an answer a certificate that verifies, for the record that was
 * sent?  Uses the server's own /v1/keys.
 */
struct sampler; /* opaque */

enum sample_form { SAMPLE_JSON, SAMPLE_TEXT, SAMPLE_CBOR };

/* Errors: SG_CONFIG, SG_IO, SG_MALFORMED, SG_NO_MEMORY; WHY says what. */
SG_MUST_USE enum sg_err sampler_create(const struct https_settings *settings,
				       enum sample_form form,
				       struct sampler **out, char *why,
				       size_t cap);
void sampler_free(struct sampler *s);
/* A load_sample; CTX is the sampler. */
bool sampler_check(void *ctx, struct span answer, struct span uvci);
/* The reason of the first wrong answer; empty if there was none. */
const char *sampler_fault(const struct sampler *s);

#endif /* SG_BENCH_SAMPLE_H */
