/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "account.h"
#include "base/hex.h"
#include "row.h"
#include "tools/common/bytes.h"
#include "tools/common/meaning.h"
#include "tools/common/number.h"
#include "tools/common/times.h"

enum { NUMBER = 32, DAY_S = 86400, MS = 1000 };

static void number(struct sheet *s, uint64_t n)
{
	char text[NUMBER];

	sheet_cell(s, span_str(number_text(n, text)));
}

static void second(struct sheet *s, int64_t ms)
{
	char text[TIMES_TEXT];

	times_format(ms / MS, text);
	sheet_cell(s, span_str(text));
}

/* Issued by kind, renewed, with an identity. */
static void numbers(struct sheet *s, const uint64_t *count)
{
	for (unsigned i = 0; i < DCC_KINDS; i++)
		number(s, count[SURVEY_ISSUED + i]);
	number(s, survey_sum(count, SURVEY_RENEWED));
	number(s, survey_sum(count, SURVEY_ISSUED) +
			  survey_sum(count, SURVEY_RENEWED));
}

static void nothing(struct sheet *s)
{
	sheet_para(s, "None.");
}

static void print_clients(const struct survey *v, struct sheet *s)
{
	static const char *const heads[] = {
		"client",   ">vaccination",    ">test",		 ">recovery",
		">renewed", ">all signatures", ">with identity", ">refused"};
	const struct bag_cell *c;

	sheet_heading(s, "By client");
	if (bag_at(v->clients, 0) == NULL) {
		nothing(s);
		return;
	}
	sheet_table(s, sizeof(heads) / sizeof(heads[0]), heads);
	for (size_t i = 0; (c = bag_at(v->clients, i)) != NULL; i++) {
		sheet_cell(s, c->n > 0 ? span_of(c->key, c->n)
				       : SPAN_LIT("(all others)"));
		numbers(s, c->count);
		number(s, c->count[SURVEY_ATTESTED]);
		number(s, c->count[SURVEY_REFUSED]);
	}
	sheet_cell(s, SPAN_LIT("all"));
	numbers(s, v->total);
	number(s, v->total[SURVEY_ATTESTED]);
	number(s, v->total[SURVEY_REFUSED]);
	sheet_table_end(s);
}

static void put_kid(struct sheet *s, const struct bag_cell *c)
{
	char base64[BYTES_BASE64(COSE_KID_BYTES)];

	sheet_cell(s, span_str(c->n > COSE_KID_BYTES
				       ? bytes_base64(c->key, COSE_KID_BYTES,
						      base64)
				       : "(all others)"));
}

static void print_key_counts(const struct survey *v, struct sheet *s)
{
	static const char *const heads[] = {
		"@key (kid)", "algorithm", ">vaccination",   ">test",
		">recovery",  ">renewed",  ">all signatures"};
	const struct bag_cell *c;

	sheet_table(s, sizeof(heads) / sizeof(heads[0]), heads);
	for (size_t i = 0; (c = bag_at(v->keys, i)) != NULL; i++) {
		put_kid(s, c);
		sheet_cell(s, c->n > COSE_KID_BYTES
				      ? span_of(c->key + COSE_KID_BYTES,
						c->n - COSE_KID_BYTES)
				      : span_of(NULL, 0));
		numbers(s, c->count);
	}
	sheet_table_end(s);
}

static void print_key_times(const struct survey *v, struct sheet *s)
{
	static const char *const heads[] = {"@key (kid)", "@the same in hex",
					    "@first used", "@last used"};
	const struct bag_cell *c;
	char hex[HEX_TEXT(COSE_KID_BYTES)];

	sheet_table(s, sizeof(heads) / sizeof(heads[0]), heads);
	for (size_t i = 0; (c = bag_at(v->keys, i)) != NULL; i++) {
		put_kid(s, c);
		sheet_cell(s, span_str(c->n > COSE_KID_BYTES
					       ? hex_encode(c->key,
							    COSE_KID_BYTES, hex)
					       : ""));
		second(s, c->first_ms);
		second(s, c->last_ms);
	}
	sheet_table_end(s);
}

static void print_keys(const struct survey *v, struct sheet *s)
{
	sheet_heading(s, "By signing key");
	if (bag_at(v->keys, 0) == NULL) {
		nothing(s);
		return;
	}
	print_key_counts(v, s);
	print_key_times(v, s);
}

static void print_policies(const struct survey *v, struct sheet *s)
{
	static const char *const heads[] = {
		"#policy (SHA-256)", ">all signatures", "@first signature",
		"@last signature"};
	const struct bag_cell *c;
	char hex[HEX_TEXT(ENTRY_HASH_BYTES)];

	sheet_heading(s, "By policy");
	if (bag_at(v->policies, 0) == NULL) {
		nothing(s);
		return;
	}
	sheet_table(s, sizeof(heads) / sizeof(heads[0]), heads);
	for (size_t i = 0; (c = bag_at(v->policies, i)) != NULL; i++) {
		sheet_cell(s, span_str(c->n == ENTRY_HASH_BYTES
					       ? hex_encode(c->key, c->n, hex)
					       : "(all others)"));
		number(s, survey_sum(c->count, SURVEY_ISSUED) +
				  survey_sum(c->count, SURVEY_RENEWED));
		second(s, c->first_ms);
		second(s, c->last_ms);
	}
	sheet_table_end(s);
}

static uint64_t signatures(const struct bag_cell *c)
{
	return survey_sum(c->count, SURVEY_ISSUED) +
	       survey_sum(c->count, SURVEY_RENEWED);
}

static void print_days(const struct survey *v, struct sheet *s)
{
	static const char *const heads[] = {
		"@day (UTC)", ">vaccination",	 ">test",    ">recovery",
		">renewed",   ">all signatures", ">refused", "all signatures"};
	const struct bag_cell *c;
	uint64_t most = 1;
	char date[TIMES_TEXT];

	sheet_heading(s, "By day");
	if (bag_at(v->days, 0) == NULL) {
		nothing(s);
		return;
	}
	for (size_t i = 0; (c = bag_at(v->days, i)) != NULL; i++)
		if (signatures(c) > most)
			most = signatures(c);
	sheet_table(s, sizeof(heads) / sizeof(heads[0]), heads);
	for (size_t i = 0; (c = bag_at(v->days, i)) != NULL; i++) {
		if (c->n > 0) {
			times_format(survey_day(c) * DAY_S, date);
			sheet_cellf(s, "%.10s", date);
		} else {
			sheet_cell(s, SPAN_LIT("(all others)"));
		}
		numbers(s, c->count);
		number(s, c->count[SURVEY_REFUSED]);
		sheet_bar(s, (double)signatures(c) / (double)most);
	}
	sheet_table_end(s);
}

static void print_codes(const struct survey *v, struct sheet *s)
{
	static const char *const heads[] = {"client", "@fault", ">times",
					    "what it means"};
	const struct bag_cell *c;
	char name[BAG_KEY_MAX + 1];

	sheet_heading(s, "Refusals by client and fault");
	if (bag_at(v->codes, 0) == NULL) {
		nothing(s);
		return;
	}
	sheet_para(s, "A refused request was not signed. Its faults are "
		      "counted here, one request may have several.");
	sheet_table(s, sizeof(heads) / sizeof(heads[0]), heads);
	for (size_t i = 0; (c = bag_at(v->codes, i)) != NULL; i++) {
		struct span client;
		struct span code;
		const char *meaning;

		survey_code(c, &client, &code);
		if (code.n > 0)
			memcpy(name, code.p, code.n);
		name[code.n] = '\0';
		meaning = meaning_of(name);
		sheet_cell(s, c->n > 0 ? client : SPAN_LIT("(all others)"));
		sheet_cell(s, code);
		number(s, c->count[0]);
		sheet_cell(s, span_str(meaning != NULL ? meaning : ""));
	}
	sheet_table_end(s);
}

void account_counts(const struct account *a, struct sheet *s)
{
	print_clients(a->survey, s);
	print_keys(a->survey, s);
	print_policies(a->survey, s);
	print_days(a->survey, s);
	print_codes(a->survey, s);
}
