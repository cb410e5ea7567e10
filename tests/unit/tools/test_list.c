/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "command_fixture.h"
#include "log_fixture.h"

extern const struct command AUDIT_LIST_COMMAND;
extern const struct command AUDIT_EXPORT_COMMAND;

enum { CERTIFICATES = 1000, COLUMNS = 30 };
static const int64_t START_MS = 1790000000000;

static void add_refused(void)
{
	static const struct entry_refused R = {
		.client = {(const uint8_t *)"lab, \"two\"", 10},
		.from_ms = 1790000900000,
		.records = 12,
		.n = 3,
		.code = {{{(const uint8_t *)"x\"y", 3}, 1},
			 {{(const uint8_t *)"too-long", 8}, 5},
			 {{(const uint8_t *)"wrong-type", 10}, 9}},
	};
	size_t n;

	assert_int_equal(entry_encode_refused(START_MS + 1001000, &R,
					      log_entries[log_size].b,
					      LOG_ENTRY_BYTES, &n),
			 SG_OK);
	log_take(n, (struct record){0});
}

/* 0 started, 1 .. 1000 certificates, 1001 refused, 1002 policy, 1003 a
 * ceremony, 1004 stopped. */
static int setup(void **state)
{
	static const uint8_t POLICY[32] = {0xfe};
	char uvci[64];
	size_t n;

	if (log_setup(state) != 0)
		return 1;
	log_run(ENTRY_STARTED, START_MS);
	for (size_t i = 1; i <= CERTIFICATES; i++) {
		struct log_certificate c = {
			.type = i % 10 == 0 ? ENTRY_RENEWED : ENTRY_ISSUED,
			.time_ms = START_MS + (int64_t)i * 1000,
			.client = i % 2 == 0 ? "B\xe1\xbb\x99 Y t\xe1\xba\xbf"
					     : "=lab",
			.kid = i % 4 == 0 ? 0x44 : 0x11,
			.alg = COSE_ES256,
			.kind = (enum dcc_kind)(i % 3),
			.country = "VN",
			.uvci = uvci,
			.exp = START_MS / 1000 + 1000,
			.attested = i % 100 == 0,
		};

		(void)snprintf(uvci, sizeof(uvci), "URN:UVCI:01:VN:%zu", i);
		log_certificate(&c);
	}
	add_refused();
	assert_int_equal(entry_encode_policy(START_MS + 1002000, POLICY,
					     log_entries[log_size].b,
					     LOG_ENTRY_BYTES, &n),
			 SG_OK);
	log_take(n, (struct record){0});
	assert_int_equal(
		entry_encode_ceremony(
			START_MS + 1003000,
			&(struct entry_ceremony){
				.operation = SPAN_LIT("what they signed")},
			log_entries[log_size].b, LOG_ENTRY_BYTES, &n),
		SG_OK);
	log_take(n, (struct record){0});
	log_run(ENTRY_STOPPED, START_MS + 1004000);
	log_publish();
	return 0;
}

static size_t lines_of(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

/* Lines that the command prints with OPTION VALUE. */
static size_t count(const char *option, const char *value)
{
	char *out;
	size_t n;

	assert_int_equal(COMMAND(&AUDIT_EXPORT_COMMAND, &out, log_dir,
				 "--quiet", option, value),
			 EXIT_GOOD);
	n = lines_of(out);
	free(out);
	return n;
}

static void test_filters(void **state)
{
	(void)state;
	assert_int_equal(count("--vkey", log_vkey), 1005);
	assert_int_equal(count("--client", "=lab"), 500);
	assert_int_equal(count("--client", "nobody"), 0);
	assert_int_equal(count("--kid", "4444444444444444"), 250);
	assert_int_equal(count("--alg", "ES256"), 1000);
	assert_int_equal(count("--kind", "r"), 333);
	assert_int_equal(count("--kind", "v,t"), 667);
	assert_int_equal(count("--type", "renewed"), 100);
	assert_int_equal(count("--type", "policy,ceremony,refused"), 3);
	assert_int_equal(count("--policy", "abcd"), 1000);
	assert_int_equal(count("--policy", "fe"), 1);
	assert_int_equal(count("--from", "1790001000"), 5);
	assert_int_equal(count("--to", "1790000010"), 10);
	assert_int_equal(count("--index", "3,250..260,1004.."), 13);
	assert_int_equal(count("--index", "1005.."), 0);
}

static const char *text_of(const json_t *j, const char *name)
{
	return json_string_value(json_object_get(j, name));
}

static json_int_t number_of(const json_t *j, const char *name)
{
	return json_integer_value(json_object_get(j, name));
}

static void test_ndjson(void **state)
{
	char *out;
	char *line;
	size_t i = 0;

	(void)state;
	assert_int_equal(COMMAND(&AUDIT_EXPORT_COMMAND, &out, log_dir,
				 "--quiet", "--json"),
			 EXIT_GOOD);
	line = out;
	while (*line != '\0') {
		char *end = strchr(line, '\n');
		json_t *j;

		*end = '\0';
		j = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(j);
		assert_int_equal(number_of(j, "index"), i);
		assert_int_equal(number_of(j, "time_ms"),
				 START_MS + (json_int_t)i * 1000);
		if (i == 100) {
			assert_string_equal(text_of(j, "type"), "renewed");
			assert_string_equal(text_of(j, "client"),
					    "B\xe1\xbb\x99 Y t\xe1\xba\xbf");
			assert_string_equal(text_of(j, "kid"), "REREREREREQ=");
			assert_string_equal(text_of(j, "alg"), "ES256");
			assert_string_equal(text_of(j, "kind"), "t");
			assert_int_equal(number_of(j, "iat"), 1790000100);
			assert_int_equal(strlen(text_of(j, "uvci_hash")), 64);
			assert_int_equal(strlen(text_of(j, "revocation_hash")),
					 32);
			assert_int_equal(strlen(text_of(j, "leaf_hash")), 64);
			assert_non_null(text_of(j, "attestation"));
		} else if (i == 1001) {
			assert_int_equal(number_of(j, "records"), 12);
			assert_string_equal(text_of(j, "client"),
					    "lab, \"two\"");
			assert_int_equal(number_of(json_object_get(j, "codes"),
						   "wrong-type"),
					 9);
		} else if (i == 1003) {
			assert_int_equal(number_of(j, "operation_bytes"), 16);
		}
		json_decref(j);
		line = end + 1;
		i++;
	}
	assert_int_equal(i, 1005);
	free(out);
}

/* Fields of a line of CSV, which ends before *END. */
static size_t fields(const char *line, const char **end)
{
	bool quoted = false;
	size_t n = 1;

	for (; quoted || *line != '\r'; line++) {
		assert_int_not_equal(*line, '\0');
		if (*line == '"')
			quoted = !quoted;
		n += !quoted && *line == ',';
	}
	*end = line + 2;
	return n;
}

static void test_csv(void **state)
{
	char *out;
	const char *line;
	size_t n = 0;

	(void)state;
	assert_int_equal(COMMAND(&AUDIT_EXPORT_COMMAND, &out, log_dir,
				 "--quiet", "--csv"),
			 EXIT_GOOD);
	for (line = out; *line != '\0'; n++)
		assert_int_equal(fields(line, &line), COLUMNS);
	assert_int_equal(n, 1006); /* and the head */
	/* No formula, and quotes doubled. */
	assert_non_null(strstr(out, ",\"'=lab\","));
	assert_non_null(strstr(out, ",\"lab, \"\"two\"\"\","));
	assert_non_null(
		strstr(out, ",12,\"x\"\"y=1 too-long=5 wrong-type=9\","));
	free(out);
}

static void test_table(void **state)
{
	char *out;
	json_t *j;

	(void)state;
	assert_int_equal(COMMAND(&AUDIT_LIST_COMMAND, &out, log_dir, "--quiet"),
			 EXIT_GOOD);
	assert_int_equal(lines_of(out), 101);
	free(out);
	assert_int_equal(
		COMMAND(&AUDIT_LIST_COMMAND, &out, log_dir, "--quiet", "--all"),
		EXIT_GOOD);
	assert_int_equal(lines_of(out), 1006);
	assert_non_null(
		strstr(out, "12 records: x\"y 1, too-long 5, wrong-type 9"));
	assert_non_null(strstr(out, "16 bytes, SHA-256 "));
	free(out);
	assert_int_equal(COMMAND(&AUDIT_LIST_COMMAND, &out, log_dir, "--quiet",
				 "--last", "3", "--json"),
			 EXIT_GOOD);
	j = json_loads(out, 0, NULL);
	assert_int_equal(json_array_size(j), 3);
	assert_int_equal(number_of(json_array_get(j, 0), "index"), 1002);
	json_decref(j);
	free(out);
	assert_int_equal(COMMAND(&AUDIT_LIST_COMMAND, &out, log_dir, "--quiet",
				 "--limit", "2", "--json", "--client",
				 "nobody"),
			 EXIT_GOOD);
	assert_string_equal(out, "[]\n");
	free(out);
}

/* --- a log that is not what was signed ------------------------------------ */

static void flip(const char *name, off_t at)
{
	char path[160];
	uint8_t b;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", log_dir, name);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= 1;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	(void)close(fd);
}

static int export_of(const char *index)
{
	return COMMAND(&AUDIT_EXPORT_COMMAND, NULL, log_dir, "--quiet",
		       "--vkey", log_vkey, "--index", index);
}

static void test_spoilt(void **state)
{
	(void)state;
	flip("tile/entries/001", 100);
	assert_int_equal(export_of("300"), EXIT_REFUSED);
	assert_int_equal(export_of("600"), EXIT_GOOD); /* another bundle */
	flip("tile/entries/001", 100);
	assert_int_equal(export_of("300"), EXIT_GOOD);
	flip("tile/1/000.p/3", 40);
	assert_int_equal(export_of("600"), EXIT_REFUSED);
	flip("tile/1/000.p/3", 40);
	/* The checkpoint's root, and its signature. */
	flip("checkpoint", (off_t)sizeof(LOG_ORIGIN "\n1005\n"));
	assert_int_equal(export_of("600"), EXIT_REFUSED);
	flip("checkpoint", (off_t)sizeof(LOG_ORIGIN "\n1005\n"));
	assert_int_equal(export_of("600"), EXIT_GOOD);
}

static void test_missing(void **state)
{
	char path[160];
	char moved[160];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/tile/entries/002", log_dir);
	(void)snprintf(moved, sizeof(moved), "%s/moved", log_dir);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(export_of("600"), EXIT_REFUSED);
	assert_int_equal(rename(moved, path), 0);
	assert_int_equal(export_of("600"), EXIT_GOOD);
}

static void test_usage(void **state)
{
	(void)state;
	assert_int_equal(COMMAND(&AUDIT_LIST_COMMAND, NULL, "--quiet"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&AUDIT_LIST_COMMAND, NULL, "/nowhere/at/all"),
			 EXIT_TROUBLE);
	assert_int_equal(
		COMMAND(&AUDIT_LIST_COMMAND, NULL, log_dir, "--limit", "0"),
		EXIT_TROUBLE);
	assert_int_equal(COMMAND(&AUDIT_LIST_COMMAND, NULL, log_dir, "--last",
				 "5", "--index", "1"),
			 EXIT_TROUBLE);
	assert_int_equal(
		COMMAND(&AUDIT_LIST_COMMAND, NULL, log_dir, "--kid", "1"),
		EXIT_TROUBLE);
	assert_int_equal(COMMAND(&AUDIT_LIST_COMMAND, NULL, log_dir, "--vkey",
				 "/nowhere/at/all"),
			 EXIT_TROUBLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters), cmocka_unit_test(test_ndjson),
		cmocka_unit_test(test_csv),	cmocka_unit_test(test_table),
		cmocka_unit_test(test_spoilt),	cmocka_unit_test(test_missing),
		cmocka_unit_test(test_usage),
	};
	return cmocka_run_group_tests(tests, setup, log_teardown);
}
