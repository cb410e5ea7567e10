/* SPDX-License-Identifier: Apache-2.0 */
#include "auditor_fixture.h"

#include "ledger/checkpoint.h"

enum { SIZE = 300, GROWN = 600, WITNESSES = 16 }; /* as many as signerd asks */

static struct fixture f;
static EVP_PKEY *key[WITNESSES];
static struct note_key *witness;
static char keys[256]; /* a file of all their keys */

static void make_witness(int i, FILE *to)
{
	uint8_t public_key[NOTE_PUBLIC_BYTES];
	char text[NOTE_VKEY_MAX];
	char name[32];
	size_t n = sizeof(public_key);

	key[i] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_non_null(key[i]);
	assert_int_equal(EVP_PKEY_get_raw_public_key(key[i], public_key, &n),
			 1);
	(void)snprintf(name, sizeof(name), "witness.test/%d", i);
	assert_int_equal(note_key_make(span_str(name), NOTE_COSIGNATURE,
				       public_key, &witness[i]),
			 SG_OK);
	note_key_text(&witness[i], text);
	(void)fprintf(to, "# the witness %d\n%s\n\n", i, text);
}

/* Append the cosignature of witness I to the checkpoint; a wrong one. */
static void cosign(int i, bool wrong)
{
	const int64_t now = 1790000000;
	uint8_t signature[NOTE_SIGNATURE_BYTES];
	uint8_t message[CHECKPOINT_TEXT_MAX + 64];
	uint8_t line[NOTE_LINE_MAX];
	size_t signature_n = sizeof(signature);
	uint8_t *bytes;
	struct note note;
	char path[256];
	EVP_MD_CTX *ctx;
	size_t line_n;
	size_t m;
	size_t n;
	FILE *to;

	path_in(f.dir, "checkpoint", path);
	assert_int_equal(fileio_read(path, 8192, &bytes, &n), SG_OK);
	assert_int_equal(note_parse(span_of(bytes, n), &note), SG_OK);
	assert_int_equal(note_cosigned_message(note.text, now, message,
					       sizeof(message), &m),
			 SG_OK);
	ctx = EVP_MD_CTX_new();
	assert_non_null(ctx);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key[i]), 1);
	assert_int_equal(
		EVP_DigestSign(ctx, signature, &signature_n, message, m), 1);
	EVP_MD_CTX_free(ctx);
	signature[5] ^= wrong ? 1 : 0;
	assert_int_equal(note_signature_line(&witness[i], now, signature, line,
					     sizeof(line), &line_n),
			 SG_OK);
	to = fopen(path, "ab");
	assert_non_null(to);
	assert_int_equal(fwrite(line, 1, line_n, to), line_n);
	(void)fclose(to);
	free(bytes);
}

static int setup(void **state)
{
	const uint64_t sizes[] = {SIZE, 0};
	FILE *to;

	(void)state;
	witness = calloc(WITNESSES, sizeof(*witness));
	assert_non_null(witness);
	make_log(&f, sizes);
	path_in(f.dir, "witnesses", keys);
	to = fopen(keys, "wb");
	assert_non_null(to);
	for (int i = 0; i < WITNESSES; i++)
		make_witness(i, to);
	(void)fclose(to);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < WITNESSES; i++)
		EVP_PKEY_free(key[i]);
	free(witness);
	drop_log(&f);
	return 0;
}

static int verify(const char *witnesses, const char *quorum, json_t **out)
{
	const char *const all[] = {"--json",	"--quiet", "--vkey", f.vkey,
				   "--witness", witnesses, f.dir,    NULL};
	const char *const some[] = {"--json",	 "--quiet", "--vkey",	f.vkey,
				    "--witness", witnesses, "--quorum", quorum,
				    f.dir,	 NULL};

	return run_command(&AUDIT_VERIFY_COMMAND, quorum == NULL ? all : some,
			   out);
}

static void assert_missing(const char *quorum)
{
	json_t *j;

	assert_int_equal(verify(keys, quorum, &j), EXIT_REFUSED);
	assert_non_null(find(j, "witness-missing"));
	json_decref(j);
}

static void test_quorum(void **state)
{
	char one[NOTE_VKEY_MAX];
	json_t *j;

	(void)state;
	note_key_text(&witness[1], one);
	assert_missing(NULL);
	assert_missing("1");
	assert_int_equal(verify(keys, "0", NULL), EXIT_GOOD);
	assert_int_equal(verify(one, NULL, NULL), EXIT_REFUSED);
	cosign(1, false);
	assert_int_equal(verify(one, NULL, NULL), EXIT_GOOD);
	assert_int_equal(verify(keys, "1", &j), EXIT_GOOD);
	assert_int_equal(json_integer_value(json_object_get(j, "cosigned")), 1);
	json_decref(j);
	assert_missing("2");
	cosign(2, false);
	assert_int_equal(verify(keys, "2", NULL), EXIT_GOOD);
	assert_missing(NULL);
	cosign(0, false);
	for (int i = 3; i < WITNESSES; i++) {
		assert_missing(NULL);
		cosign(i, false);
	}
	assert_int_equal(verify(keys, NULL, NULL), EXIT_GOOD);
}

static void test_wrong_cosignature(void **state)
{
	json_t *j;

	(void)state;
	cosign(0, true);
	cosign(1, false);
	/* It does not count, and nobody writes one by accident. */
	assert_int_equal(verify(keys, "1", &j), EXIT_REFUSED);
	assert_non_null(find(j, "witness-forged"));
	assert_null(find(j, "witness-missing"));
	json_decref(j);
}

static void test_bad_keys(void **state)
{
	char path[256];
	char text[NOTE_VKEY_MAX];

	(void)state;
	/* The log's key is no witness's, and the other way round. */
	assert_int_equal(verify(f.vkey, NULL, NULL), EXIT_TROUBLE);
	note_key_text(&witness[0], text);
	{
		const char *const argv[] = {"--vkey", text, f.dir, NULL};

		assert_int_equal(run_command(&AUDIT_VERIFY_COMMAND, argv, NULL),
				 EXIT_TROUBLE);
	}
	assert_int_equal(verify("nowhere", NULL, NULL), EXIT_TROUBLE);
	/* Nobody is asked to believe a checkpoint without a witness. */
	assert_int_equal(verify("/dev/null", NULL, NULL), EXIT_TROUBLE);
	assert_int_equal(verify(keys, "17", NULL), EXIT_TROUBLE);
	assert_int_equal(verify(keys, "x", NULL), EXIT_TROUBLE);
	/* A log that names no key needs a given one. */
	path_in(f.dir, "vkey", path);
	assert_int_equal(remove(path), 0);
	{
		const char *const argv[] = {"--json", "--quiet", f.dir, NULL};
		const char *const given[] = {"--json", "--quiet", "--vkey",
					     f.vkey,   f.dir,	  NULL};

		assert_int_equal(run_command(&AUDIT_VERIFY_COMMAND, argv, NULL),
				 EXIT_TROUBLE);
		assert_int_equal(
			run_command(&AUDIT_VERIFY_COMMAND, given, NULL),
			EXIT_GOOD);
	}
}

/* Make the checkpoint, with its cosignatures, the one that is kept for those
 * that have none yet. */
static void keep_cosigned(void)
{
	char from[256];
	char to[256];

	path_in(f.dir, "checkpoint", from);
	path_in(f.dir, "checkpoint.cosigned", to);
	assert_int_equal(rename(from, to), 0);
}

/* The witness 1, as ONE, has cosigned SIZE entries; the log has GROWN. */
static void grow_beyond(char one[NOTE_VKEY_MAX])
{
	note_key_text(&witness[1], one);
	cosign(1, false);
	keep_cosigned();
	grow_log(&f, SIZE, GROWN, 0);
}

static void test_older(void **state)
{
	const uint64_t other[] = {SIZE, 0};
	const json_t *older;
	char one[NOTE_VKEY_MAX];
	json_t *j;

	(void)state;
	grow_beyond(one);
	assert_int_equal(verify(one, NULL, &j), EXIT_GOOD);
	assert_int_equal(json_integer_value(json_object_get(j, "cosigned")), 1);
	older = json_object_get(j, "cosigned_checkpoint");
	assert_int_equal(json_integer_value(json_object_get(older, "size")),
			 SIZE);
	json_decref(j);
	assert_missing("2");
	/* The log has another past than what the witness has seen. */
	make_log_in(&f, other, 7);
	cosign(1, false);
	keep_cosigned();
	grow_log(&f, 0, GROWN, 0);
	assert_int_equal(verify(one, NULL, &j), EXIT_REFUSED);
	assert_non_null(find(j, "forked"));
	json_decref(j);
	/* And is shorter; or the files of a directory were copied in another
	 * order. */
	cosign(1, false);
	keep_cosigned();
	make_log_in(&f, other, 0);
	assert_int_equal(verify(one, NULL, &j), EXIT_REFUSED);
	assert_non_null(find(j, "witness-missing"));
	assert_null(find(j, "rolled-back"));
	json_decref(j);
}

/* That it begins with what was cosigned must be shown. */
static void test_older_unproved(void **state)
{
	char one[NOTE_VKEY_MAX];
	char path[256];
	json_t *j;

	(void)state;
	grow_beyond(one);
	path_in(f.dir, "tile/0/001", path);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(verify(one, NULL, &j), EXIT_REFUSED);
	assert_non_null(find(j, "witness-missing"));
	assert_non_null(find(j, "tile-short"));
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_quorum, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_cosignature, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bad_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_older, setup, teardown),
		cmocka_unit_test_setup_teardown(test_older_unproved, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
