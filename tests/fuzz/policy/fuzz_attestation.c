/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an attestation, and as its claims.  What is taken apart lies in
 * the input and, put together again, is the input: there is one form alone.
 * The judge says one thing of what nobody has signed.
 */
#include "../require.h"
#include "policy/attested.h"
#include "policy/gateway.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of a key that is nobody's any more: it has signed one of the corpus. */
static const char KEY[] =
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcbLogRYIXBjQazBJdkacCwiH"
	"isFH59UGmTIWWKFjTrKVhn/F2kIc1xIFkvFXGIZkQi4q6ExYHbhmbCZQ/gdk"
	"Xw==";

static void check_claims(struct span in)
{
	struct attestation_claims c;
	uint8_t again[ATTESTATION_CLAIMS_MAX];
	size_t n;

	if (attestation_claims_decode(in, &c) != SG_OK)
		return;
	require(is_inside(c.uvci, in) && is_inside(c.person, in) &&
			is_inside(c.nonce, in) && is_inside(c.reference, in),
		"claims lie in the input");
	require(c.nonce.n >= ATTESTATION_NONCE_MIN, "a nonce");
	require(attestation_claims_encode(&c, again, sizeof(again), &n) ==
			SG_OK,
		"what is read can be written");
	require(span_eq(in, span_of(again, n)), "one form of claims");
}

static void check_envelope(struct span in)
{
	struct attestation a;
	uint8_t again[ATTESTATION_BYTES_MAX];
	size_t n;

	if (attestation_decode(in, &a) != SG_OK)
		return;
	require(is_inside(a.prot, in) && is_inside(a.claims, in) &&
			is_inside(a.signature, in) && is_inside(a.kid, a.prot),
		"parts lie in the input");
	require(a.alg != COSE_NONE, "an algorithm");
	require(cose_sign1_encode(a.prot, a.claims, a.signature, again,
				  sizeof(again), &n) == SG_OK,
		"what is read can be written");
	require(span_eq(in, span_of(again, n)), "one form");
	require(attestation_tbs(a.prot, a.claims, again, sizeof(again), &n) ==
				SG_OK ||
			n <= ATTESTATION_TBS_MAX,
		"room for what is signed");
	check_claims(a.claims);
}

static void check_judge(struct span in)
{
	static struct gateway gateway = {.max_age_s = 3600};
	static const struct gateway *const known = &gateway;
	static struct rule_profile profile;
	const struct gateway *list[] = {known};
	const struct client client = {.profile = &profile,
				      .gateway = list,
				      .ngateways = 1,
				      .must_attest = true};
	struct document document = {.attestation = in, .has_kind = true};
	const struct rule_context x = {.client = &client,
				       .profile = &profile,
				       .document = &document,
				       .now = 1700000000};
	static struct verdict v;

	if (gateway.keys.n == 0)
		require(digest_create(&gateway.digest) == SG_OK &&
				verifiers_add(&gateway.keys, span_str(KEY)) ==
					SG_OK,
			"a gateway");
	document.present[DOC_CI] = document.present[DOC_DOB] = true;
	document.text[DOC_CI] = SPAN_LIT("URN:UVCI:01:VN:X");
	document.text[DOC_DOB] = SPAN_LIT("1984-03-02");
	verdict_init(&v);
	attested_judge(&x, &v);
	/* Nobody can sign this person but whoever has the key. */
	require(v.errors >= 1 && v.errors <= 3, "never good");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span in = span_of(data, size);

	check_claims(in);
	check_envelope(in);
	check_judge(in);
	return 0;
}
