/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_LOG_FIXTURE_H
#define TEST_LOG_FIXTURE_H

/* A log and its journal in a directory, written with nothing but the formats:
 * tiles, a checkpoint by an Ed25519 key of its own, one segment. */
#include <ftw.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "ledger/entry.h"
#include "ledger/record.h"
#include "ledger/segment.h"
#include "ledger/tiles.h"

enum { LOG_ENTRIES_MAX = 70000, LOG_ENTRY_BYTES = 640 };

#define LOG_ORIGIN "log.example/test"

static char log_base[] = "/tmp/log-XXXXXX";
static char log_dir[64];     /* tiles */
static char log_journal[64]; /* segments */
static char log_vkey[256];

struct log_entry {
	size_t n;
	uint8_t b[LOG_ENTRY_BYTES];
};

static struct log_entry *log_entries; /* LOG_ENTRIES_MAX */
static struct merkle_hash *log_leaves;
static size_t log_size;
static FILE *log_segment;
static EVP_PKEY *log_key;
static struct merkle_hash log_root;

static inline int log_setup(void **state)
{
	static const uint8_t SEED[32] = {7};
	const struct segment_head head = {.origin = SPAN_LIT(LOG_ORIGIN),
					  .newest_s = INT64_MIN};
	char name[SEGMENT_NAME_SIZE];
	char path[128];
	uint8_t bytes[SEGMENT_HEAD_MAX];
	size_t n;

	(void)state;
	memcpy(log_base + sizeof(log_base) - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(log_base));
	(void)snprintf(log_dir, sizeof(log_dir), "%s/ledger", log_base);
	(void)snprintf(log_journal, sizeof(log_journal), "%s/journal",
		       log_base);
	assert_int_equal(mkdir(log_journal, 0700), 0);
	log_entries = calloc(LOG_ENTRIES_MAX, sizeof(*log_entries));
	log_leaves = calloc(LOG_ENTRIES_MAX, sizeof(*log_leaves));
	assert_non_null(log_entries);
	assert_non_null(log_leaves);
	log_size = 0;
	log_key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, SEED,
					       sizeof(SEED));
	assert_non_null(log_key);
	segment_name(0, name);
	(void)snprintf(path, sizeof(path), "%s/%s", log_journal, name);
	log_segment = fopen(path, "wb");
	assert_non_null(log_segment);
	assert_int_equal(segment_head_encode(&head, bytes, &n), SG_OK);
	assert_int_equal(fwrite(bytes, 1, n, log_segment), n);
	return 0;
}

static inline int log_remove(const char *path, const struct stat *st, int flag,
			     struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline int log_teardown(void **state)
{
	(void)state;
	free(log_entries);
	free(log_leaves);
	EVP_PKEY_free(log_key);
	if (log_segment != NULL)
		(void)fclose(log_segment);
	log_segment = NULL;
	return nftw(log_base, log_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* Take the entry that was encoded to log_entries[log_size], N bytes, and its
 * record, of which the rest is in R. */
static inline void log_take(size_t n, struct record r)
{
	static uint8_t bytes[RECORD_BYTES_MAX];
	struct log_entry *e = &log_entries[log_size];
	size_t len;

	assert_true(n > 0 && n <= sizeof(e->b));
	e->n = n;
	r.index = log_size++;
	r.entry = span_of(e->b, n);
	assert_int_equal(record_encode(&r, bytes, sizeof(bytes), &len), SG_OK);
	assert_int_equal(fwrite(bytes, 1, len, log_segment), len);
}

static inline void log_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", log_dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* C2SP tlog-checkpoint, signed-note. */
static inline void log_sign(void)
{
	uint8_t key[33] = {1};
	uint8_t hashed[sizeof(LOG_ORIGIN) + sizeof(key)] = LOG_ORIGIN "\n";
	uint8_t digest[SHA256_DIGEST_LENGTH];
	uint8_t signature[4 + 64];
	char text[512];
	char base64[128];
	size_t n = 32;
	size_t at;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	assert_int_equal(EVP_PKEY_get_raw_public_key(log_key, key + 1, &n), 1);
	memcpy(hashed + sizeof(LOG_ORIGIN), key, sizeof(key));
	(void)SHA256(hashed, sizeof(hashed), digest);
	memcpy(signature, digest, 4);
	base64[base64_encode(span_of(key, sizeof(key)), BASE64_STANDARD,
			     base64)] = '\0';
	(void)snprintf(log_vkey, sizeof(log_vkey),
		       LOG_ORIGIN "+%02x%02x%02x%02x+%s", digest[0], digest[1],
		       digest[2], digest[3], base64);
	log_file("vkey", log_vkey);
	base64[base64_encode(span_of(log_root.b, 32), BASE64_STANDARD,
			     base64)] = '\0';
	at = (size_t)snprintf(text, sizeof(text), LOG_ORIGIN "\n%zu\n%s\n",
			      log_size, base64);
	n = 64;
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, log_key), 1);
	assert_int_equal(EVP_DigestSign(ctx, signature + 4, &n,
					(const uint8_t *)text, at),
			 1);
	base64[base64_encode(span_of(signature, sizeof(signature)),
			     BASE64_STANDARD, base64)] = '\0';
	(void)snprintf(text + at, sizeof(text) - at,
		       "\n\xe2\x80\x94 " LOG_ORIGIN " %s\n", base64);
	log_file("checkpoint", text);
	EVP_MD_CTX_free(ctx);
}

static inline void log_write_bundle(struct tiles *t, const struct tile *tile)
{
	static uint8_t bundle[TILE_WIDTH * (LOG_ENTRY_BYTES + 2)];
	size_t n = 0;

	for (unsigned i = 0; i < tile->width; i++) {
		const struct log_entry *e =
			&log_entries[tile->n * TILE_WIDTH + i];

		assert_int_equal(tile_put_entry(bundle, sizeof(bundle), &n,
						span_of(e->b, e->n)),
				 SG_OK);
	}
	assert_int_equal(tiles_write(t, tile, span_of(bundle, n)), SG_OK);
}

/* The tiles of LEVEL over N hashes at HASH; what is above replaces them.
 * Returns its number. */
static inline size_t log_write_level(struct tiles *t, struct merkle *m,
				     int level, struct merkle_hash *hash,
				     size_t n)
{
	for (size_t i = 0; i * TILE_WIDTH < n; i++) {
		const size_t left = n - i * TILE_WIDTH;
		const struct tile tile = {level, i,
					  left < TILE_WIDTH ? (unsigned)left
							    : TILE_WIDTH};
		const struct span data =
			span_of(&hash[i * TILE_WIDTH],
				(size_t)tile.width * MERKLE_HASH_BYTES);
		struct tile bundle = tile;

		assert_int_equal(tiles_write(t, &tile, data), SG_OK);
		bundle.level = TILE_ENTRIES;
		if (level == 0)
			log_write_bundle(t, &bundle);
		if (tile.width == TILE_WIDTH)
			assert_int_equal(
				tile_hash(m, data, 0, TILE_WIDTH, &hash[i]),
				SG_OK);
	}
	return n / TILE_WIDTH;
}

/* Write all that was taken, and sign it. */
static inline void log_publish(void)
{
	static struct merkle_frontier f;
	struct tiles *t;
	struct merkle *m;
	size_t n = log_size;

	memset(&f, 0, sizeof(f));
	assert_int_equal(merkle_create(&m), SG_OK);
	assert_int_equal(tiles_open(log_dir, true, &t), SG_OK);
	for (size_t i = 0; i < log_size; i++) {
		assert_int_equal(
			merkle_leaf(m,
				    span_of(log_entries[i].b, log_entries[i].n),
				    &log_leaves[i]),
			SG_OK);
		assert_int_equal(merkle_add(m, &f, &log_leaves[i], NULL, NULL),
				 SG_OK);
	}
	assert_int_equal(merkle_frontier_root(m, &f, &log_root), SG_OK);
	for (int level = 0; n > 0; level++)
		n = log_write_level(t, m, level, log_leaves, n);
	log_sign();
	tiles_close(t);
	merkle_free(m);
	assert_int_equal(fflush(log_segment), 0);
}

/* --- what goes in --------------------------------------------------------- */

struct log_certificate {
	enum entry_type type;
	int64_t time_ms;
	const char *client;
	uint8_t kid; /* of which all eight bytes are made */
	enum cose_alg alg;
	enum dcc_kind kind;
	const char *country;
	const char *uvci;
	int64_t exp;
	bool attested;
};

/* The signature of the certificate with INDEX: a stand-in, 64 bytes of any. */
static inline void log_signature(uint64_t index, uint8_t out[64])
{
	(void)SHA256((const uint8_t *)&index, sizeof(index), out);
	(void)SHA256(out, 32, out + 32);
}

static inline void log_certificate(const struct log_certificate *c)
{
	static const uint8_t POLICY[32] = {0xab, 0xcd};
	static const uint8_t ATTESTATION[32] = {0x11};
	uint8_t uci[32];
	uint8_t country_uci[32];
	uint8_t signature[64];
	char both[128];
	struct entry_certificate e = {
		.client = span_str(c->client),
		.alg = c->alg,
		.kind = c->kind,
		.signature = span_of(signature, sizeof(signature)),
		.uvci = span_str(c->uvci),
		.sig_structure = SPAN_LIT("what was signed"),
		.iat = c->time_ms / 1000,
		.exp = c->exp,
		.policy_hash = POLICY,
		.attestation = c->attested ? ATTESTATION : NULL,
	};
	const struct record r = {
		.signature = e.signature,
		.country = span_str(c->country),
		.uci = uci,
		.country_uci = country_uci,
		.payload = POLICY,
	};
	size_t n;

	memset(e.kid, c->kid, sizeof(e.kid));
	log_signature(log_size, signature);
	(void)snprintf(both, sizeof(both), "%s%s", c->country, c->uvci);
	(void)SHA256((const uint8_t *)c->uvci, strlen(c->uvci), uci);
	(void)SHA256((const uint8_t *)both, strlen(both), country_uci);
	assert_int_equal(entry_encode_certificate(c->type, c->time_ms, &e,
						  log_entries[log_size].b,
						  LOG_ENTRY_BYTES, &n),
			 SG_OK);
	log_take(n, r);
}

static inline void log_run(enum entry_type type, int64_t time_ms)
{
	size_t n;

	assert_int_equal(entry_encode_run(type, time_ms,
					  log_entries[log_size].b,
					  LOG_ENTRY_BYTES, &n),
			 SG_OK);
	log_take(n, (struct record){0});
}

#endif /* TEST_LOG_FIXTURE_H */
