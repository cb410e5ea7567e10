/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schema.h"

#include "request.h"

#define NAM                                                                    \
	"'nam':{'fn':'Nguyễn','fnt':'NGUYEN','gn':'Bảo Duy',"              \
	"'gnt':'BAO<DUY'}"
#define VER "'ver':'1.3.0'"
#define DOB "'dob':'1979-04-14'"
#define V_REST                                                                 \
	"'tg':'840539006','vp':'1119349007','mp':'EU/1/20/1528',"              \
	"'ma':'ORG-100030215','dn':2,'sd':2,'dt':'2021-11-01'"
#define ISSUER "'co':'VN','is':'Bộ Y tế','ci':'URN:UVCI:01:VN:1'"
#define V_ENTRY "{" V_REST "," ISSUER "}"
#define T_ENTRY                                                                \
	"{'tg':'840539006','tt':'LP6464-4','sc':'2021-11-01T08:00:00Z',"       \
	"'tr':'260415000'," ISSUER "}"
#define R_ENTRY                                                                \
	"{'tg':'840539006','fr':'2021-11-01','df':'2021-11-12',"               \
	"'du':'2022-05-01'," ISSUER "}"
#define DCC_OF(kind) "{'dcc':{" VER "," DOB "," NAM "," kind "}}"
#define V_OF(entry) DCC_OF("'v':[" entry "]")

static struct rule_profile profile; /* reset before each test */
static struct request *last;	    /* that the document's spans lie in */
static struct document document;
static struct verdict verdict;

static int forget(void **state)
{
	(void)state;
	free(last);
	last = NULL;
	return 0;
}

/* Of what is beyond the schema, only what its walk has always told. */
static void schema_alone(void)
{
	rule_profile_init(&profile);
	rule_profile_set(&profile, RULE_UNTRIMMED, RULE_OFF);
	rule_profile_set(&profile, RULE_EMPTY_FIELD, RULE_OFF);
	rule_profile_set(&profile, RULE_NAME_MISSING, RULE_OFF);
}

static int reset(void **state)
{
	(void)state;
	schema_alone();
	memset(&document, 0xEE, sizeof(document)); /* as a used slot */
	memset(&verdict, 0xEE, sizeof(verdict));
	return 0;
}

/* TEXT gets exactly the violations of LINES. */
static void check(const char *text, const char *lines)
{
	free(last);
	last = request_of(text);
	verdict_init(&verdict);
	assert_int_equal(
		schema_read(request_span(last), &profile, &document, &verdict),
		SG_OK);
	assert_string_equal(verdict_lines(&verdict), lines);
}

static void test_sound(void **state)
{
	(void)state;
	check(V_OF(V_ENTRY), "");
	check(DCC_OF("'t':[" T_ENTRY "]"), "");
	check(DCC_OF("'r':[" R_ENTRY "]"), "");
	check("{'dcc':{'ver':'1.0.0','dob':'','nam':{'gnt':''},'v':[" V_ENTRY
	      "]},'exp':1,'id':'','attestation':h}",
	      "");
}

static void test_document(void **state)
{
	const struct document *d = &document;
	struct request *dcc =
		request_of("{" VER "," DOB "," NAM ",'v':[" V_ENTRY "]}");

	(void)state;
	check("{'dcc':{" VER "," DOB "," NAM ",'v':[" V_ENTRY
	      "]},'exp':-5,'id':'row 1'}",
	      "");
	assert_true(span_eq(d->dcc, request_span(dcc)));
	free(dcc);
	assert_true(d->has_kind && d->kind == DCC_VACCINATION);
	assert_true(d->asks_exp && d->has_exp && d->exp == -5);
	assert_true(span_is(d->id, "row 1"));
	assert_int_equal(d->attestation.n, 0);
	assert_true(d->present[DOC_FN] && span_is(d->text[DOC_FN], "Nguyễn"));
	assert_true(span_is(d->text[DOC_GNT], "BAO<DUY"));
	assert_true(span_is(d->text[DOC_VER], "1.3.0"));
	assert_true(span_is(d->text[DOC_DOB], "1979-04-14"));
	assert_true(d->present[DOC_DN] && d->number[DOC_DN] == 2);
	assert_true(span_is(d->text[DOC_MP], "EU/1/20/1528"));
	assert_true(span_is(d->text[DOC_CI], "URN:UVCI:01:VN:1"));
	assert_false(d->present[DOC_TT] || d->present[DOC_FR]);

	check(DCC_OF("'t':[" T_ENTRY "]"), "");
	assert_true(d->has_kind && d->kind == DCC_TEST);
	assert_false(d->asks_exp || d->has_exp || d->present[DOC_DN]);
	assert_int_equal(d->id.n, 0);
	check(DCC_OF("'r':[" R_ENTRY "]"), "");
	assert_true(d->has_kind && d->kind == DCC_RECOVERY);
	assert_true(span_is(d->text[DOC_DU], "2022-05-01"));
}

static void test_missing(void **state)
{
	(void)state;
	check("{}", "missing-field /dcc\n");
	check("{'dcc':{}}", "missing-field /dcc/dob\nmissing-field /dcc/nam\n"
			    "missing-field /dcc/ver\nentry-count /dcc\n");
	check(V_OF("{}"), "missing-field /dcc/v/0/ci\n"
			  "missing-field /dcc/v/0/co\n"
			  "missing-field /dcc/v/0/dn\n"
			  "missing-field /dcc/v/0/dt\n"
			  "missing-field /dcc/v/0/is\n"
			  "missing-field /dcc/v/0/ma\n"
			  "missing-field /dcc/v/0/mp\n"
			  "missing-field /dcc/v/0/sd\n"
			  "missing-field /dcc/v/0/tg\n"
			  "missing-field /dcc/v/0/vp\n");
	check(DCC_OF("'t':[{}]"), "missing-field /dcc/t/0/ci\n"
				  "missing-field /dcc/t/0/co\n"
				  "missing-field /dcc/t/0/is\n"
				  "missing-field /dcc/t/0/sc\n"
				  "missing-field /dcc/t/0/tg\n"
				  "missing-field /dcc/t/0/tr\n"
				  "missing-field /dcc/t/0/tt\n");
	check(DCC_OF("'r':[{}]"), "missing-field /dcc/r/0/ci\n"
				  "missing-field /dcc/r/0/co\n"
				  "missing-field /dcc/r/0/df\n"
				  "missing-field /dcc/r/0/du\n"
				  "missing-field /dcc/r/0/fr\n"
				  "missing-field /dcc/r/0/is\n"
				  "missing-field /dcc/r/0/tg\n");
	check("{'dcc':{" VER "," DOB ",'nam':{'fn':'x'},'v':[" V_ENTRY "]}}",
	      "name-missing /dcc/nam\n");
}

static void test_entries(void **state)
{
	(void)state;
	check("{'dcc':{" VER "," DOB "," NAM "}}", "entry-count /dcc\n");
	check(DCC_OF("'v':[" V_ENTRY "],'t':[" T_ENTRY "]"),
	      "entry-count /dcc\n");
	assert_false(document.has_kind);
	check(DCC_OF("'v':[]"), "entry-count /dcc/v\n");
	assert_true(document.has_kind);
	/* Each of several is looked at; the document is the first one. */
	check(DCC_OF("'v':[" V_ENTRY "," V_ENTRY ",{" ISSUER "}]"),
	      "entry-count /dcc/v\nmissing-field /dcc/v/2/dn\n"
	      "missing-field /dcc/v/2/dt\nmissing-field /dcc/v/2/ma\n"
	      "missing-field /dcc/v/2/mp\nmissing-field /dcc/v/2/sd\n"
	      "missing-field /dcc/v/2/tg\nmissing-field /dcc/v/2/vp\n");
	check(DCC_OF("'v':[{" V_REST ",'co':'VN','is':'1','ci':'1'},"
		     "{" V_REST ",'co':'DE','is':'2','ci':'2'}]"),
	      "entry-count /dcc/v\n");
	assert_true(span_is(document.text[DOC_CO], "VN"));
	assert_true(span_is(document.text[DOC_IS], "1"));
	/* What is no entry at all. */
	check(DCC_OF("'v':['x']"), "wrong-type /dcc/v/0\n");
	check(DCC_OF("'v':[null," V_ENTRY "]"),
	      "entry-count /dcc/v\nwrong-type /dcc/v/0\n");
	check(DCC_OF("'v':" V_ENTRY), "wrong-type /dcc/v\n");
	check(DCC_OF("'v':null"), "wrong-type /dcc/v\n");
}

static void test_types(void **state)
{
	(void)state;
	check("{'dcc':'x'}", "wrong-type /dcc\n");
	check("{'dcc':null}", "wrong-type /dcc\n");
	check("[{}]", "wrong-type \n");
	check("'x'", "wrong-type \n");
	check("null", "wrong-type \n");
	check("#{}", "wrong-type \n");
	check("{'dcc':{'ver':1,'dob':null,'nam':[],'v':[" V_ENTRY "]}}",
	      "wrong-type /dcc/dob\nwrong-type /dcc/nam\n"
	      "wrong-type /dcc/ver\n");
	assert_false(document.present[DOC_VER]);
	/* A name of the wrong type is there all the same. */
	check("{'dcc':{" VER "," DOB ",'nam':{'fnt':1},'v':[" V_ENTRY "]}}",
	      "wrong-type /dcc/nam/fnt\n");
	check(V_OF("{" ISSUER ",'tg':true,'vp':2.5,'mp':h,'ma':#'x','dn':'1',"
		   "'sd':1.5,'dt':{'a':null}}"),
	      "wrong-type /dcc/v/0/dn\nwrong-type /dcc/v/0/dt\n"
	      "wrong-type /dcc/v/0/dt/a\nwrong-type /dcc/v/0/ma\n"
	      "wrong-type /dcc/v/0/mp\nwrong-type /dcc/v/0/sd\n"
	      "wrong-type /dcc/v/0/tg\nwrong-type /dcc/v/0/vp\n");
}

static void check_doses(const char *dn, const char *lines)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		       V_OF("{'tg':'1','vp':'1','mp':'1','ma':'1','dt':'1',"
			    "'sd':1,'dn':%s," ISSUER "}"),
		       dn);
	check(text, lines);
}

static void test_doses(void **state)
{
	(void)state;
	check_doses("1", "");
	check_doses("0", "out-of-range /dcc/v/0/dn\n");
	check_doses("-1", "out-of-range /dcc/v/0/dn\n");
	check_doses("-9223372036854775808", "out-of-range /dcc/v/0/dn\n");
	check_doses("m", "out-of-range /dcc/v/0/dn\n");
	assert_false(document.present[DOC_DN]);
	check_doses("9223372036854775807", "");
	assert_int_equal(document.number[DOC_DN], INT64_MAX);
	check_doses("9223372036854775808", "out-of-range /dcc/v/0/dn\n");
	assert_false(document.present[DOC_DN]);
	check_doses("18446744073709551615", "out-of-range /dcc/v/0/dn\n");
	check_doses("1000000000000000000000.0", "out-of-range /dcc/v/0/dn\n");
	check_doses("2.5", "wrong-type /dcc/v/0/dn\n");
}

static void test_formats(void **state)
{
	(void)state;
	check("{'dcc':{'ver':'1.3','dob':'1.1.1979','nam':{'fnt':'Nguyen',"
	      "'gnt':'A B'},'v':[" V_ENTRY "]}}",
	      "bad-format /dcc/dob\nbad-format /dcc/nam/fnt\n"
	      "bad-format /dcc/nam/gnt\nbad-format /dcc/ver\n");
	check(V_OF("{" V_REST ",'co':'vn','is':'','ci':''}"),
	      "bad-format /dcc/v/0/co\n");
	check(V_OF("{" V_REST ",'co':'Viet Nam','is':'','ci':''}"), "");
	/* `format` is an annotation: this is what the schema says. */
	check(DCC_OF("'r':[{'tg':'','fr':'never','df':'x','du':''," ISSUER
		     "}]"),
	      "");
}

/* TEXT with N characters C in place of its '@'. */
static void check_length(const char *text, const char *c, size_t n,
			 const char *lines)
{
	const char *at = strchr(text, '@');
	char value[1024] = "";
	char whole[4096];

	for (size_t i = 0; i < n; i++)
		(void)snprintf(value + i * strlen(c),
			       sizeof(value) - i * strlen(c), "%s", c);
	(void)snprintf(whole, sizeof(whole), "%.*s%s%s", (int)(at - text), text,
		       value, at + 1);
	check(whole, lines);
}

static void test_lengths(void **state)
{
	static const struct {
		const char *text, *lines;
	} cases[] = {
		{V_OF("{" V_REST ",'co':'VN','is':'@','ci':''}"),
		 "too-long /dcc/v/0/is\n"},
		{V_OF("{" V_REST ",'co':'VN','is':'','ci':'@'}"),
		 "too-long /dcc/v/0/ci\n"},
		{DCC_OF("'t':[{'tg':'','tt':'','nm':'@','sc':'','tr':''"
			"," ISSUER "}]"),
		 "too-long /dcc/t/0/nm\n"},
		{DCC_OF("'t':[{'tg':'','tt':'','tc':'@','sc':'','tr':''"
			"," ISSUER "}]"),
		 "too-long /dcc/t/0/tc\n"},
		{"{'dcc':{" VER "," DOB
		 ",'nam':{'fnt':'A','fn':'@'},'v':[" V_ENTRY "]}}",
		 "too-long /dcc/nam/fn\n"},
		{"{'dcc':{" VER "," DOB
		 ",'nam':{'fnt':'A','gn':'@'},'v':[" V_ENTRY "]}}",
		 "too-long /dcc/nam/gn\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_length(cases[i].text, "ễ", 80, "");
		check_length(cases[i].text, "ễ", 81, cases[i].lines);
		check_length(cases[i].text, "x", 81, cases[i].lines);
	}
	/* Both at once; and no limit where the schema has none. */
	check_length(
		"{'dcc':{" VER "," DOB ",'nam':{'gnt':'@'},'v':[" V_ENTRY "]}}",
		"a", 81, "bad-format /dcc/nam/gnt\ntoo-long /dcc/nam/gnt\n");
	check_length("{'dcc':{" VER "," DOB ",'nam':{'fnt':'@'},'v':[" V_ENTRY
		     "]}}",
		     "A", 81, "too-long /dcc/nam/fnt\n");
	check_length(V_OF("{" V_REST ",'co':'@','is':'','ci':''}"), "V", 500,
		     "");
}

static void test_unknown(void **state)
{
	static const char *const text =
		"{'dcc':{" VER "," DOB ",'x':{'y':[1,null,'z',{'q':true}]},"
		"'nam':{'fnt':'A','a/b':1},'v':[{'zz':[],'b~':2.5," V_REST
		"," ISSUER "}]}}";

	(void)state;
	check(text, "unknown-field /dcc/v/0/b~0\n"
		    "wrong-type /dcc/v/0/b~0\n"
		    "unknown-field /dcc/v/0/zz\n"
		    "unknown-field /dcc/x\n"
		    "wrong-type /dcc/x/y/1\n"
		    "wrong-type /dcc/x/y/3/q\n"
		    "unknown-field /dcc/nam/a~1b\n");
	assert_int_equal(verdict.errors, 7);
	rule_profile_set(&profile, RULE_UNKNOWN_FIELD, RULE_WARNING);
	check(text, "unknown-field /dcc/v/0/b~0 warning\n"
		    "wrong-type /dcc/v/0/b~0\n"
		    "unknown-field /dcc/v/0/zz warning\n"
		    "unknown-field /dcc/x warning\n"
		    "wrong-type /dcc/x/y/1\n"
		    "wrong-type /dcc/x/y/3/q\n"
		    "unknown-field /dcc/nam/a~1b warning\n");
	assert_int_equal(verdict.errors, 3);
	/* Off, what a payload cannot hold is still an error. */
	rule_profile_set(&profile, RULE_UNKNOWN_FIELD, RULE_OFF);
	check(text, "wrong-type /dcc/v/0/b~0\nwrong-type /dcc/x/y/1\n"
		    "wrong-type /dcc/x/y/3/q\n");
	schema_alone();
	/* A field of another kind is unknown here. */
	check(DCC_OF("'r':[{'tg':'','fr':'','df':'','du':'','dn':1," ISSUER
		     "}]"),
	      "unknown-field /dcc/r/0/dn\n");
}

/* What nobody sees must not be signed, wherever in the payload it stands. */
static void test_control_characters(void **state)
{
	static const char *const text =
		"{'dcc':{" VER "," DOB ",'x\xc2\x85':{'y':['\x1b']},"
		"'nam':{'fn':'a\xe2\x80\xac','fnt':'A','gn':'\xe2\x80\x8d'},"
		"'v':[{" V_REST ",'co':'V','is':'Y\x7f','ci':'A'}]},"
		"'id':'\x01'}";

	(void)state;
	rule_profile_set(&profile, RULE_UNKNOWN_FIELD, RULE_OFF);
	check(text, "control-character /dcc/v/0/is\n"
		    "control-character /dcc/nam/fn\n"
		    "control-character /dcc/nam/gn\ncontrol-character /dcc\n"
		    "control-character /dcc/x\xc2\x85/y/0\n");
	rule_profile_set(&profile, RULE_CONTROL_CHARACTER, RULE_OFF);
	check(text, "");
	assert_int_equal(verdict.errors, 0);
	schema_alone();
}

static void test_request_level(void **state)
{
#define AND(more) "{'dcc':{" VER "," DOB "," NAM ",'v':[" V_ENTRY "]}," more "}"
	(void)state;
	/* Beside dcc nothing is switchable, and nothing is signed. */
	rule_profile_set(&profile, RULE_UNKNOWN_FIELD, RULE_OFF);
	check(AND("'x':[null]"), "unknown-field /x\n");
	check(AND("'exp':'1'"), "wrong-type /exp\n");
	assert_true(document.asks_exp && !document.has_exp);
	check(AND("'exp':1.5"), "wrong-type /exp\n");
	check(AND("'exp':[null]"), "wrong-type /exp\n");
	check(AND("'exp':9223372036854775807"), "");
	check(AND("'exp':9223372036854775808"), "out-of-range /exp\n");
	check(AND("'exp':10000000000000000000.0"), "out-of-range /exp\n");
	assert_true(document.asks_exp && !document.has_exp);
	assert_false(document.has_exp);
	check(AND("'exp':m"), "out-of-range /exp\n");
	check(AND("'id':1"), "wrong-type /id\n");
	check(AND("'id':{'a':null}"), "wrong-type /id\n");
	check(AND("'attestation':1"), "wrong-type /attestation\n");
	check(AND("'attestation':'?'"), "bad-format /attestation\n");
	check_length(AND("'id':'@'"), "ễ", 128, "");
	assert_int_equal(document.id.n, 128 * 3);
	check_length(AND("'id':'@'"), "ễ", 129, "too-long /id\n");
	assert_int_equal(document.id.n, 0);
#undef AND
}

static void test_malformed(void **state)
{
	/* {1: 2}, {"dcc": {1: 2}}, {"dcc": {"x": {h'': 2}}}: such a place has
	 * no pointer. */
	static const char *const bad[] = {
		"\xA1\x01\x02",
		"\xA1\x63"
		"dcc\xA1\x01\x02",
		"\xA1\x63"
		"dcc\xA1\x61x\xA1\x40\x02",
		/* truncated, and more than one item */
		"\xA1\x63"
		"dcc",
		"\xA1", "", "\x01\x02"};
	char deep[128] = "\xA1\x63"
			 "dcc";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		verdict_init(&verdict);
		assert_int_equal(schema_read(span_str(bad[i]), &profile,
					     &document, &verdict),
				 SG_MALFORMED);
	}
	for (size_t n = 1; n < 40; n++) {
		memset(deep + 5, '\x81', n);
		deep[5 + n] = '\x01';
		verdict_init(&verdict);
		assert_int_equal(schema_read(span_of(deep, 6 + n), &profile,
					     &document, &verdict),
				 n + 1 <= SCHEMA_DEPTH_MAX ? SG_OK
							   : SG_TOO_BIG);
	}
}

/* A field's place in the map is no matter: keys out of order are refused
 * before, but must not be missed. */
static void test_order(void **state)
{
	static const char text[] = "\xA2\x63"
				   "exp\x05\x62id\x61x";

	(void)state;
	verdict_init(&verdict);
	assert_int_equal(
		schema_read(span_str(text), &profile, &document, &verdict),
		SG_OK);
	assert_string_equal(verdict_lines(&verdict), "missing-field /dcc\n");
	assert_true(document.exp == 5 && span_is(document.id, "x"));
}

/* White space at either end, of whatever script and of every text. */
static void test_untrimmed(void **state)
{
	(void)state;
	rule_profile_init(&profile);
	check(V_OF("{" V_REST ",'co':'VN','is':' B','ci':'U'}"),
	      "untrimmed /dcc/v/0/is\n");
	check(V_OF("{" V_REST ",'co':'VN','is':'Bộ Y tế\xC2\xA0',"
		   "'ci':'\xE3\x80\x80U'}"),
	      "untrimmed /dcc/v/0/ci\nuntrimmed /dcc/v/0/is\n");
	check("{'dcc':{" VER "," DOB ",'nam':{'fn':' ','fnt':'A'},"
	      "'v':[" V_ENTRY "],'x':[{'y':'a '}]}}",
	      "unknown-field /dcc/x\n"
	      "untrimmed /dcc/x/0/y\n"
	      "untrimmed /dcc/nam/fn\n");
}

static void test_empty(void **state)
{
	(void)state;
	rule_profile_init(&profile);
	check("{'dcc':{'ver':'1.0.0','dob':'','nam':{'gn':'','fnt':'A'},'v':["
	      "{" V_REST ",'co':'VN','is':'','ci':''}]}}",
	      "empty-field /dcc/v/0/ci\n"
	      "empty-field /dcc/v/0/is\n"
	      "empty-field /dcc/nam/gn\n");
	/* Names that are there, and say nothing. */
	rule_profile_set(&profile, RULE_EMPTY_FIELD, RULE_OFF);
	check("{'dcc':{" VER "," DOB ",'nam':{'fnt':'','gnt':''},'v':[" V_ENTRY
	      "]}}",
	      "name-missing /dcc/nam\n");
	/* What is of the wrong type is no empty name as well. */
	check("{'dcc':{" VER "," DOB ",'nam':{'fnt':'','gnt':1},'v':[" V_ENTRY
	      "]}}",
	      "wrong-type /dcc/nam/gnt\n");
	/* The schema's own part cannot be switched off. */
	rule_profile_set(&profile, RULE_NAME_MISSING, RULE_OFF);
	check("{'dcc':{" VER "," DOB ",'nam':{'fn':'A'},'v':[" V_ENTRY "]}}",
	      "name-missing /dcc/nam\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_untrimmed, reset, forget),
		cmocka_unit_test_setup_teardown(test_empty, reset, forget),
		cmocka_unit_test_setup_teardown(test_sound, reset, forget),
		cmocka_unit_test_setup_teardown(test_document, reset, forget),
		cmocka_unit_test_setup_teardown(test_missing, reset, forget),
		cmocka_unit_test_setup_teardown(test_entries, reset, forget),
		cmocka_unit_test_setup_teardown(test_types, reset, forget),
		cmocka_unit_test_setup_teardown(test_doses, reset, forget),
		cmocka_unit_test_setup_teardown(test_formats, reset, forget),
		cmocka_unit_test_setup_teardown(test_lengths, reset, forget),
		cmocka_unit_test_setup_teardown(test_unknown, reset, forget),
		cmocka_unit_test_setup_teardown(test_control_characters, reset,
						forget),
		cmocka_unit_test_setup_teardown(test_request_level, reset,
						forget),
		cmocka_unit_test_setup_teardown(test_malformed, reset, forget),
		cmocka_unit_test_setup_teardown(test_order, reset, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
