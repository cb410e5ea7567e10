/* SPDX-License-Identifier: Apache-2.0 */
/* signer-officer: keys and what they sign. */
#include "tools/officer/officer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct command RECOVER_COMMAND, VKEY_COMMAND;

static const char STATEMENT[] =
	"signerd ledger recovery\ntest.example/log\n"
	"disk 7 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"
	"known nothing\n";

static char dir[64];

static const char *path_of(const char *name)
{
	static char path[4][128];
	static unsigned at;

	at = (at + 1) % 4;
	(void)snprintf(path[at], sizeof(path[0]), "%s/%s", dir, name);
	return path[at];
}

static void write_text(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static size_t read_text(const char *name, char out[4096])
{
	FILE *f = fopen(path_of(name), "re");
	size_t n;

	assert_non_null(f);
	n = fread(out, 1, 4095, f);
	out[n] = '\0';
	assert_int_equal(fclose(f), 0);
	return n;
}

static void write_key(const char *name, EVP_PKEY *pkey)
{
	FILE *f = fopen(path_of(name), "we");

	assert_non_null(pkey);
	assert_non_null(f);
	assert_int_equal(
		PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(f), 0);
	EVP_PKEY_free(pkey);
}

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test_officer.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	write_key("anne.pem", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	write_key("bao.pem", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	write_key("ec.pem", EVP_EC_gen("P-256"));
	write_text("request", STATEMENT);
	/* What it says is for people. */
	return freopen(path_of("said"), "we", stderr) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	// NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): our own folder
	return system(command);
}

static int recover(const char *in, const char *name, const char *key,
		   const char *out)
{
	char *argv[4];
	char file[4][128];
	struct args args;

	(void)snprintf(file[0], sizeof(file[0]), "%s", path_of(in));
	(void)snprintf(file[1], sizeof(file[1]), "--key=%s", path_of(key));
	(void)snprintf(file[2], sizeof(file[2]), "--name=%s", name);
	(void)snprintf(file[3], sizeof(file[3]), "--out=%s", path_of(out));
	for (int i = 0; i < 4; i++)
		argv[i] = file[i];
	assert_int_equal(args_parse(RECOVER_COMMAND.options,
				    RECOVER_COMMAND.noptions, 4, argv, &args),
			 SG_OK);
	return RECOVER_COMMAND.run(&args);
}

static void expect_signed(const char *file, const char *key_file,
			  const char *name)
{
	char why[WHY_MAX];
	char text[4096];
	struct officer_key key;
	struct note n;
	const size_t len = read_text(file, text);

	assert_int_equal(officer_key_read(path_of(key_file), name, &key, why,
					  sizeof(why)),
			 SG_OK);
	EVP_PKEY_free(key.pkey);
	assert_int_equal(note_parse(span_of((const uint8_t *)text, len), &n),
			 SG_OK);
	assert_true(span_is(n.text, STATEMENT));
	assert_int_equal(note_verify(&n, &key.note, NULL), SG_OK);
}

static void test_two_sign(void **state)
{
	char before[4096];
	char after[4096];

	(void)state;
	assert_int_equal(recover("request", "anne", "anne.pem", "one"),
			 EXIT_GOOD);
	expect_signed("one", "anne.pem", "anne");
	assert_int_equal(recover("one", "bao", "bao.pem", "two"), EXIT_GOOD);
	(void)fflush(stderr);
	expect_signed("two", "anne.pem", "anne");
	expect_signed("two", "bao.pem", "bao");
	/* They see what they sign, line by line. */
	(void)read_text("said", before);
	assert_non_null(strstr(before, STATEMENT));
	/* Once. */
	(void)read_text("two", before);
	assert_int_equal(recover("two", "anne", "anne.pem", "two"),
			 EXIT_REFUSED);
	(void)read_text("two", after);
	assert_string_equal(before, after);
}

/* Nobody signs what signerd did not ask for. */
static void test_not_a_statement(void **state)
{
	static const char *const bad[] = {
		"", "\n", "signerd ledger recovery\n",
		"test.example/log\n7\nAQEB\n\n",
		/* a line too few, too many, without its end, empty */
		"signerd ledger recovery\ntest.example/log\ndisk 7 A\n",
		"signerd ledger recovery\no\ndisk 7 A\nknown 7 A\nmore\n",
		"signerd ledger recovery\no\ndisk 7 A\nknown nothing",
		"signerd ledger recovery\no\n\nknown nothing\n",
		/* what a terminal would hide */
		"signerd ledger recovery\no\ndisk 7 A\rdisk 9 B\nknown 9 A\n",
		/* signature lines that are none */
		"signerd ledger recovery\no\ndisk 7 A\nknown nothing\n\nx\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_text("other", bad[i]);
		assert_int_equal(recover("other", "anne", "anne.pem", "none"),
				 EXIT_REFUSED);
		assert_int_not_equal(access(path_of("none"), F_OK), 0);
	}
}

static void test_trouble(void **state)
{
	struct args args;
	char file[] = "file";
	char *argv[] = {file, NULL};

	(void)state;
	assert_int_equal(recover("missing", "anne", "anne.pem", "none"),
			 EXIT_TROUBLE);
	assert_int_equal(recover("request", "anne", "missing.pem", "none"),
			 EXIT_TROUBLE);
	assert_int_equal(recover("request", "anne", "request", "none"),
			 EXIT_TROUBLE);
	assert_int_equal(recover("request", "anne", "ec.pem", "none"),
			 EXIT_TROUBLE);
	assert_int_equal(recover("request", "an ne", "anne.pem", "none"),
			 EXIT_TROUBLE);
	assert_int_equal(recover("request", "anne", "anne.pem", "no/where"),
			 EXIT_TROUBLE);
	assert_int_not_equal(access(path_of("none"), F_OK), 0);
	assert_int_equal(args_parse(RECOVER_COMMAND.options,
				    RECOVER_COMMAND.noptions, 1, argv, &args),
			 SG_OK);
	assert_int_equal(RECOVER_COMMAND.run(&args), EXIT_TROUBLE);
}

/* Run COMMAND, which has to be good; PRINTED gets its standard output. */
static void run_printed(const struct command *command, int argc, char **argv,
			char printed[4096])
{
	struct args args;
	int saved;
	int fd;

	assert_int_equal(args_parse(command->options, command->noptions, argc,
				    argv, &args),
			 SG_OK);
	(void)fflush(stdout);
	saved = dup(STDOUT_FILENO);
	fd = open(path_of("printed"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		  0600);
	assert_true(saved >= 0 && fd >= 0);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	assert_int_equal(command->run(&args), EXIT_GOOD);
	(void)fflush(stdout);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	(void)close(saved);
	(void)close(fd);
	(void)read_text("printed", printed);
}

/* With --json, standard output is JSON and nothing else. */
static void test_json(void **state)
{
	char in[128];
	char key[140];
	char out[140];
	char name[] = "--name=anne";
	char json[] = "--json";
	char *argv[] = {in, key, name, json, out, NULL};
	char printed[4096];
	char note[4096];

	(void)state;
	(void)snprintf(in, sizeof(in), "%s", path_of("request"));
	(void)snprintf(key, sizeof(key), "--key=%s", path_of("anne.pem"));
	(void)snprintf(out, sizeof(out), "--out=%s", path_of("alone"));
	for (int argc = 4; argc <= 5; argc++) {
		json_t *j;

		run_printed(&RECOVER_COMMAND, argc, argv, printed);
		j = json_loads(printed, 0, NULL);
		assert_non_null(j);
		assert_int_equal(
			json_integer_value(json_object_get(j, "signatures")),
			1);
		(void)snprintf(
			note, sizeof(note), "%s",
			json_string_value(json_object_get(j, "statement")));
		assert_memory_equal(note, STATEMENT, strlen(STATEMENT));
		json_decref(j);
	}
	/* The file has the note itself; Ed25519 signs alike each time. */
	(void)read_text("alone", printed);
	assert_string_equal(printed, note);
}

/* What vkey prints is the key that recover signs with. */
static void test_vkey(void **state)
{
	char key[128];
	char name[] = "--name=anne";
	char *argv[] = {key, name, NULL};
	char printed[4096];
	char text[NOTE_VKEY_MAX + 1];
	char why[WHY_MAX];
	struct officer_key read;

	(void)state;
	(void)snprintf(key, sizeof(key), "%s", path_of("anne.pem"));
	run_printed(&VKEY_COMMAND, 2, argv, printed);
	assert_int_equal(officer_key_read(key, "anne", &read, why, sizeof(why)),
			 SG_OK);
	note_key_text(&read.note, text);
	EVP_PKEY_free(read.pkey);
	(void)strncat(text, "\n", 2);
	assert_string_equal(printed, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_sign),
		cmocka_unit_test(test_not_a_statement),
		cmocka_unit_test(test_trouble), cmocka_unit_test(test_json),
		cmocka_unit_test(test_vkey)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
