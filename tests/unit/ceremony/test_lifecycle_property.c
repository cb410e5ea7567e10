/* SPDX-License-Identifier: Apache-2.0 */
/* Operations by lot: whatever officers agree on, what must hold does, and a
 * replay of it comes to the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lives.h"

enum { TURNS = 200, STEPS = 400, LABELS = 12, HSMS = 2 };

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* What was accepted, and when. */
static struct {
	struct operation o;
	int64_t time;
} accepted[STEPS + 1];
static size_t n;

/* What came by its time, after so many of them. */
static struct {
	size_t after;
	char label[LIFE_LABEL_MAX];
	enum key_state to;
	int64_t time;
} came[4 * STEPS];
static size_t ncame;

static const char *const LABEL[LABELS] = {"k0", "k1", "k2", "k3", "k4", "k5",
					  "k6", "k7", "k8", "k9", "ka", "kb"};
static const char *const HSM[HSMS] = {"a", "b"};

static enum operation_kind draw_kind(void)
{
	const enum operation_kind kind = (enum operation_kind)(
		OPERATION_GENERATE +
		draw(OPERATION_KINDS - OPERATION_GENERATE));

	/* What ends a key comes rarely, or few would live. */
	if ((kind == OPERATION_DESTROY || kind == OPERATION_COMPROMISE ||
	     kind == OPERATION_RETIRE) &&
	    draw(8) > 0)
		return OPERATION_PUBLISH;
	return kind;
}

static void draw_operation(void)
{
	const enum operation_kind kind = draw_kind();

	operation(kind, LABEL[draw(LABELS)]);
	if (kind == OPERATION_GENERATE) {
		o.hsm = span_str(HSM[draw(HSMS)]);
		o.kinds = 1 + (unsigned)draw(DCC_ALL_KINDS);
		o.period_s = draw(3) == 0 ? (int64_t)draw(20000) : 0;
	}
	if (kind == OPERATION_ACTIVATE) {
		o.activate = draw(2) == 0 ? now + (int64_t)draw(9000) : 0;
		o.override = draw(2) == 0;
	}
	if (kind == OPERATION_RETIRE) {
		o.retire = draw(2) == 0 ? now + (int64_t)draw(9000) : 0;
		o.last = draw(3) == 0;
	}
}

/* No two keys of one HSM sign one kind, nor could by a start. */
static void check(void)
{
	for (size_t i = 0; i < life.n; i++)
		for (size_t j = 0; j < i; j++) {
			const struct life *a = &life.key[i];
			const struct life *b = &life.key[j];
			const bool both = (a->state == KEY_ACTIVE ||
					   (a->state == KEY_STOPPED &&
					    a->before == KEY_ACTIVE)) &&
					  (b->state == KEY_ACTIVE ||
					   (b->state == KEY_STOPPED &&
					    b->before == KEY_ACTIVE));

			if (both && strcmp(a->hsm, b->hsm) == 0)
				assert_int_equal(a->kinds & b->kinds, 0);
			assert_string_not_equal(a->label, b->label);
		}
}

/* What time brings until NOW: in its order, and no more than can be. */
static void run_due(void)
{
	int64_t last = INT64_MIN;
	struct life_event e;
	unsigned events = 0;

	while (lifecycle_due(&life, now, &e)) {
		assert_true(e.at <= now);
		assert_true(e.at >= last);
		assert_true(e.from != e.to);
		assert_int_equal(e.key->state, e.to);
		assert_true(e.to == KEY_ACTIVE || e.to == KEY_RETIRED);
		assert_true(events++ < 2 * LABELS);
		last = e.at;
		check();
		assert_true(ncame < sizeof(came) / sizeof(came[0]));
		came[ncame].after = n;
		came[ncame].to = e.to;
		came[ncame].time = now;
		memcpy(came[ncame++].label, e.key->label, LIFE_LABEL_MAX);
	}
	for (size_t i = 0; i < life.n; i++)
		if (life.key[i].state == KEY_ACTIVE)
			assert_true(life.key[i].kinds != 0);
}

/* O, which is accepted and does not say that it is the last, has retired a key:
 * something else signs its kinds then, if nothing more is decided. */
static void check_not_last(unsigned kinds)
{
	static struct lifecycle later;
	struct life_event e;
	unsigned left = 0;

	later = life; /* what it owns is not touched */
	while (o.retire != 0 && lifecycle_due(&later, o.retire, &e))
		;
	for (size_t i = 0; i < later.n; i++)
		if (later.key[i].state == KEY_ACTIVE)
			left |= later.key[i].kinds;
	assert_int_equal(kinds & ~left, 0);
}

static unsigned reached[KEY_STATE_COUNT];
static unsigned pairs; /* of active keys of one HSM, seen in all steps */

static void see(void)
{
	for (size_t i = 0; i < life.n; i++) {
		reached[life.key[i].state]++;
		for (size_t j = 0; j < i; j++)
			pairs += life.key[i].state == KEY_ACTIVE &&
				 life.key[j].state == KEY_ACTIVE &&
				 strcmp(life.key[i].hsm, life.key[j].hsm) == 0;
	}
}

static void step(void)
{
	static enum key_state before[LIFE_KEYS_MAX];
	const struct life *k;
	unsigned kinds;
	size_t keys;

	now += (int64_t)draw(3000);
	run_due();
	draw_operation();
	keys = life.n;
	for (size_t i = 0; i < keys; i++)
		before[i] = life.key[i].state;
	k = lifecycle_find(&life, o.key);
	kinds = k != NULL ? k->kinds : 0;
	if (done() == NULL) {
		if (o.kind == OPERATION_RETIRE && !o.last)
			check_not_last(kinds);
		accepted[n].o = o;
		accepted[n++].time = now;
		/* Compromised and destroyed are for ever. */
		for (size_t i = 0; i < keys; i++)
			if (before[i] == KEY_DESTROYED ||
			    (before[i] == KEY_COMPROMISED &&
			     life.key[i].state != KEY_DESTROYED))
				assert_int_equal(life.key[i].state, before[i]);
	}
	check();
	run_due();
	see();
}

/* What a key is, without what it owns. */
static struct life bare(const struct life *k)
{
	struct life b = *k;

	b.csr = NULL;
	b.certificate = NULL;
	return b;
}

static void check_same(const struct lifecycle *first)
{
	assert_int_equal(life.n, first->n);
	for (size_t i = 0; i < life.n; i++) {
		const struct life a = bare(&life.key[i]);
		const struct life b = bare(&first->key[i]);

		assert_memory_equal(&a, &b, sizeof(a));
	}
}

/* The same without a clock: by what came by its time then. */
static void check_redo(const struct lifecycle *first)
{
	size_t at = 0;

	lifecycle_free(&life);
	begin();
	for (size_t i = 0; i <= n; i++) {
		if (i > 0) {
			now = accepted[i - 1].time;
			o = accepted[i - 1].o;
			assert_null(done());
		}
		for (; at < ncame && came[at].after == i; at++)
			assert_true(lifecycle_redo(&life,
						   span_str(came[at].label),
						   came[at].to, came[at].time));
	}
	assert_int_equal(at, ncame);
	check_same(first);
	/* Once is enough. */
	for (at = 0; at < ncame; at++)
		if (came[at].to == KEY_ACTIVE)
			assert_false(lifecycle_redo(&life,
						    span_str(came[at].label),
						    KEY_ACTIVE, now));
	check_same(first);
}

static void check_replay(void)
{
	static struct lifecycle first;
	const int64_t end = now;
	const size_t all = ncame;

	first = life;
	memset(&life, 0, sizeof(life));
	begin();
	for (size_t i = 0; i < n; i++) {
		now = accepted[i].time;
		run_due();
		o = accepted[i].o;
		assert_null(done());
	}
	now = end;
	run_due();
	check_same(&first);
	ncame = all;
	check_redo(&first);
	now = end;
	lifecycle_free(&first);
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t turn = 1; turn <= TURNS; turn++) {
		seed = turn * UINT64_C(0x9e3779b97f4a7c15);
		begin();
		n = ncame = 0;
		for (unsigned i = 0; i < STEPS; i++)
			step();
		check_replay();
	}
	/* The lot has been everywhere. */
	for (unsigned k = 0; k < KEY_STATE_COUNT; k++)
		assert_true(reached[k] > TURNS);
	assert_true(pairs > TURNS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_random, lives_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
