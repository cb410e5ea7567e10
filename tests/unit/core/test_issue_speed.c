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
	b->o.hsm[A].sign_us = 50000;
	b->o.hsm[B].sign_us = 1000;
	for (unsigned i = 1; i <= 20; i++) /* both are measured */
		(void)bureau_answer(b, 0, i, &(struct ask){.serial = i});
	/* Speeds are measured when something is sent, at most every 10 ms: the
	 * first one after that may still go by the old ones. */
	OFFICE_UNTIL(&b->o, 50, false);
	for (unsigned i = 21; i <= 22; i++)
		(void)bureau_answer(b, 0, i, &(struct ask){.serial = i});
	assert_all_by(b, &b->o.second, 22, 22);
	b->o.hsm[A].sign_us = 100;
	test_twice(b);
	OFFICE_UNTIL(&b->o, 50, false);
	for (unsigned i = 23; i <= 30; i++)
		(void)bureau_answer(b, 0, i, &(struct ask){.serial = i});
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
