/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that a vault finds while it is at work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>

#include "forge_fixture.h"

enum { MADE = 6, LANES = 4, ROUNDS = 40 };

static struct {
	CK_FUNCTION_LIST calls; /* the true ones */
	CK_FUNCTION_LIST *list; /* the module's, patched in place */
	_Atomic unsigned find_fails, sign_fails;
	_Atomic bool hidden; /* there is nothing on any token */
	CK_RV rv;
} fake;

static bool take(_Atomic unsigned *n)
{
	unsigned have = atomic_load(n);

	while (have > 0)
		if (atomic_compare_exchange_weak(n, &have, have - 1))
			return true;
	return false;
}

static CK_RV fake_find(CK_SESSION_HANDLE s, CK_ATTRIBUTE *t, CK_ULONG n)
{
	return take(&fake.find_fails) ? fake.rv
				      : fake.calls.C_FindObjectsInit(s, t, n);
}

static CK_RV fake_next(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *out, CK_ULONG max,
		       CK_ULONG *n)
{
	const CK_RV rv = fake.calls.C_FindObjects(s, out, max, n);

	if (rv == CKR_OK && atomic_load(&fake.hidden))
		*n = 0;
	return rv;
}

/* Never twice in a row in one thread, which could not be mended. */
static CK_RV fake_init(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE o)
{
	static _Thread_local bool spared;

	spared = !spared && take(&fake.sign_fails);
	return spared ? fake.rv : fake.calls.C_SignInit(s, m, o);
}

static const char *label_of(size_t i)
{
	static const char *const label[MADE] = {"made-0", "made-1", "made-2",
						"made-3", "made-4", "made-5"};

	return label[i];
}

/* The keys made-0.. are on the token before each vault here is open: no other
 * process is needed. */
static int make_keys(void **state)
{
	(void)forge_make(state);
	smith_settings.session_copies = true;
	for (size_t i = 0; i < MADE; i++) {
		const struct span spki = forge_key(
			i % 2 == 0 ? COSE_ES256 : COSE_EDDSA, 0, label_of(i));

		OPENSSL_free(unconst(spki.p));
	}
	fake.list = softhsm_calls();
	fake.calls = *fake.list;
	fake.list->C_FindObjectsInit = fake_find;
	fake.list->C_FindObjects = fake_next;
	fake.list->C_SignInit = fake_init;
	return 0;
}

static struct vault *open_vault(uint32_t sessions, size_t nkeys, bool copies,
				const char *token)
{
	static struct worker_key_settings key;
	const struct vault_settings s = {.module = SOFTHSM_MODULE,
					 .pin_file = hsm.pin_file,
					 .sessions = sessions,
					 .session_copies = copies,
					 .token = token,
					 .nkeys = nkeys,
					 .key = &key};
	struct vault *v;

	key = wanted("dsc", "pkcs11:token=alpha;object=ec", COSE_ES256);
	fake.find_fails = fake.sign_fails = 0;
	assert_int_equal(vault_open(&s, &watch, &v), SG_OK);
	return v;
}

static enum cose_alg alg_of(size_t i)
{
	return i % 2 == 0 ? COSE_ES256 : COSE_EDDSA;
}

static enum sg_err find(struct vault *v, uint32_t lane, size_t i, size_t *n)
{
	return vault_find(v, lane, span_str(label_of(i)), alg_of(i), n);
}

static void test_finds(void **state)
{
	for (int copies = 0; copies < 2; copies++) {
		struct vault *v = open_vault(2, 1, copies != 0, BETA);
		size_t n = 99;

		(void)state;
		assert_int_equal(vault_keys(v), 1);
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(find(v, 1, i, &n), SG_OK);
			assert_int_equal(n, 1 + i);
			assert_int_equal(vault_keys(v), 2 + i);
			assert_int_equal(vault_configured(v), 1);
			assert_string_equal(vault_key(v, n)->label,
					    label_of(i));
			assert_int_equal(vault_key(v, n)->copy !=
						 CK_INVALID_HANDLE,
					 copies != 0);
			assert_signs(v, 0, n);
			assert_signs(v, 1, n);
		}
		/* The same number, whoever asks. */
		assert_int_equal(find(v, 0, 0, &n), SG_OK);
		assert_int_equal(n, 1);
		assert_signs(v, 0, n);
		assert_signs(v, 0, 0);
		assert_false(vault_has_anchor(v, 2));
		vault_close(v, &watch);
		assert_int_equal(watch.since_us, 0);
	}
}

static void test_works_without_other_keys(void **state)
{
	struct vault *v = open_vault(1, 0, true, BETA);
	size_t n = 99;

	(void)state;
	assert_int_equal(vault_keys(v), 0);
	assert_int_equal(find(v, 0, 1, &n), SG_OK);
	assert_int_equal(n, 0);
	assert_signs(v, 0, 0);
	vault_close(v, &watch);
}

static void test_refuses(void **state)
{
	struct vault *v = open_vault(1, 1, false, BETA);
	size_t n = 99;

	(void)state;
	/* Not there; of another kind; on another token; of several. */
	assert_int_equal(vault_find(v, 0, SPAN_LIT("nobody"), COSE_ES256, &n),
			 SG_NOT_FOUND);
	assert_int_equal(
		vault_find(v, 0, span_str(label_of(1)), COSE_ES256, &n),
		SG_NOT_FOUND);
	assert_int_equal(vault_find(v, 0, SPAN_LIT("twin"), COSE_ES256, &n),
			 SG_NOT_FOUND);
	assert_int_equal(
		vault_find(v, 0, SPAN_LIT("ec"), (enum cose_alg) - 999, &n),
		SG_NOT_FOUND);
	assert_int_equal(vault_keys(v), 1);
	/* A place that was tried in vain is used again. */
	assert_int_equal(find(v, 0, 0, &n), SG_OK);
	assert_int_equal(n, 1);
	/* A key that is known, for another algorithm. */
	assert_int_equal(
		vault_find(v, 0, span_str(label_of(0)), COSE_EDDSA, &n),
		SG_NOT_FOUND);
	/* One of the settings has its number. */
	assert_int_equal(vault_find(v, 0, SPAN_LIT("dsc"), COSE_ES256, &n),
			 SG_OK);
	assert_int_equal(n, 0);
	vault_close(v, &watch);
	v = open_vault(1, 1, false, NULL);
	assert_int_equal(find(v, 0, 0, &n), SG_NOT_FOUND);
	vault_close(v, &watch);
}

static void test_renews_a_lost_session(void **state)
{
	struct vault *v = open_vault(2, 1, true, BETA);
	size_t n = 99;

	(void)state;
	fake.rv = CKR_SESSION_HANDLE_INVALID;
	fake.find_fails = 1;
	assert_int_equal(find(v, 0, 0, &n), SG_OK);
	/* By a login, the found key's handle comes anew. */
	fake.rv = CKR_USER_NOT_LOGGED_IN;
	fake.sign_fails = 1;
	assert_signs(v, 1, n);
	assert_signs(v, 0, n);
	/* What cannot be found is not worth a process that signs. */
	fake.rv = CKR_FUNCTION_FAILED;
	fake.find_fails = 1000;
	assert_int_equal(find(v, 0, 1, &n), SG_TOKEN_DOWN);
	fake.find_fails = 0;
	vault_close(v, &watch);
}

static void assert_is_gone(struct vault *v, size_t n)
{
	uint8_t digest[32];
	const struct span tbs =
		softhsm_tbs(COSE_ES256, SPAN_LIT("a message to sign"), digest);
	struct signature sig;

	assert_int_equal(vault_sign(v, 0, n, tbs, &sig), SG_INTERNAL);
	assert_int_equal(sig.rv, CKR_KEY_FUNCTION_NOT_PERMITTED);
}

/* What a renewal does not find has not gone for good. */
static void test_comes_back(void **state)
{
	for (int copies = 0; copies < 2; copies++) {
		struct vault *v = open_vault(2, 0, copies != 0, BETA);
		size_t n = 99;

		(void)state;
		assert_int_equal(find(v, 0, 0, &n), SG_OK);
		fake.rv = CKR_USER_NOT_LOGGED_IN;
		fake.sign_fails = 1;
		fake.hidden = true;
		assert_is_gone(v, n);
		assert_is_gone(v, n);
		fake.hidden = false;
		assert_signs(v, 1, n);
		assert_signs(v, 0, n);
		assert_int_equal(vault_key(v, n)->copy != CK_INVALID_HANDLE,
				 copies != 0);
		vault_close(v, &watch);
	}
}

/* --- many at a time --------------------------------------------------------
 */

struct thread {
	pthread_t id;
	struct vault *vault;
	uint32_t lane;
	unsigned bad;
};

static bool signs(struct vault *v, uint32_t lane, size_t number)
{
	const struct key *key = vault_key(v, number);
	const struct span message = SPAN_LIT("a message to sign");
	uint8_t digest[32];
	struct signature sig;

	if (vault_sign(v, lane, number, softhsm_tbs(key->alg, message, digest),
		       &sig) != SG_OK)
		return false;
	return softhsm_verifies(key->spki, key->alg, message,
				span_of(sig.bytes, sig.n));
}

/* Look for keys, others in each lane, and sign with all that there are. */
static void *work(void *arg)
{
	struct thread *t = arg;

	for (size_t round = 0; round < ROUNDS; round++) {
		const size_t i = (round + t->lane) % MADE;
		size_t n = 0;

		if (find(t->vault, t->lane, i, &n) != SG_OK ||
		    strcmp(vault_key(t->vault, n)->label, label_of(i)) != 0)
			t->bad++;
		for (size_t k = 0; k < vault_keys(t->vault); k++)
			if (!signs(t->vault, t->lane, k))
				t->bad++;
		if (round % 8 == t->lane) /* a login now and then */
			atomic_store(&fake.sign_fails, 1);
	}
	return NULL;
}

static void test_many_at_a_time(void **state)
{
	for (int copies = 0; copies < 2; copies++) {
		struct vault *v = open_vault(LANES, 1, copies != 0, BETA);
		struct thread t[LANES];

		(void)state;
		fake.rv = CKR_USER_NOT_LOGGED_IN;
		for (uint32_t i = 0; i < LANES; i++) {
			t[i] = (struct thread){.vault = v, .lane = i};
			assert_int_equal(
				pthread_create(&t[i].id, NULL, work, &t[i]), 0);
		}
		for (uint32_t i = 0; i < LANES; i++) {
			pthread_join(t[i].id, NULL);
			assert_int_equal(t[i].bad, 0);
		}
		assert_int_equal(vault_keys(v), 1 + MADE);
		vault_close(v, &watch);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds),
		cmocka_unit_test(test_works_without_other_keys),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_renews_a_lost_session),
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_many_at_a_time),
	};

	return cmocka_run_group_tests(tests, make_keys, cleanup);
}
