/* SPDX-License-Identifier: Apache-2.0 */
#include "row.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "filter.h"
#include "hcert/utf8.h"
#include "row_event.h"
#include "tools/common/bytes.h"
#include "tools/common/csv.h"
#include "tools/common/printable.h"
#include "tools/common/times.h"

enum { MS = 1000, CLIENT_WIDTH = 20, POLICY_SHOWN = 12 };

const char *row_time(int64_t ms, char out[ROW_TIME])
{
	char text[TIMES_TEXT];
	int64_t s = ms / MS;
	int64_t rest = ms % MS;
	size_t n;

	if (rest < 0) {
		rest += MS;
		s--;
	}
	times_format(s, text);
	n = strlen(text);
	if (n > 0 && text[n - 1] == 'Z')
		(void)snprintf(out, ROW_TIME, "%.*s.%03dZ", (int)n - 1, text,
			       (int)rest);
	else
		(void)snprintf(out, ROW_TIME, "%" PRId64, ms);
	return out;
}

void row_json_text(FILE *to, struct span text)
{
	json_t *j = json_stringn((const char *)text.p, text.n);
	char *out = j != NULL ? printable_json(j, JSON_ENCODE_ANY) : NULL;

	(void)fputs(out != NULL ? out : "null", to);
	free(out);
	json_decref(j);
}

static bool is_certificate(const struct entry *e)
{
	return e->type == ENTRY_ISSUED || e->type == ENTRY_RENEWED;
}

/* --- for people ----------------------------------------------------------- */

static void put_client(FILE *to, struct span client)
{
	struct span rest = client;
	int columns = 0;

	printable_put(to, client);
	while (rest.n > 0) {
		(void)utf8_next(&rest);
		columns++;
	}
	(void)fprintf(to, "%*s  ",
		      columns < CLIENT_WIDTH ? CLIENT_WIDTH - columns : 0, "");
}

static void put_certificate(FILE *to, const struct entry *e)
{
	char kid[BYTES_BASE64(COSE_KID_BYTES)];
	char policy[HEX_TEXT(ENTRY_HASH_BYTES)];
	char until[TIMES_TEXT];

	times_format(e->exp, until);
	(void)fprintf(to, "%s  %-5s  %c  %s  %.*s",
		      bytes_base64(e->kid, COSE_KID_BYTES, kid),
		      cose_alg_name(e->alg), dcc_kind_letter(e->kind), until,
		      POLICY_SHOWN,
		      hex_encode(e->policy_hash, ENTRY_HASH_BYTES, policy));
}

static void put_refused(FILE *to, const struct entry_refused *r)
{
	(void)fprintf(to, "%" PRIu64 " records:", r->records);
	for (size_t i = 0; i < r->n; i++) {
		(void)fputs(i > 0 ? ", " : " ", to);
		printable_put(to, r->code[i].code);
		(void)fprintf(to, " %" PRIu64, r->code[i].count);
	}
}

static void put_table(FILE *to, const struct walk_entry *w)
{
	const struct entry *e = &w->e;
	char time[ROW_TIME];
	char hash[HEX_TEXT(ENTRY_HASH_BYTES)];

	(void)fprintf(to, "%10" PRIu64 "  %s  %-10s  ", w->index,
		      row_time(e->time_ms, time), filter_type_name(e->type));
	if (e->client.n > 0)
		put_client(to, e->client);
	if (is_certificate(e)) {
		put_certificate(to, e);
	} else if (e->type == ENTRY_REFUSED) {
		put_refused(to, &e->refused);
	} else if (e->type == ENTRY_POLICY) {
		(void)fputs(hex_encode(e->policy_hash, ENTRY_HASH_BYTES, hash),
			    to);
	} else {
		row_event_table(to, e);
	}
	(void)fputc('\n', to);
}

/* --- for machines --------------------------------------------------------- */

static const char CSV_HEAD[] =
	"index,time,type,client,kid,alg,kind,issued,expires,policy,"
	"uvci_hash,revocation_hash,content_hash,attestation,leaf_hash,"
	"from,records,codes," ROW_EVENT_CSV;

static void csv_hash(FILE *to, const uint8_t *hash, size_t n)
{
	char hex[HEX_TEXT(ENTRY_HASH_BYTES)];

	(void)fputc(',', to);
	if (hash != NULL)
		(void)fputs(hex_encode(hash, n, hex), to);
}

/* kid to expires: five fields. */
static void csv_certificate(FILE *to, const struct entry *e)
{
	char kid[BYTES_BASE64(COSE_KID_BYTES)];
	char iat[TIMES_TEXT];
	char exp[TIMES_TEXT];

	if (!is_certificate(e)) {
		(void)fputs(",,,,,", to);
		return;
	}
	times_format(e->iat, iat);
	times_format(e->exp, exp);
	(void)fprintf(to, ",%s,%s,%c,%s,%s",
		      bytes_base64(e->kid, COSE_KID_BYTES, kid),
		      cose_alg_name(e->alg), dcc_kind_letter(e->kind), iat,
		      exp);
}

/* csv_text() of what has no NUL at its end. */
static void csv_span(FILE *to, struct span text)
{
	char out[ENTRY_NAME_MAX + 1];
	const size_t n = text.n < ENTRY_NAME_MAX ? text.n : ENTRY_NAME_MAX;

	if (n > 0)
		memcpy(out, text.p, n);
	out[n] = '\0';
	if (n > 0)
		csv_text(to, out);
}

/* Part of a quoted field.  No code has a quote, but an entry may. */
static void csv_quoted(FILE *to, struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			(void)fputc('"', to);
		(void)fputc(text.p[i], to);
	}
}

/* from, records, codes */
static void csv_refused(FILE *to, const struct entry *e)
{
	const struct entry_refused *r = &e->refused;
	char time[ROW_TIME];

	if (e->type != ENTRY_REFUSED) {
		(void)fputs(",,,", to);
		return;
	}
	(void)fprintf(to, ",%s,%" PRIu64 ",\"", row_time(r->from_ms, time),
		      r->records);
	for (size_t i = 0; i < r->n; i++) {
		(void)fputs(i > 0 ? " " : "", to);
		csv_quoted(to, r->code[i].code);
		(void)fprintf(to, "=%" PRIu64, r->code[i].count);
	}
	(void)fputc('"', to);
}

static void put_csv(FILE *to, const struct walk_entry *w)
{
	const struct entry *e = &w->e;
	char time[ROW_TIME];

	(void)fprintf(to, "%" PRIu64 ",%s,%s,", w->index,
		      row_time(e->time_ms, time), filter_type_name(e->type));
	csv_span(to, e->client);
	csv_certificate(to, e);
	csv_hash(to, e->policy_hash, ENTRY_HASH_BYTES);
	csv_hash(to, e->uvci_hash, ENTRY_HASH_BYTES);
	csv_hash(to, e->revocation, ENTRY_REVOCATION_BYTES);
	csv_hash(to, e->content_hash, ENTRY_HASH_BYTES);
	csv_hash(to, e->attestation, ENTRY_HASH_BYTES);
	csv_hash(to, w->leaf->b, MERKLE_HASH_BYTES);
	csv_refused(to, e);
	row_event_csv(to, e);
	(void)fputs("\r\n", to);
}

static void json_hash(FILE *to, const char *name, const uint8_t *hash, size_t n)
{
	char hex[HEX_TEXT(ENTRY_HASH_BYTES)];

	if (hash != NULL)
		(void)fprintf(to, ", \"%s\": \"%s\"", name,
			      hex_encode(hash, n, hex));
}

static void json_certificate(FILE *to, const struct entry *e)
{
	char kid[BYTES_BASE64(COSE_KID_BYTES)];

	(void)fprintf(to,
		      ", \"kid\": \"%s\", \"alg\": \"%s\", \"kind\": \"%c\""
		      ", \"iat\": %" PRId64 ", \"exp\": %" PRId64,
		      bytes_base64(e->kid, COSE_KID_BYTES, kid),
		      cose_alg_name(e->alg), dcc_kind_letter(e->kind), e->iat,
		      e->exp);
}

static void json_refused(FILE *to, const struct entry_refused *r)
{
	(void)fprintf(to,
		      ", \"from_ms\": %" PRId64 ", \"records\": %" PRIu64
		      ", \"codes\": {",
		      r->from_ms, r->records);
	for (size_t i = 0; i < r->n; i++) {
		(void)fputs(i > 0 ? ", " : "", to);
		row_json_text(to, r->code[i].code);
		(void)fprintf(to, ": %" PRIu64, r->code[i].count);
	}
	(void)fputc('}', to);
}

static void put_json(FILE *to, const struct walk_entry *w)
{
	const struct entry *e = &w->e;

	(void)fprintf(to,
		      "{\"index\": %" PRIu64 ", \"type\": \"%s\", \"time_ms\": "
		      "%" PRId64,
		      w->index, filter_type_name(e->type), e->time_ms);
	if (e->client.n > 0) {
		(void)fputs(", \"client\": ", to);
		row_json_text(to, e->client);
	}
	if (is_certificate(e))
		json_certificate(to, e);
	json_hash(to, "policy", e->policy_hash, ENTRY_HASH_BYTES);
	json_hash(to, "uvci_hash", e->uvci_hash, ENTRY_HASH_BYTES);
	json_hash(to, "revocation_hash", e->revocation, ENTRY_REVOCATION_BYTES);
	json_hash(to, "content_hash", e->content_hash, ENTRY_HASH_BYTES);
	json_hash(to, "attestation", e->attestation, ENTRY_HASH_BYTES);
	if (e->type == ENTRY_REFUSED)
		json_refused(to, &e->refused);
	row_event_json(to, e);
	json_hash(to, "leaf_hash", w->leaf->b, MERKLE_HASH_BYTES);
	(void)fputc('}', to);
}

/* --- all of them ---------------------------------------------------------- */

void row_begin(struct row *r, FILE *to, enum row_form form)
{
	*r = (struct row){.to = to, .form = form};
	if (form == ROW_CSV)
		csv_begin(to, CSV_HEAD);
	else if (form == ROW_JSON)
		(void)fputc('[', to);
}

void row_put(struct row *r, const struct walk_entry *e)
{
	switch (r->form) {
	case ROW_TABLE:
		if (r->n == 0)
			(void)fprintf(r->to,
				      "%10s  %-24s  %-10s  %-*s  %-12s  %-5s  "
				      "%s  %-20s  %s\n",
				      "index", "time", "type", CLIENT_WIDTH,
				      "client", "key (kid)", "alg", "k",
				      "valid until", "policy");
		put_table(r->to, e);
		break;
	case ROW_CSV: put_csv(r->to, e); break;
	case ROW_JSON:
		(void)fputs(r->n > 0 ? ",\n " : "\n ", r->to);
		put_json(r->to, e);
		break;
	case ROW_NDJSON:
		put_json(r->to, e);
		(void)fputc('\n', r->to);
		break;
	}
	r->n++;
}

void row_end(struct row *r)
{
	if (r->form == ROW_JSON)
		(void)fputs(r->n > 0 ? "\n]\n" : "]\n", r->to);
}
