/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "command_fixture.h"
#include "log_fixture.h"
#include "tests/unit/ceremony/vectors.h"
#include "tests/unit/hcert/hex.h"

extern const struct command AUDIT_REPORT_COMMAND;

static const int64_t START_MS = 1790000000000; /* 2026-09-21T14:13:20Z */
static const int64_t HOUR_MS = 3600000;

static void add_certificate(int64_t time_ms, const char *client,
			    enum entry_type type, enum dcc_kind kind)
{
	const struct log_certificate c = {
		.type = type,
		.time_ms = time_ms,
		.client = client,
		.kid = 0x11,
		.alg = COSE_ES256,
		.kind = kind,
		.country = "VN",
		.uvci = "URN:UVCI:01:VN:1",
		.exp = time_ms / 1000 + 1000,
	};

	log_certificate(&c);
}

static void add_refused(int64_t time_ms)
{
	static const struct entry_refused R = {
		.client = {(const uint8_t *)"<lab>", 5},
		.records = 12,
		.n = 1,
		.code = {{{(const uint8_t *)"too-long", 8}, 15}},
	};
	size_t n;

	assert_int_equal(entry_encode_refused(time_ms, &R,
					      log_entries[log_size].b,
					      LOG_ENTRY_BYTES, &n),
			 SG_OK);
	log_take(n, (struct record){0});
}

static void add_policy(int64_t time_ms, uint8_t name)
{
	const uint8_t hash[32] = {name};
	size_t n;

	assert_int_equal(entry_encode_policy(time_ms, hash,
					     log_entries[log_size].b,
					     LOG_ENTRY_BYTES, &n),
			 SG_OK);
	log_take(n, (struct record){0});
}

static void add_key_event(int64_t time_ms)
{
	static const uint8_t kid[COSE_KID_BYTES] = {1, 2, 3};
	const struct entry_key_event e = {.label = SPAN_LIT("<dsc-7>"),
					  .state = SPAN_LIT("active"),
					  .kid = kid};
	size_t n;

	assert_int_equal(entry_encode_key_event(time_ms, &e,
						log_entries[log_size].b,
						LOG_ENTRY_BYTES, &n),
			 SG_OK);
	log_take(n, (struct record){0});
}

static void add_refusal(int64_t time_ms)
{
	size_t n;

	assert_int_equal(
		entry_encode_ceremony(
			time_ms,
			&(struct entry_ceremony){
				.operation = hex(VECTOR_OPERATION),
				.refusal = SPAN_LIT("too few <approvals>")},
			log_entries[log_size].b, LOG_ENTRY_BYTES, &n),
		SG_OK);
	log_take(n, (struct record){0});
}

static int setup(void **state)
{
	size_t n;

	if (log_setup(state) != 0)
		return 1;
	log_run(ENTRY_STARTED, START_MS);
	add_policy(START_MS + 1, 0xaa);
	add_certificate(START_MS + 2, "ministry", ENTRY_ISSUED, DCC_TEST);
	/* The period: a day from here on. */
	for (int i = 0; i < 600; i++)
		add_certificate(START_MS + HOUR_MS + i, "ministry",
				i % 100 == 0 ? ENTRY_RENEWED : ENTRY_ISSUED,
				DCC_VACCINATION);
	add_refused(START_MS + HOUR_MS + 700);
	add_policy(START_MS + HOUR_MS + 800, 0xbb);
	assert_int_equal(
		entry_encode_ceremony(
			START_MS + HOUR_MS + 900,
			&(struct entry_ceremony){
				.operation = SPAN_LIT("what they signed")},
			log_entries[log_size].b, LOG_ENTRY_BYTES, &n),
		SG_OK);
	log_take(n, (struct record){0});
	add_key_event(START_MS + HOUR_MS + 901);
	add_refusal(START_MS + HOUR_MS + 902);
	add_certificate(START_MS + 5 * HOUR_MS, "<lab>", ENTRY_ISSUED,
			DCC_RECOVERY);			/* behind a gap */
	log_run(ENTRY_STARTED, START_MS + 6 * HOUR_MS); /* a crash */
	add_certificate(START_MS + 6 * HOUR_MS - 5, "<lab>", ENTRY_ISSUED,
			DCC_RECOVERY); /* the clock went back */
	/* Behind the period. */
	add_certificate(START_MS + 48 * HOUR_MS, "ministry", ENTRY_ISSUED,
			DCC_TEST);
	log_publish();
	return 0;
}

#define PERIOD                                                                 \
	log_dir, "--quiet", "--vkey", log_vkey, "--from",                      \
		"2026-09-21T15:13:20Z", "--to", "2026-09-22T15:13:20Z"

static json_int_t number_of(const json_t *j, const char *name)
{
	return json_integer_value(json_object_get(j, name));
}

static const char *text_of(const json_t *j, const char *name)
{
	return json_string_value(json_object_get(j, name));
}

static const json_t *at(const json_t *j, const char *name, size_t i)
{
	return json_array_get(json_object_get(j, name), i);
}

static void test_json(void **state)
{
	char *out;
	json_t *j;
	const json_t *e;

	(void)state;
	assert_int_equal(COMMAND(&AUDIT_REPORT_COMMAND, &out, PERIOD, "--json"),
			 EXIT_GOOD);
	j = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
	free(out);
	assert_non_null(j);
	assert_int_equal(number_of(j, "entries"), 608);
	assert_int_equal(number_of(j, "first_index"), 3);
	assert_int_equal(number_of(j, "last_index"), 610);
	e = json_object_get(j, "total");
	assert_int_equal(number_of(json_object_get(e, "issued"), "v"), 594);
	assert_int_equal(number_of(json_object_get(e, "issued"), "r"), 2);
	assert_int_equal(number_of(json_object_get(e, "issued"), "t"), 0);
	assert_int_equal(number_of(json_object_get(e, "renewed"), "v"), 6);
	assert_int_equal(number_of(e, "refused"), 12);
	assert_int_equal(json_array_size(json_object_get(j, "clients")), 2);
	e = at(j, "clients", 0);
	assert_string_equal(json_string_value(json_object_get(e, "client")),
			    "<lab>");
	assert_int_equal(number_of(e, "refused"), 12);
	assert_int_equal(json_array_size(json_object_get(j, "keys")), 1);
	assert_string_equal(
		json_string_value(json_object_get(at(j, "keys", 0), "kid")),
		"ERERERERERE=");
	assert_int_equal(number_of(at(j, "refusals", 0), "times"), 15);
	/* policy, ceremony, key, ceremony, started */
	assert_int_equal(json_array_size(json_object_get(j, "events")), 5);
	e = at(j, "events", 2);
	assert_string_equal(text_of(e, "label"), "<dsc-7>");
	assert_string_equal(text_of(e, "state"), "active");
	assert_string_equal(text_of(e, "kid"), "AQIDAAAAAAA=");
	e = at(j, "events", 3);
	assert_string_equal(text_of(e, "operation"), "stop");
	assert_string_equal(text_of(e, "key"), "dsc-7");
	assert_string_equal(text_of(e, "proposer"), "alice");
	assert_null(json_object_get(e, "officers"));
	assert_non_null(json_object_get(e, "claimed_officers"));
	assert_string_equal(text_of(e, "refusal"), "too few <approvals>");
	assert_true(
		json_is_true(json_object_get(at(j, "events", 4), "unclean")));
	assert_int_equal(number_of(j, "starts_without_stop"), 1);
	assert_int_equal(number_of(j, "gap_count"), 1);
	assert_int_equal(number_of(j, "dated_before"), 1);
	assert_int_equal(number_of(j, "dated_before_most_ms"), 5);
	assert_int_equal(number_of(json_object_get(j, "checkpoint"), "size"),
			 612);
	assert_true(json_is_true(json_object_get(
		json_object_get(j, "checkpoint"), "vkey_given")));
	json_decref(j);
}

static void test_text(void **state)
{
	static const char *const WANT[] = {
		"Certificates issued",
		"596",
		"Gaps: long times without any entry",
		"too-long",
		"the text is longer than is allowed",
		"NO STOP IS RECORDED",
		"In force as the period began:",
		"aa00000000",
		"bb00000000",
		"operation of officers",
		"key <dsc-7> is active, kid AQIDAAAAAAA=",
		"REFUSED (too few <approvals>): stop dsc-7 (operation 573e9d",
		"in front of them: 1, by 0.005 s",
		"--index 3..610",
		"was given by whoever",
	};
	char *out;

	(void)state;
	assert_int_equal(COMMAND(&AUDIT_REPORT_COMMAND, &out, PERIOD),
			 EXIT_GOOD);
	for (size_t i = 0; i < sizeof(WANT) / sizeof(WANT[0]); i++)
		if (strstr(out, WANT[i]) == NULL)
			fail_msg("\"%s\" is not in it", WANT[i]);
	free(out);
}

static void test_html(void **state)
{
	char path[128];
	char *out;
	uint8_t *html;
	size_t n;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/report.html", log_base);
	assert_int_equal(
		COMMAND(&AUDIT_REPORT_COMMAND, &out, PERIOD, "--html", path),
		EXIT_GOOD);
	assert_string_equal(out, "");
	free(out);
	assert_int_equal(fileio_read(path, COMMAND_OUTPUT_MAX, &html, &n),
			 SG_OK);
	assert_non_null(strstr((const char *)html, "&lt;lab&gt;"));
	assert_null(strstr((const char *)html, "<lab>"));
	assert_null(strstr((const char *)html, "<script"));
	assert_non_null(strstr((const char *)html, "</html>\n"));
	free(html);
	/* With the text beside it; and where it cannot be written. */
	assert_int_equal(COMMAND(&AUDIT_REPORT_COMMAND, &out, PERIOD, "--html",
				 path, "--text"),
			 EXIT_GOOD);
	assert_non_null(strstr(out, "Report on the ledger " LOG_ORIGIN));
	free(out);
	assert_int_equal(COMMAND(&AUDIT_REPORT_COMMAND, NULL, PERIOD, "--html",
				 "/nowhere/at/all.html"),
			 EXIT_TROUBLE);
}

static void test_selected(void **state)
{
	char *out;

	(void)state;
	assert_int_equal(COMMAND(&AUDIT_REPORT_COMMAND, &out, log_dir,
				 "--quiet", "--index", "3..10"),
			 EXIT_GOOD);
	assert_non_null(strstr(out, "Only a selection"));
	assert_non_null(strstr(out, "ATTENTION: the signature was checked"));
	free(out);
}

static void test_usage(void **state)
{
	(void)state;
	assert_int_equal(COMMAND(&AUDIT_REPORT_COMMAND, NULL, "--quiet"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&AUDIT_REPORT_COMMAND, NULL, log_dir, "--text",
				 "--json"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&AUDIT_REPORT_COMMAND, NULL, log_dir, "--html",
				 "-", "--json"),
			 EXIT_TROUBLE);
	assert_int_equal(
		COMMAND(&AUDIT_REPORT_COMMAND, NULL, log_dir, "--gap", "0"),
		EXIT_TROUBLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),  cmocka_unit_test(test_text),
		cmocka_unit_test(test_html),  cmocka_unit_test(test_selected),
		cmocka_unit_test(test_usage),
	};
	return cmocka_run_group_tests(tests, setup, log_teardown);
}
