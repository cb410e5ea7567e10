/* SPDX-License-Identifier: Apache-2.0 */
/* hsm_anchor: the data object beside the ledger's key, through the pool. */
#include "core/hsm_pool.h"
#include "office.h"

/* A pool with a certificate's key, dsc-1, and the ledger's, without a desk. */
struct pool_world {
	struct office office; /* its loop, its fake hsms, their token */
	struct keyring *keys;
	struct hsm_pool *pool;
	struct signer ledger;
	size_t changes, bad;
	size_t answers;
	enum sg_err err;
	size_t n;
	char value[WIRE_ANCHOR_MAX + 1];
	bool again; /* ask once more from inside of the answer */
	enum sg_err asked_again;
};

enum { DSC, LEDGER };

static void on_changed(void *ctx)
{
	((struct pool_world *)ctx)->changes++;
}

static void on_bad(void *ctx, uint16_t slot)
{
	(void)slot;
	((struct pool_world *)ctx)->bad++;
}

static void on_anchored(void *ctx, enum sg_err err, struct span value)
{
	struct pool_world *w = ctx;

	w->answers++;
	w->err = err;
	w->n = value.n;
	assert_true(value.n < sizeof(w->value));
	if (value.n > 0)
		memcpy(w->value, value.p, value.n);
	w->value[value.n] = '\0';
	if (w->again) {
		w->again = false;
		w->asked_again = hsm_pool_anchor(
			w->pool, LEDGER, span_of(NULL, 0), on_anchored, w);
	}
}

static struct pool_world *world_open(void)
{
	static const struct hsm_pool_events events = {.changed = on_changed,
						      .bad = on_bad};
	struct pool_world *w = calloc(1, sizeof(*w));
	struct office *o;

	assert_non_null(w);
	log_limit(LOG_ERROR);
	o = &w->office;
	assert_int_equal(uv_loop_init(&o->loop), 0);
	uv_timer_init(&o->loop, &o->alarm);
	o->alarm.data = o;
	o->signer = signer_usual(COSE_ES256);
	w->ledger = signer_usual(COSE_EDDSA);
	o->settings = (struct core_settings){.nkeys = 2,
					     .verify_ecdsa_one_in = 1,
					     .verify_all_ms = 60000,
					     .test_sign_ms = 5000};
	o->settings.key[DSC] = (struct core_key_settings){
		.label = "dsc-1", .alg = COSE_ES256, .kinds = DCC_ALL_KINDS};
	o->settings.key[LEDGER] = (struct core_key_settings){
		.label = "ledger", .alg = COSE_EDDSA, .ledger = true};
	assert_int_equal(keyring_create(&o->settings, &w->keys), SG_OK);
	assert_int_equal(hsm_pool_create(&o->loop, w->keys, &o->settings,
					 &events, w, &w->pool),
			 SG_OK);
	return w;
}

static void add_hsm(struct pool_world *w, size_t slot, bool ledger)
{
	static const struct channel_events events = {.message = hsm_on_message,
						     .packet_done =
							     hsm_on_packet,
						     .end = hsm_on_end};
	struct office *o = &w->office;
	struct fake_hsm *h = &o->hsm[slot];
	const size_t key = ledger ? LEDGER : DSC;
	const size_t before = hsm_pool_good(w->pool, key);
	int fd[2];

	*h = (struct fake_hsm){.mood = HSM_SIGNS,
			       .signer = ledger ? &w->ledger : &o->signer,
			       .label = ledger ? "ledger" : "dsc-1",
			       .anchor = &o->anchor,
			       .sessions = 1};
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(channel_open(&o->loop, fd[0], &events, h, &h->channel),
			 SG_OK);
	assert_int_equal(hsm_pool_link(w->pool, (uint16_t)slot, fd[1]), SG_OK);
	hsm_say_ready(h, !ledger);
	OFFICE_WAIT(o, hsm_pool_good(w->pool, key) == before + 1);
}

static void world_close(struct pool_world *w)
{
	struct office *o = &w->office;

	for (size_t i = 0; i < OFFICE_HSMS; i++)
		office_kill_hsm(o, i);
	hsm_pool_free(w->pool);
	keyring_free(w->keys);
	uv_close((uv_handle_t *)&o->alarm, NULL);
	uv_run(&o->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&o->loop), 0);
	signer_free(&o->signer);
	signer_free(&w->ledger);
	free(w);
}

static enum sg_err ask(struct pool_world *w, const char *value)
{
	return hsm_pool_anchor(w->pool, LEDGER, span_str(value), on_anchored,
			       w);
}

static void test_reads_and_writes(void **state)
{
	struct pool_world *w = world_open();
	char large[WIRE_ANCHOR_MAX + 2];

	(void)state;
	add_hsm(w, 0, false);
	assert_int_equal(ask(w, ""), SG_TOKEN_DOWN); /* it has another key */
	add_hsm(w, 1, true);
	assert_int_equal(ask(w, ""), SG_OK);
	assert_int_equal(ask(w, ""), SG_BUSY);
	OFFICE_WAIT(&w->office, w->answers == 1);
	assert_int_equal(w->err, SG_OK);
	assert_int_equal(w->n, 0);
	w->again = true;
	assert_int_equal(ask(w, "size 7"), SG_OK);
	OFFICE_WAIT(&w->office, w->answers == 3);
	assert_int_equal(w->office.anchor.written, 1);
	assert_string_equal(w->value, "size 7");
	memset(large, 'x', sizeof(large));
	large[WIRE_ANCHOR_MAX + 1] = '\0';
	assert_int_equal(ask(w, large), SG_TOO_BIG);
	large[WIRE_ANCHOR_MAX] = '\0';
	assert_int_equal(ask(w, large), SG_OK);
	OFFICE_WAIT(&w->office, w->answers == 4);
	assert_string_equal(w->value, large);
	assert_int_equal(w->bad, 0);
	world_close(w);
}

static void test_a_failure_is_told(void **state)
{
	struct pool_world *w = world_open();

	(void)state;
	add_hsm(w, 0, true);
	w->office.anchor.fails = true;
	log_limit(LOG_ERROR);
	assert_int_equal(ask(w, "size 7"), SG_OK);
	OFFICE_WAIT(&w->office, w->answers == 1);
	assert_int_equal(w->err, SG_INTERNAL);
	assert_int_equal(w->n, 0);
	w->office.anchor.fails = false;
	assert_int_equal(ask(w, ""), SG_OK);
	OFFICE_WAIT(&w->office, w->answers == 2);
	assert_int_equal(w->err, SG_OK);
	world_close(w);
}

/* It dies with the question: told at once; the next one answers. */
static void test_a_death_is_told(void **state)
{
	struct pool_world *w = world_open();
	struct office *o = &w->office;

	(void)state;
	add_hsm(w, 0, true);
	o->anchor.silent = true;
	assert_int_equal(ask(w, "size 7"), SG_OK);
	OFFICE_WAIT(o, o->anchor.asked == 1);
	w->again = true; /* there is nobody to ask */
	office_kill_hsm(o, 0);
	OFFICE_WAIT(o, w->answers == 1);
	assert_int_equal(w->err, SG_TOKEN_DOWN);
	assert_int_equal(w->asked_again, SG_TOKEN_DOWN);
	o->anchor.silent = false;
	add_hsm(w, 0, true);
	assert_int_equal(ask(w, ""), SG_OK);
	OFFICE_WAIT(o, w->answers == 2);
	assert_string_equal(w->value, "size 7");
	world_close(w);
}

/* An hsm whose key has not proved itself is not asked. */
static void test_only_a_proved_key(void **state)
{
	struct pool_world *w = world_open();
	struct office *o = &w->office;

	(void)state;
	add_hsm(w, 0, true);
	add_hsm(w, 1, true);
	office_kill_hsm(o, 0);
	OFFICE_WAIT(o, hsm_pool_good(w->pool, LEDGER) == 1);
	assert_int_equal(ask(w, "x"), SG_OK);
	OFFICE_WAIT(o, w->answers == 1);
	assert_int_equal(w->err, SG_OK);
	office_kill_hsm(o, 1);
	OFFICE_WAIT(o, hsm_pool_good(w->pool, LEDGER) == 0);
	assert_int_equal(ask(w, "y"), SG_TOKEN_DOWN);
	assert_int_equal(o->anchor.asked, 1);
	world_close(w);
}

/* What nobody waits for any more is dropped when it comes. */
static void test_late_answers(void **state)
{
	struct pool_world *w = world_open();
	struct office *o = &w->office;
	uint64_t late;

	(void)state;
	add_hsm(w, 0, true);
	o->anchor.silent = true;
	hsm_pool_anchor_cancel(w->pool); /* of none */
	assert_int_equal(ask(w, "one"), SG_OK);
	OFFICE_WAIT(o, o->anchor.asked == 1);
	hsm_pool_anchor_cancel(w->pool);
	late = o->anchor.id;
	assert_int_equal(ask(w, "two"), SG_OK);
	OFFICE_WAIT(o, o->anchor.asked == 2);
	hsm_say_anchor(&o->hsm[0], &o->anchor, late);
	OFFICE_UNTIL(o, 50, w->answers > 0);
	assert_int_equal(w->answers, 0);
	hsm_say_anchor(&o->hsm[0], &o->anchor, o->anchor.id);
	OFFICE_WAIT(o, w->answers == 1);
	assert_string_equal(w->value, "two");
	assert_int_equal(w->bad, 0);
	/* One that was never asked for is nonsense. */
	hsm_say_anchor(&o->hsm[0], &o->anchor, o->anchor.id);
	OFFICE_WAIT(o, w->bad == 1);
	world_close(w);
}

/* No answer: given up, and the next one may be asked for. */
static void test_gives_up(void **state)
{
	struct pool_world *w = world_open();
	struct office *o = &w->office;
	const uint64_t begin = clock_mono_us();

	(void)state;
	add_hsm(w, 0, true);
	o->anchor.silent = true;
	assert_int_equal(ask(w, "one"), SG_OK);
	OFFICE_WAIT(o, o->anchor.asked == 1);
	while (w->answers == 0 &&
	       clock_mono_us() - begin < 3 * (uint64_t)HSM_POOL_ANCHOR_US) {
		OFFICE_UNTIL(o, 100, false);
		hsm_pool_tick(w->pool);
	}
	assert_int_equal(w->answers, 1);
	assert_int_equal(w->err, SG_TIMED_OUT);
	assert_true(clock_mono_us() - begin >= HSM_POOL_ANCHOR_US);
	o->anchor.silent = false;
	assert_int_equal(ask(w, ""), SG_OK);
	OFFICE_WAIT(o, w->answers == 2);
	assert_int_equal(w->err, SG_OK);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_and_writes),
		cmocka_unit_test(test_a_failure_is_told),
		cmocka_unit_test(test_a_death_is_told),
		cmocka_unit_test(test_only_a_proved_key),
		cmocka_unit_test(test_late_answers),
		cmocka_unit_test(test_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
