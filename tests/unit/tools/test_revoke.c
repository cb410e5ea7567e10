/* SPDX-License-Identifier: Apache-2.0 */
/* signer-officer revoke: a statement and its list, made and signed. */
#include "tools/officer/officer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/revocation.h"

extern const struct command REVOKE_COMMAND;

#define ONE "01010101010101010101010101010101\n"
#define TWO "02020202020202020202020202020202\n"

static char dir[64];

static void path_of(const char *name, char out[128])
{
	(void)snprintf(out, 128, "%s/%s", dir, name);
}

static void write_file(const char *name, const void *data, size_t n)
{
	char path[128];
	FILE *f;

	path_of(name, path);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static size_t read_file(const char *name, uint8_t out[4096])
{
	char path[128];
	size_t n;
	FILE *f;

	path_of(name, path);
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(out, 1, 4096, f);
	assert_int_equal(fclose(f), 0);
	return n;
}

static void write_key(const char *name)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	char path[128];
	FILE *f;

	path_of(name, path);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(
		PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(f), 0);
	EVP_PKEY_free(pkey);
}

static int set_up(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test_revoke.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	write_key("anne.pem");
	write_key("bao.pem");
	write_file("hashes", TWO ONE ONE, strlen(TWO ONE ONE));
	path_of("said", path); /* what it says is for people */
	return freopen(path, "we", stderr) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	// NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): our own folder
	return system(command);
}

/* FILE, signed by NAME, whose key is NAME.pem; MORE: options of a new one. */
static int revoke_by(const char *name, const char *file, const char *out,
		     const char *const *more)
{
	char arg[9][160];
	char *argv[9];
	char path[128];
	struct args args;
	int n = 0;

	path_of(file, arg[n++]);
	(void)snprintf(arg[n++], sizeof(arg[0]), "--key=%s/%s.pem", dir, name);
	(void)snprintf(arg[n++], sizeof(arg[0]), "--name=%s", name);
	(void)snprintf(arg[n++], sizeof(arg[0]), "--list=%s/list", dir);
	path_of(out, path);
	(void)snprintf(arg[n++], sizeof(arg[0]), "--out=%s", path);
	for (; more != NULL && *more != NULL; more++)
		(void)snprintf(arg[n++], sizeof(arg[0]), "%s", *more);
	for (int i = 0; i < n; i++)
		argv[i] = arg[i];
	assert_int_equal(args_parse(REVOKE_COMMAND.options,
				    REVOKE_COMMAND.noptions, n, argv, &args),
			 SG_OK);
	return REVOKE_COMMAND.run(&args);
}

static const char *const NEW[] = {"--serial=7", "--kind=uci",
				  "--origin=a.example/log",
				  "--reason=bị làm giả", NULL};

static void test_made_and_signed(void **state)
{
	uint8_t bytes[4096];
	struct revocation r;
	struct note n;
	size_t len;

	(void)state;
	assert_int_equal(revoke_by("anne", "hashes", "one", NEW), EXIT_GOOD);
	len = read_file("list", bytes);
	assert_int_equal(len, 2 * REVOCATION_HASH_BYTES);
	assert_true(bytes[0] == 1 && bytes[REVOCATION_HASH_BYTES] == 2);
	assert_int_equal(revoke_by("bao", "one", "two", NULL), EXIT_GOOD);
	len = read_file("two", bytes);
	assert_int_equal(note_parse(span_of(bytes, len), &n), SG_OK);
	assert_int_equal(n.n, 2);
	assert_int_equal(revocation_parse(n.text, &r), SG_OK);
	assert_int_equal(r.serial, 7);
	assert_int_equal(r.kind, REVOCATION_UCI);
	assert_int_equal(r.count, 2);
	assert_true(span_is(r.origin, "a.example/log"));
	for (int i = 0; i < 2; i++) {
		const char *const name = i == 0 ? "anne" : "bao";
		char why[WHY_MAX];
		char path[160];
		struct officer_key key;

		(void)snprintf(path, sizeof(path), "%s/%s.pem", dir, name);
		assert_int_equal(
			officer_key_read(path, name, &key, why, sizeof(why)),
			SG_OK);
		EVP_PKEY_free(key.pkey);
		assert_int_equal(note_verify(&n, &key.note, NULL), SG_OK);
	}
	/* Nobody signs twice. */
	assert_int_equal(revoke_by("bao", "two", "three", NULL), EXIT_REFUSED);
	/* Nor what the list is not. */
	write_file("list", bytes, 16);
	assert_int_equal(revoke_by("bao", "one", "three", NULL), EXIT_REFUSED);
}

static void test_refused(void **state)
{
	const char *wrong[][5] = {
		{"--serial=0", "--kind=uci", "--origin=a", "--reason=r"},
		{"--serial=10000", "--kind=uci", "--origin=a", "--reason=r"},
		{"--serial=1", "--kind=all", "--origin=a", "--reason=r"},
		{"--serial=1", "--kind=uci", "--origin=a", "--reason=r\ns"},
		{"--serial=1", "--kind=uci", "--origin=a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(revoke_by("anne", "hashes", "x", wrong[i]),
				 EXIT_TROUBLE);
	write_file("empty", "\n", 1);
	assert_int_equal(revoke_by("anne", "empty", "x", NEW), EXIT_TROUBLE);
	assert_int_equal(revoke_by("anne", "absent", "x", NEW), EXIT_TROUBLE);
	/* No statement: the hashes themselves. */
	assert_int_equal(revoke_by("anne", "hashes", "x", NULL), EXIT_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_and_signed),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
