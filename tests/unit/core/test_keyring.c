/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "core/keyring.h"
#include "pki.h"

#define ARC "1.3.6.1.4.1.1847.2021.1."

static struct core_settings settings;

static void set_up(enum cose_alg alg, unsigned kinds)
{
	memset(&settings, 0, sizeof(settings));
	settings.nkeys = 1;
	settings.key[0] = (struct core_key_settings){
		.label = "dsc-1", .alg = alg, .kinds = kinds, .country = "VN"};
}

static struct wire_hsm_key offer_of(const struct signer *s, const char *label)
{
	return (struct wire_hsm_key){
		.key = 1,
		.alg = s->alg,
		.label = span_str(label),
		.certificate = span_of(s->der, (size_t)s->der_n),
		.spki = span_of(s->spki, (size_t)s->spki_n)};
}

/* The DER of S in a file, as PEM or as it is. */
static void write_certificate(const struct signer *s, bool pem, char *path)
{
	const int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	const uint8_t *p = s->der;
	X509 *cert = d2i_X509(NULL, &p, s->der_n);

	assert_non_null(f);
	if (pem)
		PEM_write_X509(f, cert);
	else
		(void)fwrite(s->der, 1, (size_t)s->der_n, f);
	(void)fclose(f);
	X509_free(cert);
}

static enum sg_err create_from(const struct signer *s, bool pem,
			       struct keyring **k)
{
	char path[] = "/tmp/keyring-XXXXXX";
	enum sg_err err;

	write_certificate(s, pem, path);
	memcpy(settings.key[0].certificate, path, sizeof(path));
	err = keyring_create(&settings, k);
	unlink(path);
	return err;
}

static void test_from_file(void **state)
{
	const time_t now = time(NULL);

	(void)state;
	for (int pem = 0; pem <= 1; pem++) {
		struct signer s = signer_usual(COSE_ES256);
		struct keyring *k;
		uint8_t want[COSE_PROTECTED_MAX];
		size_t n;

		set_up(COSE_ES256, DCC_ALL_KINDS);
		assert_int_equal(create_from(&s, pem == 1, &k), SG_OK);
		assert_true(k->key[0].has_dsc);
		assert_int_equal(k->key[0].certificate_n, s.der_n);
		assert_memory_equal(k->key[0].certificate, s.der,
				    (size_t)s.der_n);
		assert_int_equal(k->key[0].state, KEY_ACTIVE);
		assert_int_equal(k->key[0].bounds.not_before,
				 k->key[0].dsc.not_before);
		assert_int_equal(cose_protected(COSE_ES256, k->key[0].dsc.kid,
						want, sizeof(want), &n),
				 SG_OK);
		assert_int_equal(k->key[0].prot_n, n);
		assert_memory_equal(k->key[0].prot, want, n);
		assert_true(keyring_signs(k, 0, DCC_TEST, now));
		assert_false(keyring_signs(k, 0, DCC_TEST, now - 7200));
		assert_false(keyring_valid(k, 0, now + 3L * 365 * 86400));
		assert_int_equal(keyring_expiry(k), k->key[0].dsc.not_after);
		k->key[0].state = KEY_RETIRED;
		assert_int_equal(keyring_expiry(k), 0);
		assert_false(keyring_signs(k, 0, DCC_TEST, now));
		keyring_free(k);
		signer_free(&s);
	}
}

/* The first that runs out, wherever it stands. */
static void test_expiry(void **state)
{
	static struct keyring k = {.n = 3};

	(void)state;
	assert_int_equal(keyring_expiry(&k), 0);
	for (size_t i = 0; i < k.n; i++) {
		k.key[i].state = KEY_ACTIVE;
		k.key[i].has_dsc = i != 0;
	}
	k.key[1].dsc.not_after = 2000;
	k.key[2].dsc.not_after = 1000;
	assert_int_equal(keyring_expiry(&k), 1000);
	k.key[2].dsc.not_after = 3000;
	assert_int_equal(keyring_expiry(&k), 2000);
}

static void test_bad_files(void **state)
{
	struct signer s = signer_usual(COSE_PS256);
	struct keyring *k;
	char path[] = "/tmp/keyring-XXXXXX";
	const int fd = mkstemp(path);

	(void)state;
	set_up(COSE_ES256, DCC_ALL_KINDS);
	assert_int_equal(create_from(&s, true, &k), SG_BAD_KEY);
	assert_null(k);
	memcpy(settings.key[0].certificate, "/nonexistent", 13);
	assert_int_equal(keyring_create(&settings, &k), SG_IO);
	memcpy(settings.key[0].certificate, path, sizeof(path));
	assert_int_equal(write(fd, "no certificate", 14), 14);
	assert_int_equal(keyring_create(&settings, &k), SG_MALFORMED);
	close(fd);
	unlink(path);
	signer_free(&s);
}

static void test_usages(void **state)
{
	static const struct {
		const char *usage, *extended;
		unsigned kinds, got;
	} cases[] = {
		{"digitalSignature", NULL, DCC_ALL_KINDS, DCC_ALL_KINDS},
		{NULL, NULL, DCC_ALL_KINDS, DCC_ALL_KINDS},
		{"digitalSignature", ARC "2", DCC_ALL_KINDS,
		 DCC_KIND_BIT(DCC_VACCINATION)},
		{"digitalSignature", ARC "1," ARC "3", DCC_ALL_KINDS,
		 DCC_KIND_BIT(DCC_TEST) | DCC_KIND_BIT(DCC_RECOVERY)},
		{"digitalSignature", ARC "1", DCC_KIND_BIT(DCC_VACCINATION), 0},
		{"keyCertSign", NULL, DCC_ALL_KINDS, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct signer s = signer_make(
			&(struct signer_shape){.alg = COSE_ES256,
					       .key_usage = cases[i].usage,
					       .extended = cases[i].extended,
					       .to_s = 86400});
		struct wire_hsm_key offer = offer_of(&s, "dsc-1");
		struct keyring *k;
		size_t index;

		set_up(COSE_ES256, cases[i].kinds);
		assert_int_equal(keyring_create(&settings, &k), SG_OK);
		assert_int_equal(keyring_offer(k, &offer, &index),
				 cases[i].got != 0 ? SG_OK : SG_BAD_KEY);
		assert_int_equal(k->key[0].has_dsc, cases[i].got != 0);
		if (cases[i].got != 0)
			assert_int_equal(k->key[0].kinds, cases[i].got);
		keyring_free(k);
		signer_free(&s);
	}
}

static void test_offers(void **state)
{
	struct signer s = signer_usual(COSE_ES256);
	struct signer other = signer_usual(COSE_ES256);
	struct wire_hsm_key offer = offer_of(&s, "dsc-1");
	struct keyring *k;
	size_t index = 9;

	(void)state;
	set_up(COSE_ES256, DCC_ALL_KINDS);
	settings.nkeys = 2;
	settings.key[1] = settings.key[0];
	memcpy(settings.key[1].label, "dsc-2", 6);
	assert_int_equal(keyring_create(&settings, &k), SG_OK);
	assert_false(k->key[0].has_dsc);
	assert_true(keyring_has_kind(k, DCC_VACCINATION));
	offer.label = SPAN_LIT("dsc-3");
	assert_int_equal(keyring_offer(k, &offer, &index), SG_NOT_FOUND);
	offer.label = SPAN_LIT("dsc-2");
	offer.certificate.n = 0;
	assert_int_equal(keyring_offer(k, &offer, &index), SG_BAD_KEY);
	offer = offer_of(&s, "dsc-2");
	offer.alg = COSE_PS256;
	assert_int_equal(keyring_offer(k, &offer, &index), SG_BAD_KEY);
	offer = offer_of(&s, "dsc-2");
	offer.certificate.n -= 3;
	assert_int_equal(keyring_offer(k, &offer, &index), SG_MALFORMED);
	assert_false(k->key[1].has_dsc);
	offer = offer_of(&s, "dsc-2");
	assert_int_equal(keyring_offer(k, &offer, &index), SG_OK);
	assert_int_equal(index, 1);
	assert_true(k->key[1].has_dsc && !k->key[0].has_dsc);
	/* Again, by another hsm: the same key or none. */
	assert_int_equal(keyring_offer(k, &offer, &index), SG_OK);
	offer.certificate.n = 0;
	offer.spki.n = 0;
	assert_int_equal(keyring_offer(k, &offer, &index), SG_OK);
	offer = offer_of(&other, "dsc-2");
	assert_int_equal(keyring_offer(k, &offer, &index), SG_BAD_KEY);
	offer.spki = SPAN_LIT("no key");
	assert_int_equal(keyring_offer(k, &offer, &index), SG_BAD_KEY);
	keyring_free(k);
	keyring_free(NULL);
	signer_free(&s);
	signer_free(&other);
}

/* A certificate's key first, then the ledger's. */
static struct keyring *with_ledger(void)
{
	struct keyring *k;

	set_up(COSE_ES256, DCC_ALL_KINDS);
	settings.nkeys = 2;
	settings.key[1] = (struct core_key_settings){
		.label = "ledger", .alg = COSE_EDDSA, .ledger = true};
	assert_int_equal(keyring_create(&settings, &k), SG_OK);
	return k;
}

static void test_ledger_key(void **state)
{
	const time_t now = time(NULL);
	struct signer s = signer_usual(COSE_EDDSA);
	struct wire_hsm_key offer = offer_of(&s, "ledger");
	struct keyring *k = with_ledger();
	struct keyring *fresh;
	uint8_t raw[KEY_ED25519_BYTES];
	size_t n = sizeof(raw);
	size_t index = 9;
	size_t ledger[KEYRING_LEDGER_MAX];

	(void)state;
	assert_int_equal(EVP_PKEY_get_raw_public_key(s.key, raw, &n), 1);
	assert_int_equal(keyring_ledger_keys(k, ledger), 1);
	assert_int_equal(ledger[0], 1);
	assert_null(k->key[1].verifier);
	assert_int_equal(keyring_offer(k, &offer, &index), SG_OK);
	assert_int_equal(index, 1);
	assert_non_null(k->key[1].verifier);
	assert_memory_equal(k->key[1].ed25519, raw, sizeof(raw));
	/* It is no certificate's key, though the token has a certificate. */
	assert_false(k->key[1].has_dsc);
	assert_int_equal(keyring_expiry(k), 0);
	for (int kind = 0; kind < DCC_KINDS; kind++)
		assert_false(keyring_signs(k, 1, (enum dcc_kind)kind, now));
	/* Again, also without a certificate. */
	offer.certificate.n = 0;
	assert_int_equal(keyring_offer(k, &offer, &index), SG_OK);
	/* It stays through a reload. */
	assert_int_equal(keyring_reread(k, &settings, now, &fresh), SG_OK);
	keyring_renew(k, fresh);
	assert_true(k->key[1].ledger && k->key[1].verifier != NULL);
	assert_memory_equal(k->key[1].ed25519, raw, sizeof(raw));
	keyring_free(k);
	signer_free(&s);
}

static void test_ledger_key_refused(void **state)
{
	size_t ledger[KEYRING_LEDGER_MAX];
	struct signer s = signer_usual(COSE_EDDSA);
	struct signer other = signer_usual(COSE_EDDSA);
	struct signer ec = signer_usual(COSE_ES256);
	struct keyring *k = with_ledger();
	struct wire_hsm_key offer = offer_of(&ec, "ledger");
	size_t index;

	(void)state;
	assert_int_equal(keyring_offer(k, &offer, &index), SG_BAD_KEY);
	offer.alg = COSE_EDDSA; /* it says so, and is not */
	assert_int_equal(keyring_offer(k, &offer, &index), SG_BAD_KEY);
	offer = offer_of(&s, "ledger");
	offer.spki.n = 0;
	assert_int_equal(keyring_offer(k, &offer, &index), SG_BAD_KEY);
	offer.spki = SPAN_LIT("no key");
	assert_int_equal(keyring_offer(k, &offer, &index), SG_MALFORMED);
	assert_null(k->key[1].verifier);
	offer = offer_of(&s, "ledger");
	assert_int_equal(keyring_offer(k, &offer, &index), SG_OK);
	offer = offer_of(&other, "ledger");
	assert_int_equal(keyring_offer(k, &offer, &index), SG_BAD_KEY);
	k->n = 1;
	assert_int_equal(keyring_ledger_keys(k, ledger), 0);
	k->n = 2;
	keyring_free(k);
	signer_free(&s);
	signer_free(&other);
	signer_free(&ec);
}

static void test_message(void **state)
{
	struct key key = {.label = "dsc-1"};
	uint8_t out[KEYRING_TEST_MAX];

	(void)state;
	assert_true(span_is(span_of(out, keyring_test_message(&key, out)),
			    "signerd test signature dsc-1"));
	/* A Sig_structure begins with 0x84: never this. */
	assert_int_not_equal(out[0], 0x84);
	memset(key.label, 'x', sizeof(key.label));
	assert_int_equal(keyring_test_message(&key, out), 23 + CORE_LABEL_MAX);
}

static void test_states(void **state)
{
	(void)state;
	assert_string_equal(key_state_text(KEY_ACTIVE), "active");
	assert_string_equal(key_state_text(KEY_COMPROMISED), "compromised");
	assert_string_equal(key_state_text(KEY_STATE_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_file),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_usages),
		cmocka_unit_test(test_offers),
		cmocka_unit_test(test_ledger_key),
		cmocka_unit_test(test_ledger_key_refused),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
