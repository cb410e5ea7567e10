/* SPDX-License-Identifier: Apache-2.0 */
/* The module as an application meets it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "module_fixture.h"

#include <signal.h>
#include <time.h>

static void test_forwards(void **state)
{
	CK_SESSION_HANDLE s;
	uint8_t sig[COSE_SIG_MAX];
	struct span spki;
	CK_ULONG n;

	(void)state;
	assert_int_equal(f->C_GetInfo(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_int_equal(begin(""), CKR_OK);
	assert_int_equal(f->C_Initialize(NULL),
			 CKR_CRYPTOKI_ALREADY_INITIALIZED);
	s = enter();
	assert_int_equal(sign_with(s, find(s, CKO_PRIVATE_KEY, "ec"),
				   COSE_ES256, sig, &n),
			 CKR_OK);
	spki = softhsm_spki(f, s, find(s, CKO_PUBLIC_KEY, "ec"), COSE_ES256);
	assert_true(
		softhsm_verifies(spki, COSE_ES256, MESSAGE, span_of(sig, n)));
	OPENSSL_free(unconst(spki.p));
	assert_int_equal(f->C_Finalize(NULL), CKR_OK);
	assert_int_equal(f->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void test_every_call_is_there(void **state)
{
	/* After the version there is nothing but functions. */
	void *calls[(sizeof(CK_FUNCTION_LIST) -
		     offsetof(CK_FUNCTION_LIST, C_Initialize)) /
		    sizeof(void *)];

	(void)state;
	memcpy(calls, &f->C_Initialize, sizeof(calls));
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		assert_non_null(calls[i]);
}

static void test_a_bad_specification_is_refused(void **state)
{
	static const char *const specs[] = {
		"latency=fast",
		"rate=20000",
		"module=/nowhere/lib.so",
		"module=/etc/passwd",
		"sign=software,key=/nowhere/key.pem",
		"sign=software,key=/etc/passwd",
		"rate=5,state=/nowhere/state",
	};
	char spec[128];

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		assert_int_equal(begin(specs[i]), CKR_FUNCTION_FAILED);
		assert_int_equal(f->C_GetInfo(NULL),
				 CKR_CRYPTOKI_NOT_INITIALIZED);
	}
	(void)snprintf(spec, sizeof(spec), "rate=5,state=%s", hsm.pin_file);
	assert_int_equal(begin(spec), CKR_FUNCTION_FAILED);
	assert_int_equal(begin(""), CKR_OK);
}

static void test_sessions_are_capped(void **state)
{
	CK_SESSION_HANDLE s[3];
	CK_SESSION_HANDLE extra;

	(void)state;
	assert_int_equal(begin("sessions=3,STATE"), CKR_OK);
	for (int i = 0; i < 3; i++)
		s[i] = open_one();
	assert_int_equal(try_session(&extra), CKR_SESSION_COUNT);
	assert_int_equal(f->C_CloseSession(s[1]), CKR_OK);
	assert_int_equal(f->C_CloseSession(s[1]), CKR_SESSION_HANDLE_INVALID);
	s[1] = open_one();
	assert_int_equal(try_session(&extra), CKR_SESSION_COUNT);
	/* A session that the token refuses is not counted. */
	assert_int_equal(f->C_CloseAllSessions(slot_of("alpha")), CKR_OK);
	assert_int_equal(
		f->C_OpenSession(slot_of("alpha"), 0, NULL, NULL, &extra),
		CKR_SESSION_PARALLEL_NOT_SUPPORTED);
	for (int i = 0; i < 3; i++)
		s[i] = open_one();
	assert_int_equal(try_session(&extra), CKR_SESSION_COUNT);
	/* So is it after an end and a new beginning. */
	assert_int_equal(f->C_Finalize(NULL), CKR_OK);
	assert_int_equal(begin("sessions=3,STATE"), CKR_OK);
	for (int i = 0; i < 3; i++)
		s[i] = open_one();
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_latency_is_slept(void **state)
{
	CK_SESSION_HANDLE s;
	double wall;
	double cpu;

	(void)state;
	assert_int_equal(begin("latency=200ms"), CKR_OK);
	s = enter();
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
	assert_int_equal(sign_ec(s), CKR_OK);
	assert_true(seconds(CLOCK_MONOTONIC) - wall >= 0.2);
	/* Not a speed: a loop that waits would take all of it. */
	assert_true(seconds(CLOCK_THREAD_CPUTIME_ID) - cpu < 0.15);
}

static void test_rate_is_held(void **state)
{
	CK_SESSION_HANDLE s;
	double wall;

	(void)state;
	assert_int_equal(begin("rate=100,STATE"), CKR_OK);
	s = enter();
	wall = seconds(CLOCK_MONOTONIC);
	for (int i = 0; i < 21; i++)
		assert_int_equal(sign_ec(s), CKR_OK);
	/* The first one at once, and the catching up. */
	assert_true(seconds(CLOCK_MONOTONIC) - wall >=
		    0.2 - (double)SHARED_CATCH_UP_NS / 1e9);
}

static void test_copies_may_be_refused(void **state)
{
	CK_BBOOL no = CK_FALSE;
	CK_ATTRIBUTE t[] = {{CKA_TOKEN, &no, sizeof(no)}};
	CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
	uint8_t sig[COSE_SIG_MAX];
	CK_SESSION_HANDLE s;
	CK_ULONG n;

	(void)state;
	assert_int_equal(begin("copy=refuse"), CKR_OK);
	s = enter();
	assert_int_equal(
		f->C_CopyObject(s, find(s, CKO_PRIVATE_KEY, "ec"), t, 1, &copy),
		CKR_FUNCTION_NOT_SUPPORTED);
	(void)f->C_Finalize(NULL);
	assert_int_equal(begin("copy=allow"), CKR_OK);
	s = enter();
	assert_int_equal(
		f->C_CopyObject(s, find(s, CKO_PRIVATE_KEY, "ec"), t, 1, &copy),
		CKR_OK);
	assert_int_equal(sign_with(s, copy, COSE_ES256, sig, &n), CKR_OK);
}

static void test_lies_about_attributes(void **state)
{
	CK_BBOOL local = 7;
	CK_BBOOL sign = 7;
	CK_ATTRIBUTE t[] = {{CKA_LOCAL, &local, 1}, {CKA_SIGN, &sign, 1}};
	CK_SESSION_HANDLE s;

	(void)state;
	assert_int_equal(begin("lie=CKA_LOCAL"), CKR_OK);
	s = enter();
	assert_int_equal(
		f->C_GetAttributeValue(s, find(s, CKO_PRIVATE_KEY, "ec"), t, 2),
		CKR_OK);
	assert_int_equal(local, CK_FALSE);
	assert_int_equal(sign, CK_TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_forwards, forget),
		cmocka_unit_test_teardown(test_every_call_is_there, forget),
		cmocka_unit_test_teardown(test_a_bad_specification_is_refused,
					  forget),
		cmocka_unit_test_teardown(test_sessions_are_capped, forget),
		cmocka_unit_test_teardown(test_latency_is_slept, forget),
		cmocka_unit_test_teardown(test_rate_is_held, forget),
		cmocka_unit_test_teardown(test_copies_may_be_refused, forget),
		cmocka_unit_test_teardown(test_lies_about_attributes, forget),
	};

	return cmocka_run_group_tests(tests, load, cleanup);
}
