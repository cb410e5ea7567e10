/* SPDX-License-Identifier: Apache-2.0 */
/* A log whose server accepted what officers had not approved: its entries are
 * in order, and `verify` says so all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "command_fixture.h"
#include "log_fixture.h"
#include "tests/unit/ceremony/officers.h"

extern const struct command AUDIT_VERIFY_COMMAND;

static const int64_t START_MS = 1790000000000;

static uint8_t bytes[APPROVED_BYTES_MAX];
static struct operation o;

/* O, signed by those of WHO, a bit each, is put on record. */
static void record(unsigned who, struct span refusal)
{
	uint8_t nonce[OPERATION_NONCE_BYTES] = {(uint8_t)log_size};
	size_t n;

	o.origin = SPAN_LIT(LOG_ORIGIN);
	o.nonce = nonce; /* each its own */
	pki_must(operation_encode(&o, bytes, sizeof(bytes), &n) == SG_OK);
	for (size_t i = 0; i < OFFICERS; i++)
		if ((who & 1U << i) != 0)
			n = officers_approve(&officers[i], span_of(bytes, n),
					     bytes);
	assert_int_equal(
		entry_encode_ceremony(
			START_MS + (int64_t)log_size,
			&(struct entry_ceremony){.operation = span_of(bytes, n),
						 .refusal = refusal},
			log_entries[log_size].b, LOG_ENTRY_BYTES, &n),
		SG_OK);
	log_take(n, (struct record){0});
}

static int setup(void **state)
{
	if (log_setup(state) != 0)
		return 1;
	log_run(ENTRY_STARTED, START_MS);
	officers_operation(OPERATION_GENESIS, &o);
	officers_roll(2, 2, &o.roll);
	record(3, span_of(NULL, 0));
	officers_operation(OPERATION_PUBLISH, &o);
	record(1, SPAN_LIT("too few"));
	record(3, span_of(NULL, 0));
	return 0;
}

static char *verified(int status)
{
	char *out;

	log_publish();
	assert_int_equal(COMMAND(&AUDIT_VERIFY_COMMAND, &out, log_dir, "--vkey",
				 log_vkey, "--quiet"),
			 status);
	return out;
}

static void test_good(void **state)
{
	(void)state;
	free(verified(EXIT_GOOD));
}

static void test_unapproved(void **state)
{
	char *out;

	(void)state;
	record(2, span_of(NULL, 0));
	out = verified(EXIT_REFUSED);
	assert_non_null(strstr(out, "operation-unapproved"));
	assert_non_null(strstr(out, "publish dsc-1: fewer officers"));
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, log_teardown),
		cmocka_unit_test_setup_teardown(test_unapproved, setup,
						log_teardown),
	};

	return cmocka_run_group_tests(tests, officers_setup, officers_teardown);
}
