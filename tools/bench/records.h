/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_RECORDS_H
#define SG_BENCH_RECORDS_H

#include "base/err.h"
#include "base/span.h"

/*
 * records: plausible requests of the demo's client "issuer": Vietnamese names
 * put together at random, of no person; a set share of them faulty (flaws.h).
 * The same settings give the same records.  The bench makes a set once; for
 * each request only the UVCI is written anew, in place.
 */
enum {
	RECORDS_BODY_MAX = 1024, /* bytes of a request */
	/* "URN:UVCI:01:VN:", eight characters of the run, ten digits, '#' and
	 * the check character */
	RECORDS_UVCI = 35
};

enum records_form { RECORDS_JSON, RECORDS_CBOR };

struct flaw;

struct record {
	char body[RECORDS_BODY_MAX]; /* {"dcc": ...} */
	size_t n;
	char length[8];		 /* N in decimal */
	size_t uvci_at;		 /* offset of the RECORDS_UVCI characters */
	const struct flaw *flaw; /* NULL: it is good */
};

struct records_settings {
	uint64_t seed;
	int64_t now;	   /* seconds since 1970; records are dated before */
	const char *kinds; /* of "vtr"; of a mix, ten in twelve are "v" */
	uint64_t n;	   /* records in all */
	uint64_t flawed;   /* how many of them are faulty */
	bool plain;	   /* only with flaws that are plain */
	enum records_form form;
};

/* Makes them one by one. */
struct records_source {
	struct records_settings settings;
	uint64_t state;
	uint64_t made, flawed; /* so far */
	char today[11];
};

struct records {
	size_t n;
	struct record *record;
};

/* Errors: SG_CONFIG (KINDS has another letter or none, FLAWED is more than
 * N). */
SG_MUST_USE enum sg_err records_begin(struct records_source *s,
				      const struct records_settings *settings);
/* The next of them; the place of its UVCI is filled with '@'. */
void records_next(struct records_source *s, struct record *r);

/*
 * Make all of them.
 * Owns: OUT's memory; records_free().
 * Errors: as records_begin(), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err records_make(const struct records_settings *settings,
				     struct records *out);
void records_free(struct records *r);

/* Write the UVCI number COUNTER of the run RUN, or what R's flaw makes of it,
 * to its place in BODY, a copy of R's. */
void record_put_uvci(const struct record *r, uint64_t run, uint64_t counter,
		     char *body);

/* The UVCI number COUNTER of the run RUN, with its check character, to OUT;
 * no NUL.  Two runs share none unless their low 40 bits agree. */
void records_uvci(uint64_t run, uint64_t counter, char out[RECORDS_UVCI]);

#endif /* SG_BENCH_RECORDS_H */
