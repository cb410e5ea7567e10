/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_CORE_REQUEST_H
#define TEST_CORE_REQUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/identity.h"
#include "hcert/cbor.h"

/* request: what a front sends, in deterministic CBOR, for tests of the core. */
struct ask {
	const char *identity; /* URI; NULL: the issuer's */
	const char *country;  /* NULL: VN */
	unsigned serial;      /* in the UVCI */
	uint64_t within_us;   /* deadline from now; 0: 5 s */
	bool dry_run, renew, bulk;
	bool extra;	  /* an unknown field */
	const char *born; /* NULL: 1990-05-17; another one, another payload */
	int64_t exp;	  /* 0: none */
	bool vietnamese;
	struct span attestation; /* n is 0: none */
	struct span presented;	 /* the same */
};

static inline void put_pair(struct cbor_writer *w, const char *k, const char *v)
{
	cbor_put_text(w, span_str(k));
	cbor_put_text(w, span_str(v));
}

static inline void put_vaccination(struct cbor_writer *w, const struct ask *a)
{
	const char *country = a->country != NULL ? a->country : "VN";
	char ci[64];

	(void)snprintf(ci, sizeof(ci), "URN:UVCI:01:%s:TEST/%08u", country,
		       a->serial);
	cbor_put_map(w, 10);
	put_pair(w, "ci", ci);
	put_pair(w, "co", country);
	cbor_put_text(w, SPAN_LIT("dn"));
	cbor_put_uint(w, 2);
	put_pair(w, "dt", "2021-12-01");
	put_pair(w, "is", "B\xe1\xbb\x99 Y t\xe1\xba\xbf");
	put_pair(w, "ma", "ORG-100030215");
	put_pair(w, "mp", "EU/1/20/1528");
	cbor_put_text(w, SPAN_LIT("sd"));
	cbor_put_uint(w, 2);
	put_pair(w, "tg", "840539006");
	put_pair(w, "vp", "1119349007");
}

static inline void put_name(struct cbor_writer *w)
{
	cbor_put_map(w, 4);
	put_pair(w, "fn", "Tr\xe1\xba\xa7n");
	put_pair(w, "gn", "An");
	put_pair(w, "fnt", "TRAN");
	put_pair(w, "gnt", "AN");
}

static inline size_t request_make(const struct ask *a, uint8_t *out, size_t cap)
{
	struct cbor_writer w = cbor_write(out, cap);
	size_t n;

	cbor_put_map(&w, 1U + (a->exp != 0 ? 1 : 0) +
				 (a->attestation.n > 0 ? 1 : 0));
	cbor_put_text(&w, SPAN_LIT("dcc"));
	cbor_put_map(&w, a->extra ? 5 : 4);
	cbor_put_text(&w, SPAN_LIT("v"));
	cbor_put_array(&w, 1);
	put_vaccination(&w, a);
	if (a->extra)
		put_pair(&w, "xy", "more");
	put_pair(&w, "dob", a->born != NULL ? a->born : "1990-05-17");
	cbor_put_text(&w, SPAN_LIT("nam"));
	put_name(&w);
	put_pair(&w, "ver", "1.3.0");
	if (a->exp != 0) {
		cbor_put_text(&w, SPAN_LIT("exp"));
		cbor_put_int(&w, a->exp);
	}
	if (a->attestation.n > 0) {
		cbor_put_text(&w, SPAN_LIT("attestation"));
		cbor_put_bytes(&w, a->attestation);
	}
	assert_int_equal(cbor_done(&w, &n), SG_OK);
	return n;
}

static inline size_t identity_make(const char *uri, uint8_t *out, size_t cap)
{
	struct identity id = {.n = 1};
	size_t n;

	id.name[0] = (struct identity_name){.type = IDENTITY_URI,
					    .text = span_str(uri)};
	assert_int_equal(identity_encode(&id, out, cap, &n), SG_OK);
	return n;
}

#endif /* TEST_CORE_REQUEST_H */
