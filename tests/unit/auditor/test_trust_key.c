/* SPDX-License-Identifier: Apache-2.0 */
/* A log whose key is changed for another one, to who has the old one. */
#include "kept_log.h"
#include "ledger/checkpoint.h"

/* Have another key sign the checkpoint too, or alone; `vkey` names it. */
static void sign_by_another(bool alone)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	uint8_t public_key[NOTE_PUBLIC_BYTES];
	uint8_t signature[NOTE_SIGNATURE_BYTES];
	uint8_t line[NOTE_LINE_MAX];
	char vkey[NOTE_VKEY_MAX];
	struct note_key own;
	uint8_t *bytes;
	struct note note;
	char path[256];
	size_t n = sizeof(public_key);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	FILE *to;

	assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, public_key, &n), 1);
	assert_int_equal(
		note_key_make(SPAN_LIT(ORIGIN), NOTE_ED25519, public_key, &own),
		SG_OK);
	path_in(f.dir, "checkpoint", path);
	assert_int_equal(fileio_read(path, 8192, &bytes, &n), SG_OK);
	assert_int_equal(note_parse(span_of(bytes, n), &note), SG_OK);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey), 1);
	n = sizeof(signature);
	assert_int_equal(
		EVP_DigestSign(ctx, signature, &n, note.text.p, note.text.n),
		1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	assert_int_equal(
		note_signature_line(&own, 0, signature, line, sizeof(line), &n),
		SG_OK);
	to = fopen(path, alone ? "wb" : "ab");
	assert_non_null(to);
	if (alone)
		(void)fprintf(to, "%.*s\n", (int)note.text.n,
			      (const char *)note.text.p);
	assert_int_equal(fwrite(line, 1, n, to), n);
	(void)fclose(to);
	free(bytes);
	path_in(f.dir, "vkey", path);
	to = fopen(path, "wb");
	assert_non_null(to);
	note_key_text(&own, vkey);
	(void)fprintf(to, "%s\n", vkey);
	(void)fclose(to);
}

static int verify(const char *option, json_t **out)
{
	const char *const argv[] = {"--json", "--quiet", "--vkey", f.vkey,
				    f.dir,    option,	 kept,	   NULL};
	const char *const plain[] = {"--json", "--quiet", "--vkey",
				     f.vkey,   f.dir,	  NULL};

	return run_command(&AUDIT_VERIFY_COMMAND, option != NULL ? argv : plain,
			   out);
}

static void expect_refused(const char *option, const char *words)
{
	json_t *j;
	char *text;

	assert_int_equal(verify(option, &j), EXIT_REFUSED);
	assert_non_null(find(j, "vkey-differs"));
	assert_non_null(find(j, "checkpoint-unsigned"));
	text = json_dumps(j, 0);
	assert_non_null(strstr(text, words));
	assert_null(strstr(text, "followed"));
	free(text);
	json_decref(j);
}

/* While both sign, either key will do. */
static void test_both(void **state)
{
	json_t *j;
	json_t *warnings;

	(void)state;
	sign_by_another(false);
	assert_int_equal(verify("--keep", &j), EXIT_GOOD);
	warnings = json_object_get(j, "warnings");
	assert_int_equal(json_array_size(warnings), 1);
	json_decref(j);
	assert_int_equal(verify("--since", NULL), EXIT_GOOD);
}

/* That the log says so is no reason to believe another key. */
static void test_alone(void **state)
{
	(void)state;
	assert_int_equal(verify("--keep", NULL), EXIT_GOOD);
	sign_by_another(true);
	expect_refused(NULL, "vkey-differs");
	expect_refused("--since", "before there were officers");
	expect_refused("--keep", "vkey-differs");
}

/* What the log's own key alone has signed is nobody's proof for the one that
 * was given: which of them is the older one nothing here can tell. */
static void test_kept_by_own(void **state)
{
	char path[256];
	uint8_t *note;
	size_t n;

	(void)state;
	sign_by_another(true);
	path_in(f.dir, "checkpoint", path);
	assert_int_equal(fileio_read(path, 8192, &note, &n), SG_OK);
	assert_int_equal(fileio_replace(kept, span_of(note, n), 0644), SG_OK);
	free(note);
	assert_int_equal(verify("--since", NULL), EXIT_TROUBLE);
}

static int mirror(const char *vkey, const char *to, json_t **out)
{
	const char *const argv[] = {
		"--json", "--quiet", f.dir, to, vkey != NULL ? "--vkey" : NULL,
		vkey,	  NULL};

	return run_command(&AUDIT_MIRROR_COMMAND, argv, out);
}

/* Nor does a copy follow it, which stays what it is. */
static void test_copy(void **state)
{
	static const char *const files[] = {"vkey", "checkpoint"};
	char copy[256];
	char path[256];
	uint8_t *bytes[4];
	size_t n[4];
	json_t *j;

	(void)state;
	path_in(f.dir, "copy", copy);
	assert_int_equal(mirror(f.vkey, copy, NULL), EXIT_GOOD);
	for (size_t i = 0; i < 2; i++) {
		path_in(copy, files[i], path);
		assert_int_equal(fileio_read(path, 8192, &bytes[i], &n[i]),
				 SG_OK);
	}
	sign_by_another(true);
	for (int given = 0; given < 2; given++) {
		assert_int_equal(mirror(given ? f.vkey : NULL, copy, &j),
				 EXIT_REFUSED);
		assert_non_null(find(j, "vkey-differs"));
		assert_non_null(find(j, "checkpoint-unsigned"));
		assert_null(json_object_get(j, "followed"));
		json_decref(j);
	}
	for (size_t i = 0; i < 2; i++) {
		path_in(copy, files[i], path);
		assert_int_equal(
			fileio_read(path, 8192, &bytes[2 + i], &n[2 + i]),
			SG_OK);
		assert_true(span_eq(span_of(bytes[i], n[i]),
				    span_of(bytes[2 + i], n[2 + i])));
		free(bytes[i]);
		free(bytes[2 + i]);
	}
	/* Where there is no copy yet nothing leads to the other key. */
	path_in(f.dir, "copy-2", copy);
	assert_int_equal(mirror(f.vkey, copy, NULL), EXIT_REFUSED);
}

/* The log says that it has a key that has signed nothing. */
static void test_named_only(void **state)
{
	char path[256];
	uint8_t *note;
	size_t n;
	json_t *j;

	(void)state;
	path_in(f.dir, "checkpoint", path);
	assert_int_equal(fileio_read(path, 8192, &note, &n), SG_OK);
	sign_by_another(true);
	assert_int_equal(fileio_replace(path, span_of(note, n), 0644), SG_OK);
	free(note);
	assert_int_equal(verify(NULL, &j), EXIT_REFUSED);
	assert_non_null(find(j, "vkey-differs"));
	assert_null(find(j, "checkpoint-unsigned"));
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_both, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kept_by_own, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_named_only, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
