/* SPDX-License-Identifier: Apache-2.0 */
/* The smith's process: idle, one task, answers, ends, hangs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "worker_child.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "hcert/dsc.h"
#include "pkcs11/smith.h"

static CK_FUNCTION_LIST true_calls;
static struct wire_forged forged; /* spans lie in packet */

static int before_smith(void **state)
{
	(void)before(state);
	role_run = smith_run;
	settings.nkeys = 0;
	(void)snprintf(settings.token, sizeof(settings.token),
		       "pkcs11:token=beta");
	return 0;
}

/* The smith, idle and linked. */
static void start_smith(void (*patch)(CK_FUNCTION_LIST *))
{
	start(patch);
	expect_control(WIRE_UP);
	core = send_link(0);
}

static void put_forge(struct wire_packet *w, enum wire_task task,
		      const char *label, struct span spki)
{
	const struct wire_forge m = {.task = (uint8_t)task,
				     .kinds = DCC_ALL_KINDS,
				     .alg = COSE_ES256,
				     .label = span_str(label),
				     .spki = spki};

	assert_int_equal(wire_put_forge(w, 77, &m), SG_OK);
}

static void send_forge(enum wire_task task, const char *label, struct span spki)
{
	_Alignas(8) uint8_t buf[1024];
	struct wire_packet w = {buf, sizeof(buf), 0};

	put_forge(&w, task, label, spki);
	send_packet(core, &w);
}

static void expect_forged(bool ok, const char *reason)
{
	const struct wire_msg m = next_answer();

	assert_int_equal(m.type, WIRE_FORGED);
	assert_int_equal(m.id, 77);
	assert_int_equal(wire_get_forged(&m, &forged), SG_OK);
	if (forged.ok != ok)
		fail_msg("%.*s", (int)forged.reason.n,
			 (const char *)forged.reason.p);
	if (reason != NULL) {
		char text[300] = {0};

		memcpy(text, forged.reason.p, forged.reason.n);
		if (strstr(text, reason) == NULL)
			fail_msg("\"%s\" instead of \"%s\"", text, reason);
	}
}

static void expect_link_end(void)
{
	_Alignas(8) uint8_t buf[64];

	assert_int_equal(receive(core, buf, sizeof(buf)), 0);
	(void)close(core);
	core = -1;
}

static void test_generates_and_destroys(void **state)
{
	uint8_t spki[600];
	size_t n;

	(void)state;
	start_smith(patch_nothing);
	send_forge(WIRE_TASK_GENERATE, "first", span_of(NULL, 0));
	expect_forged(true, NULL);
	assert_true(forged.spki.n > 0 && forged.spki.n <= sizeof(spki));
	assert_int_equal(forged.reason.n, 0);
	n = forged.spki.n;
	memcpy(spki, forged.spki.p, n);
	expect_link_end();
	expect_exit(ROLE_EXIT_DRAINED);
	(void)close(control);

	start_smith(patch_nothing);
	send_forge(WIRE_TASK_GENERATE, "first", span_of(NULL, 0));
	expect_forged(false, "has a key of this label");
	expect_link_end();
	expect_exit(ROLE_EXIT_DRAINED); /* the task is done all the same */
	(void)close(control);

	start_smith(patch_nothing);
	send_forge(WIRE_TASK_DESTROY, "first", span_of(spki, n));
	expect_forged(true, NULL);
	expect_link_end();
	expect_exit(ROLE_EXIT_DRAINED);
}

/* Idle, it has not even loaded the module. */
static void test_waits_without_the_module(void **state)
{
	(void)state;
	(void)snprintf(settings.module, sizeof(settings.module), "/nowhere.so");
	start_smith(patch_nothing);
	send_bare(WIRE_RELOAD);
	expect_control(WIRE_RELOADED);
	send_bare(WIRE_DRAIN);
	expect_link_end();
	expect_exit(ROLE_EXIT_DRAINED);
}

static void test_says_that_there_is_no_module(void **state)
{
	(void)state;
	(void)snprintf(settings.module, sizeof(settings.module), "/nowhere.so");
	start_smith(patch_nothing);
	send_forge(WIRE_TASK_GENERATE, "x", span_of(NULL, 0));
	expect_forged(false, "the module cannot be loaded");
	expect_exit(ROLE_EXIT_DRAINED);
}

static void test_takes_the_newest_link(void **state)
{
	(void)state;
	start_smith(patch_nothing);
	(void)close(core); /* that core died */
	core = send_link(0);
	send_forge(WIRE_TASK_CSR, "nobody", span_of(NULL, 0));
	expect_forged(false, "no such key");
	expect_exit(ROLE_EXIT_DRAINED);
}

static void test_stops_at_a_wrong_pin(void **state)
{
	(void)state;
	(void)snprintf(settings.pin_file, sizeof(settings.pin_file), "%s",
		       hsm.wrong_pin_file);
	start_smith(patch_nothing);
	send_forge(WIRE_TASK_GENERATE, "x", span_of(NULL, 0));
	expect_forged(false, "the token refuses the PIN");
	expect_exit(ROLE_EXIT_PIN_REFUSED);
}

/* --- modules that fail -----------------------------------------------------
 */

static unsigned logins; /* that fail before one does not */

static CK_RV login_badly(CK_SESSION_HANDLE s, CK_USER_TYPE user, CK_BYTE *pin,
			 CK_ULONG n)
{
	if (logins > 0) {
		logins--;
		return CKR_GENERAL_ERROR;
	}
	return true_calls.C_Login(s, user, pin, n);
}

static void patch_login(CK_FUNCTION_LIST *f)
{
	true_calls = *f;
	f->C_Login = login_badly;
}

/* Some modules fail where several processes log in at the same moment. */
static void test_logs_in_again(void **state)
{
	(void)state;
	logins = 3;
	start_smith(patch_login);
	send_forge(WIRE_TASK_CSR, "nobody", span_of(NULL, 0));
	expect_forged(false, "no such key");
	expect_exit(ROLE_EXIT_DRAINED);
	(void)close(control);

	logins = 100;
	start_smith(patch_login);
	send_forge(WIRE_TASK_CSR, "nobody", span_of(NULL, 0));
	expect_forged(false, "the login fails");
	expect_exit(ROLE_EXIT_DRAINED);
}

static _Noreturn void hang(void)
{
	for (;;)
		(void)pause();
}

/* NOLINTNEXTLINE(readability-function-size): the standard's own */
static CK_RV hang_generating(CK_SESSION_HANDLE s, CK_MECHANISM *m,
			     CK_ATTRIBUTE *a, CK_ULONG na, CK_ATTRIBUTE *b,
			     CK_ULONG nb, CK_OBJECT_HANDLE *x,
			     CK_OBJECT_HANDLE *y)
{
	(void)s, (void)m, (void)a, (void)na, (void)b, (void)nb, (void)x,
		(void)y;
	hang();
}

static void patch_generating(CK_FUNCTION_LIST *f)
{
	f->C_GenerateKeyPair = hang_generating;
}

static void test_ends_when_a_call_hangs(void **state)
{
	(void)state;
	settings.hang_ms = 300;
	start_smith(patch_generating);
	send_forge(WIRE_TASK_GENERATE, "x", span_of(NULL, 0));
	expect_link_end(); /* without an answer */
	expect_exit(ROLE_EXIT_FAILED);
}

static CK_RV hang_logging_out(CK_SESSION_HANDLE s)
{
	(void)s;
	hang();
}

static void patch_logout(CK_FUNCTION_LIST *f)
{
	f->C_Logout = hang_logging_out;
}

static void test_answers_before_its_farewell(void **state)
{
	(void)state;
	start_smith(patch_logout);
	send_forge(WIRE_TASK_CSR, "nobody", span_of(NULL, 0));
	expect_forged(false, "no such key");
	expect_exit(ROLE_EXIT_DRAINED);
}

static _Atomic bool *generating; /* seen by both processes */

/* NOLINTNEXTLINE(readability-function-size): the standard's own */
static CK_RV generate_slowly(CK_SESSION_HANDLE s, CK_MECHANISM *m,
			     CK_ATTRIBUTE *a, CK_ULONG na, CK_ATTRIBUTE *b,
			     CK_ULONG nb, CK_OBJECT_HANDLE *x,
			     CK_OBJECT_HANDLE *y)
{
	atomic_store(generating, true);
	(void)usleep(300000);
	return true_calls.C_GenerateKeyPair(s, m, a, na, b, nb, x, y);
}

static void patch_slowly(CK_FUNCTION_LIST *f)
{
	true_calls = *f;
	f->C_GenerateKeyPair = generate_slowly;
}

/* A key whose core has died is nobody's: its label is free again. */
static void test_undoes_what_nobody_hears(void **state)
{
	(void)state;
	generating = mmap(NULL, sizeof(*generating), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(generating, MAP_FAILED);
	start_smith(patch_slowly);
	send_forge(WIRE_TASK_GENERATE, "orphan", span_of(NULL, 0));
	for (int ms = 0; ms < PATIENCE_MS && !atomic_load(generating); ms++)
		(void)usleep(1000);
	assert_true(atomic_load(generating));
	(void)close(core);
	core = send_link(0); /* another core, which has not asked */
	expect_link_end();
	expect_exit(ROLE_EXIT_DRAINED);
	(void)close(control);

	start_smith(patch_nothing);
	send_forge(WIRE_TASK_CSR, "orphan", span_of(NULL, 0));
	expect_forged(false, "no such key");
	expect_exit(ROLE_EXIT_DRAINED);
}

/* --- a core that makes no sense --------------------------------------------
 */

static void test_reports_a_bad_core(void **state)
{
	_Alignas(8) uint8_t buf[1024];
	struct wire_packet w = {buf, sizeof(buf), 0};

	(void)state;
	start_smith(patch_nothing);
	assert_int_equal(send(core, "nonsense", 8, MSG_NOSIGNAL), 8);
	expect_control(WIRE_PEER_BAD);
	expect_link_end();

	core = send_link(0);
	put_forge(&w, WIRE_TASK_GENERATE, "two", span_of(NULL, 0));
	put_forge(&w, WIRE_TASK_GENERATE, "words", span_of(NULL, 0));
	send_packet(core, &w); /* it has one task */
	expect_control(WIRE_PEER_BAD);
	expect_link_end();

	core = send_link(0);
	send_forge(WIRE_TASK_GENERATE, "a label\"", span_of(NULL, 0));
	expect_control(WIRE_PEER_BAD);
	expect_link_end();

	core = send_link(0);
	send_forge(WIRE_TASK_CSR, "nobody", span_of(NULL, 0));
	expect_forged(false, "no such key");
	expect_exit(ROLE_EXIT_DRAINED);
}

#define SMITH_TEST(f) cmocka_unit_test_setup_teardown(f, before_smith, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SMITH_TEST(test_generates_and_destroys),
		SMITH_TEST(test_waits_without_the_module),
		SMITH_TEST(test_says_that_there_is_no_module),
		SMITH_TEST(test_takes_the_newest_link),
		SMITH_TEST(test_stops_at_a_wrong_pin),
		SMITH_TEST(test_logs_in_again),
		SMITH_TEST(test_ends_when_a_call_hangs),
		SMITH_TEST(test_answers_before_its_farewell),
		SMITH_TEST(test_undoes_what_nobody_hears),
		SMITH_TEST(test_reports_a_bad_core),
	};

	return cmocka_run_group_tests(tests, make, cleanup);
}
