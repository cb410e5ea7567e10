/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "front/render.h"

static void test_forms(void **state)
{
	static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a};
	uint8_t *out = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(render_qr(SPAN_LIT("HC1:ABC"), MEDIA_SVG, &out, &n),
			 SG_OK);
	assert_memory_equal(out, "<svg ", 5);
	assert_memory_equal(out + n - 7, "</svg>\n", 7);
	free(out);
	assert_int_equal(render_qr(SPAN_LIT("HC1:ABC"), MEDIA_PNG, &out, &n),
			 SG_OK);
	assert_memory_equal(out, png, sizeof(png));
	free(out);
}

static void test_refusals(void **state)
{
	static char text[5000];
	uint8_t *out = NULL;
	size_t n;

	(void)state;
	memset(text, 'A', sizeof(text));
	assert_int_equal(
		render_qr(span_of(text, sizeof(text)), MEDIA_PNG, &out, &n),
		SG_NOT_ACCEPTABLE);
	assert_int_equal(render_qr(SPAN_LIT("lower"), MEDIA_PNG, &out, &n),
			 SG_INTERNAL);
	assert_null(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
