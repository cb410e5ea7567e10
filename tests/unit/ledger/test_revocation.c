/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/revocation.h"

#define HEX "00000000000000000000000000000000"
#define LIST "list 2 " HEX HEX "\n"

static const char TEXT[] = "signerd revocation\n"
			   "a.example/log\n"
			   "serial 12\n"
			   "kind countrycodeuci\n"
			   "reason bị làm giả\n" LIST;

static void test_both_ways(void **state)
{
	struct revocation r;
	char out[REVOCATION_TEXT_MAX];
	size_t n;

	(void)state;
	assert_int_equal(revocation_parse(span_str(TEXT), &r), SG_OK);
	assert_true(span_is(r.origin, "a.example/log"));
	assert_int_equal(r.serial, 12);
	assert_int_equal(r.kind, REVOCATION_COUNTRYCODEUCI);
	assert_true(span_is(r.reason, "bị làm giả"));
	assert_int_equal(r.count, 2);
	assert_int_equal(revocation_text(&r, out, sizeof(out), &n), SG_OK);
	assert_string_equal(out, TEXT);
	assert_int_equal(n, strlen(TEXT));
	assert_int_equal(revocation_text(&r, out, n, &n), SG_TOO_BIG);
	r.serial = REVOCATION_SERIAL_MAX + 1;
	assert_int_equal(revocation_text(&r, out, sizeof(out), &n),
			 SG_MALFORMED);
	for (unsigned k = 0; k <= REVOCATION_KINDS; k++)
		if (k < REVOCATION_KINDS)
			assert_int_equal(revocation_kind_of(span_str(
						 revocation_kind_name(k))),
					 k);
	assert_int_equal(revocation_kind_of(SPAN_LIT("all")), REVOCATION_KINDS);
}

/* One spelling only, and nothing more. */
static void test_strict(void **state)
{
#define HEAD "signerd revocation\na\n"
	static const char *const wrong[] = {
		"",
		"signerd recovery\na\nserial 1\nkind uci\nreason r\n" LIST,
		HEAD "serial 01\nkind uci\nreason r\n" LIST,
		HEAD "serial 0\nkind uci\nreason r\n" LIST,
		HEAD "serial -1\nkind uci\nreason r\n" LIST,
		HEAD "serial 99999999999\nkind uci\nreason r\n" LIST,
		HEAD "serial 1 \nkind uci\nreason r\n" LIST,
		HEAD "serial 1\nkind all\nreason r\n" LIST,
		HEAD "serial 1\nkind uci\nreason \n" LIST,
		HEAD "serial 1\nkind uci\nreason r\x1b[2K\n" LIST,
		HEAD "serial 1\nkind uci\nreason r\xe2\x80\xaer\n" LIST,
		HEAD "serial 1\nkind uci\nreason r\n" LIST "more\n",
		HEAD "serial 1\nkind uci\nreason r\nlist 0 " HEX HEX "\n",
		HEAD "serial 1\nkind uci\nreason r\nlist 2 " HEX "\n",
		HEAD "serial 1\nkind uci\nreason r\nlist 2\n",
		HEAD "serial 1\nkind uci\nreason r\nlist 2" HEX HEX "\n",
		HEAD "serial 1\nkind uci\nreason r\nlist 2 " HEX HEX,
		HEAD "serial 1\nkind uci\nreason r\nlist 2 "
		     "F0000000000000000000000000000000" HEX "\n",
		HEAD "serial 1\nkind uci\nreason r\nlist 1048577 " HEX HEX "\n",
	};
#undef HEAD
	struct revocation r;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(revocation_parse(span_str(wrong[i]), &r),
				 SG_MALFORMED);
	for (size_t n = 0; n < strlen(TEXT); n++)
		assert_int_equal(revocation_parse(span_of(TEXT, n), &r),
				 SG_MALFORMED);
}

static void test_list(void **state)
{
	static const size_t max = (size_t)REVOCATION_LIST_MAX * 16;
	uint8_t *list = calloc(1, max + 16);
	unsigned n;

	(void)state;
	assert_non_null(list);
	list[16] = 1;
	assert_int_equal(revocation_check_list(span_of(list, 32), &n), SG_OK);
	assert_int_equal(n, 2);
	assert_int_equal(revocation_check_list(span_of(list, 31), &n),
			 SG_MALFORMED);
	assert_int_equal(revocation_check_list(span_of(list, 0), &n),
			 SG_MALFORMED);
	list[0] = 1; /* twice */
	assert_int_equal(revocation_check_list(span_of(list, 32), &n),
			 SG_MALFORMED);
	list[15] = 1; /* the larger one first */
	assert_int_equal(revocation_check_list(span_of(list, 32), &n),
			 SG_MALFORMED);
	assert_int_equal(revocation_check_list(span_of(list, max + 16), &n),
			 SG_TOO_BIG);
	free(list);
}

static void test_binds(void **state)
{
	uint8_t list[32] = {[0] = 1, [16] = 2};
	struct revocation r = {.count = 2};
	struct digest *d;

	(void)state;
	assert_int_equal(digest_create(&d), SG_OK);
	assert_int_equal(
		digest_sum(d, span_of(list, 32), span_of(NULL, 0), r.list),
		SG_OK);
	assert_int_equal(revocation_binds(&r, span_of(list, 32), d), SG_OK);
	assert_int_equal(revocation_binds(&r, span_of(list, 16), d),
			 SG_MALFORMED);
	r.count = 1;
	assert_int_equal(revocation_binds(&r, span_of(list, 32), d),
			 SG_MALFORMED);
	r.count = 2;
	list[31] = 1;
	assert_int_equal(revocation_binds(&r, span_of(list, 32), d),
			 SG_MALFORMED);
	/* Its hash alone is not enough. */
	list[0] = 3;
	assert_int_equal(
		digest_sum(d, span_of(list, 32), span_of(NULL, 0), r.list),
		SG_OK);
	assert_int_equal(revocation_binds(&r, span_of(list, 32), d),
			 SG_MALFORMED);
	digest_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_binds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
