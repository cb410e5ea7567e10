/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "pkcs11/uri.h"

static enum sg_err parse(const char *text)
{
	struct uri *uri;
	const enum sg_err e = uri_parse("k", text, &uri);

	if (e == SG_OK)
		uri_free(uri);
	else
		assert_null(uri);
	return e;
}

static void test_refuses(void **state)
{
	static const char *const bad[] = {
		"",
		"dsc-1",
		"pkcs11:",
		"pkcs11:token=demo",			     /* no object */
		"pkcs11:token=demo;object=a;type=public",    /* not private */
		"pkcs11:token=demo;object=a;type=cert",	     /* not private */
		"pkcs11:token=demo;object=a?pin-value=1234", /* a PIN */
		"pkcs11:token=demo;object=a?pin-source=file:/pin",
		"pkcs11:token=demo;object=a?module-path=/m.so",
		"pkcs11:token=demo;object=a?module-name=m",
		"pkcs11:token=demo;object=a;colour=red", /* unknown */
		"pkcs11:token=demo;object=%zz",		 /* bad encoding */
		"pkcs11:token=a;token=b;object=c",	 /* twice */
		"pkcs11:object=a;id=%01;object=a"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i]), SG_CONFIG);
	assert_int_equal(parse("pkcs11:token=demo;object=a"), SG_OK);
	assert_int_equal(parse("pkcs11:id=%01"), SG_OK);
	assert_int_equal(parse("pkcs11:object=a;type=private"), SG_OK);
}

static void pad(unsigned char *out, size_t n, const char *text)
{
	memset(out, ' ', n);
	for (size_t i = 0; text[i] != '\0'; i++)
		out[i] = (unsigned char)text[i];
}

static void test_fits_token(void **state)
{
	static const struct {
		const char *text;
		bool fits;
	} cases[] = {{"pkcs11:token=demo;object=a", true},
		     {"pkcs11:object=a", true},
		     {"pkcs11:token=dem;object=a", false},
		     {"pkcs11:token=demo%20two;object=a", false},
		     {"pkcs11:serial=77;manufacturer=Acme;object=a", true},
		     {"pkcs11:serial=78;object=a", false},
		     {"pkcs11:model=X1;object=a", true},
		     {"pkcs11:model=X2;object=a", false},
		     {"pkcs11:slot-id=5;object=a", true},
		     {"pkcs11:slot-id=6;object=a", false},
		     {"pkcs11:slot-description=front;object=a", true},
		     {"pkcs11:slot-description=back;object=a", false}};
	CK_SLOT_INFO slot = {0};
	CK_TOKEN_INFO token = {0};

	(void)state;
	pad(slot.slotDescription, sizeof(slot.slotDescription), "front");
	pad(slot.manufacturerID, sizeof(slot.manufacturerID), "Acme");
	pad(token.label, sizeof(token.label), "demo");
	pad(token.manufacturerID, sizeof(token.manufacturerID), "Acme");
	pad(token.model, sizeof(token.model), "X1");
	pad(token.serialNumber, sizeof(token.serialNumber), "77");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct uri *uri;

		assert_int_equal(uri_parse("k", cases[i].text, &uri), SG_OK);
		assert_int_equal(uri_fits_token(uri, 5, &slot, &token),
				 cases[i].fits);
		uri_free(uri);
	}
}

static void test_fits_library(void **state)
{
	CK_INFO info = {0};
	struct uri *uri;

	(void)state;
	pad(info.manufacturerID, sizeof(info.manufacturerID), "Acme");
	pad(info.libraryDescription, sizeof(info.libraryDescription), "lib");
	assert_int_equal(uri_parse("k",
				   "pkcs11:library-manufacturer=Acme;object=a",
				   &uri),
			 SG_OK);
	assert_true(uri_fits_library(uri, &info));
	uri_free(uri);
	assert_int_equal(uri_parse("k",
				   "pkcs11:library-manufacturer=Other;object=a",
				   &uri),
			 SG_OK);
	assert_false(uri_fits_library(uri, &info));
	uri_free(uri);
}

static void test_template(void **state)
{
	CK_ATTRIBUTE t[URI_TEMPLATE_MAX];
	struct uri *uri;

	(void)state;
	assert_int_equal(uri_parse("k", "pkcs11:object=a%20b;id=%00%ff", &uri),
			 SG_OK);
	assert_string_equal(uri_label(uri), "k");
	assert_int_equal(uri_template(uri, t), 3);
	assert_int_equal(t[0].type, CKA_CLASS);
	assert_int_equal(*(const CK_OBJECT_CLASS *)t[0].pValue,
			 CKO_PRIVATE_KEY);
	assert_int_equal(t[1].type, CKA_LABEL);
	assert_int_equal(t[1].ulValueLen, 3);
	assert_memory_equal(t[1].pValue, "a b", 3);
	assert_int_equal(t[2].type, CKA_ID);
	assert_int_equal(t[2].ulValueLen, 2);
	assert_memory_equal(t[2].pValue, "\x00\xff", 2);
	uri_free(uri);
	uri_free(NULL);
}

static void test_token(void **state)
{
	static const struct {
		const char *text, *label; /* NULL: names none */
	} cases[] = {
		{"pkcs11:token=log;object=a", "log"},
		{"pkcs11:object=a;token=log", "log"},
		{"pkcs11:token=l%6Fg%20", "log"},
		{"pkcs11:token=two%20words", "two words"},
		{"pkcs11:token=0123456789abcdef0123456789abcdef",
		 "0123456789abcdef0123456789abcdef"},
		{"pkcs11:token=0123456789abcdef0123456789abcdef0", NULL},
		{"pkcs11:object=token%3Dlog", NULL},
		{"pkcs11:object=a?token=log", NULL},
		{"pkcs11:token=;object=a", NULL},
		{"pkcs11:token=%20", NULL},
		{"pkcs11:token=%zz", NULL},
		{"token=log", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char label[URI_TOKEN_BYTES];

		assert_int_equal(uri_token(cases[i].text, label),
				 cases[i].label != NULL);
		assert_string_equal(
			label, cases[i].label != NULL ? cases[i].label : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_fits_token),
		cmocka_unit_test(test_fits_library),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
