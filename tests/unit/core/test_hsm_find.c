/* SPDX-License-Identifier: Apache-2.0 */
/* hsm_find: keys that were made since, and keys that must not sign. */
#include "office.h"

#include "core/desk_state.h"

struct world {
	struct office *o;
	struct fake_token token;
	struct signer made;
};

static void add_key(struct world *w, const char *label, const char *hsm)
{
	static struct life l;
	size_t k;

	memset(&l, 0, sizeof(l));
	(void)snprintf(l.label, sizeof(l.label), "%s", label);
	(void)snprintf(l.hsm, sizeof(l.hsm), "%s", hsm);
	l.alg = w->made.alg;
	l.kinds = DCC_ALL_KINDS;
	l.state = KEY_ACTIVE;
	l.certificate = w->made.der;
	l.certificate_n = (size_t)w->made.der_n;
	assert_int_equal(keyring_add(w->o->desk->keys, &l, &k), SG_OK);
	assert_int_equal(k, 1);
	hsm_pool_find(w->o->desk->pool);
}

static size_t good(const struct world *w)
{
	return hsm_pool_good(w->o->desk->pool, 1);
}

static void add_hsm(struct world *w, size_t i, const char *name)
{
	office_link_hsm(w->o, i, HSM_SIGNS);
	w->o->hsm[i].token = &w->token;
	w->o->hsm[i].name = name;
	hsm_say_ready(&w->o->hsm[i], true);
}

static struct world *begin(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->o = office_open(COSE_ES256);
	w->made = signer_usual(COSE_EDDSA);
	add_hsm(w, 0, "one");
	OFFICE_WAIT(w->o, w->o->front[0].ready);
	return w;
}

static void end(struct world *w)
{
	office_close(w->o);
	signer_free(&w->made);
	free(w);
}

static void put(struct world *w, const char *label)
{
	w->token.key[0].signer = &w->made;
	w->token.key[0].label = label;
	w->token.n = 1;
}

static void test_found(void **state)
{
	struct world *w = begin();

	(void)state;
	put(w, "dsc-2");
	add_key(w, "dsc-2", "one");
	OFFICE_WAIT(w->o, good(w) == 1);
	assert_int_equal(w->token.asked, 1);
	/* One that comes later is asked, too; one of another HSM is not. */
	add_hsm(w, 1, "two");
	OFFICE_UNTIL(w->o, 100, false);
	assert_int_equal(w->token.asked, 1);
	add_hsm(w, 1, "one");
	OFFICE_WAIT(w->o, good(w) == 2);
	assert_int_equal(w->token.asked, 2);
	/* One that dies, again. */
	add_hsm(w, 0, "one");
	OFFICE_WAIT(w->o, good(w) == 2);
	assert_int_equal(w->token.asked, 3);
	end(w);
}

static void test_asked_again(void **state)
{
	struct world *w = begin();

	(void)state;
	add_key(w, "dsc-2", "one");
	OFFICE_WAIT(w->o, w->token.asked == 1);
	OFFICE_UNTIL(w->o, 600, false);
	assert_int_equal(w->token.asked, 1); /* not with every tick */
	put(w, "dsc-2");
	OFFICE_WAIT(w->o, good(w) == 1);
	assert_int_equal(w->token.asked, 2);
	end(w);
}

/* Another key under its label. */
static void test_other_key(void **state)
{
	struct world *w = begin();
	struct signer other = signer_usual(COSE_EDDSA);

	(void)state;
	put(w, "dsc-2");
	w->token.key[0].signer = &other;
	add_key(w, "dsc-2", "one");
	OFFICE_WAIT(w->o, w->token.asked == 1);
	OFFICE_UNTIL(w->o, 100, false);
	assert_int_equal(good(w), 0);
	end(w);
	signer_free(&other);
}

/* An answer that nobody has asked for. */
static void test_nonsense(void **state)
{
	struct world *w = begin();
	const struct wire_found_key m = {.ok = false};
	struct wire_packet *p = channel_room(w->o->hsm[0].channel, 1024);

	(void)state;
	assert_non_null(p);
	assert_int_equal(wire_put_found_key(p, 0, &m), SG_OK);
	OFFICE_WAIT(w->o, w->o->bad_hsms == 1);
	end(w);
}

static void test_look(void **state)
{
	struct world *w = begin();
	struct hsm_pool_view v;

	(void)state;
	hsm_pool_look(w->o->desk->pool, 0, 2, &v);
	assert_int_equal(v.up, 1);
	assert_int_equal(v.good, 1);
	assert_int_equal(v.sessions, 1);
	assert_int_equal(v.errors, 0);
	w->o->hsm[0].mood = HSM_FAILS;
	front_issue(&w->o->front[0], 1, &(struct ask){.serial = 1});
	OFFICE_WAIT(w->o, front_answer(&w->o->front[0], 1) != NULL);
	hsm_pool_look(w->o->desk->pool, 0, 2, &v);
	assert_true(v.errors > 0);
	office_kill_hsm(w->o, 0);
	OFFICE_UNTIL(w->o, 50, false);
	hsm_pool_look(w->o->desk->pool, 0, 2, &v);
	assert_int_equal(v.up, 0);
	assert_true(v.errors > 0);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_found),
					   cmocka_unit_test(test_asked_again),
					   cmocka_unit_test(test_other_key),
					   cmocka_unit_test(test_nonsense),
					   cmocka_unit_test(test_look)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
