/* SPDX-License-Identifier: Apache-2.0 */
/* More keys in the course of time than there is room for at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lives.h"

enum { KEYS = 1000 };

static const char *label_of(unsigned i)
{
	static char label[16];

	(void)snprintf(label, sizeof(label), "k%u", i);
	return label;
}

static void live(const char *label)
{
	activated(label, "a", DCC_ALL_KINDS);
	now++;
	must(OPERATION_RETIRE, label);
	now++;
	must(OPERATION_DESTROY, label);
}

static void test_one_after_the_other(void **state)
{
	(void)state;
	begin();
	assert_int_equal(lifecycle_adopt(&life, &(struct life){.label = "yaml",
							       .hsm = "b"}),
			 SG_OK);
	must(OPERATION_RETIRE, "yaml");
	must(OPERATION_DESTROY, "yaml");
	activated("bad", "b", DCC_ALL_KINDS);
	must(OPERATION_COMPROMISE, "bad");
	must(OPERATION_DESTROY, "bad");
	for (unsigned i = 0; i < KEYS; i++)
		live(label_of(i));
	assert_int_equal(life.n, LIFE_KEYS_MAX);
	assert_int_equal(life.ngone, KEYS + 2 - LIFE_KEYS_MAX);
	/* What is compromised stays known, and what signerd.yaml would bring
	 * back; the others as they went. */
	assert_true(life_is_compromised(key("bad")));
	assert_int_equal(key("yaml")->state, KEY_DESTROYED);
	for (unsigned i = 0; i < KEYS; i++) {
		const bool gone = i < life.ngone;

		assert_int_equal(key(label_of(i)) == NULL, gone);
		assert_int_equal(life_is_gone(&life, span_str(label_of(i))),
				 gone);
		assert_non_null(asked(OPERATION_GENERATE, label_of(i)));
	}
	assert_false(life_is_gone(&life, SPAN_LIT("another")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_one_after_the_other,
					  lives_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
