/* SPDX-License-Identifier: Apache-2.0 */
#include "core/smith_link.h"

#include "place.h"

#include "ipc/channel.h"

struct world {
	struct place *p;
	struct smiths *smiths;
	struct channel *smith; /* the other end */
	size_t asked, told, bad;
	uint64_t id;
	bool ok, begun;
	char reason[128], spki[32];
};

static void on_forged(void *ctx, const struct wire_forged *done, bool begun)
{
	struct world *w = ctx;

	w->told++;
	w->begun = begun;
	w->ok = done->ok;
	(void)snprintf(w->reason, sizeof(w->reason), "%.*s",
		       (int)done->reason.n, (const char *)done->reason.p);
	(void)snprintf(w->spki, sizeof(w->spki), "%.*s", (int)done->spki.n,
		       (const char *)done->spki.p);
}

static void on_bad(void *ctx, uint16_t slot)
{
	assert_int_equal(slot, 3);
	((struct world *)ctx)->bad++;
}

static bool on_message(void *ctx, const struct wire_msg *m, const int *fds,
		       size_t n)
{
	struct world *w = ctx;
	struct wire_forge forge;

	(void)fds;
	assert_int_equal(n, 0);
	assert_int_equal(m->type, WIRE_FORGE);
	assert_int_equal(wire_get_forge(m, &forge), SG_OK);
	assert_true(span_is(forge.label, "dsc-2"));
	assert_int_equal(forge.alg, COSE_ES256);
	w->asked++;
	w->id = m->id;
	return true;
}

static void on_end(void *ctx, bool bad)
{
	struct world *w = ctx;

	assert_false(bad);
	channel_close(w->smith);
	w->smith = NULL;
}

static void link_smith(struct world *w)
{
	static const struct channel_events events = {.message = on_message,
						     .end = on_end};
	int fd[2];

	channel_close(w->smith);
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(
		channel_open(&w->p->loop, fd[0], &events, w, &w->smith), SG_OK);
	assert_int_equal(smiths_link(w->smiths, 3, fd[1]), SG_OK);
}

static void say(struct world *w, uint64_t id)
{
	const struct wire_forged m = {.ok = true, .spki = SPAN_LIT("a key")};
	struct wire_packet *p = channel_room(w->smith, 256);

	assert_non_null(p);
	assert_int_equal(wire_put_forged(p, id, &m), SG_OK);
}

static struct world *begin(void)
{
	static const struct smiths_events events = {.forged = on_forged,
						    .bad = on_bad};
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->p = place_open();
	assert_int_equal(smiths_create(&w->p->loop, &events, w, &w->smiths),
			 SG_OK);
	return w;
}

static void end(struct world *w)
{
	smiths_free(w->smiths);
	channel_close(w->smith);
	place_close(w->p);
	free(w);
}

static enum sg_err forge(struct world *w)
{
	const struct wire_forge m = {.task = WIRE_TASK_GENERATE,
				     .alg = COSE_ES256,
				     .kinds = 1,
				     .label = SPAN_LIT("dsc-2")};

	return smiths_forge(w->smiths, 3, &m);
}

static void test_task(void **state)
{
	struct world *w = begin();

	(void)state;
	link_smith(w);
	assert_int_equal(forge(w), SG_OK);
	assert_true(smiths_busy(w->smiths));
	assert_int_equal(forge(w), SG_BUSY);
	PLACE_WAIT(w->p, w->asked == 1);
	say(w, w->id);
	PLACE_WAIT(w->p, w->told == 1);
	assert_true(w->ok);
	assert_false(w->begun);
	assert_string_equal(w->spki, "a key");
	assert_false(smiths_busy(w->smiths));
	/* That smith is done with: the next task is its successor's. */
	assert_int_equal(forge(w), SG_OK);
	PLACE_UNTIL(w->p, 50, w->asked == 2);
	assert_int_equal(w->asked, 1);
	link_smith(w);
	PLACE_WAIT(w->p, w->asked == 2);
	say(w, w->id);
	PLACE_WAIT(w->p, w->told == 2);
	assert_int_equal(w->bad, 0);
	end(w);
}

static void test_ends(void **state)
{
	struct world *w = begin();
	struct wire_forge m = {.task = WIRE_TASK_GENERATE};
	int fd[2];

	(void)state;
	assert_int_equal(smiths_forge(w->smiths, CORE_HSMS_MAX, &m),
			 SG_NOT_FOUND);
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(smiths_link(w->smiths, CORE_HSMS_MAX, fd[0]),
			 SG_NOT_FOUND);
	(void)close(fd[1]);
	/* It dies. */
	link_smith(w);
	assert_int_equal(forge(w), SG_OK);
	PLACE_WAIT(w->p, w->asked == 1);
	channel_close(w->smith);
	w->smith = NULL;
	PLACE_WAIT(w->p, w->told == 1);
	assert_false(w->ok);
	assert_non_null(strstr(w->reason, "ended before it was done"));
	assert_true(w->begun);
	/* It is replaced. */
	link_smith(w);
	assert_int_equal(forge(w), SG_OK);
	PLACE_WAIT(w->p, w->asked == 2);
	link_smith(w);
	assert_int_equal(w->told, 2);
	assert_non_null(strstr(w->reason, "replaced"));
	assert_true(w->begun);
	end(w);
}

static void test_patience(void **state)
{
	struct world *w = begin();
	const uint64_t now = clock_mono_us();

	(void)state;
	/* Away: ten seconds. */
	assert_int_equal(forge(w), SG_OK);
	smiths_tick(w->smiths, now + SMITH_AWAY_US / 2);
	assert_int_equal(w->told, 0);
	smiths_tick(w->smiths, now + 2 * (uint64_t)SMITH_AWAY_US);
	assert_int_equal(w->told, 1);
	assert_non_null(strstr(w->reason, "away"));
	assert_false(w->begun); /* it never had the task */
	/* At it: a minute, and then it is replaced. */
	link_smith(w);
	assert_int_equal(forge(w), SG_OK);
	PLACE_WAIT(w->p, w->asked == 1);
	smiths_tick(w->smiths, now + 2 * (uint64_t)SMITH_AWAY_US);
	assert_int_equal(w->told, 1);
	smiths_tick(w->smiths, now + 2 * (uint64_t)SMITH_TASK_US);
	assert_int_equal(w->told, 2);
	assert_true(w->begun);
	assert_int_equal(w->bad, 1);
	end(w);
}

static void test_nonsense(void **state)
{
	struct world *w = begin();

	(void)state;
	/* An answer that nobody has asked for. */
	link_smith(w);
	say(w, 1);
	PLACE_WAIT(w->p, w->bad == 1);
	/* Another task's. */
	link_smith(w);
	assert_int_equal(forge(w), SG_OK);
	PLACE_WAIT(w->p, w->asked == 1);
	say(w, w->id + 1);
	PLACE_WAIT(w->p, w->told == 1);
	assert_false(w->ok);
	assert_int_equal(w->bad, 2);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_task),
					   cmocka_unit_test(test_ends),
					   cmocka_unit_test(test_patience),
					   cmocka_unit_test(test_nonsense)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
