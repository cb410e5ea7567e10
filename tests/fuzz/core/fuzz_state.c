/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small files of the state directory, a chunk each: its format, the hours
 * of the clients, how much the keys are used, the officers' statement that lets
 * the ledger go on, and what they have revoked: a statement, its list, and
 * which are on record.  A statement that begins with "s" is what comes after
 * it, signed by two of three officers, with "t" by one of them; any other is a
 * note as it is.
 */
#include <openssl/evp.h>
#include <stdlib.h>

#include "../files.h"
#include "base/digest.h"
#include "base/log.h"
#include "core/history.h"
#include "core/key_usage.h"
#include "core/revocations.h"
#include "core/state_format.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ORIGIN "test.example/log"

enum { OFFICERS = 3, SEED_BYTES = 32, LEAVES = 1000, LINES_MAX = 1024 };

static const char POLICY[] =
	"version: 1\nclients:\n"
	"  - {name: a, identities: [\"uri:urn:a\"], operations: [audit]}\n";

static struct {
	EVP_PKEY *key;
	struct note_key public_key;
} officer[OFFICERS];

static struct core_ledger_settings settings;
static struct policy *policy;

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* --- stand-ins ------------------------------------------------------------ */

struct diary {
	size_t statements;
};

void diary_revocation(struct diary *d, struct span statement)
{
	must(statement.n > 0);
	d->statements++;
}

bool diary_revoked(const struct diary *d)
{
	return d->statements > 0;
}

void journal_end(const struct journal *j, uint64_t *index, uint64_t *offset)
{
	(void)j;
	*index = LEAVES;
	*offset = 0;
}

/* --- officers ------------------------------------------------------------- */

static void appoint(unsigned i)
{
	uint8_t bytes[SEED_BYTES];
	char name[16];
	char text[NOTE_VKEY_MAX];
	size_t n = sizeof(bytes);

	memset(bytes, (int)i + 1, sizeof(bytes));
	officer[i].key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
						      bytes, sizeof(bytes));
	must(officer[i].key != NULL &&
	     EVP_PKEY_get_raw_public_key(officer[i].key, bytes, &n) == 1);
	(void)snprintf(name, sizeof(name), "officer-%u", i);
	must(note_key_make(span_str(name), NOTE_ED25519, bytes,
			   &officer[i].public_key) == SG_OK);
	note_key_text(&officer[i].public_key, text);
	(void)snprintf(settings.officer[i], CORE_VKEY_MAX, "%s", text);
}

static void begin(void)
{
	static struct faults faults;

	log_limit((enum log_level) - 1);
	for (unsigned i = 0; i < OFFICERS; i++)
		appoint(i);
	settings.nofficers = OFFICERS;
	settings.approvals = 2;
	(void)snprintf(settings.origin, sizeof(settings.origin), "%s", ORIGIN);
	must(policy_load(span_str(POLICY), "p", &policy, &faults) == SG_OK);
}

static size_t sign_line(struct span text, unsigned i, uint8_t *out, size_t cap)
{
	uint8_t signature[NOTE_SIGNATURE_BYTES];
	size_t n = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	must(ctx != NULL &&
	     EVP_DigestSignInit(ctx, NULL, NULL, NULL, officer[i].key) == 1 &&
	     EVP_DigestSign(ctx, signature, &n, text.p, text.n) == 1);
	EVP_MD_CTX_free(ctx);
	must(note_signature_line(&officer[i].public_key, 0, signature, out, cap,
				 &n) == SG_OK);
	return n;
}

/* CHUNK as the file NAME. */
static void put_statement(const char *name, struct span chunk)
{
	static uint8_t note[RECOVERY_NOTE_MAX];
	uint8_t lines[LINES_MAX];
	size_t lines_n = 0;
	size_t n;
	unsigned signers;

	if (chunk.n == 0)
		return;
	signers = chunk.p[0] == 's' ? 2 : chunk.p[0] == 't';
	if (signers == 0) {
		files_put(name, chunk);
		return;
	}
	chunk = span_of(chunk.p + 1, chunk.n - 1);
	for (unsigned i = 0; i < signers; i++)
		lines_n += sign_line(chunk, i, lines + lines_n,
				     sizeof(lines) - lines_n);
	if (note_join(chunk, span_of(lines, lines_n), note, sizeof(note), &n) ==
	    SG_OK)
		files_put(name, span_of(note, n));
}

/* --- the files ------------------------------------------------------------ */

static void put(const char *name, struct span chunk)
{
	if (chunk.n > 0)
		files_put(name, chunk);
}

static void read_hours(void)
{
	enum { BEFORE = 500000 };
	struct quota *q;
	struct quota *again;

	must(quota_create(policy, &q) == SG_OK);
	must(quota_create(policy, &again) == SG_OK);
	must(history_load(files_dir, BEFORE, q) == SG_OK);
	/* What was taken can be kept and taken again. */
	must(history_save(files_dir, q) == SG_OK &&
	     history_load(files_dir, BEFORE, again) == SG_OK);
	quota_free(again);
	quota_free(q);
}

static bool knows_none(void *ctx, const uint8_t kid[COSE_KID_BYTES])
{
	(void)ctx;
	(void)kid;
	return false;
}

static void read_usage(void)
{
	const uint8_t kid[COSE_KID_BYTES] = "abcdefg";
	struct key_usage *u;
	uint64_t count;
	int64_t exp;

	must(key_usage_create(files_dir, files_dir, NULL, &u) == SG_OK);
	key_usage_count(u, kid, 1, LEAVES);
	key_usage_of(u, kid, &count, &exp);
	(void)key_usage_others(u, knows_none, NULL);
	for (uint64_t i = 1; i < 3; i++)
		key_usage_tick(u, i * 100 * 1000 * 1000);
	(void)key_usage_complete(u);
	key_usage_free(u);
}

static void read_recovery(void)
{
	static uint8_t note[RECOVERY_NOTE_MAX];
	const struct recovery_facts f = {.origin = ORIGIN, .disk_size = 7};
	struct recovery_facts more = f;
	const struct checkpoint at = {.size = f.disk_size, .root = f.disk_root};
	enum sg_err err;
	size_t n;

	must(recovery_ask(files_dir, &f) == SG_OK);
	err = recovery_find(files_dir, &f, &settings, note, sizeof(note), &n);
	/* One statement is of one state. */
	more.known = true;
	more.known_size = 9;
	must(recovery_find(files_dir, &more, &settings, note, sizeof(note),
			   &n) != SG_OK ||
	     err != SG_OK);
	if (recovery_find_used(files_dir, &at, &settings, note, sizeof(note),
			       &n) == SG_OK)
		recovery_used(files_dir);
	else
		must(err != SG_OK);
}

static void read_revocations(void)
{
	struct diary diary = {0};
	const struct revocations_parts parts = {
		.state_dir = files_dir, .settings = &settings, .diary = &diary};
	struct revocations *r;

	if (revocations_create(&parts, &r) != SG_OK)
		return;
	for (int i = 0; i < 3; i++) {
		revocations_look(r);
		revocations_tick(r);
	}
	(void)revoked_count(revocations_set(r));
	revocations_free(r);
	/* It is on record now, and counts after the next start. */
	must(revocations_create(&parts, &r) == SG_OK);
	revocations_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);

	if (policy == NULL)
		begin();
	files_begin();
	files_folder("revocations");
	put("format", files_chunk(&in));
	put("hours", files_chunk(&in));
	put("key-usage", files_chunk(&in));
	put_statement("recovery", files_chunk(&in));
	put_statement("revocations/00000001.note", files_chunk(&in));
	put("revocations/00000001.list", files_chunk(&in));
	put("revocations/applied", files_chunk(&in));
	if (state_format_check(files_dir) != SG_OK)
		return 0;
	read_hours();
	read_usage();
	read_recovery();
	read_revocations();
	return 0;
}
