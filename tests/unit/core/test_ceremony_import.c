/* SPDX-License-Identifier: Apache-2.0 */
/* ceremony_import: certificates that do not fit their keys. */
#include "ceremony_operations.h"

#include <openssl/pem.h>

/* The key of S with another certificate. */
static struct signer certify(const struct signer *s, const char *usage,
			     const char *extended, long from_s, long to_s)
{
	struct signer other = {.key = s->key, .alg = s->alg};
	const struct signer_shape shape = {.alg = s->alg,
					   .key_usage = usage,
					   .extended = extended,
					   .from_s = from_s,
					   .to_s = to_s};

	assert_int_equal(EVP_PKEY_up_ref(s->key), 1);
	signer_certify(&other, &shape);
	return other;
}

static void expect(struct world *w, struct signer s, enum sg_err err,
		   const char *words)
{
	assert_refused(w, import(w, "dsc-2", &s), err, words);
	assert_int_equal(state_of(w, "dsc-2"), KEY_REQUESTED);
	signer_free(&s);
}

static const long DAY = 86400;
static const char SIGNS[] = "critical,digitalSignature";

static struct world *begin(struct signer **s)
{
	struct world *w = world_open();

	assert_done(w, genesis(w));
	assert_done(w, generate(w, "dsc-2"));
	assert_done(w, request(w, "dsc-2"));
	*s = made(w, SPAN_LIT("dsc-2"));
	return w;
}

static void test_misfits(void **state)
{
	struct signer *s;
	struct world *w = begin(&s);
	struct signer good;

	(void)state;
	expect(w, signer_usual(COSE_ES256), SG_FORBIDDEN, "for another key");
	expect(w, signer_usual(COSE_PS256), SG_FORBIDDEN, "for another key");
	expect(w, certify(s, "critical,keyCertSign", NULL, 0, 1000 * DAY),
	       SG_FORBIDDEN, "no digitalSignature");
	/* The health network's arc: tests alone. */
	expect(w, certify(s, SIGNS, "1.3.6.1.4.1.1847.2021.1.1", 0, 1000 * DAY),
	       SG_FORBIDDEN, "extended key usage");
	expect(w, certify(s, SIGNS, NULL, 0, 30 * DAY), SG_FORBIDDEN,
	       "ends too early: in ");
	good = certify(s, SIGNS, NULL, 0, 1000 * DAY);
	good.der_n--;
	assert_int_equal(import(w, "dsc-2", &good), SG_MALFORMED);
	good.der_n++;
	assert_done(w, import(w, "dsc-2", &good));
	signer_free(&good);
	world_close(w);
}

static void write_pem(struct world *w, const struct signer *s)
{
	const uint8_t *p = s->der;
	X509 *cert = d2i_X509(NULL, &p, s->der_n);
	FILE *f = fopen(w->o->settings.csca, "we");

	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	assert_int_equal(fclose(f), 0);
	X509_free(cert);
}

/* A certificate for the key of S by CSCA. */
static struct signer issue(const struct signer *s, const struct signer *csca)
{
	struct signer out = certify(s, SIGNS, NULL, 0, 1000 * DAY);
	const uint8_t *p = out.der;
	X509 *cert = d2i_X509(NULL, &p, out.der_n);

	assert_true(X509_sign(cert, csca->key, EVP_sha256()) > 0);
	OPENSSL_free(out.der);
	out.der = NULL;
	out.der_n = i2d_X509(cert, &out.der);
	X509_free(cert);
	return out;
}

static void test_csca(void **state)
{
	struct world *w = world_make();
	struct signer csca = signer_usual(COSE_ES256);
	struct signer old = certify(&csca, "critical,keyCertSign", NULL,
				    -20 * DAY, -10 * DAY);
	struct signer now =
		certify(&csca, "critical,keyCertSign", NULL, -20 * DAY, DAY);
	struct signer good;
	const struct signer *s;

	(void)state;
	(void)snprintf(w->o->settings.csca, sizeof(w->o->settings.csca),
		       "%s/csca.pem", w->p->dir);
	world_begin(w);
	assert_done(w, genesis(w));
	assert_done(w, generate(w, "dsc-2"));
	assert_done(w, request(w, "dsc-2"));
	s = made(w, SPAN_LIT("dsc-2"));
	good = issue(s, &csca);
	assert_refused(w, import(w, "dsc-2", &good), SG_IO, "cannot be read");
	write_pem(w, &old);
	assert_refused(w, import(w, "dsc-2", &good), SG_FORBIDDEN,
		       "not issued by the CSCA");
	write_pem(w, &now);
	/* Signed by itself. */
	assert_refused(w, import(w, "dsc-2", s), SG_FORBIDDEN,
		       "not issued by the CSCA");
	assert_done(w, import(w, "dsc-2", &good));
	signer_free(&good);
	signer_free(&csca);
	signer_free(&old);
	signer_free(&now);
	world_close(w);
}

static bool has_kid(struct world *w, const uint8_t kid[COSE_KID_BYTES])
{
	size_t k = 0;

	return keyring_find(w->o->desk->keys, SPAN_LIT("dsc-2"), &k) &&
	       memcmp(w->o->desk->keys->key[k].dsc.kid, kid, COSE_KID_BYTES) ==
		       0;
}

/* Another certificate, until the key signs: from then on verifiers go by the
 * one that they were told of. */
static void test_again(void **state)
{
	struct signer *s;
	struct world *w = begin(&s);
	struct signer other = certify(s, SIGNS, NULL, -10, 1001 * DAY);
	struct dsc dsc;

	(void)state;
	assert_int_equal(
		dsc_read(span_of(other.der, (size_t)other.der_n), &dsc), SG_OK);
	assert_done(w, import(w, "dsc-2", s));
	OFFICE_WAIT(w->o, good(w, "dsc-2") > 0);
	assert_done(w, simple(w, OPERATION_PUBLISH, "dsc-2"));
	assert_false(has_kid(w, dsc.kid));
	assert_done(w, import(w, "dsc-2", &other));
	assert_true(has_kid(w, dsc.kid));
	assert_done(w, activate(w, "dsc-2", 0));
	assert_refused(w, import(w, "dsc-2", s), SG_CONFLICT, "another kid");
	assert_refused(w, request(w, "dsc-2"), SG_CONFLICT, "another kid");
	world_restart(w);
	assert_true(has_kid(w, dsc.kid));
	assert_done(w, simple(w, OPERATION_RETIRE, "dsc-2"));
	assert_refused(w, import(w, "dsc-2", s), SG_CONFLICT, "it has signed");
	signer_free(&other);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_misfits),
					   cmocka_unit_test(test_csca),
					   cmocka_unit_test(test_again)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
