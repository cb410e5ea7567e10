/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

#include "hcert/cbor.h"
#include "policy/rule.h"
#include "request.h"

#define SPKI "01010101010101010101010101010101"
static const char TEXT[] =
	"version: 1\n"
	"profiles:\n"
	"  - name: full\n"
	"  - name: schema\n"
	"    rules: {unknown-field: \"off\", validity-too-long: warning,\n"
	"            validity-in-past: \"off\"}\n"
	"clients:\n"
	"  - name: issuer\n"
	"    identities: [\"uri:urn:issuer\"]\n"
	"    operations: [issue, validate, renew]\n"
	"    kinds: [v, r]\n"
	"    countries: [VN, LA]\n"
	"    issuers: [\"Bộ Y tế\", \"A\"]\n"
	"    uvci_prefixes: [\"URN:UVCI:01:VN:\"]\n"
	"    profile: full\n"
	"    renewal_window: 1h\n"
	"    validity: {v: 365d, r: 180d}\n"
	"  - name: any\n"
	"    identities: [\"dns:any.example\"]\n"
	"    operations: [issue]\n"
	"    kinds: [v, t, r]\n"
	"    countries: [\"*\"]\n"
	"    issuers: [\"*\"]\n"
	"    profile: schema\n"
	"    validity: {v: 1d, t: 1d, r: 1d}\n"
	"    request_keys: [MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1f"
	"HdyGZBJVMbg=]\n"
	"    request_age: 90m\n"
	"  - name: auditor\n"
	"    identities: [\"spki:" SPKI SPKI "\"]\n"
	"    operations: [audit]\n";

enum { NOW = 1700000000, DAY = 86400 };

static struct policy *policy;
static struct policy_bounds bounds[DCC_KINDS];

static int load(void **state)
{
	struct faults faults = {.n = 0};

	(void)state;
	for (size_t i = 0; i < DCC_KINDS; i++)
		bounds[i] = (struct policy_bounds){
			.present = true,
			.not_before = NOW - DAY,
			.not_after = NOW + (int64_t)730 * DAY};
	return policy_load(span_str(TEXT), "p", &policy, &faults) == SG_OK ? 0
									   : -1;
}

static int unload(void **state)
{
	(void)state;
	policy_unref(policy);
	return 0;
}

static const struct client *by_name(enum identity_name_type type,
				    const char *name)
{
	struct identity identity = {.n = 1};

	identity.name[0] =
		(struct identity_name){.type = type, .text = span_str(name)};
	return policy_client(policy, &identity);
}

static const struct client *issuer(void)
{
	return by_name(IDENTITY_URI, "urn:issuer");
}

static const struct client *any(void)
{
	return by_name(IDENTITY_DNS, "any.example");
}

static void test_identity(void **state)
{
	struct identity all = {.n = 3};

	(void)state;
	assert_string_equal(client_name(issuer()), "issuer");
	assert_string_equal(client_name(any()), "any");
	assert_string_equal(client_name(by_name(IDENTITY_DNS, "Any.Example")),
			    "any");
	assert_null(by_name(IDENTITY_URI, "any.example"));
	assert_null(by_name(IDENTITY_DNS, "urn:issuer"));
	assert_null(by_name(IDENTITY_URI, "urn:issuer:x"));
	assert_null(by_name(IDENTITY_URI, "issuer")); /* a name is no proof */
	/* A key wins over a URI, a URI over a DNS name. */
	all.name[0] =
		(struct identity_name){IDENTITY_DNS, SPAN_LIT("any.example")};
	all.name[1] = (struct identity_name){IDENTITY_URI, SPAN_LIT("urn:x")};
	all.name[2] =
		(struct identity_name){IDENTITY_URI, SPAN_LIT("urn:issuer")};
	assert_ptr_equal(policy_client(policy, &all), issuer());
	memset(all.spki, 1, sizeof(all.spki));
	assert_string_equal(client_name(policy_client(policy, &all)),
			    "auditor");
	memset(all.spki, 2, sizeof(all.spki));
	all.n = 1;
	assert_ptr_equal(policy_client(policy, &all), any());
	all.n = 0;
	assert_null(policy_client(policy, &all));
}

static void test_operations(void **state)
{
	(void)state;
	assert_true(client_may(issuer(), CLIENT_RENEW));
	assert_false(client_may(issuer(), CLIENT_AUDIT));
	assert_false(client_may(any(), CLIENT_VALIDATE));
}

#define NAMED_CASE(is, co, ci) "'co':'" co "','is':'" is "','ci':'" ci "'"
#define DCC_VN(extra)                                                          \
	"{'ver':'1.3.0','dob':'1979-04-14','nam':{'fnt':'NGUYEN'},'v':[{"      \
	"'tg':'840539006','vp':'1119349007','mp':'EU/1/20/1528',"              \
	"'ma':'ORG-100030215','dn':2,'sd':2,'dt':'2021-11-01'"                 \
	"," NAMED_CASE("Bộ Y tế", "VN", "URN:UVCI:01:VN:1") extra "}]}"

static enum sg_err ask(const struct client *c, struct span request,
		       struct decision *out)
{
	const struct policy_question q = {.client = c,
					  .operation = CLIENT_ISSUE,
					  .request = request,
					  .now = NOW,
					  .bounds = bounds};

	return policy_decide(policy, &q, out);
}

/* REQUEST by C gets LINES. */
static void check(const struct client *c, const char *text, const char *lines,
		  struct decision *out)
{
	struct request *r = request_of(text);

	memset(out, 0xEE, sizeof(*out)); /* as a used slot */
	assert_int_equal(ask(c, request_span(r), out), SG_OK);
	assert_string_equal(verdict_lines(&out->verdict), lines);
	free(r);
}

static void test_accepted(void **state)
{
	struct decision d;

	(void)state;
	check(issuer(), "{'dcc':" DCC_VN("") "}", "", &d);
	assert_int_equal(d.verdict.errors, 0);
	assert_int_equal(d.iat, NOW);
	assert_int_equal(d.exp, NOW + (int64_t)365 * DAY);
	check(issuer(), "{'dcc':" DCC_VN("") ",'exp':1700000001}", "", &d);
	assert_int_equal(d.exp, NOW + 1);
	check(any(), "{'dcc':" DCC_VN("") "}", "", &d);
	assert_int_equal(d.exp, NOW + DAY);
}

/* Rights, schema and times are told together. */
static void test_all_at_once(void **state)
{
	struct decision d;

	(void)state;
	check(issuer(),
	      "{'dcc':{'ver':'1','dob':'','nam':{},'t':[{'x':1,'co':'DE',"
	      "'is':'B','ci':'C'}]},'exp':1700000000,'y':1}",
	      "unknown-field /y\n"
	      "unknown-field /dcc/t/0/x\n"
	      "missing-field /dcc/t/0/sc\nmissing-field /dcc/t/0/tg\n"
	      "missing-field /dcc/t/0/tr\nmissing-field /dcc/t/0/tt\n"
	      "name-missing /dcc/nam\nbad-format /dcc/ver\n"
	      "kind-not-allowed /dcc/t\n"
	      "country-not-allowed /dcc/t/0/co\n"
	      "issuer-not-allowed /dcc/t/0/is\n"
	      "uvci-not-allowed /dcc/t/0/ci\n"
	      "uvci-format /dcc/t/0/ci\n"
	      "validity-in-past /exp\n",
	      &d);
	assert_int_equal(d.verdict.errors, 14);
}

static void test_profiles(void **state)
{
	struct decision d;

	(void)state;
	check(issuer(), "{'dcc':" DCC_VN(",'x':1") "}",
	      "unknown-field /dcc/v/0/x\n", &d);
	check(any(), "{'dcc':" DCC_VN(",'x':1") ",'exp':0}", "", &d);
	assert_int_equal(d.exp, 0);
	check(any(), "{'dcc':" DCC_VN("") ",'exp':1710000000}",
	      "validity-too-long /exp warning\n", &d);
	assert_int_equal(d.verdict.errors, 0);
}

static void test_bounds(void **state)
{
	struct decision d;

	(void)state;
	bounds[DCC_VACCINATION].not_after = NOW + (int64_t)364 * DAY;
	check(issuer(), "{'dcc':" DCC_VN("") "}",
	      "beyond-signer-certificate /exp\n", &d);
	bounds[DCC_VACCINATION].present = false; /* another one's matter */
	check(issuer(), "{'dcc':" DCC_VN("") "}", "", &d);
}

static void test_malformed(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		enum sg_err err;
	} cases[] = {
		{"", 0, SG_MALFORMED},
		{"\xA1\x63"
		 "dcc",
		 5, SG_MALFORMED},
		{"\xA0\xA0", 2, SG_MALFORMED},
		{"\xBF\xFF", 2, SG_MALFORMED},
		{"\xA1\x01\x02", 3, SG_MALFORMED},
		{"\xA2\x61"
		 "a\x01\x61"
		 "a\x01",
		 7, SG_DUPLICATE_KEY},
		{"\xA2\x61"
		 "b\x01\x61"
		 "a\x01",
		 7, SG_MALFORMED},
		{"\x9B\x10\0\0\0\0\0\0\0", 9, SG_MALFORMED},
	};
	uint8_t deep[64];
	struct decision d;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			ask(any(), span_of(cases[i].bytes, cases[i].n), &d),
			cases[i].err);
	memset(deep, 0x81, sizeof(deep));
	deep[sizeof(deep) - 1] = 0;
	assert_int_equal(ask(any(), span_of(deep, sizeof(deep)), &d),
			 SG_TOO_BIG);
}

static void check_described(const struct client *c, const char *expected)
{
	struct request *r = request_of(expected);
	uint8_t out[2048];
	size_t n;
	size_t again;

	assert_int_equal(policy_describe(policy, c, NULL, out, sizeof(out), &n),
			 SG_OK);
	assert_int_equal(
		cbor_check(span_of(out, n),
			   (struct cbor_limits){.depth = 4, .items = 100}),
		SG_OK);
	assert_int_equal(n, r->n);
	assert_memory_equal(out, r->bytes, n);
	memset(out, 0xEE, sizeof(out));
	assert_int_equal(policy_describe(policy, c, NULL, out, n - 1, &again),
			 SG_TOO_BIG);
	assert_int_equal(again, n);
	assert_int_equal(out[n - 1], 0xEE);
	free(r);
}

/* All rules but these three are errors. */
static const char *profile_text(const char *unknown, const char *past,
				const char *too_long)
{
	static char text[2048];
	size_t n = 0;

	for (unsigned i = 0; i < RULE_COUNT; i++) {
		const char *level = "error";

		if (i == RULE_UNKNOWN_FIELD)
			level = unknown;
		else if (i == RULE_VALIDITY_IN_PAST)
			level = past;
		else if (i == RULE_VALIDITY_TOO_LONG)
			level = too_long;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s'%s':'%s'",
				      i > 0 ? "," : "", rule_name((enum rule)i),
				      level);
	}
	return text;
}

static void test_describe(void **state)
{
	char hash[65];
	char text[4096];

	(void)state;
	for (size_t i = 0; i < 32; i++)
		(void)snprintf(hash + 2 * i, 3, "%02x", policy_hash(policy)[i]);
	(void)snprintf(
		text, sizeof(text),
		"{'client':'issuer','hash':'%s',"
		"'operations':['issue','validate','renew'],'kinds':['v','r'],"
		"'countries':['LA','VN'],'issuers':['A','Bộ Y tế'],"
		"'uvci_prefixes':['URN:UVCI:01:VN:'],"
		"'profile':{%s},'validity':{'v':31536000,'r':15552000},"
		"'gateways':[],'require':[],'request_keys':[],"
		"'renewal_window':3600}",
		hash, profile_text("error", "error", "error"));
	check_described(issuer(), text);
	(void)snprintf(
		text, sizeof(text),
		"{'client':'any','hash':'%s','operations':['issue'],"
		"'kinds':['v','t','r'],'countries':['*'],'issuers':['*'],"
		"'uvci_prefixes':['*'],'profile':{%s},"
		"'validity':{'v':86400,'t':86400,'r':86400},"
		"'gateways':[],'require':[],'request_age':5400,'request_keys':["
		"'a050837d85070582'],"
		"'renewal_window':2592000}",
		hash, profile_text("off", "off", "warning"));
	check_described(any(), text);
}

static void test_hash(void **state)
{
	/* printf 'version: 1\nclients:\n- {name: a, identities: ["uri:u:a"],
	 * operations: [audit]}\n' | sha256sum, all in one line */
	static const char small[] =
		"version: 1\nclients:\n- {name: a, identities: "
		"[\"uri:u:a\"], operations: [audit]}\n";
	static const uint8_t hash[32] = {
		0xba, 0xfe, 0x65, 0x13, 0xe3, 0x37, 0xe5, 0xd6,
		0xd0, 0x9f, 0x39, 0xe9, 0x1f, 0x65, 0xe1, 0x4a,
		0xd4, 0xb4, 0x25, 0x7d, 0x61, 0x5c, 0x08, 0x80,
		0x68, 0x81, 0x29, 0xfe, 0x70, 0x0b, 0x2c, 0xcb};
	struct faults faults = {.n = 0};
	struct policy *p;

	(void)state;
	assert_int_equal(policy_load(span_str(small), "p", &p, &faults), SG_OK);
	assert_memory_equal(policy_hash(p), hash, sizeof(hash));
	policy_unref(p);
}

static void test_references(void **state)
{
	(void)state;
	assert_ptr_equal(policy_ref(policy), policy);
	policy_unref(policy);
	assert_string_equal(client_name(issuer()), "issuer");
	policy_unref(NULL);
}

static void test_faults(void **state)
{
	struct faults faults = {.n = 0};
	struct policy *p;

	(void)state;
	assert_int_equal(
		policy_load(SPAN_LIT("version: 1\n"), "p.yaml", &p, &faults),
		SG_CONFIG);
	assert_null(p);
	assert_string_equal(faults.text, "p.yaml:1: clients: is missing\n");
}

static void test_many_clients(void **state)
{
	enum { MANY = 8000, LINE = 128 };
	struct faults faults = {.n = 0};
	char *text = malloc((size_t)MANY * LINE);
	struct policy *kept = policy;
	char name[32];
	size_t n;

	(void)state;
	assert_non_null(text);
	n = (size_t)sprintf(text, "version: 1\nclients:\n");
	for (int i = 0; i < MANY; i++)
		n += (size_t)sprintf(text + n,
				     " - {name: c%d, identities: [\"uri:u:%d\"]"
				     ", operations: [audit]}\n",
				     i, i);
	assert_int_equal(policy_load(span_of(text, n), "p", &policy, &faults),
			 SG_OK);
	for (int i = 0; i < MANY; i++) {
		char uri[32];

		(void)snprintf(uri, sizeof(uri), "u:%d", i);
		(void)snprintf(name, sizeof(name), "c%d", i);
		assert_string_equal(client_name(by_name(IDENTITY_URI, uri)),
				    name);
	}
	policy_unref(policy);
	policy = kept;
	free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, load, unload)
	const struct CMUnitTest tests[] = {
		TEST(test_identity),  TEST(test_operations),
		TEST(test_accepted),  TEST(test_all_at_once),
		TEST(test_profiles),  TEST(test_bounds),
		TEST(test_malformed), TEST(test_describe),
		TEST(test_hash),      TEST(test_references),
		TEST(test_faults),    TEST(test_many_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
