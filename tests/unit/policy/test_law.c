/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

#include "policy/policy_file.h"
#include "policy/rule.h"
#include "request.h"

/*
 * The whole law, rule by rule: a request of each kind that passes, and edits of
 * it that do not, each with exactly what is told.
 */
static const char TEXT[] =
	"version: 1\n"
	"time_zone: \"+13:00\"\n" /* NOW is half past midnight there */

	"profiles:\n"
	"  - {name: full, default: error}\n"
	"  - {name: told, default: warning}\n"
	"  - {name: schema, default: \"off\"}\n"
	"clients:\n"
#define CLIENT(name, profile)                                                  \
	"  - name: " name "\n"                                                 \
	"    identities: [\"uri:urn:" name "\"]\n"                             \
	"    operations: [issue]\n"                                            \
	"    kinds: [v, t, r]\n"                                               \
	"    countries: [VN]\n"                                                \
	"    issuers: [\"Bộ Y tế\"]\n"                                     \
	"    uvci_prefixes: [\"URN:UVCI:01:VN:\"]\n"                           \
	"    profile: " profile "\n"                                           \
	"    validity: {v: 365d, t: 3d, r: 180d}\n"
	CLIENT("full", "full") CLIENT("told", "told")
		CLIENT("schema", "schema");

enum { NOW = 1640000000, DAY = 86400 }; /* 2021-12-20T11:33:20Z */

#define HEAD                                                                   \
	"{'dcc':{'ver':'1.3.0','dob':'1979-04-14','nam':{'fn':'Nguyễn',"     \
	"'fnt':'NGUYEN','gn':'Bảo Duy','gnt':'BAO<DUY'},"
#define TAIL(ci) "'tg':'840539006','co':'VN','is':'Bộ Y tế','ci':'" ci "'}]}}"

static const char *const SOUND[DCC_KINDS] = {
	[DCC_VACCINATION] = HEAD
	"'v':[{'vp':'1119349007','mp':'EU/1/20/1528',"
	"'ma':'ORG-100030215','dn':1,'sd':2,'dt':'2021-11-01'," TAIL(
		"URN:UVCI:01:VN:187/37512422923"),
	[DCC_TEST] = HEAD "'t':[{'tt':'LP6464-4','nm':'PCR','tr':'260415000',"
			  "'sc':'2021-12-20T08:00:00+07:00','tc':'Viện'," TAIL(
				  "URN:UVCI:01:VN:T1"),
	[DCC_RECOVERY] = HEAD "'r':[{'fr':'2021-11-01','df':'2021-11-12',"
			      "'du':'2022-04-30'," TAIL("URN:UVCI:01:VN:R1#R"),
};

static struct policy *policy;

/* In the sound request of KIND, the text OLD is replaced by NEW. */
struct fault {
	const char *code; /* that it is about; others may come with it */
	enum dcc_kind kind;
	const char *old, *new;
	const char *lines;
};

#define V DCC_VACCINATION
#define T DCC_TEST
#define R DCC_RECOVERY

static const struct fault FAULTS[] = {
	{"missing-field", V, "'mp':'EU/1/20/1528',", "",
	 "missing-field /dcc/v/0/mp\n"},
	{"unknown-field", T, "'nm':'PCR'", "'nm':'PCR','lot':'7'",
	 "unknown-field /dcc/t/0/lot\n"},
	{"unknown-field", R, "{'dcc'", "{'x':1,'dcc'", "unknown-field /x\n"},
	{"wrong-type", V, "'dn':1", "'dn':2.5", "wrong-type /dcc/v/0/dn\n"},
	{"wrong-type", R, "'VN'", "null", "wrong-type /dcc/r/0/co\n"},
	{"bad-format", V, "'1.3.0'", "'1.3'", "bad-format /dcc/ver\n"},
	{"bad-format", V, "'NGUYEN'", "'NGUYEN-'", "bad-format /dcc/nam/fnt\n"},
	{"bad-format", V, "2021-11-01", "01/11/2021",
	 "bad-format /dcc/v/0/dt\n"},
	{"bad-format", T, "+07:00", "", "bad-format /dcc/t/0/sc\n"},
	{"bad-format", R, "2022-04-30", "2022-4-30",
	 "bad-format /dcc/r/0/du\n"},
	{"control-character", T, "'PCR'",
	 "'P\x01"
	 "CR'",
	 "control-character /dcc/t/0/nm\n"},
	{"untrimmed", T, "'PCR'", "'PCR '", "untrimmed /dcc/t/0/nm\n"},
	{"untrimmed", R, "'Nguyễn'", "'\xC2\xA0Nguyễn'",
	 "untrimmed /dcc/nam/fn\n"},
	{"empty-field", T, "'Viện'", "''", "empty-field /dcc/t/0/tc\n"},
	{"too-long", T, "'PCR'",
	 "'12345678901234567890123456789012345678901234567890"
	 "1234567890123456789012345678901'",
	 "too-long /dcc/t/0/nm\n"},
	{"out-of-range", V, "'dn':1", "'dn':0", "out-of-range /dcc/v/0/dn\n"},
	{"entry-count", V, "'v':[", "'r':[],'v':[",
	 "entry-count /dcc/r\nentry-count /dcc\n"},
	{"name-missing", V, "'fnt':'NGUYEN','gn':'Bảo Duy','gnt':'BAO<DUY'",
	 "'gn':'Bảo Duy'", "name-missing /dcc/nam\n"},
	{"name-missing", V,
	 "'fn':'Nguyễn','fnt':'NGUYEN','gn':'Bảo Duy','gnt':'BAO<DUY'",
	 "'gnt':''", "empty-field /dcc/nam/gnt\nname-missing /dcc/nam\n"},
	{"uvci-format", V, "VN:187/37512422923", "VN:187/3751-2422923",
	 "uvci-format /dcc/v/0/ci\n"},
	{"uvci-country", V, "VN:187", "NL:187",
	 "uvci-not-allowed /dcc/v/0/ci\nuvci-country /dcc/v/0/ci\n"},
	{"uvci-checksum", R, "R1#R", "R1#8", "uvci-checksum /dcc/r/0/ci\n"},
	{"uvci-not-allowed", T, "URN:UVCI:01:VN:T1", "URN:UVCI:01:LA:T1",
	 "uvci-not-allowed /dcc/t/0/ci\nuvci-country /dcc/t/0/ci\n"},
	{"country-not-allowed", T, "'VN'", "'LA'",
	 "country-not-allowed /dcc/t/0/co\nuvci-country /dcc/t/0/ci\n"},
	{"issuer-not-allowed", T, "'Bộ Y tế'", "'BYT'",
	 "issuer-not-allowed /dcc/t/0/is\n"},
	{"date-impossible", V, "2021-11-01", "2021-02-30",
	 "date-impossible /dcc/v/0/dt\n"},
	{"date-impossible", T, "1979-04-14", "1979-04-31",
	 "date-impossible /dcc/dob\n"},
	{"date-in-future", V, "2021-11-01", "2021-12-22",
	 "date-in-future /dcc/v/0/dt\n"},
	{"date-in-future", T, "2021-12-20T08", "2021-12-20T19",
	 "date-in-future /dcc/t/0/sc\n"},
	{"date-too-early", V, "2021-11-01", "2020-11-30",
	 "date-too-early /dcc/v/0/dt\n"},
	{"date-too-early", R, "2021-11-01", "2019-11-01",
	 "date-too-early /dcc/r/0/fr\n"},
	{"date-order", R, "2022-04-30", "2021-11-12",
	 "date-order /dcc/r/0/du\n"},
	{"birth-after-event", V, "1979-04-14", "2021-11-02",
	 "birth-after-event /dcc/dob\n"},
	{"dose-exceeds-series", V, "'dn':1", "'dn':3",
	 "dose-exceeds-series /dcc/v/0/dn\n"},
	{"not-in-value-set", V, "EU/1/20/1528", "EU/1/20/9999",
	 "not-in-value-set /dcc/v/0/mp\n"},
	{"not-in-value-set", T, "260415000", "negative",
	 "not-in-value-set /dcc/t/0/tr\n"},
	{"inconsistent-vaccine", V, "ORG-100030215", "ORG-100031184",
	 "inconsistent-vaccine /dcc/v/0\n"},
	{"name-transliteration", R, "'NGUYEN'", "'PHAM'",
	 "name-transliteration /dcc/nam/fnt\n"},
	{"name-transliteration", V, "BAO<DUY", "BAODUY",
	 "name-transliteration /dcc/nam/gnt\n"},
	{"validity-too-long", T, "{'dcc'", "{'exp':1640259201,'dcc'",
	 "validity-too-long /exp\n"},
	{"validity-in-past", T, "{'dcc'", "{'exp':1640000000,'dcc'",
	 "validity-in-past /exp\n"},
	{"beyond-signer-certificate", V, "{'dcc'", "{'exp':1672000000,'dcc'",
	 "validity-too-long /exp\nbeyond-signer-certificate /exp\n"},
};

enum { FAULT_COUNT = sizeof(FAULTS) / sizeof(FAULTS[0]) };

static int load(void **state)
{
	struct faults faults = {.n = 0};

	(void)state;
	return policy_load(span_str(TEXT), "t", &policy, &faults) == SG_OK ? 0
									   : -1;
}

static int unload(void **state)
{
	(void)state;
	policy_unref(policy);
	return 0;
}

static const struct client *client_of(const char *name)
{
	const struct client *c = policy_client_named(policy, span_str(name));

	assert_non_null(c);
	return c;
}

static enum sg_err ask(const struct client *c, struct span request,
		       const struct policy_bounds *bounds, struct decision *out)
{
	const struct policy_question q = {.client = c,
					  .operation = CLIENT_ISSUE,
					  .request = request,
					  .now = NOW,
					  .bounds = bounds};

	return policy_decide(policy, &q, out);
}

static void decide(const char *client, const char *text, struct decision *d)
{
	struct policy_bounds bounds[DCC_KINDS];
	struct request *r = request_of(text);

	for (size_t i = 0; i < DCC_KINDS; i++)
		bounds[i] = (struct policy_bounds){
			.present = true,
			.not_before = NOW - DAY,
			.not_after = NOW + (int64_t)366 * DAY};
	assert_int_equal(ask(client_of(client), request_span(r), bounds, d),
			 SG_OK);
	free(r);
}

/* The sound request of F's kind with F in it. */
static const char *edited(const struct fault *f)
{
	static char out[2048];
	const char *sound = SOUND[f->kind];
	const char *at = strstr(sound, f->old);

	assert_non_null(at);
	(void)snprintf(out, sizeof(out), "%.*s%s%s", (int)(at - sound), sound,
		       f->new, at + strlen(f->old));
	return out;
}

static void test_sound(void **state)
{
	static const char *const clients[] = {"full", "told", "schema"};
	static const struct fault today = {NULL, V, "2021-11-01", "2021-12-21",
					   NULL};
	struct decision d;

	(void)state;
	for (size_t c = 0; c < 3; c++)
		for (size_t k = 0; k < DCC_KINDS; k++) {
			decide(clients[c], SOUND[k], &d);
			assert_string_equal(verdict_lines(&d.verdict), "");
		}
	/* Today, in the policy's time zone. */
	decide("full", edited(&today), &d);
	assert_string_equal(verdict_lines(&d.verdict), "");
}

static void test_faults(void **state)
{
	struct decision d;

	(void)state;
	for (size_t i = 0; i < FAULT_COUNT; i++) {
		decide("full", edited(&FAULTS[i]), &d);
		assert_string_equal(verdict_lines(&d.verdict), FAULTS[i].lines);
		assert_non_null(strstr(FAULTS[i].lines, FAULTS[i].code));
		assert_true(d.verdict.errors > 0);
	}
}

/* What can be switched, and is told by this table, can be a warning or off;
 * the rest stays. */
static void test_levels(void **state)
{
	struct decision d;

	(void)state;
	for (size_t i = 0; i < FAULT_COUNT; i++) {
		size_t told;

		decide("full", edited(&FAULTS[i]), &d);
		told = d.verdict.n;
		decide("told", edited(&FAULTS[i]), &d);
		assert_int_equal(d.verdict.n, told);
		told = d.verdict.errors;
		decide("schema", edited(&FAULTS[i]), &d);
		assert_int_equal(d.verdict.errors, told);
		assert_int_equal(d.verdict.n, told);
	}
}

/* Every rule that can be switched is in the table. */
static void test_complete(void **state)
{
	(void)state;
	for (unsigned r = 0; r < RULE_COUNT; r++) {
		size_t i = 0;

		while (i < FAULT_COUNT &&
		       strcmp(FAULTS[i].code, rule_name((enum rule)r)) != 0)
			i++;
		if (i == FAULT_COUNT)
			fail_msg("no fault for %s", rule_name((enum rule)r));
	}
}

/* A person reads it in the one language or the other. */
static void test_details(void **state)
{
	(void)state;
	for (unsigned c = 0; c < VIOLATION_COUNT; c++) {
		const char *en = violation_detail((enum violation_code)c,
						  VERDICT_ENGLISH);
		const char *vi = violation_detail((enum violation_code)c,
						  VERDICT_VIETNAMESE);
		bool accents = false;

		assert_true(strlen(en) > 8 && strlen(vi) > 8);
		assert_string_not_equal(en, vi);
		for (size_t i = 0; en[i] != '\0'; i++)
			assert_true((unsigned char)en[i] < 0x80);
		for (size_t i = 0; vi[i] != '\0'; i++)
			accents = accents || (unsigned char)vi[i] >= 0x80;
		assert_true(accents);
	}
}

static int by_line(const void *a, const void *b)
{
	return strcmp(a, b);
}

enum { LINE = 160 };

/* What the judges add to V, in the order of the alphabet. */
static size_t sorted(const struct verdict *v, char out[][LINE])
{
	memset(out, 0, VERDICT_MAX * sizeof(out[0]));
	for (size_t i = 0; i < v->n; i++) {
		const struct span at = verdict_pointer(v, i);

		(void)snprintf(out[i], LINE, "%s %.*s",
			       violation_code_text(v->violation[i].code),
			       (int)at.n, (const char *)at.p);
	}
	qsort(out, v->n, LINE, by_line);
	return v->n;
}

/* The judges may come in any order: here backwards, and each first once. */
static void test_order(void **state)
{
	static char expected[VERDICT_MAX][LINE];
	static char got[VERDICT_MAX][LINE];
	const size_t judges = rule_judges();
	struct faults faults = {.n = 0};
	struct policy_file file;

	(void)state;
	assert_int_equal(policy_file_read(span_str(TEXT), "t", &file, &faults),
			 SG_OK);
	for (size_t i = 0; i < FAULT_COUNT; i++) {
		const struct client *c = client_of("full");
		const char *text = edited(&FAULTS[i]);
		const struct policy_bounds bounds[DCC_KINDS] = {{false, 0, 0}};
		struct request *r = request_of(text);
		struct verdict v;
		static struct decision d;
		struct rule_context x = {.client = c,
					 .profile = c->profile,
					 .document = &d.document,
					 .bounds = bounds,
					 .valuesets = &file.valuesets,
					 .now = NOW};
		size_t n;

		assert_int_equal(ask(c, request_span(r), bounds, &d), SG_OK);
		x.exp = d.exp;
		verdict_init(&v);
		rule_judge(&x, &v);
		n = sorted(&v, expected);
		for (size_t first = 0; first < judges; first++) {
			verdict_init(&v);
			for (size_t k = judges; k > 0; k--)
				rule_judge_one((k + first) % judges, &x, &v);
			assert_int_equal(sorted(&v, got), n);
			assert_memory_equal(got, expected, n * LINE);
		}
		free(r);
	}
	policy_file_clear(&file);
}

static void test_seven(void **state)
{
	struct decision d;

	(void)state;
	decide("full",
	       "{'dcc':{'ver':'1.3.0','dob':'1979-04-31','nam':{'fn':'Nguyễn',"
	       "'fnt':'PHAM','gn':' Duy','gnt':'DUY'},'v':[{'vp':'1119349007',"
	       "'mp':'EU/1/20/1528','ma':'ORG-100031184','dn':3,'sd':2,"
	       "'dt':'2020-11-01','tg':'840539006','co':'VN',"
	       "'is':'Bộ Y tế','ci':'URN:UVCI:01:VN:R1#8'}]}}",
	       &d);
	assert_int_equal(d.verdict.errors, 7);
	assert_string_equal(verdict_lines(&d.verdict),
			    "untrimmed /dcc/nam/gn\n"
			    "uvci-checksum /dcc/v/0/ci\n"
			    "name-transliteration /dcc/nam/fnt\n"
			    "date-impossible /dcc/dob\n"
			    "date-too-early /dcc/v/0/dt\n"
			    "dose-exceeds-series /dcc/v/0/dn\n"
			    "inconsistent-vaccine /dcc/v/0\n"
			    "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),	cmocka_unit_test(test_faults),
		cmocka_unit_test(test_levels),	cmocka_unit_test(test_complete),
		cmocka_unit_test(test_details), cmocka_unit_test(test_seven),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
