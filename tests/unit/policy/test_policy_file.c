/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_file.h"

#include "request.h"

#define HEX32 "0123456789abcdef0123456789ABCDEF"
/* Every rule that can be switched. */
#define RULES                                                                  \
	"unknown-field, bad-format, control-character, untrimmed, "            \
	"empty-field, "                                                        \
	"name-missing, not-in-value-set, "                                     \
	"inconsistent-vaccine, name-transliteration, date-impossible, "        \
	"date-in-future, date-too-early, date-order, birth-after-event, "      \
	"dose-exceeds-series, uvci-format, uvci-country, uvci-checksum, "      \
	"validity-too-long, validity-in-past"
#define HEAD "version: 1\n"
#define PROFILES                                                               \
	"profiles:\n"                                                          \
	"  - name: full\n"                                                     \
	"    rules: {unknown-field: warning, validity-too-long: \"off\"}\n"
#define USUAL                                                                  \
	"  - name: usual\n"                                                    \
	"    default: \"off\"\n"                                               \
	"    rules: {unknown-field: error}\n"
#define REST                                                                   \
	"    operations: [issue, validate]\n"                                  \
	"    kinds: [v, r]\n"                                                  \
	"    countries: [VN, DE]\n"                                            \
	"    issuers: [\"Bộ Y tế\"]\n"                                     \
	"    profile: full\n"                                                  \
	"    validity: {v: 365d, r: 12h, t: 1s}\n"
#define CLIENT(name, identities)                                               \
	"  - name: " name "\n    identities: [" identities "]\n" REST

/* TEXT is refused with exactly these FAULTS. */
static void check(const char *text, const char *expected)
{
	struct faults faults = {.n = 0};
	struct policy_file f;

	assert_int_equal(
		policy_file_read(span_str(text), "p.yaml", &f, &faults),
		SG_CONFIG);
	assert_string_equal(faults.text, expected);
	assert_null(f.source);
}

static const char WHOLE[] = HEAD PROFILES USUAL
	"clients:\n" CLIENT("issuer",
			    "\"uri:urn:a\", \"dns:API.b\", "
			    "\"spki:" HEX32 HEX32
			    "\"") "    renewal_window: 36h\n"
				  "    uvci_prefixes: [\"U:1\", \"U:\"]\n"
				  "  - name: auditor\n"
				  "    identities: [\"uri:urn:b\"]\n"
				  "    operations: [audit, officer]\n"
				  "  - name: any\n"
				  "    identities: [\"uri:urn:c\"]\n"
				  "    operations: [issue]\n"
				  "    kinds: [t]\n"
				  "    countries: [\"*\"]\n"
				  "    issuers: [\"*\"]\n"
				  "    profile: full\n"
				  "    validity: {t: 2m}\n";

static struct policy_file whole;

static int read_whole(void **state)
{
	struct faults faults = {.n = 0};

	(void)state;
	assert_int_equal(
		policy_file_read(span_str(WHOLE), "f", &whole, &faults), SG_OK);
	assert_string_equal(faults.text, "");
	return 0;
}

static int clear_whole(void **state)
{
	(void)state;
	policy_file_clear(&whole);
	return 0;
}

static void test_grants(void **state)
{
	const struct client *c = &whole.client[0];

	(void)state;
	assert_int_equal(whole.nclients, 3);
	assert_string_equal(c->name, "issuer");
	assert_int_equal(c->operations,
			 1U << CLIENT_ISSUE | 1U << CLIENT_VALIDATE);
	assert_int_equal(c->kinds, DCC_KIND_BIT(DCC_VACCINATION) |
					   DCC_KIND_BIT(DCC_RECOVERY));
	assert_true(client_may_country(c, SPAN_LIT("VN")));
	assert_true(client_may_country(c, SPAN_LIT("DE")));
	assert_false(client_may_country(c, SPAN_LIT("FR")));
	assert_true(client_may_issuer(c, SPAN_LIT("Bộ Y tế")));
	assert_false(client_may_issuer(c, SPAN_LIT("Bo Y te")));
	assert_true(client_may_uvci(c, SPAN_LIT("U:2")));
	assert_false(client_may_uvci(c, SPAN_LIT("V:2")));
	assert_int_equal(c->validity_s[DCC_VACCINATION], 31536000);
	assert_int_equal(c->validity_s[DCC_RECOVERY], 43200);
	assert_int_equal(c->validity_s[DCC_TEST], 0); /* not granted */
	assert_int_equal(client_renewal_window_s(c), 129600);
	c = &whole.client[1];
	assert_int_equal(c->kinds, 0);
	assert_false(client_may_issuer(c, SPAN_LIT("Bộ Y tế")));
	c = &whole.client[2];
	assert_true(c->any_country && c->any_issuer && c->any_uvci);
	assert_int_equal(c->validity_s[DCC_TEST], 120);
	assert_int_equal(client_renewal_window_s(c), 30 * 86400);
}

static void test_levels(void **state)
{
	const struct rule_profile *p = whole.client[0].profile;

	(void)state;
	assert_int_equal(rule_profile_level(p, RULE_UNKNOWN_FIELD),
			 RULE_WARNING);
	assert_int_equal(rule_profile_level(p, RULE_VALIDITY_TOO_LONG),
			 RULE_OFF);
	assert_int_equal(rule_profile_level(p, RULE_VALIDITY_IN_PAST),
			 RULE_ERROR);
	p = &whole.profile[1];
	assert_int_equal(rule_profile_level(p, RULE_UNKNOWN_FIELD), RULE_ERROR);
	assert_int_equal(rule_profile_level(p, RULE_UVCI_FORMAT), RULE_OFF);
	p = whole.client[1].profile; /* which names none */
	assert_int_equal(rule_profile_level(p, RULE_UNKNOWN_FIELD), RULE_ERROR);
}

static void test_identities(void **state)
{
	uint8_t spki[32];

	(void)state;
	for (size_t i = 0; i < sizeof(spki); i++)
		spki[i] = (uint8_t)((i % 8) * 0x22 + 1);
	assert_int_equal(lookup_find(whole.lookup, LOOKUP_SPKI,
				     span_of(spki, sizeof(spki))),
			 0);
	assert_int_equal(
		lookup_find(whole.lookup, LOOKUP_DNS, SPAN_LIT("api.b")), 0);
	assert_int_equal(
		lookup_find(whole.lookup, LOOKUP_URI, SPAN_LIT("urn:c")), 2);
}

static void test_file(void **state)
{
	(void)state;
	check("{}", "p.yaml:1: version: is missing\n"
		    "p.yaml:1: clients: is missing\n");
	check("version: 2\nclients:\n", "p.yaml:2: clients: must be a list\n");
	check(HEAD "clients: []\n", "p.yaml:2: clients: must not be empty\n");
	check("version: 1.0\n" PROFILES, "p.yaml:1: version: must be 1\n"
					 "p.yaml:1: clients: is missing\n");
	check(HEAD "versions: 1\n" PROFILES
		   "clients:\n" CLIENT("a", "\"uri:u:a\""),
	      "p.yaml:2: unknown key \"versions\" (known: version, time_zone, "
	      "alarm, profiles, gateways, clients, value_sets, certlogic)\n");
}

static void test_profiles(void **state)
{
	(void)state;
	check(HEAD "profiles:\n"
		   "  - name: a b\n"
		   "    rules: {unknown-field: fatal, dates: error}\n"
		   "  - rules: {}\n"
		   "  - {name: x, default: none}\n"
		   "  - name: x\n"
		   "clients:\n"
		   "  - name: o\n"
		   "    identities: [\"uri:u:o\"]\n"
		   "    operations: [officer]\n",
	      "p.yaml:3: profiles[0].name: must be 1 to 64 of the letters "
	      "A-Z a-z 0-9 . _ -\n"
	      "p.yaml:4: profiles[0].rules: unknown key \"dates\" "
	      "(known: " RULES ")\n"
	      "p.yaml:4: profiles[0].rules.unknown-field: must be error, "
	      "warning or off\n"
	      "p.yaml:5: profiles[1].name: is missing\n"
	      "p.yaml:6: profiles[2].default: must be error, warning or off\n"
	      "p.yaml:7: profiles[3]: there are two profiles 'x'\n");
}

/* Every fault of a client at once, each with its line. */
static void test_client(void **state)
{
	(void)state;
	check(HEAD PROFILES "clients:\n"
			    "  - name: Bộ\n"
			    "    identities:\n"
			    "      - urn:a\n"
			    "      - uri:a\n"
			    "      - dns:*.a\n"
			    "      - spki:00\n"
			    "      - uri:urn:a\n"
			    "      - uri:urn:a\n"
			    "      - cn:a\n"
			    "      - nothing\n"
			    "    operations: [issue, issue, sign]\n"
			    "    kinds: [v, x, v, r]\n"
			    "    countries: [VN, vn, VNM, VN]\n"
			    "    issuers: [a, b, a]\n"
			    "    uvci_prefixes: [a, '*']\n"
			    "    profile: none\n"
			    "    validity: {v: 5x, t: 1ms}\n"
			    "    renewal_window: 0d\n",
	      "p.yaml:6: clients[0].name: must be 1 to 64 of the letters A-Z "
	      "a-z 0-9 . _ -\n"
#define BAD ": must be uri:URI, dns:NAME or spki: and 64 hexadecimal digits\n"
	      "p.yaml:8: clients[0].identities[0]" BAD
	      "p.yaml:9: clients[0].identities[1]" BAD
	      "p.yaml:10: clients[0].identities[2]" BAD
	      "p.yaml:11: clients[0].identities[3]" BAD
	      "p.yaml:13: clients[0].identities[5]: is there twice\n"
	      "p.yaml:14: clients[0].identities[6]" BAD
	      "p.yaml:15: clients[0].identities[7]" BAD
#undef BAD
	      "p.yaml:16: clients[0].operations[1]: 'issue' is there twice\n"
	      "p.yaml:16: clients[0].operations[2]: unknown: 'sign'\n"
	      "p.yaml:17: clients[0].kinds[1]: unknown: 'x'\n"
	      "p.yaml:17: clients[0].kinds[2]: 'v' is there twice\n"
	      "p.yaml:18: clients[0].countries[1]: 'vn' is not two capital "
	      "letters\n"
	      "p.yaml:18: clients[0].countries[2]: 'VNM' is not two capital "
	      "letters\n"
	      "p.yaml:18: clients[0].countries[3]: 'VN' is there twice\n"
	      "p.yaml:19: clients[0].issuers: an entry is there twice\n"
	      "p.yaml:20: clients[0].uvci_prefixes[1]: '*' must stand "
	      "alone\n"
	      "p.yaml:21: clients[0].profile: there is no profile 'none'\n"
#define BAD                                                                    \
	": must be an integer from 1 on and one of s, m, h, d, such as "       \
	"365d; at most 36525d\n"
	      "p.yaml:22: clients[0].validity.v" BAD
	      "p.yaml:22: clients[0].validity.t" BAD
#undef BAD
	      "p.yaml:22: clients[0].validity.r: is missing\n"
	      "p.yaml:23: clients[0].renewal_window: must be an integer from "
	      "1 on and one of s, m, h, d, such as 30d; at most 36525d\n");
}

static void test_missing(void **state)
{
	(void)state;
	check(HEAD "clients:\n  - {}\n",
	      "p.yaml:3: clients[0].name: is missing\n"
	      "p.yaml:3: clients[0].identities: is missing\n"
	      "p.yaml:3: clients[0].operations: is missing\n");
	check(HEAD "clients:\n  - name: a\n    identities: [\"uri:u:a\"]\n"
		   "    operations: [validate]\n",
	      "p.yaml:3: clients[0].kinds: is missing\n"
	      "p.yaml:3: clients[0].countries: is missing\n"
	      "p.yaml:3: clients[0].issuers: is missing\n"
	      "p.yaml:3: clients[0].profile: is missing\n");
	check(HEAD "clients:\n  - name: a\n    identities: [\"uri:u:a\"]\n"
		   "    operations: [audit]\n    kinds: []\n",
	      "p.yaml:6: clients[0].kinds: must not be empty\n");
}

static void test_clash(void **state)
{
	(void)state;
	check(HEAD PROFILES "clients:\n" CLIENT("a", "\"dns:x.y\"")
		      CLIENT("b", "\"uri:u:b\", \"dns:X.Y\"")
			      CLIENT("a", "\"uri:u:c\""),
	      "p.yaml:15: clients[1].identities[1]: belongs to clients[0] as "
	      "well\n"
	      "p.yaml:22: clients[2]: there are two clients 'a'\n");
}

static void test_long(void **state)
{
	struct faults faults = {.n = 0};
	struct policy_file f;
	char *text = malloc(POLICY_FILE_BYTES_MAX + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '#', POLICY_FILE_BYTES_MAX + 1);
	assert_int_equal(
		policy_file_read(span_of(text, POLICY_FILE_BYTES_MAX + 1), "f",
				 &f, &faults),
		SG_CONFIG);
	assert_string_equal(faults.text, "f: longer than 1048576 bytes\n");
	faults = (struct faults){.n = 0};
	assert_int_equal(policy_file_read(span_of(text, POLICY_FILE_BYTES_MAX),
					  "f", &f, &faults),
			 SG_CONFIG);
	assert_string_equal(faults.text, "f: is empty\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_grants, read_whole,
						clear_whole),
		cmocka_unit_test_setup_teardown(test_levels, read_whole,
						clear_whole),
		cmocka_unit_test_setup_teardown(test_identities, read_whole,
						clear_whole),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_clash),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
