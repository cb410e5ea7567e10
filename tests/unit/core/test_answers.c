/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "core/answers.h"
#include "published.h"
#include "request.h"

/* What a desk answers without a ledger: test_desk. */

static const char POLICY[] = "version: 1\n"
			     "profiles:\n"
			     "  - name: full\n"
			     "    rules: {}\n"
			     "clients:\n"
			     "  - name: auditor\n"
			     "    identities: [\"uri:urn:test:auditor\"]\n"
			     "    operations: [audit]\n"
			     "  - name: officer\n"
			     "    identities: [\"uri:urn:test:officer\"]\n"
			     "    operations: [officer]\n";

/* --- a ceremony ----------------------------------------------------------- */

struct ceremony {
	struct ceremony_caller who; /* of the last operation */
};

static struct ceremony ceremony;

void ceremony_operate(struct ceremony *c, struct span approved,
		      const struct ceremony_caller *who)
{
	assert_true(span_is(approved, "signed"));
	c->who = *who;
}

void ceremony_forget(struct ceremony *c, const void *link)
{
	(void)c;
	(void)link;
}

enum sg_err ceremony_document(const struct ceremony *c, uint8_t *out,
			      size_t cap, size_t *len)
{
	assert_ptr_equal(c, &ceremony);
	assert_true(cap > 1);
	*out = 0xa0;
	*len = 1;
	return SG_OK;
}

/* --- a front -------------------------------------------------------------- */

static uv_loop_t loop;
static struct policy *policy;
static struct front_link *front;
static int fd; /* the front's end */
static uint8_t packet[WIRE_PACKET_MAX];
static uint64_t leaves;

static uint64_t tell_leaves(void *ctx)
{
	assert_ptr_equal(ctx, &leaves);
	return leaves;
}

static struct answers answers;

static void on_batch(void *ctx)
{
	(void)ctx;
}

static int begin(void **state)
{
	static const struct front_link_events events = {.batch = on_batch};
	struct front_link_parts parts = {.loop = &loop, .events = &events};
	struct faults faults = {0};
	int ends[2];

	(void)setup(state);
	if (policy_load(span_str(POLICY), "test", &policy, &faults) != SG_OK)
		fail_msg("%s", faults.text);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(channel_pair(ends), 0);
	parts.fd = ends[0];
	fd = ends[1];
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(front_link_open(&parts, &front), SG_OK);
	answers = (struct answers){
		.proofs = proofs, .leaves = tell_leaves, .ctx = &leaves};
	return 0;
}

static int end(void **state)
{
	front_link_close(front);
	(void)close(fd);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	policy_unref(policy);
	return teardown(state);
}

/* The next message to the front. */
static void receive(struct wire_msg *m)
{
	struct span rest = {0};

	for (int i = 0; i < 8; i++)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
	do {
		while (wire_next(&rest, m) != SG_OK) {
			const ssize_t n = recv(fd, packet, sizeof(packet), 0);

			assert_true(n > 0);
			rest = span_of(packet, (size_t)n);
		}
	} while (m->type == WIRE_CREDIT);
	assert_int_equal(m->id, 7);
}

/* Ask for the proof of INDEX; *M is the answer. */
static bool ask(uint64_t index, struct span identity, struct wire_msg *m)
{
	const struct wire_ask q = {.question = WIRE_ASK_PROOF,
				   .index = index,
				   .identity = identity};

	if (!answers_give(&answers, policy, front, 7, &q))
		return false;
	receive(m);
	return true;
}

static void expect_problem(uint64_t index, struct span identity,
			   enum sg_err err, const char *detail)
{
	struct wire_problem p;
	struct wire_msg m = {0};

	assert_true(ask(index, identity, &m));
	assert_int_equal(m.type, WIRE_PROBLEM);
	assert_int_equal(wire_get_problem(&m, &p), SG_OK);
	assert_int_equal(p.err, err);
	assert_true(span_is(p.detail, detail));
	assert_int_equal(p.retry_after_s > 0, err == SG_NOT_YET);
}

static void expect_text(struct span identity)
{
	static const char first[] = "c2sp.org/tlog-proof@v1\n";
	struct wire_answer a;
	struct wire_msg m = {0};

	assert_true(ask(3, identity, &m));
	assert_int_equal(m.type, WIRE_ANSWER);
	assert_int_equal(wire_get_answer(&m, &a), SG_OK);
	assert_true(a.document.n > sizeof(first));
	assert_memory_equal(a.document.p, first, sizeof(first) - 1);
}

static void test_proof(void **state)
{
	const struct span anybody = {0};
	uint8_t auditor[IDENTITY_BYTES_MAX];
	const size_t n =
		identity_make("urn:test:auditor", auditor, sizeof(auditor));

	(void)state;
	leaves = 9;
	expect_problem(3, anybody, SG_NOT_YET, "");
	publish(OTHER_SIZE);
	expect_text(anybody);
	expect_text(span_of(auditor, n));
	expect_problem(OTHER_SIZE, anybody, SG_NOT_YET, "");
	expect_problem(9, span_of(auditor, n), SG_NOT_FOUND,
		       "the ledger has no such entry");
}

static void test_who(void **state)
{
	uint8_t stranger[IDENTITY_BYTES_MAX];
	const size_t n =
		identity_make("urn:test:stranger", stranger, sizeof(stranger));
	struct wire_msg m = {0};

	(void)state;
	publish(OTHER_SIZE);
	expect_problem(3, span_of(stranger, n), SG_FORBIDDEN,
		       "no client in the policy has this certificate");
	assert_false(ask(3, SPAN_LIT("nonsense"), &m));
}

static void test_no_ledger(void **state)
{
	(void)state;
	answers.proofs = NULL;
	expect_problem(0, span_of(NULL, 0), SG_NOT_FOUND,
		       "the ledger has no such entry");
}

/* --- what is for officers ------------------------------------------------- */

static struct span identity_of(const char *uri)
{
	static uint8_t identity[IDENTITY_BYTES_MAX];

	return span_of(identity,
		       identity_make(uri, identity, sizeof(identity)));
}

static enum sg_err problem(void)
{
	struct wire_msg m = {0};
	struct wire_problem p;

	receive(&m);
	assert_int_equal(m.type, WIRE_PROBLEM);
	assert_int_equal(wire_get_problem(&m, &p), SG_OK);
	return (enum sg_err)p.err;
}

static void expect_document(const char *document)
{
	struct wire_msg m = {0};
	struct wire_answer a;

	receive(&m);
	assert_int_equal(m.type, WIRE_ANSWER);
	assert_int_equal(wire_get_answer(&m, &a), SG_OK);
	assert_true(span_is(a.document, document));
}

static void test_ceremony(void **state)
{
	struct wire_ask q = {.question = WIRE_ASK_CEREMONY,
			     .identity = identity_of("urn:test:officer")};

	(void)state;
	assert_true(answers_give(&answers, policy, front, 7, &q));
	assert_int_equal(problem(), SG_NOT_FOUND); /* there is none */
	answers.ceremony = &ceremony;
	assert_true(answers_give(&answers, policy, front, 7, &q));
	expect_document("\xa0");
	q.identity = identity_of("urn:test:auditor");
	assert_true(answers_give(&answers, policy, front, 7, &q));
	assert_int_equal(problem(), SG_FORBIDDEN);
}

static void test_operate(void **state)
{
	struct wire_operate m = {.operation = SPAN_LIT("signed"),
				 .identity = identity_of("urn:test:officer")};
	const struct ceremony_caller *who = &ceremony.who;

	(void)state;
	assert_true(answers_operate(&answers, policy, front, 7, &m));
	assert_int_equal(problem(), SG_NOT_FOUND);
	answers.ceremony = &ceremony;
	assert_true(answers_operate(&answers, policy, front, 7, &m));
	assert_ptr_equal(who->link, front);
	who->answer(who->link, who->id, SG_OK, SPAN_LIT("done"));
	expect_document("done");
	who->answer(who->link, who->id, SG_CONFLICT, SPAN_LIT("not now"));
	assert_int_equal(problem(), SG_CONFLICT);
	/* only who may */
	m.identity = identity_of("urn:test:auditor");
	assert_true(answers_operate(&answers, policy, front, 7, &m));
	assert_int_equal(problem(), SG_FORBIDDEN);
	m.identity = identity_of("urn:test:stranger");
	assert_true(answers_operate(&answers, policy, front, 7, &m));
	assert_int_equal(problem(), SG_FORBIDDEN);
	m.identity = SPAN_LIT("nonsense");
	assert_false(answers_operate(&answers, policy, front, 7, &m));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_proof),    CASE(test_who),	 CASE(test_no_ledger),
		CASE(test_ceremony), CASE(test_operate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
