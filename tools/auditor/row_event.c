/* SPDX-License-Identifier: Apache-2.0 */
#include "row_event.h"

#include <inttypes.h>
#include <openssl/sha.h>

#include "base/hex.h"
#include "ceremony.h"
#include "row.h"
#include "tools/common/bytes.h"
#include "tools/common/csv.h"
#include "tools/common/printable.h"

enum { OPERATION_SHOWN = 16, TEXT_MAX = ENTRY_REFUSAL_MAX + 1 };

static void operation_hash(const struct entry *e,
			   char out[HEX_TEXT(SHA256_DIGEST_LENGTH)])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	(void)SHA256(e->operation.p, e->operation.n, hash);
	(void)hex_encode(hash, sizeof(hash), out);
}

/* --- for people ----------------------------------------------------------- */

static void put_ceremony(FILE *to, const struct entry *e)
{
	const struct ceremony c = ceremony_of(e);
	char hash[HEX_TEXT(SHA256_DIGEST_LENGTH)];
	char text[CEREMONY_TEXT];

	operation_hash(e, hash);
	(void)ceremony_text(&c, text);
	if (e->refusal.n > 0) {
		(void)fputs("REFUSED (", to);
		printable_put(to, e->refusal);
		(void)fputs("): ", to);
	}
	(void)fprintf(to, "%s%s%zu bytes, SHA-256 %.*s", text,
		      text[0] != '\0' ? "; " : "", e->operation.n,
		      OPERATION_SHOWN, hash);
}

static void put_key(FILE *to, const struct entry *e)
{
	char kid[BYTES_BASE64(COSE_KID_BYTES)];

	printable_put(to, e->label);
	(void)fputs(" is ", to);
	printable_put(to, e->state);
	if (e->kid != NULL)
		(void)fprintf(to, ", kid %s",
			      bytes_base64(e->kid, COSE_KID_BYTES, kid));
	if (e->operation_hash != NULL) {
		char hash[HEX_TEXT(ENTRY_HASH_BYTES)];

		(void)fprintf(
			to, ", by operation %.*s", CEREMONY_ID_SHOWN,
			hex_encode(e->operation_hash, ENTRY_HASH_BYTES, hash));
	}
}

void row_event_table(FILE *to, const struct entry *e)
{
	if (ceremony_is(e->type))
		put_ceremony(to, e);
	else if (e->type == ENTRY_KEY_EVENT)
		put_key(to, e);
}

/* --- for machines --------------------------------------------------------- */

/* A field of text that has no NUL at its end; empty where there is none. */
static void csv_field(FILE *to, struct span text)
{
	char out[TEXT_MAX];

	(void)fputc(',', to);
	if (text.n == 0)
		return;
	(void)snprintf(out, sizeof(out), "%.*s", (int)text.n,
		       (const char *)text.p);
	csv_text(to, out);
}

/* operation, operation_id, operation_key, proposer, officers, claimed_officers
 */
static void csv_operation(FILE *to, const struct ceremony *c)
{
	char kid[HEX_TEXT(ROLL_KID_BYTES)];
	char id[HEX_TEXT(ENTRY_HASH_BYTES)];

	(void)fprintf(to, ",%s,%s,%s,%s,%s", operation_kind_name(c->kind),
		      hex_encode(c->id, sizeof(c->id), id), c->key, c->proposer,
		      c->claimed ? "," : "");
	for (size_t i = 0; i < c->signers; i++)
		(void)fprintf(to, "%s%s=%s", i > 0 ? " " : "",
			      hex_encode(c->signer[i].kid, ROLL_KID_BYTES, kid),
			      cose_alg_name(c->signer[i].alg));
	(void)fputs(c->claimed ? "" : ",", to);
}

static void csv_ceremony(FILE *to, const struct entry *e)
{
	const struct ceremony c = ceremony_of(e);
	char hash[HEX_TEXT(SHA256_DIGEST_LENGTH)];

	operation_hash(e, hash);
	(void)fprintf(to, ",%s,%zu", hash, e->operation.n);
	if (c.kind != OPERATION_KINDS)
		csv_operation(to, &c);
	else
		(void)fputs(",,,,,,", to);
	csv_field(to, e->refusal);
}

void row_event_csv(FILE *to, const struct entry *e)
{
	char kid[BYTES_BASE64(COSE_KID_BYTES)];
	char hash[HEX_TEXT(ENTRY_HASH_BYTES)] = "";

	if (ceremony_is(e->type)) {
		csv_ceremony(to, e);
		(void)fputs(",,,", to);
		return;
	}
	if (e->operation_hash != NULL)
		(void)hex_encode(e->operation_hash, ENTRY_HASH_BYTES, hash);
	(void)fprintf(to, ",,,,%s,,,,,", hash);
	csv_field(to, e->label);
	csv_field(to, e->state);
	(void)fprintf(to, ",%s",
		      e->type == ENTRY_KEY_EVENT && e->kid != NULL
			      ? bytes_base64(e->kid, COSE_KID_BYTES, kid)
			      : "");
}

static void json_operation(FILE *to, const struct ceremony *c)
{
	char kid[HEX_TEXT(ROLL_KID_BYTES)];
	char id[HEX_TEXT(ENTRY_HASH_BYTES)];

	(void)fprintf(to, ", \"operation\": \"%s\", \"operation_id\": \"%s\"",
		      operation_kind_name(c->kind),
		      hex_encode(c->id, sizeof(c->id), id));
	if (c->key[0] != '\0')
		(void)fprintf(to, ", \"key\": \"%s\"", c->key);
	(void)fprintf(to, ", \"proposer\": \"%s\", \"%s\": [", c->proposer,
		      c->claimed ? "claimed_officers" : "officers");
	for (size_t i = 0; i < c->signers; i++)
		(void)fprintf(to, "%s{\"kid\": \"%s\", \"alg\": \"%s\"}",
			      i > 0 ? ", " : "",
			      hex_encode(c->signer[i].kid, ROLL_KID_BYTES, kid),
			      cose_alg_name(c->signer[i].alg));
	(void)fputc(']', to);
}

static void json_ceremony(FILE *to, const struct entry *e)
{
	const struct ceremony c = ceremony_of(e);
	char hash[HEX_TEXT(SHA256_DIGEST_LENGTH)];

	operation_hash(e, hash);
	(void)fprintf(to,
		      ", \"operation_sha256\": \"%s\", "
		      "\"operation_bytes\": %zu",
		      hash, e->operation.n);
	if (c.recovery)
		(void)fprintf(to, ", \"recovered_at\": %" PRIu64, c.disk);
	if (c.is_known)
		(void)fprintf(to, ", \"recovered_from\": %" PRIu64, c.known);
	if (c.serial > 0)
		(void)fprintf(to, ", \"serial\": %u, \"revoked\": %u", c.serial,
			      c.revoked);
	if (c.kind != OPERATION_KINDS)
		json_operation(to, &c);
	if (e->refusal.n > 0) {
		(void)fputs(", \"refusal\": ", to);
		row_json_text(to, e->refusal);
	}
}

static void json_key(FILE *to, const struct entry *e)
{
	char kid[BYTES_BASE64(COSE_KID_BYTES)];
	char hash[HEX_TEXT(ENTRY_HASH_BYTES)];

	(void)fputs(", \"label\": ", to);
	row_json_text(to, e->label);
	(void)fputs(", \"state\": ", to);
	row_json_text(to, e->state);
	if (e->kid != NULL)
		(void)fprintf(to, ", \"kid\": \"%s\"",
			      bytes_base64(e->kid, COSE_KID_BYTES, kid));
	if (e->operation_hash != NULL)
		(void)fprintf(
			to, ", \"operation_id\": \"%s\"",
			hex_encode(e->operation_hash, ENTRY_HASH_BYTES, hash));
}

void row_event_json(FILE *to, const struct entry *e)
{
	if (ceremony_is(e->type))
		json_ceremony(to, e);
	else if (e->type == ENTRY_KEY_EVENT)
		json_key(to, e);
}
