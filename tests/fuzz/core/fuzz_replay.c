/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request that has been answered before, and what the journal has at the
 * offset that the index gives.  The input is the record's entry, its signature,
 * its issuing country and the payload, a chunk each, and the body of a record
 * as it is; of the first four a record is made, with the hashes that belong to
 * them.  An entry of two bytes at most is one for them as the core writes it,
 * by a key that there is, and a signature of one byte is a good one.  Nothing
 * is given out whose hashes are not the entry's.
 */
#include <openssl/evp.h>
#include <stdlib.h>

#include "../../unit/core/pki.h"
#include "../files.h"
#include "base/log.h"
#include "core/replay.h"
#include "ledger/segment.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define UVCI "URN:UVCI:01:VN:TEST/00000001"

enum { BODY_MAX = RECORD_BYTES_MAX, NOW = 1700000000 };

struct made {
	uint8_t uci[RECORD_HASH_BYTES], payload[RECORD_HASH_BYTES];
	uint64_t offset; /* of the record as it is */
	struct span dcc;
	struct span client;
};

static struct keyring *keys;
static struct signer signer;
static struct entry entry;
static uint8_t scratch[ASSEMBLY_SCRATCH];

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void hash(struct span in, uint8_t out[RECORD_HASH_BYTES])
{
	must(EVP_Digest(in.p, in.n, out, NULL, EVP_sha256(), NULL) == 1);
}

static void begin(void)
{
	static struct core_settings settings = {.nkeys = 1};
	struct wire_hsm_key offer = {.alg = COSE_ES256,
				     .label = SPAN_LIT("dsc-1")};
	size_t i;

	log_limit((enum log_level) - 1);
	settings.key[0] = (struct core_key_settings){
		.label = "dsc-1", .alg = COSE_ES256, .kinds = DCC_ALL_KINDS};
	must(keyring_create(&settings, &keys) == SG_OK);
	signer = signer_usual(COSE_ES256);
	offer.certificate = span_of(signer.der, (size_t)signer.der_n);
	offer.spki = span_of(signer.spki, (size_t)signer.spki_n);
	must(keyring_offer(keys, &offer, &i) == SG_OK);
}

/* --- what the core would have written --------------------------------------
 */

/* The Sig_structure of a certificate of M, which ends at EXP. */
static void assemble(struct assembly *a, const struct made *m,
		     struct span country, int64_t exp)
{
	static uint8_t prot[COSE_PROTECTED_MAX];
	struct assembly_parts parts = {.country = country,
				       .kid = keys->key[0].dsc.kid,
				       .iat = NOW - 1000,
				       .exp = exp,
				       .dcc = m->dcc,
				       .uvci = SPAN_LIT(UVCI)};
	size_t n;

	must(cose_protected(COSE_ES256, parts.kid, prot, sizeof(prot), &n) ==
	     SG_OK);
	parts.prot = span_of(prot, n);
	must(assembly_make(a, &parts, scratch) == SG_OK);
}

/* An entry for R, of whose entry the first two bytes say what it is of. */
static void make_entry(struct record *r, const struct made *m,
		       struct span signature)
{
	static uint8_t sig[COSE_SIG_MAX];
	static uint8_t out[ENTRY_BYTES_MAX];
	const uint8_t policy[ENTRY_HASH_BYTES] = {1};
	uint8_t digest[RECORD_HASH_BYTES];
	struct entry_certificate c = {.client = SPAN_LIT("issuer"),
				      .alg = COSE_ES256,
				      .uvci = SPAN_LIT(UVCI),
				      .iat = NOW - 1000,
				      .policy_hash = policy};
	struct assembly a;
	size_t n;

	c.exp = NOW + (r->entry.n > 1 ? (r->entry.p[1] - 64) * 3600 : 0);
	assemble(&a, m, r->country, c.exp);
	if (signature.n == 1) {
		hash(a.sig_structure, digest);
		n = signer_sign(&signer, span_of(digest, sizeof(digest)), sig);
		signature = span_of(sig, n);
	}
	memcpy(c.kid, keys->key[0].dsc.kid, sizeof(c.kid));
	c.sig_structure = a.sig_structure;
	c.signature = r->signature = signature;
	if (entry_encode_certificate(
		    r->entry.n > 0 && r->entry.p[0] % 2 == 1 ? ENTRY_RENEWED
							     : ENTRY_ISSUED,
		    NOW * 1000LL, &c, out, sizeof(out), &n) == SG_OK)
		r->entry = span_of(out, n);
	assembly_clear(&a);
}

/* A record of the first chunks of *IN, behind the HEAD_N bytes at P. */
static size_t make_record(struct span *in, struct made *m, uint8_t *p,
			  size_t cap)
{
	struct record r = {.index = 0, .entry = files_chunk(in)};
	size_t n = 0;

	r.signature = files_chunk(in);
	r.country = files_chunk(in);
	m->dcc = files_chunk(in);
	if (r.country.n > RECORD_COUNTRY_MAX)
		r.country.n = RECORD_COUNTRY_MAX;
	if (r.entry.n <= 2)
		make_entry(&r, m, r.signature);
	hash(SPAN_LIT(UVCI), m->uci);
	hash(m->dcc, m->payload);
	if (r.signature.n > 0) {
		r.uci = r.country_uci = m->uci;
		r.payload = m->payload;
	}
	m->client = SPAN_LIT("issuer");
	entry = (struct entry){0};
	if (entry_decode(r.entry, &entry) == SG_OK && entry.client.n > 0)
		m->client = entry.client;
	return record_encode(&r, p, cap, &n) == SG_OK ? n : 0;
}

static void make_journal(struct span in, struct made *m)
{
	static uint8_t file[SEGMENT_HEAD_MAX + 2 * BODY_MAX];
	const struct segment_head head = {.origin = SPAN_LIT("o"),
					  .newest_s = INT64_MIN};
	char name[SEGMENT_NAME_SIZE];
	struct span body;
	size_t head_n;
	size_t n;

	must(segment_head_encode(&head, file, &head_n) == SG_OK);
	n = head_n + make_record(&in, m, file + head_n, BODY_MAX);
	m->offset = n - head_n;
	body = files_chunk(&in);
	if (body.n > 0 && body.n + RECORD_HEAD_BYTES <= BODY_MAX) {
		memcpy(file + n + RECORD_HEAD_BYTES, body.p, body.n);
		record_frame(file + n, body.n);
		n += RECORD_HEAD_BYTES + body.n;
	}
	segment_name(0, name);
	files_put(name, span_of(file, n));
}

/* What goes out again is what was signed. */
static void check(const struct wire_issued *m, const struct made *of,
		  bool by_entry)
{
	static uint8_t tbs[ASSEMBLY_SCRATCH];
	struct cose_sign1 s;
	size_t n;

	must(m->replayed && m->ledger_index >= 0);
	must(cose_sign1_decode(m->cose, &s) == SG_OK);
	must(s.payload.n >= of->dcc.n);
	must(cose_sig_structure(s.prot, span_of(NULL, 0), s.payload, tbs,
				sizeof(tbs), &n) == SG_OK);
	must(!by_entry || entry_matches(&entry, s.signature, SPAN_LIT(UVCI),
					span_of(tbs, n)) == SG_OK);
}

static void find(struct replay *r, const struct made *m, uint64_t offset,
		 bool renew)
{
	const struct replay_request q = {.offset = offset,
					 .client = m->client,
					 .uvci = SPAN_LIT(UVCI),
					 .uci = m->uci,
					 .payload = m->payload,
					 .dcc = m->dcc,
					 .now = NOW,
					 .renew = renew,
					 .window_s = 86400};
	enum replay_word word = REPLAY_CONFLICT;
	struct wire_issued out;

	if (replay_find(r, &q, scratch, &word, &out) != SG_OK)
		return;
	(void)replay_attestation(r);
	must(renew || (word != REPLAY_DUE && word != REPLAY_EARLY &&
		       word != REPLAY_HAD && word != REPLAY_CHANGED));
	if (word == REPLAY_SAME)
		check(&out, m, offset == 0 && m->offset > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct made m = {0};
	struct replay *r;

	if (keys == NULL)
		begin();
	files_begin();
	make_journal(span_of(data, size), &m);
	must(replay_create(files_dir, keys, &r) == SG_OK);
	for (int i = 0; i < 2; i++) {
		find(r, &m, 0, i == 1);
		find(r, &m, m.offset, i == 1);
		find(r, &m, size, i == 1);
	}
	replay_free(r);
	return 0;
}
