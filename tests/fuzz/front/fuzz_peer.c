/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's certificate, after OpenSSL has read it: one or more in DER, the
 * leaf first.  Whose it is survives being sent to the core, and no name in it
 * is one that a policy could not spell.
 */
#include <stdlib.h>

#include "front/peer.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct peer *p)
{
	struct identity id;

	if (identity_decode(span_of(p->identity, p->identity_n), &id) != SG_OK)
		abort();
	for (size_t i = 0; i < id.n; i++) {
		const struct span s = id.name[i].text;

		if (s.n == 0)
			abort();
		for (size_t k = 0; k < s.n; k++) {
			if (s.p[k] <= ' ' || s.p[k] >= 0x7f ||
			    (id.name[i].type == IDENTITY_DNS && s.p[k] >= 'A' &&
			     s.p[k] <= 'Z'))
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data;
	X509 *leaf = d2i_X509(NULL, &at, (long)size);
	STACK_OF(X509) * chain;
	struct peer p;

	if (leaf == NULL)
		return 0;
	chain = sk_X509_new_null();
	while (at < data + size) {
		X509 *x = d2i_X509(NULL, &at, (long)(data + size - at));

		if (x == NULL || sk_X509_push(chain, x) <= 0)
			break;
	}
	if (peer_read(leaf, chain, &p) == SG_OK) {
		check(&p);
		peer_clear(&p);
	}
	sk_X509_pop_free(chain, X509_free);
	X509_free(leaf);
	return 0;
}
