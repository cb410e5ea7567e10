/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_LIVES_H
#define SG_TEST_LIVES_H

/* A lifecycle, its time, and operations on it, for tests. */
#include <cmocka.h>
#include <stdio.h>

#include "ceremony/lifecycle.h"
#include "officers.h"

enum { START = 1790000000, LEAD = 3600 };

static struct lifecycle life;
static struct operation o;
static int64_t now;

static inline struct life *key(const char *label)
{
	return lifecycle_find(&life, span_str(label));
}

/* O is one of KIND on LABEL, with nothing optional; but RETIRE is done to the
 * last key, too. */
static inline void operation(enum operation_kind kind, const char *label)
{
	officers_operation(kind, &o);
	o.key = span_str(label);
	if (kind == OPERATION_LOG_KEY)
		o.spki = SPAN_LIT("spki");
	o.last = kind == OPERATION_RETIRE;
}

/* Why O may not be; else it is done. */
static inline const char *done(void)
{
	const struct outcome out = {
		.time = now, .spki = SPAN_LIT("spki"), .csr = SPAN_LIT("csr")};
	const char *no = lifecycle_refuses(&life, &o, now);

	if (no == NULL)
		assert_int_equal(lifecycle_apply(&life, &o, &out), SG_OK);
	return no;
}

/* Why one of KIND on LABEL may not be. */
static inline const char *asked(enum operation_kind kind, const char *label)
{
	operation(kind, label);
	return lifecycle_refuses(&life, &o, now);
}

static inline void must(enum operation_kind kind, const char *label)
{
	operation(kind, label);
	assert_null(done());
}

/* All anew, with a roll. */
static inline void begin(void)
{
	lifecycle_free(&life);
	memset(&life, 0, sizeof(life));
	now = START;
	officers_operation(OPERATION_GENESIS, &o);
	o.roll.n = 1;
	o.roll.threshold = 1;
	o.roll.lead_s = LEAD;
	o.roll.stale_s = 1;
	o.roll.proposer_may_approve = true;
	assert_null(done());
}

static inline void generate(const char *label, const char *hsm, unsigned kinds)
{
	operation(OPERATION_GENERATE, label);
	o.hsm = span_str(hsm);
	o.kinds = kinds;
	assert_null(done());
}

static inline void published(const char *label, const char *hsm, unsigned kinds)
{
	generate(label, hsm, kinds);
	must(OPERATION_REQUEST, label);
	must(OPERATION_IMPORT, label);
	must(OPERATION_PUBLISH, label);
}

/* What is due is not done. */
static inline void activated(const char *label, const char *hsm, unsigned kinds)
{
	published(label, hsm, kinds);
	now += LEAD;
	must(OPERATION_ACTIVATE, label);
}

/* All anew, with a key in STATE. */
static inline void bring(const char *label, enum key_state state)
{
	begin();
	generate(label, "a", DCC_ALL_KINDS);
	if (state == KEY_GENERATED)
		return;
	must(OPERATION_REQUEST, label);
	if (state == KEY_REQUESTED)
		return;
	must(OPERATION_IMPORT, label);
	if (state == KEY_CERTIFIED)
		return;
	must(OPERATION_PUBLISH, label);
	if (state == KEY_PUBLISHED)
		return;
	now += LEAD;
	must(OPERATION_ACTIVATE, label);
	if (state == KEY_STOPPED)
		must(OPERATION_STOP, label);
	if (state == KEY_COMPROMISED)
		must(OPERATION_COMPROMISE, label);
	if (state == KEY_RETIRED || state == KEY_DESTROYED)
		must(OPERATION_RETIRE, label);
	if (state == KEY_DESTROYED)
		must(OPERATION_DESTROY, label);
	assert_int_equal(key(label)->state, state);
}

static inline void expect_due(const char *label, enum key_state to, int64_t at)
{
	struct life_event e;

	assert_true(lifecycle_due(&life, now, &e));
	assert_string_equal(e.key->label, label);
	assert_int_equal(e.to, to);
	assert_int_equal(e.key->state, to);
	assert_int_equal(e.at, at);
	assert_int_equal(e.key->since, at);
}

static inline void assert_nothing_due(void)
{
	struct life_event e;

	assert_false(lifecycle_due(&life, now, &e));
}

static inline int lives_teardown(void **state)
{
	(void)state;
	lifecycle_free(&life);
	memset(&life, 0, sizeof(life));
	return 0;
}

#endif /* SG_TEST_LIVES_H */
