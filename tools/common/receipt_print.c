/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "hcert/dsc.h"
#include "input.h"
#include "printable.h"
#include "receipt.h"
#include "times.h"

static const struct {
	const char *name;
	const char *about;
} STEPS[] = {
#define X(id, name, about) [RECEIPT_##id] = {name, about},
	RECEIPT_MAP(X)
#undef X
};

static void print_entry(const struct entry *e, FILE *to)
{
	char kid[HEX_TEXT(COSE_KID_BYTES)];
	char when[TIMES_TEXT];

	times_format(e->time_ms / 1000, when);
	(void)fprintf(to, "recorded   %s, %s, for ", when,
		      e->type == ENTRY_RENEWED ? "renewed" : "issued");
	printable_put(to, e->client);
	(void)hex_encode(e->kid, COSE_KID_BYTES, kid);
	(void)fprintf(to, "\nkey        %s, %s\n", kid, cose_alg_name(e->alg));
}

static void print_steps(const struct receipt_result *result, const char *origin,
			FILE *to)
{
	for (unsigned step = 0; step < RECEIPT_STEPS; step++) {
		const bool failed = step == result->failed;

		(void)fprintf(to, "%-6s %-12s %s", failed ? "FAILED" : "ok",
			      STEPS[step].name,
			      failed ? "" : STEPS[step].about);
		if (failed)
			printable_put(to, span_str(result->detail));
		(void)fputc('\n', to);
		if (failed)
			return;
	}
	(void)fputs("log        ", to);
	printable_put(to, span_str(origin));
	(void)fprintf(to, "\nentry      %" PRIu64 " of %" PRIu64 "\n",
		      result->index, result->size);
	print_entry(&result->entry, to);
}

static json_t *entry_json(const struct entry *e)
{
	const char kind = dcc_kind_letter(e->kind);
	char kid[HEX_TEXT(COSE_KID_BYTES)];

	(void)hex_encode(e->kid, COSE_KID_BYTES, kid);
	return json_pack("{s:s, s:I, s:s%, s:s, s:s, s:s%, s:I, s:I}", "type",
			 e->type == ENTRY_RENEWED ? "renewed" : "issued",
			 "time_ms", (json_int_t)e->time_ms, "client",
			 (const char *)e->client.p, e->client.n, "kid", kid,
			 "alg", cose_alg_name(e->alg), "kind", &kind, (size_t)1,
			 "iat", (json_int_t)e->iat, "exp", (json_int_t)e->exp);
}

static json_t *to_json(const struct receipt_result *result, const char *origin,
		       bool key_given)
{
	const bool good = result->failed == RECEIPT_STEPS;
	json_t *j = json_pack("{s:b, s:s, s:b}", "ok", good, "origin", origin,
			      "vkey_given", key_given);
	int bad = j == NULL;

	if (!good) {
		bad |= json_object_set_new(
			j, "failed", json_string(STEPS[result->failed].name));
		(void)json_object_set_new(j, "detail",
					  json_string(result->detail));
	}
	if (result->failed > RECEIPT_PROOF)
		bad |= json_object_set_new(
			j, "index", json_integer((json_int_t)result->index));
	if (result->failed > RECEIPT_CHECKPOINT)
		bad |= json_object_set_new(
			j, "size", json_integer((json_int_t)result->size));
	if (good)
		bad |= json_object_set_new(j, "entry",
					   entry_json(&result->entry));
	if (!bad)
		return j;
	json_decref(j);
	return NULL;
}

static void print_result(const struct receipt_case *c,
			 const struct receipt_result *result)
{
	json_t *o;
	char *text;

	if (!c->json) {
		print_steps(result, c->key->name, stdout);
		puts(result->failed == RECEIPT_STEPS ? "on record"
						     : "NOT PROVED");
		return;
	}
	o = to_json(result, c->key->name, c->key_given);
	text = o != NULL ? printable_json(o, JSON_COMPACT) : NULL;
	if (text != NULL)
		puts(text);
	free(text);
	json_decref(o);
}

enum sg_err receipt_conclude(const struct receipt_case *c, bool *good,
			     char *why, size_t cap)
{
	struct receipt_result result;
	struct receipt *r;
	const enum sg_err err = receipt_create(&r);

	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s", err_text(SG_NO_MEMORY));
		return err;
	}
	*good = receipt_check(r, c->asked, c->proof, c->key, &result);
	print_result(c, &result);
	receipt_free(r);
	if (!*good || c->keep == NULL)
		return SG_OK;
	return output_bytes(c->keep, c->proof.p, c->proof.n, why, cap);
}
