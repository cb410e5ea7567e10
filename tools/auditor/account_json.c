/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "account.h"
#include "base/hex.h"
#include "filter.h"
#include "tools/common/bytes.h"
#include "tools/common/times.h"

enum { DAY_S = 86400 };

static json_t *text_of(struct span s)
{
	return json_stringn((const char *)s.p, s.n);
}

static json_t *hex_of(const uint8_t *p, size_t n)
{
	char hex[HEX_TEXT(ENTRY_HASH_BYTES)];

	return json_string(hex_encode(p, n, hex));
}

static json_t *base64_of(const uint8_t *p, size_t n)
{
	char base64[BYTES_BASE64(ENTRY_HASH_BYTES)];

	return json_string(bytes_base64(p, n, base64));
}

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *kinds(const uint64_t *count)
{
	json_t *j = json_object();

	for (unsigned i = 0; i < DCC_KINDS; i++) {
		const char name[2] = {dcc_kind_letter((enum dcc_kind)i), '\0'};

		(void)json_object_set_new(j, name, integer(count[i]));
	}
	return j;
}

static void set_counts(json_t *j, const uint64_t *count)
{
	(void)json_object_set_new(j, "issued", kinds(count + SURVEY_ISSUED));
	(void)json_object_set_new(j, "renewed", kinds(count + SURVEY_RENEWED));
	(void)json_object_set_new(j, "attested",
				  integer(count[SURVEY_ATTESTED]));
	(void)json_object_set_new(j, "refused", integer(count[SURVEY_REFUSED]));
}

/* What a cell is named by goes into J; nothing for all that did not fit. */
typedef void name_fn(json_t *j, const struct bag_cell *c);

static void name_client(json_t *j, const struct bag_cell *c)
{
	(void)json_object_set_new(j, "client", text_of(span_of(c->key, c->n)));
}

static void name_key(json_t *j, const struct bag_cell *c)
{
	(void)json_object_set_new(j, "kid", base64_of(c->key, COSE_KID_BYTES));
	(void)json_object_set_new(j, "alg",
				  text_of(span_of(c->key + COSE_KID_BYTES,
						  c->n - COSE_KID_BYTES)));
}

static void name_policy(json_t *j, const struct bag_cell *c)
{
	(void)json_object_set_new(j, "policy",
				  hex_of(c->key, ENTRY_HASH_BYTES));
}

static void name_day(json_t *j, const struct bag_cell *c)
{
	char date[TIMES_TEXT];

	times_format(survey_day(c) * DAY_S, date);
	(void)json_object_set_new(j, "day", json_stringn(date, 10));
}

static json_t *counts(const struct bag *b, name_fn *name)
{
	json_t *list = json_array();
	const struct bag_cell *c;

	for (size_t i = 0; (c = bag_at(b, i)) != NULL; i++) {
		json_t *j = json_object();

		if (c->n > 0)
			name(j, c);
		set_counts(j, c->count);
		(void)json_object_set_new(j, "first_ms",
					  json_integer(c->first_ms));
		(void)json_object_set_new(j, "last_ms",
					  json_integer(c->last_ms));
		(void)json_object_set_new(j, "first_index", integer(c->first));
		(void)json_object_set_new(j, "last_index", integer(c->last));
		(void)json_array_append_new(list, j);
	}
	return list;
}

static json_t *codes(const struct bag *b)
{
	json_t *list = json_array();
	const struct bag_cell *c;

	for (size_t i = 0; (c = bag_at(b, i)) != NULL; i++) {
		json_t *j = json_object();
		struct span client;
		struct span code;

		survey_code(c, &client, &code);
		if (c->n > 0) {
			(void)json_object_set_new(j, "client", text_of(client));
			(void)json_object_set_new(j, "code", text_of(code));
		}
		(void)json_object_set_new(j, "times", integer(c->count[0]));
		(void)json_array_append_new(list, j);
	}
	return list;
}

static json_t *officers(const struct ceremony *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->signers; i++) {
		json_t *j = json_object();

		(void)json_object_set_new(
			j, "kid", hex_of(c->signer[i].kid, ROLL_KID_BYTES));
		(void)json_object_set_new(
			j, "alg", json_string(cose_alg_name(c->signer[i].alg)));
		(void)json_array_append_new(list, j);
	}
	return list;
}

/* What an operation of officers says, as far as it says something. */
static void put_operation(json_t *j, const struct survey_event *e)
{
	const struct ceremony *c = &e->ceremony;

	if (c->kind != OPERATION_KINDS) {
		(void)json_object_set_new(
			j, "operation",
			json_string(operation_kind_name(c->kind)));
		(void)json_object_set_new(j, "operation_id",
					  hex_of(c->id, sizeof(c->id)));
		if (c->key[0] != '\0')
			(void)json_object_set_new(j, "key",
						  json_string(c->key));
		(void)json_object_set_new(j, "proposer",
					  json_string(c->proposer));
		(void)json_object_set_new(
			j, c->claimed ? "claimed_officers" : "officers",
			officers(c));
	}
	if (e->refusal[0] != '\0')
		(void)json_object_set_new(j, "refusal",
					  json_string(e->refusal));
}

static void put_key(json_t *j, const struct survey_event *e)
{
	char kid[BYTES_BASE64(COSE_KID_BYTES)];

	(void)json_object_set_new(j, "label", json_string(e->label));
	(void)json_object_set_new(j, "state", json_string(e->state));
	if (e->has_kid)
		(void)json_object_set_new(
			j, "kid",
			json_string(bytes_base64(e->kid, sizeof(e->kid), kid)));
	if (e->has_operation)
		(void)json_object_set_new(j, "operation_id",
					  hex_of(e->hash, sizeof(e->hash)));
}

static json_t *event(const struct survey_event *e)
{
	json_t *j = json_object();

	(void)json_object_set_new(j, "index", integer(e->index));
	(void)json_object_set_new(j, "time_ms", json_integer(e->time_ms));
	(void)json_object_set_new(j, "type",
				  json_string(filter_type_name(e->type)));
	if (e->type == ENTRY_POLICY)
		(void)json_object_set_new(j, "policy",
					  hex_of(e->hash, ENTRY_HASH_BYTES));
	if (ceremony_is(e->type)) {
		(void)json_object_set_new(j, "operation_sha256",
					  hex_of(e->hash, ENTRY_HASH_BYTES));
		(void)json_object_set_new(j, "operation_bytes",
					  integer(e->bytes));
		if (e->ceremony.recovery)
			(void)json_object_set_new(j, "recovered_at",
						  integer(e->ceremony.disk));
		if (e->ceremony.is_known)
			(void)json_object_set_new(j, "recovered_from",
						  integer(e->ceremony.known));
		if (e->ceremony.serial > 0) {
			(void)json_object_set_new(j, "serial",
						  integer(e->ceremony.serial));
			(void)json_object_set_new(j, "revoked",
						  integer(e->ceremony.revoked));
		}
		put_operation(j, e);
	}
	if (e->type == ENTRY_KEY_EVENT)
		put_key(j, e);
	if (e->type == ENTRY_STARTED && e->follows) {
		(void)json_object_set_new(j, "unclean",
					  json_boolean(e->unclean));
		(void)json_object_set_new(j, "after_ms",
					  json_integer(e->follows_ms));
	}
	return j;
}

static json_t *events(const struct survey *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->nevents; i++)
		(void)json_array_append_new(list, event(&v->event[i]));
	return list;
}

static json_t *gaps(const struct survey *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->ngaps; i++) {
		const struct survey_gap *g = &v->gap[i];

		(void)json_array_append_new(
			list,
			json_pack("{sIsIsI}", "from_ms", (json_int_t)g->from_ms,
				  "to_ms", (json_int_t)g->to_ms, "index",
				  (json_int_t)g->index));
	}
	return list;
}

static json_t *checkpoint(const struct walk_head *h)
{
	const struct checkpoint *c = &h->checkpoint.c;
	char vkey[NOTE_VKEY_MAX];
	json_t *j = json_object();

	note_key_text(&h->trust.key, vkey);
	(void)json_object_set_new(j, "origin", text_of(c->origin));
	(void)json_object_set_new(j, "size", integer(c->size));
	(void)json_object_set_new(j, "root",
				  base64_of(c->root.b, MERKLE_HASH_BYTES));
	(void)json_object_set_new(j, "vkey", json_string(vkey));
	(void)json_object_set_new(j, "vkey_given",
				  json_boolean(h->trust.given));
	(void)json_object_set_new(
		j, "note",
		text_of(span_of(h->checkpoint.note, h->checkpoint.n)));
	return j;
}

static void set_period(json_t *j, const struct account *a)
{
	const struct survey *v = a->survey;

	(void)json_object_set_new(j, "log", json_string(a->where));
	(void)json_object_set_new(j, "from_ms",
				  v->from_ms == INT64_MIN
					  ? json_null()
					  : json_integer(v->from_ms));
	(void)json_object_set_new(
		j, "to_ms",
		v->to_ms == INT64_MAX ? json_null() : json_integer(v->to_ms));
	(void)json_object_set_new(j, "made_ms", json_integer(a->made_ms));
	(void)json_object_set_new(j, "selected", json_boolean(a->selected));
	(void)json_object_set_new(j, "entries", integer(v->entries));
	if (v->entries == 0)
		return;
	(void)json_object_set_new(j, "first_index", integer(v->first));
	(void)json_object_set_new(j, "last_index", integer(v->last));
	(void)json_object_set_new(j, "first_leaf_hash",
				  hex_of(v->first_leaf.b, MERKLE_HASH_BYTES));
	(void)json_object_set_new(j, "last_leaf_hash",
				  hex_of(v->last_leaf.b, MERKLE_HASH_BYTES));
}

json_t *account_json(const struct account *a)
{
	const struct survey *v = a->survey;
	json_t *j = json_object();
	json_t *total = json_object();

	set_period(j, a);
	set_counts(total, v->total);
	(void)json_object_set_new(j, "total", total);
	(void)json_object_set_new(j, "clients",
				  counts(v->clients, name_client));
	(void)json_object_set_new(j, "keys", counts(v->keys, name_key));
	(void)json_object_set_new(j, "policies",
				  counts(v->policies, name_policy));
	(void)json_object_set_new(j, "days", counts(v->days, name_day));
	(void)json_object_set_new(j, "refusals", codes(v->codes));
	if (v->has_policy)
		(void)json_object_set_new(j, "policy_before",
					  hex_of(v->policy, ENTRY_HASH_BYTES));
	(void)json_object_set_new(j, "events", events(v));
	(void)json_object_set_new(j, "events_left_out",
				  integer(v->more_events));
	(void)json_object_set_new(j, "starts_without_stop",
				  integer(v->unclean));
	(void)json_object_set_new(j, "gap_count", integer(v->gaps));
	(void)json_object_set_new(j, "gaps", gaps(v));
	(void)json_object_set_new(j, "dated_before", integer(v->back));
	(void)json_object_set_new(j, "dated_before_most_ms",
				  json_integer(v->back_most_ms));
	(void)json_object_set_new(j, "checkpoint", checkpoint(a->head));
	return j;
}
