/* SPDX-License-Identifier: Apache-2.0 */
#include "spec.h"

#include <stdio.h>

#define SOFTHSM_MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define NS_PER_S UINT64_C(1000000000)
#define MINUTE_NS (60 * NS_PER_S)

struct item {
	struct span key, value;
};

static enum sg_err fault_at(struct span item, const char *text,
			    char why[SPEC_WHY_MAX])
{
	(void)snprintf(why, SPEC_WHY_MAX, "\"%.*s\": %s",
		       item.n < 80 ? (int)item.n : 80, (const char *)item.p,
		       text);
	return SG_CONFIG;
}

static bool split(struct span text, struct item *item)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '=')
			continue;
		item->key = span_of(text.p, i);
		item->value = span_of(text.p + i + 1, text.n - i - 1);
		return i > 0 && item->value.n > 0;
	}
	return false;
}

/* --- values: NULL, or what is wrong ------------------------------------ */

static const char *put_path(struct span value, char out[SPEC_PATH_MAX])
{
	if (value.n >= SPEC_PATH_MAX)
		return "the path is too long";
	memcpy(out, value.p, value.n);
	out[value.n] = '\0';
	return NULL;
}

static const char *read_module(struct span value, struct spec *s)
{
	return put_path(value, s->module);
}

static const char *read_state(struct span value, struct spec *s)
{
	return put_path(value, s->state);
}

static const char *read_control(struct span value, struct spec *s)
{
	return put_path(value, s->control);
}

static const char *read_key(struct span value, struct spec *s)
{
	if (s->nkeys == SPEC_KEYS_MAX)
		return "too many keys";
	return put_path(value, s->key[s->nkeys++]);
}

static const char *read_latency(struct span value, struct spec *s)
{
	if (!fault_time(value, &s->latency_ns) || s->latency_ns == 0 ||
	    s->latency_ns > MINUTE_NS)
		return "must be a time such as 5ms, at most 60s";
	return NULL;
}

static const char *read_rate(struct span value, struct spec *s)
{
	uint64_t rate;

	if (!fault_number(value, SPEC_RATE_MAX, &rate) || rate == 0)
		return "must be signatures a second, 1 to 1000000";
	s->interval_ns = (NS_PER_S + rate / 2) / rate;
	return NULL;
}

static const char *read_sessions(struct span value, struct spec *s)
{
	uint64_t n;

	if (!fault_number(value, SPEC_SESSIONS_MAX, &n) || n == 0)
		return "must be a number of sessions, 1 to 4096";
	s->sessions = (uint32_t)n;
	return NULL;
}

static const char *read_sign(struct span value, struct spec *s)
{
	s->software = span_is(value, "software");
	return s->software || span_is(value, "forward")
		       ? NULL
		       : "must be forward or software";
}

static const char *read_copy(struct span value, struct spec *s)
{
	s->copy_refused = span_is(value, "refuse");
	return s->copy_refused || span_is(value, "allow")
		       ? NULL
		       : "must be allow or refuse";
}

static const char *read_lie(struct span value, struct spec *s)
{
	static const struct {
		const char *name;
		CK_ATTRIBUTE_TYPE type;
	} known[] = {{"CKA_LOCAL", CKA_LOCAL},
		     {"CKA_PRIVATE", CKA_PRIVATE},
		     {"CKA_SENSITIVE", CKA_SENSITIVE},
		     {"CKA_ALWAYS_SENSITIVE", CKA_ALWAYS_SENSITIVE},
		     {"CKA_EXTRACTABLE", CKA_EXTRACTABLE},
		     {"CKA_NEVER_EXTRACTABLE", CKA_NEVER_EXTRACTABLE},
		     {"CKA_SIGN", CKA_SIGN},
		     {"CKA_DECRYPT", CKA_DECRYPT},
		     {"CKA_UNWRAP", CKA_UNWRAP},
		     {"CKA_DERIVE", CKA_DERIVE}};

	if (s->nlies == SPEC_LIES_MAX)
		return "too many lies";
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!span_is(value, known[i].name))
			continue;
		s->lie[s->nlies++] = known[i].type;
		return NULL;
	}
	return "must be a boolean attribute of a private key, as CKA_LOCAL";
}

static const struct {
	const char *key;
	const char *(*read)(struct span value, struct spec *s);
	bool many;
} KEYS[] = {
	{"module", read_module, false},	    {"state", read_state, false},
	{"control", read_control, false},   {"key", read_key, true},
	{"latency", read_latency, false},   {"rate", read_rate, false},
	{"sessions", read_sessions, false}, {"sign", read_sign, false},
	{"copy", read_copy, false},	    {"lie", read_lie, true},
};
enum { KEYS_COUNT = sizeof(KEYS) / sizeof(KEYS[0]) };

/* --- the whole --------------------------------------------------------- */

static const char *take(const struct item *item, struct spec *s,
			bool seen[KEYS_COUNT])
{
	bool known;

	for (size_t i = 0; i < KEYS_COUNT; i++) {
		if (!span_is(item->key, KEYS[i].key))
			continue;
		if (seen[i] && !KEYS[i].many)
			return "stands here twice";
		seen[i] = true;
		return KEYS[i].read(item->value, s);
	}
	return fault_add(&s->faults, item->key, item->value, &known);
}

/* What only makes sense together. */
static const char *check(const struct spec *s)
{
	if (s->software && s->nkeys == 0)
		return "sign=software needs key=FILE";
	if (!s->software && s->nkeys > 0)
		return "key=FILE is for sign=software";
	if (s->state[0] == '\0' && (s->interval_ns > 0 || s->sessions > 0 ||
				    s->faults.n > 0 || s->control[0] != '\0'))
		return "rate, sessions, control and faults need state=FILE, "
		       "which all processes of the HSM share";
	return NULL;
}

/* The part of *REST before the next comma (or line end, with LINES). */
static struct span next(struct span *rest, bool lines)
{
	struct span part = *rest;
	size_t i = 0;

	while (i < rest->n && rest->p[i] != ',' &&
	       !(lines && rest->p[i] == '\n'))
		i++;
	part.n = i;
	*rest = i < rest->n ? span_of(rest->p + i + 1, rest->n - i - 1)
			    : span_of(NULL, 0);
	return part;
}

enum sg_err spec_parse(const char *text, struct spec *out,
		       char why[SPEC_WHY_MAX])
{
	bool seen[KEYS_COUNT] = {false};
	struct span rest = span_str(text);
	const char *wrong;

	*out = (struct spec){.module = SOFTHSM_MODULE};
	if (rest.n > 0 && text[rest.n - 1] == ',')
		return fault_at(rest, "ends with a comma", why);
	while (rest.n > 0) {
		const struct span part = next(&rest, false);
		struct item item;

		if (!split(part, &item))
			return fault_at(part, "is not KEY=VALUE", why);
		wrong = take(&item, out, seen);
		if (wrong != NULL)
			return fault_at(part, wrong, why);
	}
	wrong = check(out);
	if (wrong == NULL)
		return SG_OK;
	(void)snprintf(why, SPEC_WHY_MAX, "%s", wrong);
	return SG_CONFIG;
}

enum sg_err spec_parse_control(struct span text, struct fault_set *out,
			       char why[SPEC_WHY_MAX])
{
	struct span rest = text;

	*out = (struct fault_set){0};
	while (rest.n > 0) {
		const struct span part = next(&rest, true);
		struct item item;
		const char *wrong;
		bool known;

		if (part.n == 0)
			continue;
		if (!split(part, &item))
			return fault_at(part, "is not KEY=VALUE", why);
		wrong = fault_add(out, item.key, item.value, &known);
		if (wrong != NULL)
			return fault_at(part,
					known ? wrong
					      : "only faults can stand here",
					why);
	}
	return SG_OK;
}
