/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shim/spec.h"

#define ALL                                                                    \
	"module=/lib/m.so,latency=5ms,rate=20000,sessions=128,sign=software,"  \
	"key=/a.pem,key=/b.pem,copy=refuse,state=/run/s,control=/run/c,"       \
	"lie=CKA_LOCAL,lie=CKA_SIGN,"                                          \
	"fail=C_Sign:100:CKR_DEVICE_ERROR,hang=C_Login:2-3,"                   \
	"crash=C_SignInit:7-,lose=C_FindObjects:*5:1500us,"                    \
	"forge=C_Sign:2,fail=C_Sign:3:0x00000110"

static void test_reads_all(void **state)
{
	struct spec s;
	char why[SPEC_WHY_MAX];
	const struct fault *f = s.faults.fault;

	(void)state;
	assert_int_equal(spec_parse(ALL, &s, why), SG_OK);
	assert_string_equal(s.module, "/lib/m.so");
	assert_string_equal(s.state, "/run/s");
	assert_string_equal(s.control, "/run/c");
	assert_int_equal(s.latency_ns, 5000000);
	assert_int_equal(s.interval_ns, 50000);
	assert_int_equal(s.sessions, 128);
	assert_true(s.software);
	assert_true(s.copy_refused);
	assert_int_equal(s.nlies, 2);
	assert_int_equal(s.lie[1], CKA_SIGN);
	assert_int_equal(s.nkeys, 2);
	assert_string_equal(s.key[1], "/b.pem");
	assert_int_equal(s.faults.n, 6);
	assert_int_equal(f[0].kind, FAULT_FAIL);
	assert_int_equal(f[0].call, CALL_C_Sign);
	assert_int_equal(f[0].rv, CKR_DEVICE_ERROR);
	assert_int_equal(f[1].kind, FAULT_HANG);
	assert_int_equal(f[2].kind, FAULT_CRASH);
	assert_int_equal(f[3].kind, FAULT_LOSE);
	assert_int_equal(f[3].ns, 1500000);
	assert_int_equal(f[4].kind, FAULT_FORGE);
	assert_int_equal(f[5].rv, CKR_WRAPPED_KEY_INVALID);
}

static void test_nothing_only_forwards(void **state)
{
	struct spec s;
	char why[SPEC_WHY_MAX];

	(void)state;
	assert_int_equal(spec_parse("", &s, why), SG_OK);
	assert_string_equal(s.module, "/usr/lib/softhsm/libsofthsm2.so");
	assert_int_equal(s.latency_ns, 0);
	assert_int_equal(s.interval_ns, 0);
	assert_int_equal(s.sessions, 0);
	assert_false(s.software);
	assert_false(s.copy_refused);
	assert_int_equal(s.faults.n, 0);
	/* A rate that does not divide a second is rounded to the nearest ns. */
	assert_int_equal(spec_parse("rate=30000,state=/s", &s, why), SG_OK);
	assert_int_equal(s.interval_ns, 33333);
	assert_int_equal(spec_parse("rate=600000,state=/s", &s, why), SG_OK);
	assert_int_equal(s.interval_ns, 1667);
}

static void test_refuses(void **state)
{
	static const char *const texts[] = {
		"latency",
		"latency=",
		"=5ms",
		"latency=5",
		"latency=5m",
		"latency=-5ms",
		"latency=0ms",
		"latency=61s",
		"latency=5ms,latency=6ms",
		"latency=5ms,",
		"latency=5ms,,rate=1,state=/s",
		" latency=5ms",
		"latency=99999999999999999999s",
		"speed=5ms",
		"rate=0,state=/s",
		"rate=1000001,state=/s",
		"rate=1e3,state=/s",
		"rate=20000",
		"sessions=128",
		"sessions=0,state=/s",
		"sessions=4097,state=/s",
		"control=/c",
		"sign=hardware",
		"sign=software",
		"key=/k.pem",
		"sign=software,key=1,key=2,key=3,key=4,key=5",
		"copy=no",
		"lie=LOCAL",
		"lie=CKA_LABEL",
		("lie=CKA_LOCAL,lie=CKA_SIGN,lie=CKA_LOCAL,lie=CKA_SIGN,"
		 "lie=CKA_SIGN"),
		"fail=C_Sign:1:CKR_DEVICE_ERROR",
		"fail=C_Sign:1,state=/s",
		"fail=C_Sign:1:CKR_OK,state=/s",
		"fail=C_Sign:1:unknown,state=/s",
		"fail=C_Sign:1:0x30,state=/s",
		"fail=C_Sign:1:0x00000000,state=/s",
		"fail=C_Sign:1:0x000000fg,state=/s",
		"forge=C_SignInit:1,state=/s",
		"fail=C_Sign:0:CKR_DEVICE_ERROR,state=/s",
		"fail=C_Sign:5-4:CKR_DEVICE_ERROR,state=/s",
		"fail=C_Sign:*0:CKR_DEVICE_ERROR,state=/s",
		"fail=C_Sign:*:CKR_DEVICE_ERROR,state=/s",
		"fail=C_Sign:-:CKR_DEVICE_ERROR,state=/s",
		"fail=C_Sing:1:CKR_DEVICE_ERROR,state=/s",
		"fail=C_Initialize:1:CKR_DEVICE_ERROR,state=/s",
		"hang=C_Sign:1:CKR_DEVICE_ERROR,state=/s",
		"hang=C_Sign,state=/s",
		"lose=C_Sign:1,state=/s",
		"lose=C_Sign:1:2h,state=/s",
	};
	struct spec s;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char why[SPEC_WHY_MAX] = "";

		if (spec_parse(texts[i], &s, why) != SG_CONFIG)
			fail_msg("accepted: %s", texts[i]);
		assert_true(strlen(why) > 0 && strlen(why) < sizeof(why) - 1);
	}
}

static void test_refuses_what_is_too_long(void **state)
{
	char text[SPEC_PATH_MAX + 16] = "module=";
	char why[SPEC_WHY_MAX];
	struct spec s;

	(void)state;
	memset(text + 7, 'x', SPEC_PATH_MAX);
	assert_int_equal(spec_parse(text, &s, why), SG_CONFIG);
	text[7 + SPEC_PATH_MAX - 1] = '\0';
	assert_int_equal(spec_parse(text, &s, why), SG_OK);
	assert_int_equal(strlen(s.module), SPEC_PATH_MAX - 1);
}

static void test_control(void **state)
{
	struct fault_set f;
	char why[SPEC_WHY_MAX];

	(void)state;
	assert_int_equal(spec_parse_control(SPAN_LIT(""), &f, why), SG_OK);
	assert_int_equal(f.n, 0);
	assert_int_equal(
		spec_parse_control(SPAN_LIT("crash=C_Sign:1\n\n"
					    "hang=C_Sign:2,hang=C_Sign:3\n"),
				   &f, why),
		SG_OK);
	assert_int_equal(f.n, 3);
	assert_int_equal(spec_parse_control(SPAN_LIT("latency=5ms\n"), &f, why),
			 SG_CONFIG);
	assert_non_null(strstr(why, "only faults"));
	assert_int_equal(spec_parse_control(SPAN_LIT("crash\n"), &f, why),
			 SG_CONFIG);
	assert_int_equal(
		spec_parse_control(SPAN_LIT("crash=C_Sign:x\n"), &f, why),
		SG_CONFIG);
}

static void test_no_more_faults_than_fit(void **state)
{
	struct fault_set f = {0};
	bool known;

	(void)state;
	for (int i = 0; i < FAULTS_MAX; i++)
		assert_null(fault_add(&f, SPAN_LIT("hang"),
				      SPAN_LIT("C_Sign:1"), &known));
	assert_non_null(
		fault_add(&f, SPAN_LIT("hang"), SPAN_LIT("C_Sign:1"), &known));
	assert_int_equal(f.n, FAULTS_MAX);
}

static void test_when(void **state)
{
	/* Which of the first ten calls meet it. */
	static const struct {
		const char *fault, *calls;
	} cases[] = {
		{"C_Sign:3", "0010000000"},  {"C_Sign:2-4", "0111000000"},
		{"C_Sign:8-", "0000000111"}, {"C_Sign:*4", "0001000100"},
		{"C_Sign:*1", "1111111111"}, {"C_Login:1-", "0000000000"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault_set f = {0};
		char got[11] = "";
		bool known;

		assert_null(fault_add(&f, SPAN_LIT("hang"),
				      span_str(cases[i].fault), &known));
		for (uint64_t n = 1; n <= 10; n++)
			got[n - 1] = fault_find(&f, CALL_C_Sign, n) != NULL
					     ? '1'
					     : '0';
		assert_string_equal(got, cases[i].calls);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_all),
		cmocka_unit_test(test_nothing_only_forwards),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_refuses_what_is_too_long),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_no_more_faults_than_fit),
		cmocka_unit_test(test_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
