/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/certlogic_rule.h"

#include "expression.h"

#define HEAD "'Engine':'CERTLOGIC','Identifier':'VR-VN-0001',"
#define TIMES                                                                  \
	"'ValidFrom':'2021-06-01T00:00:00Z','ValidTo':'2022-06-01T00:00:00Z',"
#define TEXTS                                                                  \
	"'Description':[{'lang':'de','desc':'D'},{'lang':'en','desc':'E'},"    \
	"{'lang':'vi','desc':'V'}],"
#define LOGIC "'Logic':{'<':[{'var':'payload.n'},{'var':'external.max'}]}"
#define VACCINATION "'CertificateType':'Vaccination',"
#define RULE "{" HEAD TIMES TEXTS VACCINATION LOGIC "}"

static enum sg_err parse(const char *text, struct certlogic_rule *rule,
			 struct expression_faults *f)
{
	const struct certlogic_listener listener = {.tell = expression_tell,
						    .ctx = f};
	char *copy = strdup(text);
	enum sg_err err;

	assert_non_null(copy);
	for (char *p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	err = certlogic_rule_parse(span_str(copy), &listener, rule);
	free(copy);
	return err;
}

static struct certlogic_rule rule_of(const char *text)
{
	struct expression_faults f = {.n = 0};
	struct certlogic_rule rule;

	if (parse(text, &rule, &f) != SG_OK)
		fail_msg("%s", f.text);
	return rule;
}

static void test_whole(void **state)
{
	struct certlogic_rule r = rule_of(RULE);

	(void)state;
	assert_string_equal(r.identifier, "VR-VN-0001");
	assert_true(span_is(r.violation.code, "rule:VR-VN-0001"));
	assert_true(span_is(r.violation.detail[VERDICT_ENGLISH], "E"));
	assert_true(span_is(r.violation.detail[VERDICT_VIETNAMESE], "V"));
	assert_int_equal(r.kinds, DCC_KIND_BIT(DCC_VACCINATION));
	assert_int_equal(r.pointer_n[DCC_VACCINATION], 0);
	certlogic_rule_clear(&r);
	certlogic_rule_clear(&r);
}

/* Times are those of a decision, in seconds; both ends are inside. */
static void test_applies(void **state)
{
	const int64_t from = 1622505600;
	const int64_t to = 1654041600;
	struct certlogic_rule r = rule_of(RULE);

	(void)state;
	assert_true(certlogic_rule_applies(&r, DCC_VACCINATION, from));
	assert_true(certlogic_rule_applies(&r, DCC_VACCINATION, to));
	assert_false(certlogic_rule_applies(&r, DCC_VACCINATION, from - 1));
	assert_false(certlogic_rule_applies(&r, DCC_VACCINATION, to + 1));
	assert_false(certlogic_rule_applies(&r, DCC_TEST, from));
	assert_false(certlogic_rule_applies(&r, DCC_VACCINATION, INT64_MAX));
	assert_false(certlogic_rule_applies(&r, DCC_VACCINATION, INT64_MIN));
	certlogic_rule_clear(&r);
	r = rule_of("{" HEAD TIMES TEXTS "'CertificateType':'General'," LOGIC
		    "}");
	assert_true(certlogic_rule_applies(&r, DCC_TEST, from));
	assert_true(certlogic_rule_applies(&r, DCC_RECOVERY, from));
	certlogic_rule_clear(&r);
}

static bool holds(const struct certlogic_rule *r, const char *payload,
		  const char *external, enum certlogic_error *err)
{
	struct request *a = request_of(payload);
	struct request *b = request_of(external);
	struct certlogic_scratch scratch;
	struct certlogic_value p;
	struct certlogic_value e;
	bool held;

	assert_int_equal(certlogic_value_read(request_span(a), &p),
			 CERTLOGIC_OK);
	assert_int_equal(certlogic_value_read(request_span(b), &e),
			 CERTLOGIC_OK);
	certlogic_scratch_init(&scratch);
	held = certlogic_rule_holds(r, &p, &e, &scratch, err);
	free(a);
	free(b);
	return held;
}

static void test_holds(void **state)
{
	struct certlogic_rule r = rule_of(RULE);
	enum certlogic_error err;

	(void)state;
	assert_true(holds(&r, "{'n':1}", "{'max':2}", &err));
	assert_false(holds(&r, "{'n':2}", "{'max':2}", &err));
	assert_int_equal(err, CERTLOGIC_OK);
	assert_false(holds(&r, "{'n':'1'}", "{'max':2}", &err));
	assert_int_equal(err, CERTLOGIC_TYPE);
	assert_false(holds(&r, "{}", "{}", &err));
	certlogic_rule_clear(&r);
	/* What is only truthy is not true. */
	r = rule_of("{" HEAD TIMES TEXTS VACCINATION
		    "'Logic':{'var':'payload.n'}}");
	assert_true(holds(&r, "{'n':true}", "{}", &err));
	assert_false(holds(&r, "{'n':1}", "{}", &err));
	assert_int_equal(err, CERTLOGIC_OK);
	certlogic_rule_clear(&r);
}

static void check_pointer(const char *fields, const char *v, const char *t)
{
	char text[1024];
	struct certlogic_rule r;

	(void)snprintf(text, sizeof(text),
		       "{" HEAD TIMES TEXTS "'CertificateType':'General',"
		       "'AffectedFields':[%s]," LOGIC "}",
		       fields);
	r = rule_of(text);
	assert_true(span_is(span_of(r.pointer[DCC_VACCINATION],
				    r.pointer_n[DCC_VACCINATION]),
			    v));
	assert_true(span_is(span_of(r.pointer[DCC_TEST], r.pointer_n[DCC_TEST]),
			    t));
	certlogic_rule_clear(&r);
}

static void test_pointers(void **state)
{
	(void)state;
	check_pointer("", "", "");
	check_pointer("'v.0.mp','v.0.dn'", "/dcc/v/0/mp", "");
	check_pointer("'t.0','v.1'", "/dcc/v/1", "/dcc/t/0");
	check_pointer("'dob','v.0.dt'", "/dcc/dob", "/dcc/dob");
	check_pointer("'ver'", "/dcc/ver", "/dcc/ver");
	check_pointer("'v.0.a123456789a123456789a123456789a123456789a123456789"
		      "a123456789'",
		      "", "");
}

static void test_language(void **state)
{
	char text[2048];
	char long_text[700];
	size_t n = 0;
	struct certlogic_rule r;
	struct span detail;

	(void)state;
	for (int i = 0; i < 130; i++)
		n += (size_t)snprintf(long_text + n, sizeof(long_text) - n,
				      "ệ"); /* three bytes */
	(void)snprintf(text, sizeof(text),
		       "{" HEAD TIMES VACCINATION
		       "'Description':[{'lang':'en','desc':'%s'}]," LOGIC "}",
		       long_text);
	r = rule_of(text);
	detail = r.violation.detail[VERDICT_VIETNAMESE]; /* else English */
	assert_int_equal(detail.n, CERTLOGIC_DETAIL_MAX / 3 * 3);
	assert_memory_equal(detail.p, long_text, detail.n);
	certlogic_rule_clear(&r);
}

static void test_faults(void **state)
{
	static const struct {
		const char *text, *faults;
	} bad[] = {
		{"[]", ": a rule is a JSON object\n"},
		{"{}", "Engine: is missing\nCertificateType: is missing\n"
		       "ValidFrom: is missing\nValidTo: is missing\n"
		       "Identifier: is missing\n"
		       "Description: has no text in English (en)\n"
		       "Logic: is missing\n"},
		{"{'Engine':'JS','Identifier':'a b','CertificateType':'x',"
		 "'ValidFrom':'now','ValidTo':5,'Description':'x',"
		 "'AffectedFields':'v.0','Logic':{'if':[1,{'x':[]},2]}}",
		 "Engine: must be CERTLOGIC\n"
		 "CertificateType: must be General, Vaccination, Test or "
		 "Recovery\n"
		 "ValidFrom: must be a date-time such as "
		 "2021-07-01T00:00:00Z\n"
		 "ValidTo: must be a text\n"
		 "AffectedFields: must be an array of texts\n"
		 "Identifier: must be 1 to 64 of the letters A-Z a-z 0-9 . _ "
		 "-\n"
		 "Description: has no text in English (en)\n"
		 "Logic.if[1]: there is no operation 'x'\n"},
		{"{" HEAD TEXTS VACCINATION LOGIC
		 ",'ValidFrom':'2022-01-01','ValidTo':'2021-01-01',"
		 "'AffectedFields':['v/0']}",
		 "ValidTo: is before ValidFrom\n"
		 "AffectedFields: must be paths such as v.0.mp\n"},
		{"{" HEAD TIMES VACCINATION LOGIC
		 ",'Description':[{'lang':'en','desc':'a\\u001b[2J'}]}",
		 "Description: has a control character\n"},
		{"{'a':1,\n'a':2}", NULL},
		{"{\n\n", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct expression_faults f = {.n = 0};
		struct certlogic_rule r;

		assert_int_equal(parse(bad[i].text, &r, &f), SG_MALFORMED);
		assert_null(r.text);
		assert_null(r.logic);
		if (bad[i].faults != NULL)
			assert_string_equal(f.text, bad[i].faults);
		else /* jansson's own words */
			assert_memory_equal(f.text, "line ", 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_applies),
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_language),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
