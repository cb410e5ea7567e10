/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A front's bytes to policy_decide(), by a client that is held to every rule
 * and by one that is held to the schema alone.  What is accepted is then
 * looked at by another reader, libcbor's tree, and must hold what the schema
 * says in a few places that matter.
 */
#include <cbor.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/policy.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1700000000, DAY = 86400, TEXT_MAX = 80 };

static const char POLICY[] =
	"version: 1\n"
	"profiles:\n"
	"  - name: full\n"
	"  - name: schema\n"
	"    default: 'off'\n"
	"    certlogic: {R: error}\n"
	"certlogic:\n"
	"  - '{\"Identifier\": \"R\", \"Engine\": \"CERTLOGIC\",\n"
	"      \"CertificateType\": \"General\", \"ValidFrom\": \"2021\",\n"
	"      \"ValidTo\": \"2040\", \"AffectedFields\": [\"v.0.dn\"],\n"
	"      \"Description\": [{\"lang\": \"en\", \"desc\": \"d\"}],\n"
	"      \"Logic\": {\"if\": [{\"var\": \"payload.v.0\"}, {\"<=\": [\n"
	"        {\"var\": \"payload.v.0.dn\"}, 3]}, true]}}'\n"
	"clients:\n"
	"  - name: strict\n"
	"    identities: ['uri:urn:strict']\n"
	"    operations: [issue]\n"
	"    kinds: [v, r]\n"
	"    countries: [VN]\n"
	"    issuers: ['Bộ Y tế', A]\n"
	"    uvci_prefixes: ['URN:UVCI:01:VN:', 'U']\n"
	"    profile: full\n"
	"    validity: {v: 365d, r: 1d}\n"
	"  - name: loose\n"
	"    identities: ['uri:urn:loose']\n"
	"    operations: [issue]\n"
	"    kinds: [v, t, r]\n"
	"    countries: ['*']\n"
	"    issuers: ['*']\n"
	"    profile: schema\n"
	"    validity: {v: 365d, t: 1h, r: 365d}\n";

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "accepted, but not so: %s\n", what);
	abort();
}

/* --- the other reader ---------------------------------------------------- */

static const cbor_item_t *get(const cbor_item_t *map, const char *key)
{
	const struct cbor_pair *pair = cbor_map_handle(map);

	for (size_t i = 0; i < cbor_map_size(map); i++)
		if (cbor_isa_string(pair[i].key) &&
		    cbor_string_length(pair[i].key) == strlen(key) &&
		    memcmp(cbor_string_handle(pair[i].key), key, strlen(key)) ==
			    0)
			return pair[i].value;
	return NULL;
}

static bool is_text(const cbor_item_t *map, const char *key)
{
	const cbor_item_t *item = get(map, key);

	return item != NULL && cbor_isa_string(item);
}

static bool is_short(const cbor_item_t *map, const char *key)
{
	return is_text(map, key) &&
	       cbor_string_codepoint_count(get(map, key)) <= TEXT_MAX;
}

static bool is_dose(const cbor_item_t *map, const char *key)
{
	const cbor_item_t *item = get(map, key);

	return item != NULL && cbor_isa_uint(item) && cbor_get_int(item) > 0;
}

/* The CertLogic rule of the policy, which both clients are held to. */
static bool is_rule_kept(const cbor_item_t *entry)
{
	const cbor_item_t *item = get(entry, "dn");

	return item != NULL && cbor_get_int(item) <= 3;
}

/* Nothing but integers, texts, arrays and maps. */
static bool is_payload(const cbor_item_t *item)
{
	switch (cbor_typeof(item)) {
	case CBOR_TYPE_UINT:
	case CBOR_TYPE_NEGINT:
	case CBOR_TYPE_STRING: return true;
	case CBOR_TYPE_ARRAY:
		for (size_t i = 0; i < cbor_array_size(item); i++)
			if (!is_payload(cbor_array_handle(item)[i]))
				return false;
		return true;
	case CBOR_TYPE_MAP:
		for (size_t i = 0; i < cbor_map_size(item); i++)
			if (!is_payload(cbor_map_handle(item)[i].key) ||
			    !is_payload(cbor_map_handle(item)[i].value))
				return false;
		return true;
	default: return false;
	}
}

static void check_entry(const cbor_item_t *entry, char kind)
{
	require(cbor_isa_map(entry), "an entry is a map");
	require(is_text(entry, "tg") && is_text(entry, "co"), "tg, co");
	require(is_short(entry, "is") && is_short(entry, "ci"), "is, ci");
	if (kind == 'v')
		require(is_text(entry, "vp") && is_text(entry, "mp") &&
				is_text(entry, "ma") && is_text(entry, "dt") &&
				is_dose(entry, "dn") && is_dose(entry, "sd") &&
				is_rule_kept(entry),
			"vaccination");
	else if (kind == 't')
		require(is_text(entry, "tt") && is_text(entry, "sc") &&
				is_text(entry, "tr"),
			"test");
	else
		require(is_text(entry, "fr") && is_text(entry, "df") &&
				is_text(entry, "du"),
			"recovery");
}

static void check_dcc(const cbor_item_t *dcc)
{
	static const char kind[][2] = {"v", "t", "r"};
	const cbor_item_t *nam;
	unsigned kinds = 0;

	require(dcc != NULL && cbor_isa_map(dcc), "dcc is a map");
	require(is_payload(dcc), "integers, texts, arrays and maps");
	require(is_text(dcc, "ver") && is_text(dcc, "dob"), "ver, dob");
	require(cbor_string_length(get(dcc, "dob")) <= 10, "dob is short");
	nam = get(dcc, "nam");
	require(nam != NULL && cbor_isa_map(nam), "nam");
	require(is_short(nam, "fnt") || is_short(nam, "gnt"), "fnt or gnt");
	for (size_t i = 0; i < 3; i++) {
		const cbor_item_t *list = get(dcc, kind[i]);

		if (list == NULL)
			continue;
		kinds++;
		require(cbor_isa_array(list) && cbor_array_size(list) == 1,
			"one entry");
		check_entry(cbor_array_handle(list)[0], kind[i][0]);
	}
	require(kinds == 1, "one kind");
}

static void check_accepted(struct span request, const struct decision *d)
{
	struct cbor_load_result result;
	cbor_item_t *root = cbor_load(request.p, request.n, &result);
	cbor_item_t *dcc;

	require(root != NULL && result.read == request.n, "one whole item");
	require(cbor_isa_map(root), "a map");
	check_dcc(get(root, "dcc"));
	cbor_decref(&root);
	/* What will be signed is that very payload. */
	dcc = cbor_load(d->document.dcc.p, d->document.dcc.n, &result);
	require(dcc != NULL && result.read == d->document.dcc.n,
		"the payload is one whole item");
	check_dcc(dcc);
	cbor_decref(&dcc);
	require(d->iat == NOW, "iat is now");
}

/* --- the target ---------------------------------------------------------- */

static const struct client *client_of(const struct policy *p, const char *uri)
{
	struct identity identity = {.n = 1};

	identity.name[0] = (struct identity_name){.type = IDENTITY_URI,
						  .text = span_str(uri)};
	return policy_client(p, &identity);
}

static void check_verdict(const struct verdict *v)
{
	require(v->n <= VERDICT_MAX && v->pool_n <= sizeof(v->pool), "bounds");
	require(v->errors <= v->n + v->dropped, "errors");
	require(v->warnings <= v->n, "warnings");
	require(v->n - v->warnings <= v->errors, "kept errors");
	for (size_t i = 0; i < v->n; i++) {
		const struct span at = verdict_pointer(v, i);

		require(at.n <= VERDICT_POINTER_MAX, "a pointer's length");
		require(at.n == 0 || at.p[0] == '/', "a pointer");
	}
}

static void decide(const struct policy *p, const char *uri, struct span request)
{
	static const struct policy_bounds bounds[DCC_KINDS] = {
		{true, NOW - DAY, NOW + (int64_t)730 * DAY},
		{true, NOW - DAY, NOW + (int64_t)730 * DAY},
		{true, NOW - DAY, NOW + (int64_t)730 * DAY},
	};
	const struct client *c = client_of(p, uri);
	const struct policy_question q = {.client = c,
					  .operation = CLIENT_ISSUE,
					  .request = request,
					  .now = NOW,
					  .bounds = bounds};
	static struct decision d;

	if (policy_decide(p, &q, &d) != SG_OK)
		return;
	check_verdict(&d.verdict);
	if (d.verdict.errors > 0)
		return;
	check_accepted(request, &d);
	require(d.exp <= bounds[0].not_after, "exp and the signer");
	if (strcmp(client_name(c), "strict") == 0)
		require(d.exp > NOW && d.exp <= NOW + (int64_t)365 * DAY &&
				d.document.kind != DCC_TEST &&
				span_is(d.document.text[DOC_CO], "VN") &&
				d.document.text[DOC_CI].p[0] == 'U',
			"the client's rights");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy *policy; /* stays: one for all inputs */
	struct faults faults = {.n = 0};

	if (policy == NULL &&
	    policy_load(span_str(POLICY), "fuzz", &policy, &faults) != SG_OK)
		abort();
	decide(policy, "urn:strict", span_of(data, size));
	decide(policy, "urn:loose", span_of(data, size));
	return 0;
}
