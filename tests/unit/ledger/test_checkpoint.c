/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/checkpoint.h"

#define ORIGIN "example.com/behind-the-sofa"
#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
#define TEXT ORIGIN "\n20852163\n" ROOT "\n"

/* A note of TEXT, signed by the test's key of NAME. */
static struct span sign(const char *name, const char *text,
			struct note_key *key)
{
	static uint8_t out[CHECKPOINT_NOTE_MAX];
	const uint8_t seed[32] = {7};
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
						      seed, sizeof(seed));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t line[NOTE_LINE_MAX];
	uint8_t raw[32];
	uint8_t signature[64];
	size_t n = sizeof(raw);
	size_t line_n;

	assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, raw, &n), 1);
	assert_int_equal(note_key_make(span_str(name), NOTE_ED25519, raw, key),
			 SG_OK);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey), 1);
	n = sizeof(signature);
	assert_int_equal(EVP_DigestSign(ctx, signature, &n,
					(const uint8_t *)text, strlen(text)),
			 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	assert_int_equal(note_signature_line(key, 0, signature, line,
					     sizeof(line), &line_n),
			 SG_OK);
	assert_int_equal(note_join(span_str(text), span_of(line, line_n), out,
				   sizeof(out), &n),
			 SG_OK);
	return span_of(out, n);
}

static void test_text(void **state)
{
	struct checkpoint c;
	uint8_t out[CHECKPOINT_TEXT_MAX];
	char name[NOTE_NAME_MAX + 1];
	size_t n;

	(void)state;
	assert_int_equal(checkpoint_parse(SPAN_LIT(TEXT), &c), SG_OK);
	assert_true(span_is(c.origin, ORIGIN));
	assert_int_equal(c.size, 20852163);
	assert_int_equal(c.root.b[0], 0x0a);
	assert_int_equal(c.root.b[1], 0xc5);
	assert_int_equal(c.root.b[31], 0x62);
	assert_int_equal(checkpoint_text(&c, out, sizeof(out), &n), SG_OK);
	assert_true(span_is(span_of(out, n), TEXT));
	assert_int_equal(checkpoint_text(&c, out, n - 1, &n), SG_TOO_BIG);
	assert_int_equal(n, sizeof(TEXT) - 1);
	/* The largest fits; what is no name or no size is refused. */
	memset(name, 'n', sizeof(name));
	c.origin = span_of(name, NOTE_NAME_MAX);
	c.size = INT64_MAX;
	assert_int_equal(checkpoint_text(&c, out, sizeof(out), &n), SG_OK);
	c.size++;
	assert_int_equal(checkpoint_text(&c, out, sizeof(out), &n),
			 SG_MALFORMED);
	c.size = 0;
	assert_int_equal(checkpoint_text(&c, out, sizeof(out), &n), SG_OK);
	c.origin = span_of(name, NOTE_NAME_MAX + 1);
	assert_int_equal(checkpoint_text(&c, out, sizeof(out), &n),
			 SG_MALFORMED);
	c.origin = SPAN_LIT("two words");
	assert_int_equal(checkpoint_text(&c, out, sizeof(out), &n),
			 SG_MALFORMED);
	c.origin = SPAN_LIT("two\nlines");
	assert_int_equal(checkpoint_text(&c, out, sizeof(out), &n),
			 SG_MALFORMED);
}

static void test_parse(void **state)
{
	static const char *const BAD[] = {
		"",
		"\n",
		"a",
		"a\n",
		"a\n1",
		"a\n1\n",
		"a\n1\n" ROOT,
		"\n1\n" ROOT "\n",
		"a\n\n" ROOT "\n",
		"a\n01\n" ROOT "\n",
		"a\n00\n" ROOT "\n",
		"a\n+1\n" ROOT "\n",
		"a\n-1\n" ROOT "\n",
		"a\n 1\n" ROOT "\n",
		"a\n1 \n" ROOT "\n",
		"a\n0x1\n" ROOT "\n",
		"a\n1e3\n" ROOT "\n",
		"a\n9223372036854775808\n" ROOT "\n",
		"a\n18446744073709551617\n" ROOT "\n",
		"a\n99999999999999999999999\n" ROOT "\n",
		"a\n1\n\n",
		"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
		"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2==\n",
		"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n",
		"a\n1\nCsUYapGGPo4dkMgIAUqom_Xajj7h2fB2MPA3j2jxq2I=\n",
		"a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2IA\n",
		"a\n1\n " ROOT "\n",
		"a\n1\n" ROOT " \n",
		"a\n1\n" ROOT "\n\n",
		"a\n1\n" ROOT "\nx",
		"a\n1\n" ROOT "\nx\n\ny\n",
	};
	struct checkpoint c = {.size = 77};

	(void)state;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		if (checkpoint_parse(span_str(BAD[i]), &c) != SG_MALFORMED)
			fail_msg("taken: %zu: %s", i, BAD[i]);
	assert_int_equal(c.size, 77);
	assert_int_equal(checkpoint_parse(span_of(NULL, 0), &c), SG_MALFORMED);
	assert_int_equal(checkpoint_parse(SPAN_LIT("a\n0\n" ROOT "\n"), &c),
			 SG_OK);
	assert_int_equal(c.size, 0);
	assert_int_equal(
		checkpoint_parse(
			SPAN_LIT("a b\n9223372036854775807\n" ROOT "\nx\ny\n"),
			&c),
		SG_OK);
	assert_true(span_is(c.origin, "a b"));
	assert_int_equal(c.size, INT64_MAX);
}

static void test_open(void **state)
{
	struct checkpoint c;
	struct note_key key;
	struct note_key other;
	struct span in = sign(ORIGIN, TEXT, &key);
	uint8_t copy[1024];
	struct note n;

	(void)state;
	assert_int_equal(checkpoint_open(in, &key, &c, &n), SG_OK);
	assert_int_equal(c.size, 20852163);
	assert_true(span_is(n.text, TEXT));
	assert_int_equal(n.n, 1);
	assert_int_equal(checkpoint_open(in, &key, &c, NULL), SG_OK);
	assert_int_equal(checkpoint_open(SPAN_LIT(TEXT), &key, &c, &n),
			 SG_MALFORMED);
	memcpy(copy, in.p, in.n);
	copy[sizeof(ORIGIN)] ^= 1; /* a digit of the size */
	assert_int_equal(checkpoint_open(span_of(copy, in.n), &key, &c, &n),
			 SG_BAD_SIGNATURE);
	/* By another; by ours, of another log; by ours, no checkpoint. */
	other = key;
	other.hash ^= 1;
	assert_int_equal(checkpoint_open(in, &other, &c, &n), SG_NOT_FOUND);
	in = sign("example.com/else", TEXT, &other);
	assert_int_equal(checkpoint_open(in, &other, &c, &n), SG_MALFORMED);
	assert_int_equal(checkpoint_open(in, &key, &c, &n), SG_NOT_FOUND);
	in = sign(ORIGIN, ORIGIN "\n1\nroot\n", &key);
	assert_int_equal(checkpoint_open(in, &key, &c, &n), SG_MALFORMED);
}

static void test_proof(void **state)
{
	struct merkle_proof p = {.n = MERKLE_PROOF_MAX};
	struct merkle_proof got;
	uint8_t out[8192];
	struct span checkpoint;
	uint64_t index;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(p.hash); i++)
		((uint8_t *)p.hash)[i] = (uint8_t)(i * 5);
	assert_int_equal(checkpoint_proof_text(73894, &p, SPAN_LIT(TEXT),
					       span_of(NULL, 0), out,
					       sizeof(out), &n),
			 SG_OK);
	assert_int_equal(checkpoint_proof_parse(span_of(out, n), &index, &got,
						&checkpoint, NULL, 0, NULL),
			 SG_OK);
	assert_int_equal(index, 73894);
	assert_memory_equal(&got, &p, sizeof(p));
	assert_true(span_is(checkpoint, TEXT));
	assert_int_equal(checkpoint_proof_text(73894, &p, SPAN_LIT(TEXT),
					       span_of(NULL, 0), out, n - 1,
					       &n),
			 SG_TOO_BIG);
	p.n = 0;
	assert_int_equal(checkpoint_proof_text(0, &p, SPAN_LIT("x"),
					       span_of(NULL, 0), out,
					       sizeof(out), &n),
			 SG_OK);
	assert_true(span_is(span_of(out, n),
			    "c2sp.org/tlog-proof@v1\nindex 0\n\nx"));
	assert_int_equal(checkpoint_proof_parse(span_of(out, n), &index, &got,
						&checkpoint, NULL, 0, NULL),
			 SG_OK);
	assert_int_equal(got.n, 0);
}

#define HEAD "c2sp.org/tlog-proof@v1\n"

static void test_extra(void **state)
{
	const struct merkle_proof p = {.n = 0};
	uint8_t in[100];
	uint8_t out[512];
	uint8_t extra[100];
	struct merkle_proof got;
	struct span checkpoint;
	uint64_t index;
	size_t extra_n;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7);
	assert_int_equal(checkpoint_proof_text(5, &p, SPAN_LIT("x"),
					       SPAN_LIT("ABCD"), out,
					       sizeof(out), &n),
			 SG_OK);
	assert_true(span_is(span_of(out, n), HEAD "extra QUJDRA==\nindex 5\n"
						  "\nx"));
	/* Of each length, and where there is one byte too little. */
	for (size_t len = 1; len <= sizeof(in); len++) {
		assert_int_equal(checkpoint_proof_text(5, &p, SPAN_LIT("x"),
						       span_of(in, len), out,
						       sizeof(out), &n),
				 SG_OK);
		memset(extra, 0xff, sizeof(extra));
		assert_int_equal(checkpoint_proof_parse(span_of(out, n), &index,
							&got, &checkpoint,
							extra, len, &extra_n),
				 SG_OK);
		assert_int_equal(extra_n, len);
		assert_memory_equal(extra, in, len);
		assert_int_equal(checkpoint_proof_parse(
					 span_of(out, n), &index, &got,
					 &checkpoint, extra, len - 1, &extra_n),
				 SG_TOO_BIG);
		assert_int_equal(extra_n, len);
		assert_true(span_is(checkpoint, "x"));
	}
	assert_int_equal(checkpoint_proof_text(5, &p, SPAN_LIT("x"),
					       span_of(NULL, 0), out,
					       sizeof(out), &n),
			 SG_OK);
	assert_int_equal(checkpoint_proof_parse(span_of(out, n), &index, &got,
						&checkpoint, extra,
						sizeof(extra), &extra_n),
			 SG_OK);
	assert_int_equal(extra_n, 0);
}

static void test_bad_proof(void **state)
{
	static const char *const GOOD[] = {
		HEAD "index 5\n" ROOT "\n\nx",
		HEAD "extra QQ==\nindex 5\n" ROOT "\n\nx\n",
		HEAD "extra QUJDREVG\nindex 5\n" ROOT "\n\n\n",
	};
	static const char *const BAD[] = {
		"",
		HEAD,
		HEAD "index 5\n",
		HEAD "index 5\n\n",
		HEAD "index 5\n" ROOT "\n",
		HEAD "index 5\n" ROOT "\n\n",
		HEAD "index 5\n" ROOT "\nx\n\nx",
		HEAD "index 5\n " ROOT "\n\nx",
		HEAD "index 5\n" ROOT ROOT "\n\nx",
		HEAD "index 5\nQQ==\n\nx",
		HEAD "index 05\n\nx",
		HEAD "index\n\nx",
		HEAD "index \n\nx",
		HEAD "index -1\n\nx",
		HEAD "index  1\n\nx",
		HEAD "index 9223372036854775808\n\nx",
		HEAD "Index 5\n\nx",
		HEAD "\nindex 5\n\nx",
		HEAD "extra \nindex 5\n\nx",
		HEAD "extra QQ\nindex 5\n\nx",
		HEAD "extra QR==\nindex 5\n\nx",
		HEAD "extra QQ==QUJD\nindex 5\n\nx",
		HEAD "extra QQ==\n",
		HEAD "extra QQ==\nextra QQ==\nindex 5\n\nx",
		HEAD "index 5\nextra QQ==\n\nx",
		"c2sp.org/tlog-proof@v2\nindex 5\n\nx",
		"c2sp.org/tlog-proof@v1\r\nindex 5\n\nx",
		"c2sp.org/tlog-proof@v1index 5\n\nx",
	};
	struct merkle_proof p;
	struct span rest;
	char many[4096];
	uint64_t index;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
		assert_int_equal(checkpoint_proof_parse(span_str(GOOD[i]),
							&index, &p, &rest, NULL,
							0, NULL),
				 SG_OK);
		assert_int_equal(index, 5);
		assert_int_equal(p.n, 1);
	}
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		if (checkpoint_proof_parse(span_str(BAD[i]), &index, &p, &rest,
					   NULL, 0, NULL) != SG_MALFORMED)
			fail_msg("taken: %zu: %s", i, BAD[i]);
	/* One hash more than any proof has. */
	n = (size_t)snprintf(many, sizeof(many), HEAD "index 5\n");
	for (int i = 0; i < MERKLE_PROOF_MAX + 1; i++)
		n += (size_t)snprintf(many + n, sizeof(many) - n, ROOT "\n");
	(void)snprintf(many + n, sizeof(many) - n, "\nx");
	assert_int_equal(checkpoint_proof_parse(span_str(many), &index, &p,
						&rest, NULL, 0, NULL),
			 SG_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),  cmocka_unit_test(test_parse),
		cmocka_unit_test(test_open),  cmocka_unit_test(test_proof),
		cmocka_unit_test(test_extra), cmocka_unit_test(test_bad_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
