/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/certlogic_judge.h"

#include "expression.h"
#include "policy/client.h"
#include "policy/schema.h"

enum { NOW = 1700000000 }; /* 2023-11-14T22:13:20Z */

#define PAYLOAD                                                                \
	"{'dcc':{'ver':'1.3.0','dob':'1990-01-01','nam':{'fnt':'A'},'v':["     \
	"{'tg':'840539006','vp':'J07BX03','mp':'M','ma':'O','dn':2,'sd':1,"    \
	"'dt':'2023-11-10','co':'VN','is':'I','ci':'URN:UVCI:01:VN:1'}]}}"

struct fixture {
	struct request *request;
	struct document document;
	struct verdict verdict;
	struct rule_profile profile;
	struct client client;
	struct certlogic_set set;
};

/* The judgement on PAYLOAD of N rules with these Logic texts. */
static const char *judge(struct fixture *f, size_t n, const char *const *logic,
			 const uint8_t *levels)
{
	struct rule_context x = {.client = &f->client,
				 .profile = &f->profile,
				 .document = &f->document,
				 .certlogic = &f->set,
				 .now = NOW,
				 .exp = NOW + 60};

	assert_int_equal(certlogic_set_create(n, &f->set), SG_OK);
	for (size_t i = 0; i < n; i++) {
		char text[1024];
		json_t *j;

		(void)snprintf(
			text, sizeof(text),
			"{'Identifier':'R%zu','Engine':'CERTLOGIC',"
			"'CertificateType':'%s','ValidFrom':'2021',"
			"'ValidTo':'2030','Description':[{'lang':'en','desc':"
			"'d'},{'lang':'vi','desc':'đ'}],%s'Logic':%s}",
			n - i, i % 2 == 0 ? "Vaccination" : "General",
			i == 0 ? "'AffectedFields':['v.0.dn']," : "", logic[i]);
		j = expression_json(text);
		assert_int_equal(certlogic_rule_load(j, NULL, &f->set.rule[i]),
				 SG_OK);
		json_decref(j);
	}
	certlogic_set_sort(&f->set);
	f->request = request_of(PAYLOAD);
	f->client.name = "the-client";
	rule_profile_init(&f->profile);
	f->profile.certlogic = levels;
	verdict_init(&f->verdict);
	assert_int_equal(schema_read(request_span(f->request), &f->profile,
				     &f->document, &f->verdict),
			 SG_OK);
	assert_int_equal(f->verdict.n, 0);
	certlogic_judge(&x, &f->verdict);
	return verdict_lines(&f->verdict);
}

static void clear(struct fixture *f)
{
	certlogic_set_clear(&f->set);
	certlogic_set_clear(&f->set);
	free(f->request);
}

static void test_judge(void **state)
{
	static const char *const logic[] = {
		"{'<=':[{'var':'payload.v.0.dn'},{'var':'payload.v.0.sd'}]}",
		"{'===':[{'var':'payload.v.0.mp'},'M']}",
		"{'+':[1,'x']}", /* cannot be evaluated */
		"1",		 /* is not true */
	};
	struct fixture f = {.request = NULL};

	(void)state;
	assert_string_equal(judge(&f, 4, logic, NULL),
			    "rule /dcc/v/0/dn\nrule /dcc/v/0\nrule "
			    "/dcc/v/0\n");
	assert_true(span_is(verdict_code(&f.verdict, 0), "rule:R4"));
	assert_true(span_is(verdict_code(&f.verdict, 1), "rule:R2"));
	assert_true(span_is(verdict_code(&f.verdict, 2), "rule:R1"));
	assert_true(
		span_is(verdict_detail(&f.verdict, 0, VERDICT_ENGLISH), "d"));
	assert_true(span_is(verdict_detail(&f.verdict, 0, VERDICT_VIETNAMESE),
			    "đ"));
	assert_int_equal(f.verdict.errors, 3);
	clear(&f);
}

static void test_levels(void **state)
{
	static const char *const logic[] = {"false", "false", "false"};
	static const uint8_t levels[] = {RULE_WARNING, RULE_OFF, RULE_ERROR};
	struct fixture f = {.request = NULL};

	(void)state;
	assert_string_equal(judge(&f, 3, logic, levels),
			    "rule /dcc/v/0/dn warning\nrule /dcc/v/0\n");
	clear(&f);
}

static void test_external(void **state)
{
	static const char *const logic[] = {
		"{'===':[{'var':'external.validationClock'},"
		"'2023-11-14T22:13:20Z']}",
		"{'===':[{'var':'external.iat'},'2023-11-14T22:13:20Z']}",
		"{'===':[{'var':'external.exp'},'2023-11-14T22:14:20Z']}",
		"{'===':[{'var':'external.countryCode'},'VN']}",
		"{'===':[{'var':'external.issuerCountryCode'},'VN']}",
		"{'===':[{'var':'external.client'},'the-client']}",
		"{'!':[{'var':'external.kid'}]}",
		"{'before':[{'plusTime':[{'var':'payload.v.0.dt'},4,'day']},"
		"{'plusTime':[{'var':'external.validationClock'},0,'day']}]}",
	};
	struct fixture f = {.request = NULL};

	(void)state;
	assert_string_equal(judge(&f, 8, logic, NULL), "");
	clear(&f);
}

static void test_codes(void **state)
{
	static const struct span code[] = {{(const uint8_t *)"M", 1},
					   {(const uint8_t *)"N", 1}};
	static const char *const logic[] = {
		"{'in':[{'var':'payload.v.0.mp'},{'var':"
		"'external.valueSets.vaccines-covid-19-names'}]}"};
	struct rule_context x;
	struct fixture f = {.request = NULL};

	(void)state;
	/* A set that is not there is no array: the rule is not kept. */
	assert_string_equal(judge(&f, 1, logic, NULL), "rule /dcc/v/0/dn\n");
	assert_int_equal(
		certlogic_set_codes(&f.set, "vaccines-covid-19-names", code, 2),
		SG_OK);
	x = (struct rule_context){.client = &f.client,
				  .profile = &f.profile,
				  .document = &f.document,
				  .certlogic = &f.set,
				  .now = NOW};
	verdict_init(&f.verdict);
	certlogic_judge(&x, &f.verdict);
	assert_int_equal(f.verdict.n, 0);
	x.now = INT64_MAX; /* no rule is for then */
	certlogic_judge(&x, &f.verdict);
	assert_int_equal(f.verdict.n, 0);
	f.document.has_kind = false;
	x.now = NOW;
	certlogic_judge(&x, &f.verdict);
	x.certlogic = NULL;
	certlogic_judge(&x, &f.verdict);
	assert_int_equal(f.verdict.n, 0);
	for (int i = 1; i < CERTLOGIC_CODES_MAX; i++)
		assert_int_equal(certlogic_set_codes(&f.set, "x", NULL, 0),
				 SG_OK);
	assert_int_equal(certlogic_set_codes(&f.set, "x", NULL, 0), SG_TOO_BIG);
	clear(&f);
}

/* A payload that makes each rule slow: together they have so many steps, and
 * those that get none are not kept. */
static void test_slow(void **state)
{
	static const char slow[] = "{'!':[{'in':['x',{'var':'payload.zz'}]}]}";
	static const char quick[] = "{'!':[{'var':'payload.t'}]}";
	enum { ITEMS = 15000, RULES = 10 };
	/* {"zz": [0, 0, ...]} */
	static const uint8_t head[] = {0xA1, 0x62,	 'z',	      'z',
				       0x99, ITEMS >> 8, ITEMS & 0xFF};
	const char *logic[RULES];
	struct fixture f = {.request = NULL};
	struct rule_context x = {.client = &f.client,
				 .profile = &f.profile,
				 .document = &f.document,
				 .certlogic = &f.set,
				 .now = NOW};
	uint8_t *dcc = malloc(ITEMS + 16);

	(void)state;
	assert_non_null(dcc);
	for (size_t i = 0; i < RULES; i++)
		logic[i] = i < RULES - 1 ? slow : quick;
	(void)judge(&f, RULES, logic, NULL); /* no zz: no array */
	assert_int_equal(f.verdict.n, RULES - 1);
	memcpy(dcc, head, sizeof(head));
	memset(dcc + sizeof(head), 0, ITEMS);
	f.document.dcc = span_of(dcc, sizeof(head) + ITEMS);
	verdict_init(&f.verdict);
	certlogic_judge(&x, &f.verdict);
	/* 40,000 steps are twice 15,000; the quick one gets none, either. */
	assert_int_equal(f.verdict.n, RULES - 2);
	free(dcc);
	clear(&f);
}

/* Shorter codes first, then bytewise: the order of deterministic CBOR. */
static void test_order(void **state)
{
	static const char *const logic[] = {"true", "true", "true", "true",
					    "true", "true", "true", "true",
					    "true", "true"};
	struct fixture f = {.request = NULL};

	(void)state;
	(void)judge(&f, 10, logic, NULL); /* R10 to R1 */
	for (uint32_t i = 0; i < 9; i++)
		assert_int_equal(f.set.order[i], 9 - i);
	assert_int_equal(f.set.order[9], 0);
	clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),	 cmocka_unit_test(test_levels),
		cmocka_unit_test(test_external), cmocka_unit_test(test_codes),
		cmocka_unit_test(test_slow),	 cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
