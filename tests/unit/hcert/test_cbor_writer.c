/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "hcert/cbor.h"
#include "hex.h"

static uint8_t out[64];

static struct cbor_writer w;

static int begin(void **state)
{
	(void)state;
	w = cbor_write(out, sizeof(out));
	return 0;
}

/* What has been written is TEXT; begin anew. */
static void expect(const char *text)
{
	const struct span want = hex(text);
	size_t n;

	assert_int_equal(cbor_done(&w, &n), SG_OK);
	if (!span_eq(span_of(out, n), want))
		fail_msg("not %s", text);
	(void)begin(NULL);
}

static void test_integers(void **state)
{
	(void)state;
	cbor_put_uint(&w, 0);
	expect("00");
	cbor_put_uint(&w, 23);
	expect("17");
	cbor_put_uint(&w, 24);
	expect("1818");
	cbor_put_uint(&w, 255);
	expect("18ff");
	cbor_put_uint(&w, 256);
	expect("190100");
	cbor_put_uint(&w, 65536);
	expect("1a00010000");
	cbor_put_uint(&w, UINT64_MAX);
	expect("1bffffffffffffffff");
	cbor_put_int(&w, 1);
	expect("01");
	cbor_put_int(&w, -1);
	expect("20");
	cbor_put_int(&w, -24);
	expect("37");
	cbor_put_int(&w, -25);
	expect("3818");
	cbor_put_int(&w, -260);
	expect("390103");
	cbor_put_int(&w, INT64_MIN);
	expect("3b7fffffffffffffff");
	cbor_put_int(&w, INT64_MAX);
	expect("1b7fffffffffffffff");
}

static void test_others(void **state)
{
	(void)state;
	cbor_put_bytes(&w, hex("010203"));
	expect("43010203");
	cbor_put_bytes(&w, span_of(NULL, 0));
	expect("40");
	cbor_put_text(&w, SPAN_LIT("ü"));
	expect("62c3bc");
	cbor_put_array(&w, 4);
	expect("84");
	cbor_put_array(&w, 25);
	expect("9819");
	cbor_put_map(&w, 0);
	expect("a0");
	cbor_put_tag(&w, 18);
	expect("d2");
	cbor_put_tag(&w, 55799);
	expect("d9d9f7");
	cbor_put_bool(&w, true);
	expect("f5");
	cbor_put_bool(&w, false);
	expect("f4");
	cbor_put_null(&w);
	expect("f6");
	cbor_put_raw(&w, hex("8101"));
	expect("8101");
}

static void test_reals(void **state)
{
	(void)state;
	cbor_put_real(&w, 0.0);
	expect("f90000");
	cbor_put_real(&w, -0.0);
	expect("f98000");
	cbor_put_real(&w, 1.5);
	expect("f93e00");
	cbor_put_real(&w, 65504.0);
	expect("f97bff");
	cbor_put_real(&w, 100000.0);
	expect("fa47c35000");
	cbor_put_real(&w, 0x1.fffffep+127);
	expect("fa7f7fffff");
	cbor_put_real(&w, 1.1);
	expect("fb3ff199999999999a");
	cbor_put_real(&w, (double)INFINITY);
	expect("f97c00");
	cbor_put_real(&w, (double)-INFINITY);
	expect("f9fc00");
	cbor_put_real(&w, (double)NAN);
	expect("f97e00");
}

/* Every half but the NaNs: read, written again, the same. */
static void test_all_halves(void **state)
{
	for (unsigned bits = 0; bits < 65536; bits++) {
		const uint8_t in[3] = {0xf9, (uint8_t)(bits >> 8),
				       (uint8_t)bits};
		struct cbor_reader r =
			cbor_read(span_of(in, sizeof(in)), CBOR_LAX);
		struct cbor_item item;

		assert_int_equal(cbor_next(&r, &item), SG_OK);
		if (isnan(item.real))
			continue;
		(void)begin(state);
		cbor_put_real(&w, item.real);
		if (w.len != 3 || memcmp(in, out, 3) != 0)
			fail_msg("half %04x", bits);
	}
}

/* One pass measures, and whatever the room, nothing is written beyond it. */
static void test_measure(void **state)
{
	const size_t want = 1 + 4 + 3 + 9;
	size_t n;

	(void)state;
	for (size_t cap = 0; cap < sizeof(out); cap++) {
		w = cbor_write(out, cap);
		memset(out, 0xee, sizeof(out));
		cbor_put_array(&w, 3);
		cbor_put_bytes(&w, hex("010203"));
		cbor_put_text(&w, SPAN_LIT("ab"));
		cbor_put_uint(&w, UINT64_MAX);
		assert_int_equal(cbor_done(&w, &n),
				 cap < want ? SG_TOO_BIG : SG_OK);
		assert_int_equal(n, want);
		assert_int_equal(out[cap < want ? cap : want], 0xee);
	}
	w = cbor_write(NULL, 0);
	cbor_put_null(&w);
	assert_int_equal(cbor_done(&w, NULL), SG_TOO_BIG);
}

static void test_overflow(void **state)
{
	size_t n = 1;

	(void)state;
	w.len = SIZE_MAX - 2;
	cbor_put_bytes(&w, span_of(out, 5));
	cbor_put_uint(&w, 1);
	assert_int_equal(cbor_done(&w, &n), SG_TOO_BIG);
	assert_int_equal(n, 0);
	/* Also where what was counted before would have had room. */
	(void)begin(state);
	cbor_put_bytes(&w, span_of(out, SIZE_MAX));
	assert_int_equal(cbor_done(&w, &n), SG_TOO_BIG);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_integers, begin),
		cmocka_unit_test_setup(test_others, begin),
		cmocka_unit_test_setup(test_reals, begin),
		cmocka_unit_test_setup(test_all_halves, begin),
		cmocka_unit_test_setup(test_measure, begin),
		cmocka_unit_test_setup(test_overflow, begin),
	};

	return cmocka_run_group_tests(tests, NULL, hex_free);
}
