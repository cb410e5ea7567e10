/* SPDX-License-Identifier: Apache-2.0 */
/* Faults on demand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "module_fixture.h"

#include <poll.h>
#include <signal.h>

static void test_calls_fail_by_number(void **state)
{
	CK_SESSION_HANDLE s;
	uint8_t sig[COSE_SIG_MAX];
	CK_OBJECT_HANDLE key;
	CK_ULONG n;

	(void)state;
	assert_int_equal(begin("fail=C_Sign:2:CKR_DEVICE_ERROR,"
			       "fail=C_SignInit:4-5:CKR_KEY_HANDLE_INVALID,"
			       "fail=C_GetSessionInfo:*2:CKR_GENERAL_ERROR,"
			       "STATE"),
			 CKR_OK);
	s = enter();
	key = find(s, CKO_PRIVATE_KEY, "ec");
	assert_int_equal(sign_with(s, key, COSE_ES256, sig, &n), CKR_OK);
	assert_int_equal(sign_with(s, key, COSE_ES256, sig, &n),
			 CKR_DEVICE_ERROR);
	/* Nothing was done: the operation of that call still stands. */
	assert_int_equal(sign_with(s, key, COSE_ES256, sig, &n),
			 CKR_OPERATION_ACTIVE);
	for (int i = 0; i < 2; i++)
		assert_int_equal(sign_with(s, key, COSE_ES256, sig, &n),
				 CKR_KEY_HANDLE_INVALID);
	for (int i = 0; i < 4; i++) {
		CK_SESSION_INFO info;

		assert_int_equal(f->C_GetSessionInfo(s, &info),
				 i % 2 ? CKR_GENERAL_ERROR : CKR_OK);
	}
}

static void test_a_signature_is_forged(void **state)
{
	uint8_t good[COSE_SIG_MAX];
	uint8_t forged[COSE_SIG_MAX];
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE key;
	CK_ULONG n;
	size_t other = 0;

	(void)state;
	assert_int_equal(begin("forge=C_Sign:2,STATE"), CKR_OK);
	s = enter();
	key = find(s, CKO_PRIVATE_KEY, "ed"); /* always the same signature */
	assert_int_equal(sign_with(s, key, COSE_EDDSA, good, &n), CKR_OK);
	assert_int_equal(sign_with(s, key, COSE_EDDSA, forged, &n), CKR_OK);
	for (size_t i = 0; i < n; i++)
		other += good[i] != forged[i];
	assert_int_equal(other, 1);
	assert_int_equal(sign_with(s, key, COSE_EDDSA, forged, &n), CKR_OK);
	assert_memory_equal(good, forged, n);
}

static void test_control_arms_and_disarms(void **state)
{
	char spec[256];
	CK_INFO info;

	(void)state;
	(void)snprintf(spec, sizeof(spec), "STATE,control=%s", control_file);
	assert_int_equal(begin(spec), CKR_OK);
	assert_int_equal(f->C_GetInfo(&info), CKR_OK);
	for (int round = 0; round < 2; round++) {
		/* Counted from when it is read, and anew by a new file. */
		control("fail=C_GetInfo:2:CKR_HOST_MEMORY\n");
		assert_int_equal(f->C_GetInfo(&info), CKR_OK);
		assert_int_equal(f->C_GetInfo(&info), CKR_HOST_MEMORY);
		assert_int_equal(f->C_GetInfo(&info), CKR_OK);
	}
	control("fail=C_GetInfo:1-:CKR_HOST_MEMORY\n");
	for (int i = 0; i < 3; i++)
		assert_int_equal(f->C_GetInfo(&info), CKR_HOST_MEMORY);
	/* One that makes no sense is said to be so, and does nothing. */
	control("fail=C_GetInfo\n");
	assert_int_equal(f->C_GetInfo(&info), CKR_OK);
	control("fail=C_GetInfo:1-:CKR_HOST_MEMORY\n");
	assert_int_equal(f->C_GetInfo(&info), CKR_HOST_MEMORY);
	assert_int_equal(unlink(control_file), 0);
	assert_int_equal(f->C_GetInfo(&info), CKR_OK);
}

/* What a session and the slots answer while the token is away. */
static void assert_gone(CK_SESSION_HANDLE s, CK_SLOT_ID slot)
{
	CK_SESSION_INFO session;
	CK_SLOT_INFO info;
	CK_TOKEN_INFO token;
	CK_ULONG n = 7;

	assert_int_equal(f->C_GetSessionInfo(s, &session), CKR_DEVICE_REMOVED);
	assert_int_equal(log_in(s), CKR_DEVICE_REMOVED);
	assert_int_equal(f->C_CloseSession(s), CKR_DEVICE_REMOVED);
	assert_int_equal(f->C_GetTokenInfo(slot, &token),
			 CKR_TOKEN_NOT_PRESENT);
	assert_int_equal(
		f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &s),
		CKR_TOKEN_NOT_PRESENT);
	assert_int_equal(f->C_GetSlotInfo(slot, &info), CKR_OK);
	assert_int_equal(info.flags & CKF_TOKEN_PRESENT, 0);
	assert_int_equal(f->C_GetSlotList(CK_TRUE, NULL, &n), CKR_OK);
	assert_int_equal(n, 0);
	assert_int_equal(f->C_GetSlotList(CK_FALSE, NULL, &n), CKR_OK);
	assert_true(n > 0);
}

static void test_a_token_is_lost_and_comes_back(void **state)
{
	CK_SESSION_INFO info;
	CK_SESSION_HANDLE old;
	CK_SESSION_HANDLE s;
	CK_SLOT_ID slot;
	CK_SLOT_INFO slot_info;
	char spec[256];

	(void)state;
	(void)snprintf(spec, sizeof(spec), "STATE,sessions=2,control=%s",
		       control_file);
	assert_int_equal(begin(spec), CKR_OK);
	slot = slot_of("alpha");
	old = enter();
	assert_int_equal(sign_ec(old), CKR_OK);
	control("lose=C_Sign:1:3600s\n");
	assert_int_equal(sign_ec(old), CKR_DEVICE_REMOVED);
	assert_gone(old, slot);
	control("");
	assert_int_equal(f->C_GetSlotInfo(slot, &slot_info), CKR_OK);
	assert_true((slot_info.flags & CKF_TOKEN_PRESENT) != 0);
	/* The old session and the login have gone with it, and are not counted
	 * any more. */
	assert_int_equal(f->C_GetSessionInfo(old, &info),
			 CKR_SESSION_HANDLE_INVALID);
	s = open_one();
	(void)open_one();
	assert_int_equal(f->C_GetSessionInfo(s, &info), CKR_OK);
	assert_int_equal(info.state, CKS_RW_PUBLIC_SESSION);
	assert_int_equal(log_in(s), CKR_OK);
	assert_int_equal(sign_ec(s), CKR_OK);
}

static void test_a_token_comes_back_by_itself(void **state)
{
	CK_SESSION_HANDLE s;
	CK_RV rv = CKR_TOKEN_NOT_PRESENT;

	(void)state;
	assert_int_equal(begin("lose=C_Sign:1:100ms,STATE"), CKR_OK);
	s = enter();
	assert_int_equal(sign_ec(s), CKR_DEVICE_REMOVED);
	for (int i = 0; i < 1000 && rv != CKR_OK; i++) {
		CK_ULONG n = 0;

		(void)poll(NULL, 0, 10);
		if (f->C_GetSlotList(CK_TRUE, NULL, &n) == CKR_OK && n > 0)
			rv = CKR_OK;
	}
	assert_int_equal(rv, CKR_OK);
	assert_int_equal(sign_ec(enter()), CKR_OK);
}

/* Sign in a child, which says so when it has. */
static pid_t child(const char *spec, int *end)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		CK_SESSION_HANDLE s = CK_INVALID_HANDLE;

		(void)close(ends[0]);
		/* Not by assertions: they would jump into the parent's code. */
		if (begin(spec) != CKR_OK || try_session(&s) != CKR_OK ||
		    log_in(s) != CKR_OK || write(ends[1], "i", 1) != 1)
			_exit(1);
		if (sign_ec(s) != CKR_OK || write(ends[1], "s", 1) != 1)
			_exit(2);
		_exit(0);
	}
	(void)close(ends[1]);
	*end = ends[0];
	return pid;
}

static void test_crashes(void **state)
{
	int status;
	int end;
	pid_t pid;

	(void)state;
	/* Once for all processes: the second call is another's. */
	pid = child("crash=C_Sign:1,STATE", &end);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	(void)close(end);
	pid = child("crash=C_Sign:1,STATE", &end);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	(void)close(end);
}

static void test_hangs(void **state)
{
	struct pollfd ready;
	char byte = 0;
	int status;
	int end;
	const pid_t pid = child("hang=C_Sign:1,STATE", &end);

	(void)state;
	assert_int_equal(read(end, &byte, 1), 1);
	assert_int_equal(byte, 'i');
	ready = (struct pollfd){.fd = end, .events = POLLIN};
	assert_int_equal(poll(&ready, 1, 300), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	(void)close(end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_crashes, forget),
		cmocka_unit_test_teardown(test_hangs, forget),
		cmocka_unit_test_teardown(test_calls_fail_by_number, forget),
		cmocka_unit_test_teardown(test_a_signature_is_forged, forget),
		cmocka_unit_test_teardown(test_control_arms_and_disarms,
					  forget),
		cmocka_unit_test_teardown(test_a_token_is_lost_and_comes_back,
					  forget),
		cmocka_unit_test_teardown(test_a_token_comes_back_by_itself,
					  forget),
	};

	return cmocka_run_group_tests(tests, load, cleanup);
}
