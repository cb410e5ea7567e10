/* SPDX-License-Identifier: Apache-2.0 */
/* core_link: operations of officers, and what answers them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/smith_link.h"
#include "fake_core.h"

/* Whoever asks has as much patience as the core, or he hears of a failure, and
 * the key is made. */
_Static_assert((uint64_t)CORE_LINK_OPERATE_US >
		       (uint64_t)SMITH_AWAY_US + (uint64_t)SMITH_TASK_US +
			       UINT64_C(10000000),
	       "the core may take that long");

static uv_loop_t loop;
static struct core_link *front_end;
static unsigned bad;

struct asker {
	int calls;
	enum sg_err err;
	enum wire_type type;
};

static void on_answer(void *ctx, const struct wire_msg *m, enum sg_err err)
{
	struct asker *a = ctx;

	a->calls++;
	a->err = err;
	if (m != NULL)
		a->type = m->type;
}

static void on_status(void *ctx, const struct wire_status *s, bool changed)
{
	(void)ctx;
	(void)s;
	(void)changed;
}

static void on_bad(void *ctx)
{
	(void)ctx;
	bad++;
}

static enum sg_err operate(struct asker *a, size_t n, uint64_t *question)
{
	static uint8_t bytes[WIRE_OPERATION_MAX + 1];
	const struct wire_operate m = {.identity = SPAN_LIT("identity"),
				       .operation = span_of(bytes, n)};

	return core_link_operate(front_end, &m, on_answer, a, question);
}

static void test_operations(void **state)
{
	const struct wire_issued issued = {.alg = -7,
					   .ledger_index = WIRE_NO_LEDGER_INDEX,
					   .cose = SPAN_LIT("cose")};
	const struct wire_handshake hello = {.content = SPAN_LIT("hello")};
	struct asker asker[3] = {{0}};
	struct wire_handshake h;
	struct wire_operate m;
	struct wire_msg msg;
	uint64_t q[3];

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(core_link_create(&loop, on_status, NULL, &front_end),
			 SG_OK);
	core_link_on_bad(front_end, on_bad, NULL);
	core_connect(&loop, front_end);
	core_credit(8);
	assert_int_equal(operate(&asker[0], WIRE_OPERATION_MAX + 1, &q[0]),
			 SG_TOO_BIG);
	assert_int_equal(operate(&asker[0], WIRE_OPERATION_MAX, &q[0]), SG_OK);
	assert_int_equal(operate(&asker[1], 1, &q[1]), SG_OK);
	assert_int_equal(core_link_handshake(front_end, &hello, on_answer,
					     &asker[2], &q[2]),
			 SG_OK);
	msg = core_takes(WIRE_OPERATE);
	assert_int_equal(wire_get_operate(&msg, &m), SG_OK);
	assert_int_equal(m.operation.n, WIRE_OPERATION_MAX);
	assert_true(span_is(m.identity, "identity"));
	core_tells(msg.id, SPAN_LIT("\xa0"));
	assert_int_equal(asker[0].type, WIRE_ANSWER);
	q[1] = core_takes(WIRE_OPERATE).id;
	msg = core_takes(WIRE_HANDSHAKE);
	assert_int_equal(wire_get_handshake(&msg, &h), SG_OK);
	assert_true(span_is(h.content, "hello"));
	core_tells(msg.id, SPAN_LIT("signature"));
	assert_int_equal(asker[2].type, WIRE_ANSWER);
	/* a certificate is no answer to it */
	core_issues(q[1], &issued);
	assert_int_equal(asker[1].err, SG_CORE_DOWN);
	assert_int_equal(bad, 1);
	core_link_free(front_end);
	(void)close(core.fd);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
