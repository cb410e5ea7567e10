/* SPDX-License-Identifier: Apache-2.0 */
/* Which of two HSMs signs, as their speed changes. */
#include "two_hsms.h"

#include "core/hsm_pool_state.h"

/* Two test signatures at HSM A. */
static void test_twice(struct bureau *b)
{
	struct hsm_link_key *key = &b->pool->link[A]->key[A];

	for (int i = 0; i < 2; i++) {
		key->test_at_us = 0;
		OFFICE_WAIT(&b->o, key->test_at_us > 0);
	}
}

/* One that was slow for a while is asked again, even by who comes alone and has
 * all of his signed by another one. */
static void test_slow_for_a_while(void **state)
{
	struct bureau *b = open_two();

	(void)state;
	measure_slow_a(b);
	ask_singly(b, 21, 22);
	assert_all_by(b, &b->o.second, 22, 22);
	b->o.hsm[A].sign_us = 100;
	test_twice(b);
	OFFICE_UNTIL(&b->o, 50, false);
	ask_singly(b, 23, 30);
	assert_all_by(b, &b->o.signer, 24, 30);
	assert_idle(b);
	bureau_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
