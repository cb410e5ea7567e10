/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_SIGNING_CLIENT_H
#define SG_TEST_SIGNING_CLIENT_H

#include "gateways.h"
#include "hcert/cbor.h"
#include "policy/signed_request.h"

/* For the tests: what a client makes that signs its requests. */
struct detached {
	size_t n;
	uint8_t bytes[SIGNED_REQUEST_BYTES_MAX];
};

static inline struct span detached_span(const struct detached *d)
{
	return span_of(d->bytes, d->n);
}

/* 18([PROT, {}, nil, SIGNATURE]). */
GATE_FUNCTION struct detached detached_of(struct span prot,
					  struct span signature)
{
	struct detached d;
	struct cbor_writer w = cbor_write(d.bytes, sizeof(d.bytes));

	cbor_put_tag(&w, 18);
	cbor_put_array(&w, 4);
	cbor_put_bytes(&w, prot);
	cbor_put_map(&w, 0);
	cbor_put_null(&w);
	cbor_put_bytes(&w, signature);
	pki_must(cbor_done(&w, &d.n) == SG_OK);
	return d;
}

/* REQUEST signed by G at TIME for PURPOSE. */
GATE_FUNCTION struct detached client_sign(const struct gate *g,
					  struct span request,
					  const struct signed_purpose *purpose,
					  int64_t time)
{
	uint8_t prot[SIGNED_REQUEST_PROTECTED_MAX];
	uint8_t tbs[4096];
	uint8_t signature[PKI_DER_MAX];
	size_t prot_n;
	size_t n;

	pki_must(signed_request_protected(g->alg, g->kid, time, prot,
					  &prot_n) == SG_OK);
	pki_must(signed_request_tbs(span_of(prot, prot_n), purpose, request,
				    tbs, sizeof(tbs), &n) == SG_OK);
	n = gate_sign(g, span_of(tbs, n), signature);
	return detached_of(span_of(prot, prot_n), span_of(signature, n));
}

#endif /* SG_TEST_SIGNING_CLIENT_H */
