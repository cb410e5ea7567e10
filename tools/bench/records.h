/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_RECORDS_H
#define SG_BENCH_RECORDS_H

#include "base/err.h"
#include "base/span.h"

/*
 * records: plausible requests of the demo's client "issuer": Vietnamese names
 * put together at random, of no person.  The same seed and clock give the same
 * records.  A set is made once; for each request only the UVCI is written
 * anew, in place.
 */
enum {
	RECORDS_BODY_MAX = 768, /* bytes of a request */
	/* "URN:UVCI:01:VN:", eight characters of the run, ten digits, '#' and
	 * the check character */
	RECORDS_UVCI = 35
};

struct record {
	char body[RECORDS_BODY_MAX]; /* JSON {"dcc": ...} */
	size_t n;
	char length[8]; /* N in decimal */
	size_t uvci_at; /* offset of the RECORDS_UVCI characters */
};

struct records {
	size_t n;
	struct record *record;
};

/*
 * Make N records from SEED, dated before NOW (seconds since 1970), of the
 * kinds whose letters ("vtr") are in KINDS: in a mix of all, ten in twelve are
 * vaccinations.
 * Owns: OUT's memory; records_free().
 * Errors: SG_CONFIG (KINDS has another letter or none), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err records_make(uint64_t seed, int64_t now,
				     const char *kinds, size_t n,
				     struct records *out);
void records_free(struct records *r);

/* The UVCI number COUNTER of the run RUN, with its check character, to OUT;
 * no NUL.  Two runs share none unless their low 40 bits agree. */
void records_uvci(uint64_t run, uint64_t counter, char out[RECORDS_UVCI]);

/* The check character of a UVCI (Luhn mod 38 over everything before '#');
 * '\0' if TEXT has a character outside of the alphabet. */
char records_uvci_check(struct span text);

#endif /* SG_BENCH_RECORDS_H */
