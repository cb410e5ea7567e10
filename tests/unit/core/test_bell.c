/* SPDX-License-Identifier: Apache-2.0 */
/* bell: no ring is lost, however threads and loop meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/bell.h"

enum { RINGS = 20000 };

struct world {
	uv_loop_t loop;
	struct bell *bell;
	pthread_t thread;
	_Atomic unsigned said;
	unsigned heard, looks;
	bool gone;
};

static void on_gone(void *ctx)
{
	((struct world *)ctx)->gone = true;
}

static void on_rung(void *ctx)
{
	struct world *w = ctx;

	w->heard = atomic_load(&w->said);
	w->looks++;
	if (w->heard != RINGS)
		return;
	/* It may still be in its last ring. */
	assert_int_equal(pthread_join(w->thread, NULL), 0);
	bell_free(w->bell, on_gone);
}

static void *ring(void *ctx)
{
	struct world *w = ctx;

	for (unsigned i = 0; i < RINGS; i++) {
		(void)atomic_fetch_add(&w->said, 1);
		bell_ring(w->bell);
	}
	return NULL;
}

/* The loop ends only if it has heard of the last one. */
static void test_thread(void **state)
{
	struct world w = {.heard = 0};

	(void)state;
	assert_int_equal(uv_loop_init(&w.loop), 0);
	assert_int_equal(bell_create(&w.loop, on_rung, &w, &w.bell), SG_OK);
	assert_int_equal(pthread_create(&w.thread, NULL, ring, &w), 0);
	(void)uv_run(&w.loop, UV_RUN_DEFAULT);
	assert_int_equal(w.heard, RINGS);
	assert_true(w.looks >= 1 && w.looks <= RINGS);
	assert_true(w.gone);
	assert_int_equal(uv_loop_close(&w.loop), 0);
}

/* Many rings before a look are one. */
static void test_once(void **state)
{
	struct world w = {.heard = 0};

	(void)state;
	assert_int_equal(uv_loop_init(&w.loop), 0);
	assert_int_equal(bell_create(&w.loop, on_rung, &w, &w.bell), SG_OK);
	(void)uv_run(&w.loop, UV_RUN_NOWAIT);
	assert_int_equal(w.looks, 0);
	bell_ring(w.bell);
	bell_ring(w.bell);
	(void)uv_run(&w.loop, UV_RUN_NOWAIT);
	(void)uv_run(&w.loop, UV_RUN_NOWAIT);
	assert_int_equal(w.looks, 1);
	bell_ring(w.bell);
	bell_free(w.bell, NULL);
	(void)uv_run(&w.loop, UV_RUN_DEFAULT);
	assert_int_equal(w.looks, 1);
	assert_int_equal(uv_loop_close(&w.loop), 0);
	bell_free(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thread),
		cmocka_unit_test(test_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
