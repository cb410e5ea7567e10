/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/x509.h>
#include <string.h>

#include "tools/officer/subject.h"

static void expect(const char *text, const char *want)
{
	char why[128] = "";
	struct span der;
	const unsigned char *p;
	X509_NAME *name;
	BIO *bio = BIO_new(BIO_s_mem());
	char *got;
	long n;

	assert_int_equal(subject_parse(text, &der, why, sizeof(why)), SG_OK);
	p = der.p;
	name = d2i_X509_NAME(NULL, &p, (long)der.n);
	assert_non_null(name);
	assert_true(X509_NAME_print_ex(
			    bio, name, 0,
			    XN_FLAG_ONELINE &
				    ~(unsigned long)ASN1_STRFLGS_ESC_MSB) > 0);
	n = BIO_get_mem_data(bio, &got);
	assert_int_equal((size_t)n, strlen(want));
	assert_memory_equal(got, want, (size_t)n);
	X509_NAME_free(name);
	BIO_free(bio);
	OPENSSL_free((void *)(uintptr_t)der.p);
}

static void refuse(const char *text)
{
	char why[256] = "";
	struct span der;

	assert_int_equal(subject_parse(text, &der, why, sizeof(why)),
			 SG_MALFORMED);
	assert_non_null(strstr(why, "--subject"));
}

static void test_names(void **state)
{
	(void)state;
	expect("CN=a", "CN = a");
	expect("C=VN,O=Bộ Y tế,CN=DSC 2", "C = VN, O = Bộ Y tế, CN = DSC 2");
	expect("C=VN, O=Health\\, Ministry of,CN=a=b",
	       "C = VN, O = \"Health, Ministry of\", CN = a=b");
}

static void test_refused(void **state)
{
	char longest[400];

	(void)state;
	refuse("");
	refuse("VN");
	refuse("C=");
	refuse("C=Vietnam"); /* two letters */
	refuse("NONSENSE=x");
	refuse("CN=a,,O=b");
	refuse("CN=\xff\xfe");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longest, "CN=", 3);
	refuse(longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
