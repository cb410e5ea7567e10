/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_ANSWERS_H
#define SG_BENCH_ANSWERS_H

#include "base/err.h"
#include "base/span.h"
#include "records.h"

/*
 * answers: cuts the answer of a stream into its lines (NDJSON) or items (CBOR
 * sequence, RFC 8742) and says what each is, without parsing more of it than
 * that takes.  No allocation.
 */
enum { ANSWERS_MAX = 128 * 1024 /* bytes of one answer */ };

struct answer {
	int status;	  /* 200, a problem's own, or 0: not understood */
	bool certificate; /* of a 200: else a verdict */
	struct span text; /* of NDJSON without its line end */
};

/* Takes one answer, which lasts until it returns.  An error ends it all. */
typedef enum sg_err (*answers_take)(void *ctx, const struct answer *a);

struct answers {
	enum records_form form;
	size_t n;
	uint8_t text[ANSWERS_MAX];
};

/*
 * Take RUN and give TAKE all answers that are complete with it.
 * Errors: SG_TOO_BIG (one of more than ANSWERS_MAX bytes, or no CBOR), TAKE's.
 */
SG_MUST_USE enum sg_err answers_feed(struct answers *a, struct span run,
				     answers_take take, void *ctx);
/* Is nothing left of an answer whose end has not come? */
bool answers_whole(const struct answers *a);

#endif /* SG_BENCH_ANSWERS_H */
