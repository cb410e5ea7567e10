/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ledger/log_maker.h"

#include <inttypes.h>
#include <stdio.h>

#include "ledger/checkpoint.h"

static const int64_t FIRST_MS = INT64_C(1790000000000);

/* splitmix64: cheap numbers that are the same each time. */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static void fill(uint64_t seed, uint8_t *out, size_t n)
{
	for (size_t at = 0; at < n; at += 8) {
		const uint64_t word = mix(seed + at);

		memcpy(out + at, &word, n - at < 8 ? n - at : 8);
	}
}

void log_maker_fill(const struct log_maker *l, uint64_t i,
		    struct log_maker_certificate *out)
{
	static const char *const clients[LOG_MAKER_CLIENTS] = {
		"moh-hanoi", "moh-hcmc", "lab-danang"};
	const uint64_t seed = mix(l->seed) ^ mix(i * 8191);
	const uint64_t which = mix(seed);

	fill(seed, out->signature, sizeof(out->signature));
	fill(seed + 1000, out->sig_structure, sizeof(out->sig_structure));
	fill(l->seed + 77, out->hashes, sizeof(out->hashes));
	(void)snprintf(out->uvci, sizeof(out->uvci),
		       "URN:UVCI:01:VN:%016" PRIX64, mix(seed + 5));
	out->c = (struct entry_certificate){
		.client = span_str(clients[which % LOG_MAKER_CLIENTS]),
		.alg = COSE_ES256,
		.kind = (enum dcc_kind)(which / 16 % 3),
		.signature = span_of(out->signature, sizeof(out->signature)),
		.uvci = span_str(out->uvci),
		.sig_structure =
			span_of(out->sig_structure, sizeof(out->sig_structure)),
		.iat = (l->time_ms + (int64_t)i) / 1000,
		.exp = (l->time_ms + (int64_t)i) / 1000 + 31536000,
		.policy_hash = out->hashes,
	};
	memcpy(out->c.kid, out->hashes + 32, sizeof(out->c.kid));
}

enum sg_err log_maker_entry(const struct log_maker *l, uint64_t i,
			    uint8_t out[LOG_MAKER_ENTRY_MAX], size_t *len)
{
	const int64_t time = l->time_ms + (int64_t)i;
	struct log_maker_certificate c;

	if (i == 0)
		return entry_encode_run(ENTRY_STARTED, time, out,
					LOG_MAKER_ENTRY_MAX, len);
	log_maker_fill(l, i, &c);
	if (i == 1)
		return entry_encode_policy(time, c.hashes, out,
					   LOG_MAKER_ENTRY_MAX, len);
	return entry_encode_certificate(
		i % 50 == 0 ? ENTRY_RENEWED : ENTRY_ISSUED, time, &c.c, out,
		LOG_MAKER_ENTRY_MAX, len);
}

enum sg_err log_maker_open(struct log_maker *l, const char *dir,
			   const char *origin, EVP_PKEY *key, uint64_t size)
{
	uint8_t public_key[NOTE_PUBLIC_BYTES];
	size_t n = sizeof(public_key);
	enum sg_err err;

	*l = (struct log_maker){.time_ms = FIRST_MS};
	if (key != NULL)
		l->key = EVP_PKEY_up_ref(key) == 1 ? key : NULL;
	else
		l->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (l->key == NULL ||
	    EVP_PKEY_get_raw_public_key(l->key, public_key, &n) != 1)
		return SG_INTERNAL;
	err = note_key_make(span_str(origin), NOTE_ED25519, public_key,
			    &l->note_key);
	if (err == SG_OK)
		err = tiles_open(dir, true, &l->tiles);
	if (err == SG_OK && size == 0) {
		struct merkle_hash empty;

		merkle_empty_root(&empty);
		err = tree_open(l->tiles, 0, &empty, &l->tree);
	} else if (err == SG_OK) {
		struct merkle *m;
		struct merkle_source hashes;
		struct merkle_hash root;

		err = merkle_create(&m);
		if (err != SG_OK)
			return err;
		hashes = tiles_source(l->tiles, m, size);
		err = merkle_root_of(m, &hashes, size, &root);
		if (err == SG_OK)
			err = tree_open(l->tiles, size, &root, &l->tree);
		merkle_free(m);
	}
	return err;
}

void log_maker_close(struct log_maker *l)
{
	tree_close(l->tree);
	tiles_close(l->tiles);
	EVP_PKEY_free(l->key);
	*l = (struct log_maker){0};
}

enum sg_err log_maker_grow(struct log_maker *l, uint64_t size)
{
	uint8_t entry[LOG_MAKER_ENTRY_MAX];
	enum sg_err err = SG_OK;

	for (uint64_t i = tree_size(l->tree); i < size && err == SG_OK; i++) {
		size_t n;

		err = log_maker_entry(l, i, entry, &n);
		if (err == SG_OK)
			err = tree_add(l->tree, span_of(entry, n));
	}
	return err;
}

enum sg_err log_maker_sign(const struct log_maker *l, uint64_t size,
			   const struct merkle_hash *root, uint8_t *out,
			   size_t cap, size_t *len)
{
	const struct checkpoint c = {span_str(l->note_key.name), size, *root};
	uint8_t signature[NOTE_SIGNATURE_BYTES];
	size_t signature_n = sizeof(signature);
	uint8_t text[CHECKPOINT_TEXT_MAX];
	uint8_t line[NOTE_LINE_MAX];
	size_t text_n;
	size_t line_n;
	EVP_MD_CTX *ctx;
	enum sg_err err = checkpoint_text(&c, text, sizeof(text), &text_n);

	if (err != SG_OK)
		return err;
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL ||
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, l->key) != 1 ||
	    EVP_DigestSign(ctx, signature, &signature_n, text, text_n) != 1)
		err = SG_INTERNAL;
	EVP_MD_CTX_free(ctx);
	if (err == SG_OK)
		err = note_signature_line(&l->note_key, 0, signature, line,
					  sizeof(line), &line_n);
	return err != SG_OK ? err
			    : note_join(span_of(text, text_n),
					span_of(line, line_n), out, cap, len);
}

enum sg_err log_maker_publish(struct log_maker *l)
{
	uint8_t note[CHECKPOINT_NOTE_MAX];
	char vkey[NOTE_VKEY_MAX];
	struct merkle_hash root;
	size_t n;
	enum sg_err err = tree_flush(l->tree);

	if (err == SG_OK)
		err = tree_root(l->tree, &root);
	if (err == SG_OK)
		err = log_maker_sign(l, tree_size(l->tree), &root, note,
				     sizeof(note), &n);
	note_key_text(&l->note_key, vkey);
	if (err == SG_OK)
		err = tiles_write_file(l->tiles, "vkey", span_str(vkey));
	if (err == SG_OK)
		err = tiles_write_file(l->tiles, "checkpoint",
				       span_of(note, n));
	return err;
}
