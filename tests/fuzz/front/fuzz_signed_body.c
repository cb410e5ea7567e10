/* SPDX-License-Identifier: Apache-2.0 */
/* A request that its client has signed: the bytes as the COSE_Sign1, as a body
 * in JSON or in CBOR that may hold one, and as what is signed in one.  What
 * goes on is byte for byte what was signed, and deterministic CBOR; beside it
 * the same COSE_Sign1 without it. */
#include <stdlib.h>

#include "front/dcc_cbor.h"
#include "front/dcc_json.h"
#include "front/signed_body.h"
#include "hcert/cbor.h"
#include "hcert/cose.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dcc_scratch scratch;
static struct signed_body body;
static uint8_t cose[WIRE_REQUEST_MAX + 1024];

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_request(struct span request)
{
	static const struct cbor_limits limits = {DCC_DEPTH_MAX, SIZE_MAX};

	must(request.n <= WIRE_REQUEST_MAX);
	must(cbor_check(request, limits) == SG_OK);
}

static void check_signature(struct span signature)
{
	struct cose_sign1 s;

	must(signature.n > 0 && signature.n <= WIRE_SIGNATURE_MAX);
	must(cose_sign1_decode(signature, &s) == SG_OK);
	must(s.tagged && s.detached);
}

static void as_cose(struct span in)
{
	struct cose_sign1 whole;
	struct cose_sign1 part;
	struct span request;
	struct span signature;

	if (signed_body_read(&body, &scratch, in, &request, &signature) !=
	    SG_OK)
		return;
	check_request(request);
	check_signature(signature);
	must(cose_sign1_decode(in, &whole) == SG_OK && !whole.detached);
	must(cose_sign1_decode(signature, &part) == SG_OK);
	must(span_eq(whole.payload, request));
	must(span_eq(whole.prot, part.prot));
	must(span_eq(whole.signature, part.signature));
}

static void check_open(struct span request)
{
	const uint8_t *before = request.p;
	struct span signature;

	if (signed_body_open(&body, &scratch, &request, &signature) != SG_OK)
		return;
	if (signature.n > 0)
		check_signature(signature);
	else
		must(request.p == before);
	check_request(request);
}

static void as_body(struct span in)
{
	struct span request;

	if (dcc_json_read(&scratch, in, &request) == SG_OK)
		check_open(request);
	if (dcc_cbor_read(&scratch, in, &request) == SG_OK)
		check_open(request);
}

/* IN as {"signed": IN}. */
static void as_member(struct span in)
{
	static uint8_t map[WIRE_REQUEST_MAX + 64];
	struct cbor_writer w = cbor_write(map, sizeof(map));

	cbor_put_map(&w, 1);
	cbor_put_text(&w, SPAN_LIT("signed"));
	cbor_put_bytes(&w, in);
	if (cbor_done(&w, NULL) == SG_OK)
		as_body(span_of(map, w.len));
}

static void as_payload(struct span in)
{
	static const uint8_t signature[COSE_ES256_BYTES];
	size_t n;

	if (in.n == 0 ||
	    cose_sign1_encode(SPAN_LIT("\xa1\x01\x26"), in,
			      span_of(signature, sizeof(signature)), cose,
			      sizeof(cose), &n) != SG_OK)
		return;
	as_cose(span_of(cose, n));
	as_member(span_of(cose, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span in = span_of(data, size);

	as_cose(in);
	as_body(in);
	as_member(in);
	as_payload(in);
	return 0;
}
