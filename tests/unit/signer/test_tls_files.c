/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../front/pki.h"
#include "front/tls.h"
#include "tls_files.h"

static char directory[64];
static struct front_settings settings;

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void write_new(const char *path, const char *text)
{
	char beside[FRONT_PATH_MAX + 8];

	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	write_file(beside, text);
	assert_int_equal(rename(beside, path), 0);
}

static int setup(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/signerd-XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	(void)snprintf(settings.certificate, FRONT_PATH_MAX, "%s/cert",
		       directory);
	(void)snprintf(settings.crl, FRONT_PATH_MAX, "%s/crl", directory);
	write_file(settings.certificate, "a");
	write_file(settings.crl, "b");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(settings.certificate);
	(void)unlink(settings.crl);
	return rmdir(directory);
}

static void test_nothing_changes(void **state)
{
	struct tls_files f = {0};

	(void)state;
	tls_files_know(&f, &settings);
	for (int i = 0; i < 3; i++)
		assert_false(tls_files_changed(&f, &settings));
	tls_files_forget(&f);
}

static void test_once_and_when_it_is_done(void **state)
{
	struct tls_files f = {0};

	(void)state;
	tls_files_know(&f, &settings);
	write_new(settings.crl, "c");
	assert_false(tls_files_changed(&f, &settings));
	write_file(settings.crl, "more"); /* still being written */
	assert_false(tls_files_changed(&f, &settings));
	assert_true(tls_files_changed(&f, &settings));
	assert_false(tls_files_changed(&f, &settings));
	tls_files_forget(&f);
}

static void test_what_goes_and_comes(void **state)
{
	struct tls_files f = {0};

	(void)state;
	tls_files_know(&f, &settings);
	assert_int_equal(unlink(settings.certificate), 0);
	assert_false(tls_files_changed(&f, &settings));
	assert_true(tls_files_changed(&f, &settings));
	write_file(settings.certificate, "a");
	assert_false(tls_files_changed(&f, &settings));
	assert_true(tls_files_changed(&f, &settings));
	tls_files_forget(&f);
}

/* As Kubernetes and certbot have them. */
static void test_links(void **state)
{
	char other[sizeof(directory) + 8];
	struct tls_files f = {0};

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/other", directory);
	write_file(other, "b");
	tls_files_know(&f, &settings);
	assert_int_equal(unlink(settings.crl), 0);
	assert_int_equal(symlink("other", settings.crl), 0);
	assert_false(tls_files_changed(&f, &settings));
	assert_true(tls_files_changed(&f, &settings));
	assert_int_equal(unlink(settings.crl), 0);
	assert_int_equal(rename(other, settings.crl), 0);
	tls_files_forget(&f);
}

static void test_files_that_are_no_good(void **state)
{
	struct tls_files f = {0};
	char reason[256];

	(void)state;
	tls_files_know(&f, &settings);
	assert_false(tls_files_take(&f, &settings, reason, sizeof(reason)));
	assert_non_null(strstr(reason, "/cert: "));
	tls_files_forget(&f);
}

/* --- with real ones --------------------------------------------------------
 */

static struct pki_cert ca;
static struct front_settings real;

static int setup_real(void **state)
{
	struct pki_cert own;

	(void)state;
	pki_setup();
	ca = pki_issue(NULL, (struct pki_wish){.cn = "CA", .ca = 1});
	own = pki_issue(&ca, (struct pki_wish){.cn = "own"});
	pki_write_cert("ca", ca.x);
	pki_write_cert("own", own.x);
	pki_write_key("key", own.key);
	pki_write_crl("crl", pki_crl(&ca, NULL, -1, 9), "w");
	(void)pki_path(real.certificate, "own");
	(void)pki_path(real.key, "key");
	(void)pki_path(real.client_ca, "ca");
	(void)pki_path(real.crl, "crl");
	pki_free(&own);
	return 0;
}

static int teardown_real(void **state)
{
	static const char *const names[] = {"ca", "own", "key", "crl"};

	(void)state;
	pki_free(&ca);
	pki_remove(names, sizeof(names) / sizeof(names[0]));
	return 0;
}

/* REASON "": they are taken. */
static void expect(struct tls_files *f, const char *reason)
{
	char said[TLS_REASON_BYTES] = "";

	assert_int_equal(tls_files_take(f, &real, said, sizeof(said)),
			 reason[0] == '\0');
	assert_string_equal(said, reason);
}

/* As a reload by SIGHUP does. */
static void try_and_adopt(struct tls_files *f, const struct front_settings *s)
{
	char reason[TLS_REASON_BYTES];

	assert_true(tls_files_try(f, s, reason, sizeof(reason)));
	tls_files_adopt(f);
}

/* From FROM seconds from now for a day; NUMBER < 0: has none. */
static void write_crl(long from, long number)
{
	X509_CRL *crl = pki_crl(&ca, NULL, -1, 9);
	ASN1_TIME *t = X509_gmtime_adj(NULL, from);
	ASN1_INTEGER *n = ASN1_INTEGER_new();

	assert_int_equal(X509_CRL_set1_lastUpdate(crl, t), 1);
	if (number >= 0) {
		assert_int_equal(ASN1_INTEGER_set_int64(n, number), 1);
		assert_int_equal(
			X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0), 1);
	}
	assert_true(X509_CRL_sign(crl, ca.key, EVP_sha256()) > 0);
	pki_write_crl("crl", crl, "w");
	ASN1_INTEGER_free(n);
	ASN1_TIME_free(t);
}

/* And are looked at again when their time has come, though nothing changes. */
static void test_not_valid_yet(void **state)
{
	struct tls_files f = {0};
	struct pki_cert early = pki_issue(
		&ca, (struct pki_wish){.cn = "own", .from = 1, .to = 9});

	(void)state;
	tls_files_know(&f, &real);
	write_crl(3600, -1);
	expect(&f, "the CRL is not valid yet");
	assert_in_range(f.again, time(NULL) + 3590, time(NULL) + 3600);
	assert_false(tls_files_changed(&f, &real));
	assert_true(tls_files_changed(&f, &real)); /* it is another file */
	f.again = time(NULL) + 3600;
	assert_false(tls_files_changed(&f, &real));
	f.again = time(NULL);
	assert_true(tls_files_changed(&f, &real));
	assert_false(tls_files_changed(&f, &real));
	write_crl(-1, -1);
	expect(&f, "");
	pki_write_cert("own", early.x);
	pki_write_key("key", early.key);
	expect(&f, "the server's certificate is not valid yet");
	assert_true(f.again > time(NULL) + PKI_DAY - 10);
	pki_free(&early);
	tls_files_forget(&f);
}

static void test_older_crls(void **state)
{
	struct tls_files f = {0};

	(void)state;
	write_crl(-1000, 255);
	tls_files_know(&f, &real);
	expect(&f, "");
	write_crl(-500, 254); /* newer by its time alone */
	expect(&f, "a CRL is older than the one of its issuer that is in "
		   "force");
	write_crl(-2000, 256);
	expect(&f, "");
	/* One of them has no number. */
	write_crl(-1500, -1);
	expect(&f, "");
	write_crl(-1600, 9);
	expect(&f, "a CRL is older than the one of its issuer that is in "
		   "force");
	/* A reload by SIGHUP may bring it. */
	try_and_adopt(&f, &real);
	expect(&f, "");
	tls_files_forget(&f);
}

/* What is written while the core is asked is nobody's reference, and looked at
 * as soon as it stays the same. */
static void test_changed_while_the_core_is_asked(void **state)
{
	struct tls_files f = {0};
	char reason[TLS_REASON_BYTES];

	(void)state;
	write_crl(-1000, 20);
	tls_files_know(&f, &real);
	assert_true(tls_files_try(&f, &real, reason, sizeof(reason)));
	write_crl(-900, 10);
	assert_false(tls_files_changed(&f, &real));
	assert_true(tls_files_changed(&f, &real)); /* and is told */
	tls_files_adopt(&f);
	assert_false(tls_files_changed(&f, &real));
	assert_true(tls_files_changed(&f, &real));
	expect(&f, "a CRL is older than the one of its issuer that is in "
		   "force");
	tls_files_forget(&f);
}

/* The key in the HSM is the one that was checked, whatever else a reload finds
 * in the place of its certificate. */
static void test_hsm_key(void **state)
{
	struct tls_files f = {0};
	static struct front_settings hsm; /* not on the stack */
	struct pki_cert first = pki_issue(&ca, (struct pki_wish){.cn = "own"});
	struct pki_cert again = pki_issue(
		&ca, (struct pki_wish){.cn = "own", .key = first.key});
	struct pki_cert other = pki_issue(&ca, (struct pki_wish){.cn = "own"});
	char reason[TLS_REASON_BYTES];

	(void)state;
	assert_int_equal(EVP_PKEY_up_ref(first.key), 1);
	hsm = real;
	hsm.key[0] = '\0';
	hsm.key_alg = COSE_ES256;
	/* What lay there at the start binds nobody: no front has served. */
	pki_write_cert("own", other.x);
	tls_files_know(&f, &hsm);
	pki_write_cert("own", first.x);
	assert_true(tls_files_try(&f, &hsm, reason, sizeof(reason)));
	assert_true(tls_files_take(&f, &hsm, reason, sizeof(reason)));
	tls_files_prove(&f, &hsm);
	assert_true(tls_files_try(&f, &hsm, reason, sizeof(reason)));
	pki_write_cert("own", other.x);
	tls_files_prove(&f, &hsm); /* once */
	tls_files_adopt(&f);
	assert_false(tls_files_take(&f, &hsm, reason, sizeof(reason)));
	assert_string_equal(reason, TLS_KEY_CHANGES);
	assert_false(tls_files_try(&f, &hsm, reason, sizeof(reason)));
	assert_string_equal(reason, TLS_KEY_CHANGES);
	pki_write_cert("own", again.x);
	assert_true(tls_files_take(&f, &hsm, reason, sizeof(reason)));
	try_and_adopt(&f, &hsm);
	pki_free(&first);
	pki_free(&again);
	pki_free(&other);
	tls_files_forget(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_changes),
		cmocka_unit_test(test_once_and_when_it_is_done),
		cmocka_unit_test(test_what_goes_and_comes),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_files_that_are_no_good),
		cmocka_unit_test_setup_teardown(test_not_valid_yet, setup_real,
						teardown_real),
		cmocka_unit_test_setup_teardown(test_older_crls, setup_real,
						teardown_real),
		cmocka_unit_test_setup_teardown(
			test_changed_while_the_core_is_asked, setup_real,
			teardown_real),
		cmocka_unit_test_setup_teardown(test_hsm_key, setup_real,
						teardown_real),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
