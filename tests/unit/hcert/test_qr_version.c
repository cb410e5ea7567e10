/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hcert/qr.h"
#include "hcert/qr_version.h"

static char text[QR_TEXT_MAX];

/* The version of the symbol that is made of N characters; more than there are:
 * at error correction Q none can be. */
static unsigned made(size_t n)
{
	unsigned version = QR_VERSION_MAX + 1;
	struct qr q;

	assert_int_equal(qr_make(span_of(text, n), &q), SG_OK);
	if (q.level == 'Q')
		version = (unsigned)(q.size - 17) / 4;
	qr_free(&q);
	return version;
}

/* As the encoder has it, at each step. */
static void test_each_version(void **state)
{
	unsigned steps = 0;

	(void)state;
	memset(text, 'A', sizeof(text));
	for (size_t n = 1; n < 2425; n++) {
		if (qr_version(n) == qr_version(n + 1))
			continue;
		assert_int_equal(made(n), qr_version(n));
		assert_int_equal(made(n + 1), qr_version(n + 1));
		steps++;
	}
	assert_int_equal(steps, QR_VERSION_MAX);
	assert_int_equal(qr_version(1), 1);
	assert_int_equal(qr_version(QR_TEXT_MAX), QR_VERSION_MAX + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_version)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
