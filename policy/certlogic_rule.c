/* SPDX-License-Identifier: Apache-2.0 */
#include "certlogic_rule.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "certlogic_evaluate.h"
#include "certlogic_time.h"
#include "hcert/utf8.h"
#include "literal.h"

#define CODE_PREFIX "rule:"
enum { PLACE_BYTES = CERTLOGIC_PATH_MAX + 16, MS = 1000 };

/* One loading. */
struct loading {
	json_t *rule;
	const struct certlogic_listener *listener;
	struct certlogic_rule *out;
	enum sg_err err;
};

static void tell(struct loading *l, const char *place, json_t *at,
		 const char *why)
{
	l->err = SG_MALFORMED;
	if (l->listener != NULL)
		l->listener->tell(l->listener->ctx, place, at, why);
}

/* The text that must be at KEY; NULL and a fault if it is not. */
static const char *text_of(struct loading *l, const char *key)
{
	const json_t *j = json_object_get(l->rule, key);

	if (json_is_string(j))
		return json_string_value(j);
	tell(l, key, l->rule, j == NULL ? "is missing" : "must be a text");
	return NULL;
}

static void read_kinds(struct loading *l)
{
	static const struct {
		const char *name;
		unsigned kinds;
	} type[] = {
		{"General", DCC_KIND_BIT(DCC_VACCINATION) |
				    DCC_KIND_BIT(DCC_TEST) |
				    DCC_KIND_BIT(DCC_RECOVERY)},
		{"Vaccination", DCC_KIND_BIT(DCC_VACCINATION)},
		{"Test", DCC_KIND_BIT(DCC_TEST)},
		{"Recovery", DCC_KIND_BIT(DCC_RECOVERY)},
	};
	const char *name = text_of(l, "CertificateType");

	if (name == NULL)
		return;
	for (size_t i = 0; i < sizeof(type) / sizeof(type[0]); i++)
		if (strcmp(name, type[i].name) == 0)
			l->out->kinds = type[i].kinds;
	if (l->out->kinds == 0)
		tell(l, "CertificateType", l->rule,
		     "must be General, Vaccination, Test or Recovery");
}

static void read_engine(struct loading *l)
{
	const char *engine = text_of(l, "Engine");

	if (engine != NULL && strcmp(engine, "CERTLOGIC") != 0)
		tell(l, "Engine", l->rule, "must be CERTLOGIC");
}

static void read_time(struct loading *l, const char *key, int64_t *ms)
{
	const char *text = text_of(l, key);

	if (text != NULL && !certlogic_time_read(span_str(text), ms))
		tell(l, key, l->rule,
		     "must be a date-time such as 2021-07-01T00:00:00Z");
}

/* --- where its violations are --------------------------------------------- */

static bool is_field(const char *text)
{
	static const char may[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789_-.";

	return *text != '\0' && text[strspn(text, may)] == '\0';
}

/* Is the field in the entries of another kind than KIND? */
static bool is_elsewhere(const char *field, enum dcc_kind kind)
{
	const bool of_a_kind = strchr("vtr", field[0]) != NULL &&
			       (field[1] == '.' || field[1] == '\0');

	return of_a_kind && field[0] != dcc_kind_letter(kind);
}

/* "v.0.mp" as "/dcc/v/0/mp", unless there is a pointer already. */
static void set_pointer(struct certlogic_rule *r, enum dcc_kind kind,
			const char *field)
{
	char *out = r->pointer[kind];
	int n;

	if (r->pointer_n[kind] > 0)
		return;
	n = snprintf(out, VERDICT_POINTER_MAX, "/dcc/%s", field);
	if (n < 0 || n >= VERDICT_POINTER_MAX)
		return; /* the entry will do */
	for (int i = 0; i < n; i++)
		if (out[i] == '.')
			out[i] = '/';
	r->pointer_n[kind] = (uint8_t)n;
}

static void read_fields(struct loading *l)
{
	static const char key[] = "AffectedFields";
	json_t *fields = json_object_get(l->rule, key);

	if (fields != NULL && !json_is_array(fields))
		tell(l, key, l->rule, "must be an array of texts");
	for (size_t i = 0; i < json_array_size(fields); i++) {
		const char *field =
			json_string_value(json_array_get(fields, i));

		if (field == NULL || !is_field(field)) {
			tell(l, key, fields, "must be paths such as v.0.mp");
			return;
		}
		for (unsigned k = 0; k < DCC_KINDS; k++)
			if (!is_elsewhere(field, (enum dcc_kind)k))
				set_pointer(l->out, (enum dcc_kind)k, field);
	}
}

/* --- what is told --------------------------------------------------------- */

/* The description in the language LANG, NULL if there is none. */
static const char *description(const json_t *list, const char *lang)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		const char *has =
			json_string_value(json_object_get(one, "lang"));

		if (has != NULL && strcmp(has, lang) == 0)
			return json_string_value(json_object_get(one, "desc"));
	}
	return NULL;
}

/* Bytes of TEXT that are told: whole characters (RFC 3629 s. 3). */
static size_t detail_bytes(const char *text)
{
	size_t n = strlen(text);

	if (n <= CERTLOGIC_DETAIL_MAX)
		return n;
	for (n = CERTLOGIC_DETAIL_MAX;
	     ((unsigned char)text[n] & 0xC0U) == 0x80U; n--)
		;
	return n;
}

static struct span add(char **p, const char *text, size_t n)
{
	const struct span s = span_of(*p, n);

	memcpy(*p, text, n);
	(*p)[n] = '\0';
	*p += n + 1;
	return s;
}

static void read_texts(struct loading *l)
{
	json_t *list = json_object_get(l->rule, "Description");
	const char *id = text_of(l, "Identifier");
	const char *en = description(list, "en");
	const char *vi = description(list, "vi");
	struct certlogic_rule *r = l->out;
	char *p;

	if (id != NULL && !literal_is_name(id)) {
		tell(l, "Identifier", l->rule,
		     "must be 1 to 64 of the letters A-Z a-z 0-9 . _ -");
		id = NULL;
	}
	if (en == NULL || *en == '\0')
		tell(l, "Description", l->rule, "has no text in English (en)");
	if (id == NULL || en == NULL)
		return;
	vi = vi != NULL && *vi != '\0' ? vi : en;
	if (utf8_has_hidden(span_str(en)) || utf8_has_hidden(span_str(vi))) {
		tell(l, "Description", list, "has a control character");
		return;
	}
	r->text = malloc(2 * (strlen(id) + 1) + sizeof(CODE_PREFIX) +
			 2 * (CERTLOGIC_DETAIL_MAX + (size_t)1));
	if (r->text == NULL) {
		l->err = SG_NO_MEMORY;
		return;
	}
	p = r->text;
	r->identifier = p;
	(void)add(&p, id, strlen(id));
	(void)add(&p, CODE_PREFIX, strlen(CODE_PREFIX));
	p--;
	(void)add(&p, id, strlen(id));
	r->violation.code = span_str(r->identifier + strlen(id) + 1);
	r->violation.detail[VERDICT_ENGLISH] = add(&p, en, detail_bytes(en));
	r->violation.detail[VERDICT_VIETNAMESE] = add(&p, vi, detail_bytes(vi));
}

/* --- the logic, and the whole --------------------------------------------- */

static void tell_logic(void *ctx, const char *place, json_t *at,
		       const char *why)
{
	struct loading *l = ctx;
	char whole[PLACE_BYTES];

	(void)snprintf(whole, sizeof(whole), "Logic%s%s",
		       *place == '\0' || *place == '[' ? "" : ".", place);
	tell(l, whole, at, why);
}

static void read_logic(struct loading *l)
{
	const struct certlogic_listener listener = {.tell = tell_logic,
						    .ctx = l};
	json_t *logic = json_object_get(l->rule, "Logic");
	enum sg_err err;

	if (logic == NULL) {
		tell(l, "Logic", l->rule, "is missing");
		return;
	}
	err = certlogic_load(logic, &listener, &l->out->logic);
	if (err != SG_OK)
		l->err = err;
}

enum sg_err certlogic_rule_load(json_t *rule,
				const struct certlogic_listener *listener,
				struct certlogic_rule *out)
{
	struct loading l = {
		.rule = rule, .listener = listener, .out = out, .err = SG_OK};

	*out = (struct certlogic_rule){.text = NULL};
	if (!json_is_object(rule)) {
		tell(&l, "", rule, "a rule is a JSON object");
		return l.err;
	}
	read_engine(&l);
	read_kinds(&l);
	read_time(&l, "ValidFrom", &out->from_ms);
	read_time(&l, "ValidTo", &out->to_ms);
	if (l.err == SG_OK && out->to_ms < out->from_ms)
		tell(&l, "ValidTo", rule, "is before ValidFrom");
	read_fields(&l);
	read_texts(&l);
	if (l.err != SG_NO_MEMORY)
		read_logic(&l);
	if (l.err != SG_OK)
		certlogic_rule_clear(out);
	return l.err;
}

enum sg_err certlogic_rule_json(struct span text,
				const struct certlogic_listener *listener,
				json_t **out)
{
	struct loading l = {.listener = listener};
	char place[PLACE_BYTES];
	json_error_t error;

	*out = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES,
			  &error);
	if (*out != NULL)
		return SG_OK;
	(void)snprintf(place, sizeof(place), "line %d", error.line);
	tell(&l, place, NULL, error.text);
	return l.err;
}

enum sg_err certlogic_rule_parse(struct span json,
				 const struct certlogic_listener *listener,
				 struct certlogic_rule *out)
{
	json_t *rule;
	enum sg_err err = certlogic_rule_json(json, listener, &rule);

	*out = (struct certlogic_rule){.text = NULL};
	if (err == SG_OK)
		err = certlogic_rule_load(rule, listener, out);
	json_decref(rule);
	return err;
}

void certlogic_rule_clear(struct certlogic_rule *r)
{
	free(r->text);
	certlogic_free(r->logic);
	*r = (struct certlogic_rule){.text = NULL};
}

/* --- judging -------------------------------------------------------------- */

bool certlogic_rule_applies(const struct certlogic_rule *r, enum dcc_kind kind,
			    int64_t now)
{
	int64_t ms;

	if (__builtin_mul_overflow(now, (int64_t)MS, &ms))
		ms = now < 0 ? INT64_MIN : INT64_MAX;
	return (r->kinds & DCC_KIND_BIT(kind)) != 0 && ms >= r->from_ms &&
	       ms <= r->to_ms;
}

bool certlogic_rule_holds(const struct certlogic_rule *r,
			  const struct certlogic_value *payload,
			  const struct certlogic_value *external,
			  struct certlogic_scratch *scratch,
			  enum certlogic_error *error)
{
	const struct certlogic_member member[] = {
		{.key = SPAN_LIT("payload"), .value = *payload},
		{.key = SPAN_LIT("external"), .value = *external},
	};
	const struct certlogic_value context = certlogic_record(member, 2);
	struct certlogic_value value;

	*error = certlogic_evaluate(r->logic, &context, scratch, &value);
	return *error == CERTLOGIC_OK && value.type == CERTLOGIC_TRUE;
}
