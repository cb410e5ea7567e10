/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/certlogic_evaluate.h"

#include "expression.h"

static struct certlogic_scratch scratch;

/* V as text, to be compared. */
static size_t show(const struct certlogic_value *v, char *out, size_t cap)
{
	struct certlogic_walk w = certlogic_walk(v);
	size_t n = 0;

	switch (v->type) {
	case CERTLOGIC_NULL: return (size_t)snprintf(out, cap, "null");
	case CERTLOGIC_FALSE: return (size_t)snprintf(out, cap, "false");
	case CERTLOGIC_TRUE: return (size_t)snprintf(out, cap, "true");
	case CERTLOGIC_INTEGER:
		return (size_t)snprintf(out, cap, "%lld",
					(long long)v->integer);
	case CERTLOGIC_TEXT:
		return (size_t)snprintf(out, cap, "'%.*s'", (int)v->text.n,
					(const char *)v->text.p);
	case CERTLOGIC_TIME:
		return (size_t)snprintf(out, cap, "@%lld", (long long)v->ms);
	case CERTLOGIC_MAP:
	case CERTLOGIC_RECORD: return (size_t)snprintf(out, cap, "{%u}", v->n);
	case CERTLOGIC_OTHER: return (size_t)snprintf(out, cap, "?");
	default: break;
	}
	n += (size_t)snprintf(out, cap, "[");
	while (w.rest.n > 0) {
		struct certlogic_value item;

		assert_int_equal(certlogic_walk_next(&w, &scratch, &item),
				 CERTLOGIC_OK);
		n += show(&item, out + n, cap - n);
		n += (size_t)snprintf(out + n, cap - n, "%s",
				      w.rest.n > 0 ? "," : "");
	}
	return n + (size_t)snprintf(out + n, cap - n, "]");
}

/* EXPRESSION over DATA is EXPECTED, or "!" and an error's text. */
static void check(const char *expression, const char *data,
		  const char *expected)
{
	struct certlogic *program = expression_of(expression);
	struct request *r = request_of(data);
	struct certlogic_value context;
	struct certlogic_value value;
	char text[256];
	enum certlogic_error err;

	certlogic_scratch_init(&scratch);
	assert_int_equal(certlogic_value_read(request_span(r), &context),
			 CERTLOGIC_OK);
	err = certlogic_evaluate(program, &context, &scratch, &value);
	if (err != CERTLOGIC_OK)
		(void)snprintf(text, sizeof(text), "!%s",
			       certlogic_error_text(err));
	else
		(void)show(&value, text, sizeof(text));
	if (strcmp(text, expected) != 0)
		fail_msg("%s over %s is %s, not %s", expression, data, text,
			 expected);
	certlogic_free(program);
	free(r);
}

#define TYPE "!an operand has the wrong type"
#define NEITHER "!a value is neither truthy nor falsy"
#define NO_DATE "!a text is not a date or date-time"
#define RANGE "!a number or a date-time is out of range"
#define STEPS "!it takes too many steps"
#define SCRATCH "!it makes too many values"

static void test_data(void **state)
{
	static const char d[] =
		"{'a':{'b':[10,{'c':'x'}],'0':5},'n':null,'s':'text'}";

	(void)state;
	check("{'var':''}", "7", "7");
	check("{'var':''}", d, "{3}");
	check("{'var':'a.b'}", d, "[10,{1}]");
	check("{'var':'a.b.0'}", d, "10");
	check("{'var':'a.b.00'}", d, "null");
	check("{'var':'a.b.-1'}", d, "null");
	check("{'var':'a.b.2'}", d, "null");
	check("{'var':'a.b.4294967296'}", d, "null");
	check("{'var':'a.b.1.c'}", d, "'x'");
	check("{'var':'a.b.length'}", d, "null");
	check("{'var':'a.0'}", d, "5"); /* a name that looks like an index */
	check("{'var':'n.x.y'}", d, "null");
	check("{'var':'s.0'}", d, "null");
	check("{'var':'1'}", "['p','q']", "'q'");
	check("[1,[{'var':'a.0'},'z'],[]]", d, "[1,[5,'z'],[]]");
}

static void test_logic(void **state)
{
	(void)state;
	check("{'if':[{'var':''},1,2]}", "['x']", "1");
	check("{'if':[{'var':''},1,2]}", "{}", "2");
	check("{'if':[{'var':''},1,2]}", "2.5", NEITHER);
	/* Only the branch that is taken is evaluated. */
	check("{'if':[true,1,{'+':['a',1]}]}", "0", "1");
	check("{'if':[false,{'+':['a',1]},2]}", "0", "2");
	check("{'and':[1,'a',[]]}", "0", "[]");
	check("{'and':[1,'a',{'var':''}]}", "'end'", "'end'");
	check("{'and':[0,{'+':['a',1]}]}", "0", "0");
	check("{'and':[1,{'plusTime':['2021-01-01',0,'day']}]}", "0", NEITHER);
	check("{'!':[{'var':''}]}", "''", "true");
	check("{'!':[{'var':''}]}", "'x'", "false");
	check("{'!':[{'var':''}]}", "h", NEITHER);
	check("{'===':[{'var':''},1]}", "1", "true");
	check("{'===':[{'var':''},1]}", "'1'", "false");
	check("{'===':[{'var':'x'},{'var':'y'}]}", "{}", "true");
	check("{'===':[{'var':''},[]]}", "[]", TYPE);
	check("{'in':[{'var':''},['a','b']]}", "'b'", "true");
	check("{'in':[{'var':''},['a','b']]}", "'c'", "false");
	check("{'in':[2,{'var':''}]}", "[1,'2',2]", "true");
	check("{'in':[{'var':'x'},{'var':'y'}]}", "{'y':[null]}", "true");
	check("{'in':[{'var':'x'},{'var':'y'}]}", "{'x':1}", TYPE);
	check("{'in':['a','abc']}", "0", TYPE);
}

static void test_numbers(void **state)
{
	(void)state;
	check("{'+':[{'var':''},3]}", "-5", "-2");
	check("{'+':[{'var':''},1]}", "9223372036854775807", RANGE);
	check("{'+':[{'var':''},-2]}", "-9223372036854775807", RANGE);
	check("{'+':['1',1]}", "0", TYPE);
	check("{'+':[{'var':'x'},1]}", "{}", TYPE);
	check("{'>':[{'var':''},1]}", "2", "true");
	check("{'>':[{'var':''},1]}", "1", "false");
	check("{'>=':[{'var':''},1]}", "1", "true");
	check("{'<=':[{'var':''},1]}", "2", "false");
	check("{'<':[1,{'var':''},3]}", "2", "true");
	check("{'<':[1,{'var':''},3]}", "3", "false");
	check("{'<':[1,{'var':''},3]}", "1", "false");
	check("{'>=':[3,{'var':''},2]}", "3", "true");
	check("{'<':[1,{'var':''}]}", "'2'", TYPE);
	check("{'<':[2,1,'x']}", "0", TYPE); /* although 2 is not below 1 */
	check("{'<':[1,{'var':''}]}", "m", TYPE);
}

static void test_times(void **state)
{
	(void)state;
	check("{'plusTime':[{'var':''},0,'day']}", "'1970-01-02'", "@86400000");
	check("{'plusTime':[{'var':''},1,'month']}", "'1970-01-31'",
	      "@5270400000"); /* March 3 */
	check("{'plusTime':[{'var':''},0,'hour']}", "'1970-13-01'", NO_DATE);
	check("{'plusTime':[{'var':''},0,'hour']}", "19700101", TYPE);
	check("{'plusTime':[{'var':'x'},0,'hour']}", "{}", TYPE);
	check("{'plusTime':[{'var':''},1000000,'year']}", "'1970-01-01'",
	      RANGE);
	check("{'plusTime':[{'plusTime':['2021',0,'day']},0,'day']}", "0",
	      TYPE);
	check("{'dccDateOfBirth':[{'var':''}]}", "'1970-01'", "@2592000000");
	check("{'dccDateOfBirth':[{'var':''}]}", "'1970-01-01T00:00:00Z'",
	      NO_DATE);
	check("{'before':[{'plusTime':['2021',0,'day']},"
	      "{'plusTime':['2022',0,'day']},{'plusTime':['2023',0,'day']}]}",
	      "0", "true");
	check("{'not-after':[{'plusTime':['2021-01-01',0,'day']},"
	      "{'plusTime':['2021-01-01T00:00:00+00:00',0,'day']}]}",
	      "0", "true");
	check("{'after':[{'plusTime':['2021-01-01',0,'day']},"
	      "{'plusTime':['2021-01-01T00:00:00+01:00',0,'day']}]}",
	      "0", "true");
	check("{'not-before':[{'plusTime':['2021-01-01',0,'day']},"
	      "{'plusTime':['2021-01-01',1,'hour']}]}",
	      "0", "false");
	check("{'after':['2021-01-01','2020-01-01']}", "0", TYPE);
	check("{'<':[{'plusTime':['2021',0,'day']},1]}", "0", TYPE);
}

static void test_reduce(void **state)
{
	static const char sum[] = "{'reduce':[{'var':''},{'+':[{'var':"
				  "'accumulator'},{'var':'current'}]},0]}";

	(void)state;
	check(sum, "[1,2,3]", "6");
	check(sum, "[]", "0");
	check(sum, "null", "0");
	check(sum, "[1,'x']", TYPE);
	check(sum, "'123'", TYPE);
	check("{'reduce':[[1,2,3],{'var':'current'},0]}", "0", "3");
	check("{'reduce':[[1,2],[{'var':'accumulator'},{'var':'current'}],0]}",
	      "0", "[[0,1],2]");
	check("{'reduce':[[1,2],{'var':'data'},0]}", "{'data':5}", "null");
	/* Its own data, all of it, outlives it. */
	check("{'reduce':[[7],{'var':''},8]}", "0", "{2}");
	check("{'reduce':[[7,9],{'if':[{'var':'accumulator.current'},"
	      "{'var':'accumulator.current'},{'var':''}]},0]}",
	      "0", "7");
	/* One inside of another sees only its own. */
	check("{'reduce':[[[1,2],[3]],{'+':[{'var':'accumulator'},{'reduce':["
	      "{'var':'current'},{'+':[{'var':'accumulator'},{'var':"
	      "'current'}]},0]}]},0]}",
	      "0", "6");
}

static void test_uvci(void **state)
{
	(void)state;
	check("{'extractFromUVCI':[{'var':''},1]}", "'URN:UVCI:01:VN:A/B#C'",
	      "'VN'");
	check("{'extractFromUVCI':[{'var':''},4]}", "'URN:UVCI:01:VN:A/B#C'",
	      "'C'");
	check("{'extractFromUVCI':[{'var':''},5]}", "'URN:UVCI:01:VN:A/B#C'",
	      "null");
	check("{'extractFromUVCI':[{'var':''},3]}", "'x:y:#'", "''");
	check("{'extractFromUVCI':[{'var':''},-1]}", "'x'", "null");
	check("{'extractFromUVCI':[{'var':''},0]}", "null", "null");
	check("{'extractFromUVCI':[{'var':''},0]}", "5", TYPE);
	check("{'extractFromUVCI':[{'var':''},9007199254740992]}", "'x'",
	      "null");
}

/* A rule that would run for hours is given up after some steps. */
static void test_bounds(void **state)
{
	static char long_text[8192];
	static char data[8300];

	(void)state;
	memset(data, 0, sizeof(data));
	for (size_t i = 0; i < 300; i++)
		(void)snprintf(data + 2 * i, 3, "%s", i == 0 ? "[0" : ",0");
	data[600] = ']';
	/* 300 times 300 comparisons, which find nothing. */
	check("{'reduce':[{'var':''},{'in':['x',[1,2,3,4,5,6,7,8,9,10,11,12,13,"
	      "14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,"
	      "35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,"
	      "56,57,58,59,60,61,62,63,64,65,66,67,68,69,70]]},0]}",
	      data, STEPS);
	/* Values that are kept: one more list each time. */
	check("{'reduce':[{'var':''},[{'var':'accumulator'}],0]}", data,
	      SCRATCH);
	check("{'reduce':[{'var':''},{'if':[{'var':'no'},1,{'var':''}]},0]}",
	      data, SCRATCH);
	/* Long texts take steps, too. */
	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	(void)snprintf(data, sizeof(data), "'%s'", long_text);
	check("{'reduce':[[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
	      "1,1,1,1,1,1,1,1,1,1,1,1,1,1],{'var':'current'},0]}",
	      data, "1");
	check("{'extractFromUVCI':[{'var':''},1]}", data, "null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data),	cmocka_unit_test(test_logic),
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_times),
		cmocka_unit_test(test_reduce),	cmocka_unit_test(test_uvci),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
