/* SPDX-License-Identifier: Apache-2.0 */
/* ceremony_document: what officers are shown. */
#include "ceremony_operations.h"
#include "hcert/cbor.h"

static uint8_t text[CEREMONY_DOCUMENT_MAX];

static struct span document(struct world *w)
{
	const struct cbor_limits limits = {.depth = 8, .items = 4096};
	size_t n;
	size_t m;

	assert_int_equal(
		ceremony_document(ceremony_of(w), text, sizeof(text), &n),
		SG_OK);
	/* Keys in order, each once, and as many as the heads say. */
	assert_int_equal(cbor_check(span_of(text, n), limits), SG_OK);
	assert_int_equal(ceremony_document(ceremony_of(w), NULL, 0, &m),
			 SG_TOO_BIG);
	assert_int_equal(m, n);
	return span_of(text, n);
}

/* How often does it hold KEY (as text)? */
static size_t count(struct span in, const char *key)
{
	const size_t n = strlen(key);
	size_t found = 0;

	for (size_t i = 1; i + n <= in.n; i++)
		found += in.p[i - 1] == (0x60 | n) &&
			 memcmp(in.p + i, key, n) == 0;
	return found;
}

static void test_stages(void **state)
{
	struct world *w = world_open();
	struct span d = document(w);

	(void)state;
	assert_int_equal(count(d, "roll"), 0);
	assert_int_equal(count(d, "label"), 2);
	assert_int_equal(count(d, "configured"), 2);
	assert_int_equal(count(d, "makesKeys"), 2);
	assert_int_equal(count(d, "good"), 2 + 2); /* hsms' states, too */
	w->policy_approval = true;
	assert_done(w, genesis(w));
	d = document(w);
	assert_int_equal(count(d, "roll"), 1);
	assert_int_equal(count(d, "approved-policy"), 1);
	assert_int_equal(count(d, "anne"), 1);
	assert_done(w, generate(w, "dsc-2"));
	d = document(w);
	assert_int_equal(count(d, "generated"), 1);
	assert_int_equal(count(d, "kid"), OFFICERS + 1);
	assert_done(w, request(w, "dsc-2"));
	assert_int_equal(count(document(w), "csr"), 1);
	assert_done(w, import(w, "dsc-2", made(w, SPAN_LIT("dsc-2"))));
	OFFICE_WAIT(w->o, good(w, "dsc-2") > 0);
	assert_done(w, simple(w, OPERATION_PUBLISH, "dsc-2"));
	assert_done(w, activate(w, "dsc-2", clock_wall_s() + 600));
	d = document(w);
	assert_int_equal(count(d, "activate"), 1);
	assert_int_equal(count(d, "published"), 2); /* and its state */
	assert_int_equal(count(d, "notAfter"), 2);
	assert_int_equal(count(d, "kid"), OFFICERS + 2);
	assert_done(w, activate(w, "dsc-2", 0));
	d = document(w);
	assert_int_equal(count(d, "retired"), 1);
	assert_int_equal(count(d, "active"), 2); /* and the ledger's */
	world_close(w);
}

/* What the caller hears: {"csr"?, "spki"?, "state"?, "ledger", "number",
 * "operation"}. */
static void test_answers(void **state)
{
	struct world *w = world_open();
	const struct cbor_limits limits = {.depth = 2, .items = 32};
	struct span heard;

	(void)state;
	assert_done(w, genesis(w));
	heard = span_of(w->heard.document, w->heard.document_n);
	assert_int_equal(cbor_check(heard, limits), SG_OK);
	assert_int_equal(count(heard, "ledger"), 1);
	assert_int_equal(count(heard, "state"), 0);
	assert_done(w, generate(w, "dsc-2"));
	heard = span_of(w->heard.document, w->heard.document_n);
	assert_int_equal(cbor_check(heard, limits), SG_OK);
	assert_int_equal(count(heard, "spki"), 1);
	assert_int_equal(count(heard, "csr"), 0);
	assert_done(w, request(w, "dsc-2"));
	heard = span_of(w->heard.document, w->heard.document_n);
	assert_int_equal(cbor_check(heard, limits), SG_OK);
	assert_int_equal(count(heard, "csr"), 1);
	assert_int_equal(count(heard, "requested"), 1);
	assert_done(w, simple(w, OPERATION_STOP, "dsc-1"));
	heard = span_of(w->heard.document, w->heard.document_n);
	assert_int_equal(count(heard, "stopped"), 1);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_stages),
					   cmocka_unit_test(test_answers)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
