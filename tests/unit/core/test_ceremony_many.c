/* SPDX-License-Identifier: Apache-2.0 */
/* More keys in the course of time than there is room for at once. */
#include "ceremony_operations.h"
#include "core/hsm_pool_state.h"
#include "sandbox/relaxed.h"

/* A sanitizer makes it ten times as slow. */
enum { KEYS = SANDBOX_RELAXED ? 80 : 200 };

static const char *label_of(unsigned i)
{
	static char label[16];

	(void)snprintf(label, sizeof(label), "key-%u", i);
	return label;
}

static struct answer *issue(struct world *w, uint64_t id, unsigned serial)
{
	const struct ask ask = {.serial = serial};

	front_issue(&w->o->front[0], id, &ask);
	OFFICE_WAIT(w->o, front_answer(&w->o->front[0], id) != NULL);
	return front_answer(&w->o->front[0], id);
}

/* From nothing to nothing; it has signed nothing. */
static void live(struct world *w, const char *key)
{
	bring_up(w, key);
	assert_done(w, activate(w, key, 0));
	assert_done(w, simple(w, OPERATION_RETIRE, key));
	assert_done(w, simple(w, OPERATION_DESTROY, key));
	assert_int_equal(state_of(w, key), KEY_DESTROYED);
}

/* What a start must come to once more. */
static void take_states(struct world *w, struct lifecycle *out)
{
	const struct lifecycle *l = &ceremony_of(w)->life;

	memset(out, 0, sizeof(*out));
	out->n = l->n;
	out->ngone = l->ngone;
	for (size_t i = 0; i < l->n; i++) {
		struct life *k = &out->key[i];

		*k = l->key[i];
		k->csr = k->certificate = NULL;
	}
}

static void assert_same(const struct lifecycle *a, const struct lifecycle *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->ngone, b->ngone);
	for (size_t i = 0; i < a->n; i++)
		assert_memory_equal(&a->key[i], &b->key[i], sizeof(a->key[i]));
}

/* None is there twice, and each that has a certificate is there. */
static void assert_keyring(struct world *w)
{
	const struct lifecycle *l = &ceremony_of(w)->life;
	const struct keyring *keys = w->o->desk->keys;
	size_t used = 0;
	size_t k;

	for (size_t i = 0; i < keys->n; i++)
		used += !keyring_is_free(&keys->key[i]);
	assert_int_equal(used, l->n);
	for (size_t i = 0; i < l->n; i++)
		assert_true(keyring_find(keys, span_str(l->key[i].label), &k));
}

static void assert_document(struct world *w)
{
	static uint8_t bytes[CEREMONY_DOCUMENT_MAX];
	size_t n;

	assert_int_equal(
		ceremony_document(ceremony_of(w), bytes, sizeof(bytes), &n),
		SG_OK);
}

static void test_one_after_the_other(void **state)
{
	static struct lifecycle before, after;
	struct world *w = world_open();
	const struct answer *a;

	(void)state;
	assert_done(w, genesis(w));
	for (unsigned i = 0; i < KEYS; i++)
		live(w, label_of(i));
	assert_int_equal(ceremony_of(w)->life.n, LIFE_KEYS_MAX);
	assert_int_equal(ceremony_of(w)->life.ngone, KEYS + 2 - LIFE_KEYS_MAX);
	/* What signerd.yaml names is not forgotten, and no label is used twice,
	 * be it of a key that is. */
	assert_int_equal(state_of(w, "dsc-1"), KEY_RETIRED);
	assert_refused(w, generate(w, label_of(0)), SG_CONFLICT, "used once");
	/* One in the place of another is as good as any. */
	bring_up(w, "last");
	assert_done(w, activate(w, "last", 0));
	a = issue(w, 1, 1);
	assert_int_equal(a->type, WIRE_ISSUED);
	assert_keyring(w);
	assert_document(w);
	take_states(w, &before);
	world_restart(w);
	take_states(w, &after);
	assert_same(&before, &after);
	assert_keyring(w);
	OFFICE_WAIT(w->o, good(w, "last") > 0);
	assert_int_equal(issue(w, 2, 2)->type, WIRE_ISSUED);
	assert_refused(w, generate(w, label_of(0)), SG_CONFLICT, "used once");
	world_close(w);
}

/* While they are asked for, tested and signed with. */
static void test_in_use(void **state)
{
	struct world *w = world_open();
	struct hsm_pool *p = w->o->desk->pool;
	size_t k;

	(void)state;
	assert_done(w, genesis(w));
	bring_up(w, "key-1");
	assert_true(keyring_find(w->o->desk->keys, SPAN_LIT("key-1"), &k));
	assert_true(hsm_pool_good(p, k) > 0);
	/* An answer of the hsm is on its way. */
	p->link[0]->key[k].finding = true;
	hsm_pool_forget(p, k);
	keyring_forget(w->o->desk->keys, k);
	assert_int_equal(hsm_pool_good(p, k), 0);
	assert_int_equal(p->link[0]->usable & (UINT64_C(1) << k), 0);
	assert_true(hsm_find_answer(
		p, p->link[0], k,
		&(struct wire_found_key){.ok = true,
					 .key = {.label = SPAN_LIT("key-1")}}));
	assert_false(p->link[0]->key[k].offered);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
