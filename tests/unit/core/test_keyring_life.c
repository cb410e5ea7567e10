/* SPDX-License-Identifier: Apache-2.0 */
/* keyring_life: keys that officers made, and the states of all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/log.h"
#include "core/keyring.h"
#include "pki.h"

static struct keyring *empty(void)
{
	static struct core_settings settings;
	struct keyring *k;

	log_limit(LOG_ERROR);
	assert_int_equal(keyring_create(&settings, &k), SG_OK);
	return k;
}

static void fill(struct life *l, const char *label, const struct signer *s)
{
	memset(l, 0, sizeof(*l));
	(void)snprintf(l->label, sizeof(l->label), "%s", label);
	(void)snprintf(l->hsm, sizeof(l->hsm), "one");
	l->alg = s->alg;
	l->kinds = DCC_ALL_KINDS;
	l->state = KEY_CERTIFIED;
	l->certificate = s->der;
	l->certificate_n = (size_t)s->der_n;
}

static void test_add(void **state)
{
	static struct life l;
	struct keyring *k = empty();
	struct signer a = signer_usual(COSE_ES256);
	struct signer b = signer_usual(COSE_EDDSA);
	size_t i = 99;

	(void)state;
	fill(&l, "a", &a);
	assert_int_equal(keyring_add(k, &l, &i), SG_OK);
	assert_int_equal(i, 0);
	assert_int_equal(k->key[0].state, KEY_CERTIFIED);
	assert_true(k->key[0].made);
	assert_false(keyring_valid(k, 0, k->key[0].dsc.not_before + 1));
	assert_int_equal(keyring_add(k, &l, &i), SG_DUPLICATE_KEY);
	fill(&l, "b", &a); /* its kid is there */
	assert_int_equal(keyring_add(k, &l, &i), SG_DUPLICATE_KEY);
	fill(&l, "b", &b);
	l.alg = COSE_ES256;
	assert_int_equal(keyring_add(k, &l, &i), SG_BAD_KEY);
	assert_int_equal(k->n, 1);
	l.alg = COSE_EDDSA;
	assert_int_equal(keyring_add(k, &l, &i), SG_OK);
	assert_int_equal(i, 1);
	assert_true(keyring_find(k, SPAN_LIT("b"), &i));
	assert_int_equal(i, 1);
	assert_false(keyring_find(k, SPAN_LIT("c"), &i));
	assert_true(keyring_find_kid(k, k->key[1].dsc.kid, &i));
	assert_int_equal(i, 1);
	keyring_free(k);
	signer_free(&a);
	signer_free(&b);
}

static void test_full(void **state)
{
	static struct life l;
	struct keyring *k = empty();
	struct signer a = signer_usual(COSE_ES256);
	size_t i;

	(void)state;
	fill(&l, "a", &a);
	k->n = CORE_KEYS_MAX;
	for (i = 0; i < k->n; i++)
		(void)snprintf(k->key[i].label, sizeof(k->key[i].label), "k%zu",
			       i);
	assert_int_equal(keyring_add(k, &l, &i), SG_TOO_BIG);
	/* One that is forgotten leaves its place, and no trace. */
	keyring_forget(k, 7);
	assert_true(keyring_is_free(&k->key[7]));
	assert_false(keyring_find(k, SPAN_LIT(""), &i));
	assert_int_equal(keyring_add(k, &l, &i), SG_OK);
	assert_int_equal(i, 7);
	assert_true(keyring_find_kid(k, k->key[7].dsc.kid, &i));
	assert_int_equal(k->n, CORE_KEYS_MAX);
	keyring_forget(k, 7);
	keyring_free(k);
	signer_free(&a);
}

static void test_states(void **state)
{
	static struct life l;
	struct keyring *k = empty();
	struct signer a = signer_usual(COSE_ES256);
	int64_t now;
	size_t i;

	(void)state;
	fill(&l, "a", &a);
	assert_int_equal(keyring_add(k, &l, &i), SG_OK);
	now = k->key[0].dsc.not_before + 1;
	assert_true(keyring_in_use(&k->key[0]));
	assert_false(keyring_public(&k->key[0]));
	assert_false(keyring_finishes(&k->key[0]));
	assert_false(keyring_has_kind(k, DCC_TEST));
	keyring_set_state(k, 0, KEY_PUBLISHED, DCC_ALL_KINDS);
	assert_true(keyring_public(&k->key[0]));
	keyring_set_state(k, 0, KEY_ACTIVE, DCC_KIND_BIT(DCC_TEST));
	assert_true(keyring_signs(k, 0, DCC_TEST, now));
	assert_false(keyring_signs(k, 0, DCC_RECOVERY, now));
	assert_true(keyring_finishes(&k->key[0]));
	/* Stopped, it is missed; retired, it is not. */
	keyring_set_state(k, 0, KEY_STOPPED, DCC_KIND_BIT(DCC_TEST));
	assert_false(keyring_signs(k, 0, DCC_TEST, now));
	assert_true(keyring_has_kind(k, DCC_TEST));
	assert_true(keyring_in_use(&k->key[0])); /* it may be started again */
	assert_false(keyring_finishes(&k->key[0]));
	keyring_set_state(k, 0, KEY_RETIRED, 0);
	assert_false(keyring_in_use(&k->key[0]));
	assert_false(keyring_has_kind(k, DCC_TEST));
	assert_true(keyring_public(&k->key[0]));
	assert_true(keyring_finishes(&k->key[0]));
	assert_int_equal(k->key[0].kinds, DCC_KIND_BIT(DCC_TEST));
	keyring_free(k);
	signer_free(&a);
}

static void test_recertify(void **state)
{
	static struct life l;
	struct keyring *k = empty();
	struct signer a = signer_usual(COSE_ES256);
	struct signer b = {.key = a.key, .alg = a.alg};
	const struct signer_shape shape = {
		.alg = COSE_ES256, .from_s = -10, .to_s = 86400};
	uint8_t kid[COSE_KID_BYTES];
	uint8_t other[COSE_KID_BYTES] = {1};
	size_t i;

	(void)state;
	assert_int_equal(EVP_PKEY_up_ref(a.key), 1);
	signer_certify(&b, &shape);
	fill(&l, "a", &a);
	assert_int_equal(keyring_add(k, &l, &i), SG_OK);
	memcpy(kid, k->key[0].dsc.kid, sizeof(kid));
	l.certificate_n = 5;
	assert_int_equal(keyring_recertify(k, 0, &l), SG_MALFORMED);
	assert_memory_equal(k->key[0].dsc.kid, kid, sizeof(kid));
	assert_true(k->key[0].has_dsc);
	fill(&l, "a", &b);
	assert_int_equal(keyring_recertify(k, 0, &l), SG_OK);
	assert_memory_not_equal(k->key[0].dsc.kid, kid, sizeof(kid));
	assert_true(keyring_find_kid(k, kid, &i));
	/* Only so many are kept. */
	for (size_t n = 1; n <= KEY_FORMER_MAX; n++) {
		other[0] = (uint8_t)n;
		keyring_add_former(k, 0, other);
		keyring_add_former(k, 0, other);
	}
	assert_int_equal(k->key[0].nformer, KEY_FORMER_MAX);
	assert_false(keyring_find_kid(k, kid, &i));
	assert_true(keyring_find_kid(k, other, &i));
	keyring_free(k);
	signer_free(&a);
	signer_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_add),
					   cmocka_unit_test(test_full),
					   cmocka_unit_test(test_states),
					   cmocka_unit_test(test_recertify)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
