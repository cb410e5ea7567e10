/* SPDX-License-Identifier: Apache-2.0 */
#include "auditor_fixture.h"

#include "hcert/cbor.h"
#include "hcert/cwt.h"
#include "hcert/hc1.h"
#include "ledger/checkpoint.h"
#include "tools/common/receipt.h"

#define UVCI "URN:UVCI:01:VN:TEST0001"

enum { IAT = 1790000000, EXP = IAT + 1000 };

/* A certificate whose signature nobody made, and its entry. */
struct certificate {
	char hc1[1024];
	uint8_t entry[1024];
	size_t entry_n;
};

static size_t put_payload(uint8_t *out, size_t cap, const char *uvci)
{
	struct cbor_writer w = cbor_write(out, cap);
	size_t n;

	cbor_put_map(&w, 2);
	cbor_put_text(&w, SPAN_LIT("v"));
	cbor_put_array(&w, 1);
	cbor_put_map(&w, 1);
	cbor_put_text(&w, SPAN_LIT("ci"));
	cbor_put_text(&w, span_str(uvci));
	cbor_put_text(&w, SPAN_LIT("ver"));
	cbor_put_text(&w, SPAN_LIT("1.3.3"));
	assert_int_equal(cbor_done(&w, &n), SG_OK);
	return n;
}

static void make_certificate(struct certificate *out, const char *uvci,
			     uint8_t salt, int64_t entry_exp)
{
	static const uint8_t kid[COSE_KID_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8};
	static const uint8_t policy[ENTRY_HASH_BYTES] = {9};
	uint8_t signature[COSE_ES256_BYTES];
	uint8_t dcc[256];
	uint8_t cwt[512];
	uint8_t prot[COSE_PROTECTED_MAX];
	uint8_t tbs[1024];
	uint8_t cose[1024];
	struct cwt_claims claims = {
		.iss = SPAN_LIT("VN"),
		.has_exp = true,
		.has_iat = true,
		.exp = EXP,
		.iat = IAT,
	};
	struct entry_certificate c = {
		.client = SPAN_LIT("moh"),
		.alg = COSE_ES256,
		.kind = DCC_VACCINATION,
		.uvci = span_str(uvci),
		.iat = IAT,
		.exp = entry_exp,
		.policy_hash = policy,
	};
	struct deflate *d;
	size_t prot_n;
	size_t cwt_n;
	size_t tbs_n;
	size_t n;

	memset(signature, salt, sizeof(signature));
	memcpy(c.kid, kid, sizeof(kid));
	claims.dcc = span_of(dcc, put_payload(dcc, sizeof(dcc), uvci));
	assert_int_equal(cwt_encode(&claims, cwt, sizeof(cwt), &cwt_n), SG_OK);
	assert_int_equal(
		cose_protected(COSE_ES256, kid, prot, sizeof(prot), &prot_n),
		SG_OK);
	assert_int_equal(cose_sig_structure(
				 span_of(prot, prot_n), span_of(NULL, 0),
				 span_of(cwt, cwt_n), tbs, sizeof(tbs), &tbs_n),
			 SG_OK);
	c.signature = span_of(signature, sizeof(signature));
	c.sig_structure = span_of(tbs, tbs_n);
	assert_int_equal(entry_encode_certificate(
				 ENTRY_ISSUED, (int64_t)IAT * 1000, &c,
				 out->entry, sizeof(out->entry), &out->entry_n),
			 SG_OK);
	assert_int_equal(cose_sign1_encode(span_of(prot, prot_n),
					   span_of(cwt, cwt_n), c.signature,
					   cose, sizeof(cose), &n),
			 SG_OK);
	assert_int_equal(deflate_create(&d), SG_OK);
	assert_int_equal(hc1_encode(d, span_of(cose, n), out->hc1,
				    sizeof(out->hc1) - 1, &n),
			 SG_OK);
	out->hc1[n] = '\0';
	deflate_free(d);
}

/* A log of 300 entries and then those of GOOD, of one whose entry says another
 * expiry, and of another certificate. */
static void make(struct fixture *f, struct certificate *good,
		 struct certificate *wrong_exp, struct certificate *other)
{
	struct log_maker l;

	*f = (struct fixture){0};
	make_dir(f->dir);
	make_certificate(good, UVCI, 7, EXP);
	make_certificate(wrong_exp, UVCI "X", 8, EXP + 1);
	make_certificate(other, UVCI "Y", 9, EXP);
	assert_int_equal(log_maker_open(&l, f->dir, ORIGIN, NULL, 0), SG_OK);
	assert_int_equal(log_maker_grow(&l, 300), SG_OK);
	assert_int_equal(tree_add(l.tree, span_of(good->entry, good->entry_n)),
			 SG_OK);
	assert_int_equal(
		tree_add(l.tree, span_of(wrong_exp->entry, wrong_exp->entry_n)),
		SG_OK);
	assert_int_equal(
		tree_add(l.tree, span_of(other->entry, other->entry_n)), SG_OK);
	assert_int_equal(log_maker_publish(&l), SG_OK);
	note_key_text(&l.note_key, f->vkey);
	f->key = l.key;
	assert_int_equal(EVP_PKEY_up_ref(f->key), 1);
	log_maker_close(&l);
}

static int receipt(const struct fixture *f, const char *what, const char *index,
		   json_t **out)
{
	const char *const argv[] = {"--json", "--vkey", f->vkey, "--index",
				    index,    what,	f->dir,	 NULL};

	return run_command(&AUDIT_RECEIPT_COMMAND, argv, out);
}

static void assert_failed(const struct fixture *f, const char *what,
			  const char *index, const char *step)
{
	json_t *j;

	assert_int_equal(receipt(f, what, index, &j), EXIT_REFUSED);
	assert_string_equal(json_string_value(json_object_get(j, "failed")),
			    step);
	json_decref(j);
}

static void test_receipt(void **state)
{
	struct certificate good;
	struct certificate wrong;
	struct certificate other;
	struct fixture f;
	json_t *j;

	(void)state;
	make(&f, &good, &wrong, &other);
	assert_int_equal(receipt(&f, good.hc1, "300", &j), EXIT_GOOD);
	assert_int_equal(json_integer_value(json_object_get(j, "index")), 300);
	assert_int_equal(json_integer_value(json_object_get(j, "size")), 303);
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(j, "entry"), "client")),
			    "moh");
	json_decref(j);
	assert_int_equal(receipt(&f, other.hc1, "302", NULL), EXIT_GOOD);
	assert_failed(&f, good.hc1, "302", "match");
	assert_failed(&f, good.hc1, "299", "match");
	assert_failed(&f, good.hc1, "0", "match");
	assert_failed(&f, wrong.hc1, "301", "match");
	assert_failed(&f, "HC1:NOT", "300", "certificate");
	/* Beyond its end. */
	assert_int_equal(receipt(&f, good.hc1, "303", NULL), EXIT_REFUSED);
	drop_log(&f);
}

/* The index comes from the answer that was kept. */
static void test_answer(void **state)
{
	struct certificate good;
	struct certificate wrong;
	struct certificate other;
	struct fixture f;
	char path[256];
	char proof[256];
	char text[2000];
	const char *argv[] = {"--json", "--vkey", f.vkey, "--out",
			      proof,	path,	  f.dir,  NULL};
	const char *offline[] = {"--json", "--vkey", f.vkey, "--proof",
				 proof,	   path,     NULL};

	(void)state;
	make(&f, &good, &wrong, &other);
	path_in(f.dir, "answer", path);
	path_in(f.dir, "saved.tlog-proof", proof);
	(void)snprintf(text, sizeof(text),
		       "{\"hcert\": \"%s\", \"ledger\": {\"origin\": \"x\", "
		       "\"index\": 300}}\n",
		       good.hc1);
	assert_int_equal(fileio_replace(path, span_str(text), 0600), SG_OK);
	assert_int_equal(run_command(&AUDIT_RECEIPT_COMMAND, argv, NULL),
			 EXIT_GOOD);
	/* And offline, with what was kept. */
	assert_int_equal(run_command(&AUDIT_RECEIPT_COMMAND, offline, NULL),
			 EXIT_GOOD);
	/* The text alone does not tell the index; the proof does. */
	assert_int_equal(fileio_replace(path, span_str(good.hc1), 0600), SG_OK);
	assert_int_equal(run_command(&AUDIT_RECEIPT_COMMAND, argv, NULL),
			 EXIT_TROUBLE);
	assert_int_equal(run_command(&AUDIT_RECEIPT_COMMAND, offline, NULL),
			 EXIT_GOOD);
	assert_int_equal(fileio_replace(path, span_str(other.hc1), 0600),
			 SG_OK);
	assert_int_equal(run_command(&AUDIT_RECEIPT_COMMAND, offline, NULL),
			 EXIT_REFUSED);
	drop_log(&f);
}

/* Any byte of a proof that is turned makes it one no more. */
static void test_flipped_proof(void **state)
{
	struct receipt_result result;
	struct certificate good;
	struct certificate wrong;
	struct certificate other;
	struct receipt_asked asked = {.has_index = true, .index = 300};
	struct note_key key;
	struct receipt *r;
	struct fixture f;
	char path[256];
	const char *argv[] = {"--vkey", f.vkey, "--index", "300",
			      "--out",	path,	f.dir,	   NULL};
	uint8_t *proof;
	size_t n;

	(void)state;
	make(&f, &good, &wrong, &other);
	path_in(f.dir, "proof", path);
	assert_int_equal(run_command(&AUDIT_PROVE_COMMAND, argv, NULL),
			 EXIT_GOOD);
	assert_int_equal(fileio_read(path, 1 << 20, &proof, &n), SG_OK);
	assert_int_equal(note_key_parse(span_str(f.vkey), &key), SG_OK);
	assert_int_equal(receipt_create(&r), SG_OK);
	asked.hc1 = good.hc1;
	assert_true(receipt_check(r, &asked, span_of(proof, n), &key, &result));
	for (size_t i = 0; i < n; i++) {
		proof[i] ^= 1;
		if (receipt_check(r, &asked, span_of(proof, n), &key, &result))
			fail_msg("byte %zu of %zu may be turned", i, n);
		proof[i] ^= 1;
	}
	for (size_t i = 0; i < n; i++)
		assert_false(receipt_check(r, &asked, span_of(proof, i), &key,
					   &result));
	receipt_free(r);
	free(proof);
	drop_log(&f);
}

/* Where entries are not given, there is a proof, and no receipt. */
static void test_without_entry(void **state)
{
	struct certificate good;
	struct certificate wrong;
	struct certificate other;
	struct fixture f;
	char path[256];
	const char *argv[] = {"--vkey", f.vkey, "--index", "300", f.dir, NULL};

	(void)state;
	make(&f, &good, &wrong, &other);
	path_in(f.dir, "tile/entries/001.p/47", path);
	assert_int_equal(remove(path), 0);
	assert_int_equal(run_command(&AUDIT_PROVE_COMMAND, argv, NULL),
			 EXIT_GOOD);
	assert_failed(&f, good.hc1, "300", "entry");
	/* A hash tile that is damaged proves nothing. */
	path_in(f.dir, "tile/0/001.p/47", path);
	flip(path, 45 * 32, 1);
	assert_int_equal(run_command(&AUDIT_PROVE_COMMAND, argv, NULL),
			 EXIT_REFUSED);
	drop_log(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receipt),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_flipped_proof),
		cmocka_unit_test(test_without_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
