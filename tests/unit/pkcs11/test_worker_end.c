/* SPDX-License-Identifier: Apache-2.0 */
/* How the hsm role ends: with its supervisor, with its token, with a call that
 * hangs.  The module's function list is patched in the worker's process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "worker_child.h"

enum { HANG_MS = 2000 }; /* more than a start takes on a busy machine */

static CK_RV hang_sign(CK_SESSION_HANDLE s, CK_BYTE *in, CK_ULONG n,
		       CK_BYTE *out, CK_ULONG *nout)
{
	(void)s, (void)in, (void)n, (void)out, (void)nout;
	(void)pause(); /* until it is killed */
	return CKR_GENERAL_ERROR;
}

static CK_RV hang_login(CK_SESSION_HANDLE s, CK_USER_TYPE user, CK_BYTE *pin,
			CK_ULONG n)
{
	(void)s, (void)user, (void)pin, (void)n;
	(void)pause(); /* until it is killed */
	return CKR_GENERAL_ERROR;
}

static CK_RV hang_finalize(void *reserved)
{
	(void)reserved;
	(void)pause(); /* until it is killed */
	return CKR_GENERAL_ERROR;
}

static CK_RV gone_sign(CK_SESSION_HANDLE s, CK_BYTE *in, CK_ULONG n,
		       CK_BYTE *out, CK_ULONG *nout)
{
	(void)s, (void)in, (void)n, (void)out, (void)nout;
	return CKR_DEVICE_REMOVED;
}

static CK_RV failing_sign(CK_SESSION_HANDLE s, CK_BYTE *in, CK_ULONG n,
			  CK_BYTE *out, CK_ULONG *nout)
{
	(void)s, (void)in, (void)n, (void)out, (void)nout;
	return CKR_FUNCTION_FAILED;
}

static void patch_hang_sign(CK_FUNCTION_LIST *f)
{
	f->C_Sign = hang_sign;
}

static void patch_hang_login(CK_FUNCTION_LIST *f)
{
	f->C_Login = hang_login;
}

static void patch_hang_finalize(CK_FUNCTION_LIST *f)
{
	f->C_Finalize = hang_finalize;
}

static void patch_gone(CK_FUNCTION_LIST *f)
{
	f->C_Sign = gone_sign;
}

static void patch_failing(CK_FUNCTION_LIST *f)
{
	f->C_Sign = failing_sign;
}

static void test_ends_with_its_supervisor(void **state)
{
	(void)state;
	serve_begin_with(patch_nothing);
	(void)close(control);
	control = -1;
	expect_exit(1);
}

static void test_ends_on_nonsense_from_the_supervisor(void **state)
{
	(void)state;
	serve_begin_with(patch_nothing);
	assert_int_equal(send(control, "nonsense", 8, MSG_NOSIGNAL), 8);
	expect_exit(1);
}

static void test_a_hung_signature_ends_it(void **state)
{
	(void)state;
	settings.hang_ms = HANG_MS;
	serve_begin_with(patch_hang_sign);
	send_job(1, 0, soon());
	expect_exit(1);
}

static void test_a_hung_login_ends_it(void **state)
{
	(void)state;
	settings.hang_ms = HANG_MS;
	start(patch_hang_login);
	expect_exit(1);
	/* and it has never said that it is up */
	assert_int_equal(recv(control, ready_bytes, 1, MSG_DONTWAIT), 0);
}

static void test_drains_past_a_hung_farewell(void **state)
{
	(void)state;
	serve_begin_with(patch_hang_finalize);
	send_bare(WIRE_DRAIN);
	expect_exit(0);
}

static void test_drains_while_it_starts(void **state)
{
	(void)state;
	start(patch_hang_login);
	send_bare(WIRE_DRAIN);
	expect_exit(0);
}

static void test_a_lost_token_ends_it_without_an_answer(void **state)
{
	_Alignas(8) uint8_t buf[256];

	(void)state;
	serve_begin_with(patch_gone);
	send_job(1, 0, soon());
	expect_exit(1);
	assert_int_equal(receive(core, buf, sizeof(buf)), 0);
}

static void test_failures_in_a_row_end_it(void **state)
{
	struct wire_sign_failed failed;
	struct wire_msg m;

	(void)state;
	serve_begin_with(patch_failing);
	for (uint64_t id = 1; id < 5; id++) {
		send_job(id, 0, soon());
		m = next_answer();
		assert_int_equal(m.type, WIRE_SIGN_FAILED);
		assert_int_equal(wire_get_sign_failed(&m, &failed), SG_OK);
		assert_int_equal(failed.ckr, CKR_FUNCTION_FAILED);
	}
	send_job(5, 0, soon());
	expect_exit(1);
}

static void test_fails_to_start(void **state)
{
	(void)state;
	(void)snprintf(settings.pin_file, sizeof(settings.pin_file), "%s",
		       hsm.wrong_pin_file);
	start(patch_nothing);
	expect_exit(ROLE_EXIT_PIN_REFUSED);
	assert_int_equal(recv(control, ready_bytes, 1, MSG_DONTWAIT), 0);
	(void)close(control);
	(void)before(NULL);
	settings.env[0][0] = '='; /* no name */
	start(patch_nothing);
	expect_exit(1);
}

#define WORKER_TEST(f) cmocka_unit_test_setup_teardown(f, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORKER_TEST(test_ends_with_its_supervisor),
		WORKER_TEST(test_ends_on_nonsense_from_the_supervisor),
		WORKER_TEST(test_a_hung_signature_ends_it),
		WORKER_TEST(test_a_hung_login_ends_it),
		WORKER_TEST(test_drains_past_a_hung_farewell),
		WORKER_TEST(test_drains_while_it_starts),
		WORKER_TEST(test_a_lost_token_ends_it_without_an_answer),
		WORKER_TEST(test_failures_in_a_row_end_it),
		WORKER_TEST(test_fails_to_start),
	};

	return cmocka_run_group_tests(tests, make, cleanup);
}
