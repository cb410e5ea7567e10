/* SPDX-License-Identifier: Apache-2.0 */
#include "certlogic_paths.h"

#include <jansson.h>

#include "schema_table.h"
#include "valueset.h"

/* The step of a path up to its next dot, taken from *PATH. */
static struct span next_step(const char **path)
{
	const size_t n = strcspn(*path, ".");
	const struct span step = span_of(*path, n);

	*path += n + ((*path)[n] == '.' ? 1 : 0);
	return step;
}

static const struct schema_field *field_of(const struct schema_object *o,
					   struct span name)
{
	for (size_t i = 0; i < o->n; i++)
		if (span_eq(span_of(o->field[i].name, o->field[i].name_n),
			    name))
			return &o->field[i];
	return NULL;
}

static bool is_index(struct span step)
{
	for (size_t i = 0; i < step.n; i++)
		if (step.p[i] < '0' || step.p[i] > '9')
			return false;
	return step.n > 0;
}

/* Is PATH, from the payload on, one that the schema knows?  "" is all of it. */
static bool is_field(const char *path)
{
	const struct schema_field *f =
		field_of(&SCHEMA_REQUEST, SPAN_LIT("dcc"));

	while (*path != '\0') {
		if (f->object == NULL)
			return false; /* a leaf: nothing is in it */
		if (f->type == SCHEMA_ENTRIES && !is_index(next_step(&path)))
			return false;
		if (*path == '\0')
			return true; /* an entry */
		f = field_of(f->object, next_step(&path));
		if (f == NULL)
			return false;
	}
	return true;
}

static bool is_value_set(const char *path)
{
	const struct span name = next_step(&path);

	for (unsigned i = 0; i < VALUESET_COUNT; i++)
		if (span_is(name, valueset_name((enum valueset_id)i)))
			return true;
	return false;
}

static bool is_external(const char *path)
{
	static const char *const known[] = {
		"validationClock",   "iat",    "exp", "countryCode",
		"issuerCountryCode", "client",
	};
	const struct span name = next_step(&path);

	if (name.n == 0)
		return true;
	if (span_is(name, "valueSets"))
		return *path == '\0' || is_value_set(path);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_is(name, known[i]))
			return *path == '\0';
	return false;
}

/* Tell WHY of PATH, of which no more is told than of other places: whole
 * characters (RFC 3629 s. 3).  A longer one would leave no room for WHY. */
static void tell(const struct certlogic_listener *l, const char *path,
		 const char *why)
{
	char place[CERTLOGIC_PATH_MAX];
	size_t n = strnlen(path, sizeof(place) - 1);

	while (n > 0 && ((unsigned char)path[n] & 0xC0U) == 0x80U)
		n--;
	memcpy(place, path, n);
	place[n] = '\0';
	l->tell(l->ctx, place, NULL, why);
}

static void check_var(const char *var, const struct certlogic_listener *l)
{
	const char *path = var;
	const struct span root = next_step(&path);

	if (root.n == 0)
		return;
	if (span_is(root, "payload")) {
		if (!is_field(path))
			tell(l, var, "the DCC has no such field");
	} else if (!span_is(root, "external")) {
		tell(l, var, "must begin with payload or external");
	} else if (!is_external(path)) {
		tell(l, var, "external has nothing of that name");
	}
}

static void check_logic(json_t *at, const struct certlogic_listener *l);

static void check_operands(json_t *operands, bool reduce,
			   const struct certlogic_listener *l)
{
	for (size_t i = 0; i < json_array_size(operands); i++)
		if (!reduce || i != 1) /* that is its function */
			check_logic(json_array_get(operands, i), l);
}

static void check_logic(json_t *at, const struct certlogic_listener *l)
{
	const char *key;
	json_t *value;

	if (json_is_array(at))
		check_operands(at, false, l);
	json_object_foreach(at, key, value)
	{
		if (strcmp(key, "var") == 0 && json_is_string(value))
			check_var(json_string_value(value), l);
		else if (json_is_array(value))
			check_operands(value, strcmp(key, "reduce") == 0, l);
		else
			check_logic(value, l);
	}
}

void certlogic_paths_check(json_t *rule,
			   const struct certlogic_listener *listener)
{
	json_t *fields = json_object_get(rule, "AffectedFields");

	check_logic(json_object_get(rule, "Logic"), listener);
	for (size_t i = 0; i < json_array_size(fields); i++) {
		const char *path = json_string_value(json_array_get(fields, i));

		if (path != NULL && !is_field(path))
			tell(listener, path,
			     "of AffectedFields: the DCC has no such field");
	}
}
