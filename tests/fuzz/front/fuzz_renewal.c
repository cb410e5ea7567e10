/* SPDX-License-Identifier: Apache-2.0 */
/* A request to renew: the bytes as a body in JSON or in CBOR, as the text of a
 * certificate in one, and as what a certificate holds.  What is taken must be
 * deterministic CBOR, must have no certificate any more, and stays as it is. */
#include <stdlib.h>

#include "front/dcc_cbor.h"
#include "front/dcc_json.h"
#include "front/renewal.h"
#include "hcert/cbor.h"
#include "hcert/cose.h"
#include "hcert/cwt.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dcc_scratch scratch;
static struct dcc_scratch second;
static struct renewal renewal;
static struct deflate *deflate;
static uint8_t cose[HC1_COSE_MAX];
static uint8_t body[WIRE_REQUEST_MAX + 64];
static char text[HC1_TEXT_MAX];

static void must(bool holds)
{
	if (!holds)
		abort();
}

static enum sg_err renew(struct span request)
{
	static const struct cbor_limits limits = {DCC_DEPTH_MAX, SIZE_MAX};
	struct renewal_fault fault = {.pointer = NULL};
	struct span again;
	struct span out = request;
	struct span presented;
	const enum sg_err err = renewal_read(&renewal, deflate, &scratch, &out,
					     &presented, &fault);

	if (err != SG_OK) {
		must(err == SG_TOO_BIG ||
		     (err == SG_REFUSED && fault.pointer != NULL));
		return err;
	}
	must(presented.n <= WIRE_PRESENTED_MAX);
	must(cbor_check(out, limits) == SG_OK);
	must(dcc_request_text(out, "hcert").p == NULL);
	must(dcc_cbor_read(&second, out, &again) == SG_OK &&
	     span_eq(out, again));
	return SG_OK;
}

static void as_request(struct span in)
{
	struct span request;

	if (dcc_json_read(&scratch, in, &request) == SG_OK)
		(void)renew(request);
	if (dcc_cbor_read(&scratch, in, &request) == SG_OK)
		(void)renew(request);
}

static enum sg_err as_member(const char *key, struct span in, bool is_text)
{
	struct cbor_writer w = cbor_write(body, sizeof(body));
	struct span request;

	cbor_put_map(&w, 1);
	cbor_put_text(&w, span_str(key));
	if (is_text)
		cbor_put_text(&w, in);
	else
		cbor_put_bytes(&w, in);
	if (cbor_done(&w, NULL) != SG_OK ||
	    dcc_cbor_read(&scratch, span_of(body, w.len), &request) != SG_OK)
		return SG_MALFORMED;
	return renew(request);
}

/* IN as the payload of a certificate: by its text and by its bytes the same
 * comes of it. */
static void as_payload(struct span in)
{
	static const uint8_t signature[COSE_ES256_BYTES];
	static uint8_t cwt[HC1_COSE_MAX];
	const struct cwt_claims claims = {.dcc = in};
	size_t n;

	if (in.n == 0 || in.n > HC1_COSE_MAX / 2 ||
	    cwt_encode(&claims, cwt, sizeof(cwt), &n) != SG_OK ||
	    cose_sign1_encode(SPAN_LIT("\xa1\x01\x26"), span_of(cwt, n),
			      span_of(signature, sizeof(signature)), cose,
			      sizeof(cose), &n) != SG_OK)
		return;
	{
		const struct span whole = span_of(cose, n);
		const enum sg_err by_bytes = as_member("cose", whole, false);

		if (hc1_encode(deflate, whole, text, sizeof(text), &n) == SG_OK)
			must(as_member("hcert", span_of(text, n), true) ==
			     by_bytes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span in = span_of(data, size);
	size_t n;

	if (deflate == NULL)
		must(deflate_create(&deflate) == SG_OK);
	as_request(in);
	(void)as_member("hcert", in, true);
	(void)as_member("cose", in, false);
	if (size <= HC1_COSE_MAX &&
	    hc1_encode(deflate, in, text, sizeof(text), &n) == SG_OK)
		(void)as_member("hcert", span_of(text, n), true);
	as_payload(in);
	return 0;
}
