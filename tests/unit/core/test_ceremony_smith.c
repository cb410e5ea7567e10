/* SPDX-License-Identifier: Apache-2.0 */
/* ceremony: what comes while a smith is at work. */
#include <unistd.h>

#include "ceremony_operations.h"

static uint8_t text[APPROVED_BYTES_MAX];

/* Have the smith begin with O, by the second and third officer, and hold. */
static void begin_forging(struct world *w, const struct operation *o)
{
	const struct ceremony_caller who = {
		.link = w, .id = 8, .answer = on_heard};
	const size_t asked = w->smith.asked;
	const size_t n = sign_operation(w, o, EVERYBODY, text);

	w->smith.holds = true;
	link_smith(w);
	ceremony_operate(ceremony_of(w), span_of(text, n), &who);
	OFFICE_WAIT(w->o, w->smith.asked > asked);
}

static void end_forging(struct world *w)
{
	const size_t before = w->heard.n;

	smith_release(w);
	OFFICE_WAIT(w->o, w->heard.n > before);
}

static void begin_generate(struct world *w, struct operation *o,
			   const char *key,
			   uint8_t nonce[OPERATION_NONCE_BYTES])
{
	begin_operation(w, o, OPERATION_GENERATE, key, nonce);
	o->hsm = SPAN_LIT("one");
	o->alg = COSE_ES256;
	o->kinds = DCC_ALL_KINDS;
}

/* A stop by one officer with the nonce of what is at the smith: with both on
 * record no start would believe the files any more. */
static void test_same_nonce(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	uint8_t other[OPERATION_NONCE_BYTES];
	static struct operation o;

	(void)state;
	assert_done(w, genesis(w));
	begin_generate(w, &o, "dsc-2", nonce);
	begin_forging(w, &o);
	begin_operation(w, &o, OPERATION_STOP, "dsc-1", other);
	o.nonce = nonce;
	assert_refused(w, operate(w, &o, 1), SG_FORBIDDEN,
		       "its nonce is that of another one");
	end_forging(w);
	assert_done(w, w->heard.err);
	world_restart(w);
	assert_int_equal(state_of(w, "dsc-1"), KEY_ACTIVE);
	assert_int_equal(state_of(w, "dsc-2"), KEY_GENERATED);
	world_close(w);
}

/* It ends while the smith works: it was brought in time. */
static void test_expires_meanwhile(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	(void)state;
	assert_done(w, genesis(w));
	w->created = clock_wall_s() - 10;
	w->expires = soon();
	begin_generate(w, &o, "dsc-2", nonce);
	w->created = w->expires = 0;
	begin_forging(w, &o);
	OFFICE_UNTIL(w->o, 3500, false);
	end_forging(w);
	assert_done(w, w->heard.err);
	world_restart(w);
	assert_int_equal(state_of(w, "dsc-2"), KEY_GENERATED);
	world_close(w);
}

/* A key that a smith is destroying does not become active at its time: nothing
 * would be left that signs. */
static void test_destroyed_meanwhile(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "dsc-2");
	assert_done(w, activate(w, "dsc-2", soon()));
	begin_operation(w, &o, OPERATION_DESTROY, "dsc-2", nonce);
	begin_forging(w, &o);
	assert_int_equal(state_of(w, "dsc-2"), KEY_PUBLISHED);
	OFFICE_UNTIL(w->o, 3500, false);
	assert_int_equal(state_of(w, "dsc-2"), KEY_PUBLISHED);
	end_forging(w);
	assert_done(w, w->heard.err);
	assert_int_equal(state_of(w, "dsc-2"), KEY_DESTROYED);
	assert_int_equal(state_of(w, "dsc-1"), KEY_ACTIVE);
	world_restart(w);
	assert_int_equal(state_of(w, "dsc-2"), KEY_DESTROYED);
	assert_int_equal(state_of(w, "dsc-1"), KEY_ACTIVE);
	world_close(w);
}

/* Where the log goes meanwhile: not a file, for the disk is to be full. */
struct diverted {
	int saved, from;
};

static void log_divert(struct diverted *d)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	d->from = ends[0];
	d->saved = dup(STDERR_FILENO);
	assert_true(d->saved >= 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(ends[1]);
}

/* It goes where it did.  Were WORDS in it? */
static bool log_restore(const struct diverted *d, const char *words)
{
	static char said[65536];
	ssize_t n;

	assert_int_equal(dup2(d->saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(d->saved);
	n = read(d->from, said, sizeof(said));
	(void)close(d->from);
	return n > 0 && memmem(said, (size_t)n, words, strlen(words)) != NULL;
}

/* The HSM has made a key, and the disk takes nothing: whoever keeps the HSM is
 * told what it holds, for here nobody knows of it. */
static void test_full_disk_meanwhile(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;
	struct diverted log;
	bool told;

	(void)state;
	assert_done(w, genesis(w));
	begin_generate(w, &o, "dsc-2", nonce);
	begin_forging(w, &o);
	log_divert(&log);
	place_limit_files(0);
	end_forging(w);
	place_limit_files(RLIM_INFINITY);
	told = log_restore(&log, "key-orphaned key=\"dsc-2\" hsm=\"one\"");
	assert_true(told);
	assert_refused(w, w->heard.err, SG_IO, "");
	assert_null(lifecycle_find(&ceremony_of(w)->life, SPAN_LIT("dsc-2")));
	world_restart(w);
	assert_null(lifecycle_find(&ceremony_of(w)->life, SPAN_LIT("dsc-2")));
	world_close(w);
}

/* The smith ends without a word: nobody knows whether there is a key now, and
 * the label may be taken. */
static void test_ends_meanwhile(void **state)
{
	struct world *w = world_open();
	uint8_t nonce[OPERATION_NONCE_BYTES];
	static struct operation o;
	struct diverted log;
	enum sg_err err;
	bool told;

	(void)state;
	assert_done(w, genesis(w));
	begin_generate(w, &o, "dsc-2", nonce);
	w->smith.dies = true;
	log_divert(&log);
	err = operate(w, &o, EVERYBODY);
	told = log_restore(&log, "key-orphaned key=\"dsc-2\" hsm=\"one\" "
				 "text=\"it may be in the HSM");
	assert_refused(w, err, SG_TOKEN_DOWN,
		       "; the key may be on the token: look there before "
		       "choosing another label");
	assert_true(told);
	/* What is asked of a key that there is leaves none behind. */
	w->smith.dies = false;
	assert_done(w, generate(w, "dsc-3"));
	w->smith.dies = true;
	assert_refused(w, request(w, "dsc-3"), SG_TOKEN_DOWN,
		       "ended before it was done");
	assert_null(strstr(w->heard.text, "may be on the token"));
	/* Nor does a smith that says why not. */
	w->smith.dies = false;
	w->smith.fails = true;
	assert_refused(w, generate(w, "dsc-4"), SG_TOKEN_DOWN, "no ?room");
	assert_null(strstr(w->heard.text, "may be on the token"));
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_nonce),
		cmocka_unit_test(test_expires_meanwhile),
		cmocka_unit_test(test_destroyed_meanwhile),
		cmocka_unit_test(test_full_disk_meanwhile),
		cmocka_unit_test(test_ends_meanwhile)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
