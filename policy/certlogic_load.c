/* SPDX-License-Identifier: Apache-2.0 */
#include "certlogic_load.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "certlogic_program.h"
#include "certlogic_time.h"

enum { WHY_BYTES = 160, SHOWN_BYTES = 40, NO_OPERATION = -1 };
/* The integers that a double holds, which JSON numbers are elsewhere. */
#define INTEGER_MAX ((double)((int64_t)1 << 53))

struct form {
	const char *name;
	size_t least, most;
};

static const struct form FORM[] = {
#define X(id, text, min, max) {.name = (text), .least = (min), .most = (max)},
	CERTLOGIC_OPERATION_MAP(X)
#undef X
};

enum { FORMS = sizeof(FORM) / sizeof(FORM[0]) };

static int operation_of(const char *name)
{
	for (int i = 0; i < FORMS; i++)
		if (strcmp(FORM[i].name, name) == 0)
			return i;
	return NO_OPERATION;
}

/* The one member of an operation's object. */
static const char *only_key(json_t *e, const json_t **value)
{
	void *at = json_object_iter(e);
	const char *key = at != NULL ? json_object_iter_key(at) : NULL;

	*value = at != NULL ? json_object_iter_value(at) : NULL;
	return key;
}

/* Is E an integer, a zero fraction allowed? */
static bool integer_of(const json_t *e, int64_t *out)
{
	const double real = json_real_value(e);

	if (json_is_integer(e)) {
		*out = json_integer_value(e);
		return true;
	}
	if (!json_is_real(e) || fabs(real) > INTEGER_MAX || floor(real) != real)
		return false;
	*out = (int64_t)real;
	return true;
}

/* --- is it valid? --------------------------------------------------------- */

/* Where the check is, on its stack. */
struct place {
	const struct place *up;
	const char *name; /* of the operation; NULL: an array */
	size_t index;
};

struct check {
	const struct certlogic_listener *listener;
	enum sg_err err;
	/* What a program needs: */
	size_t nodes, fragments, values, bytes;
};

static size_t place_text(const struct place *p, char *out)
{
	size_t n = 0;
	int more;

	if (p == NULL)
		return 0;
	n = place_text(p->up, out);
	more = snprintf(out + n, CERTLOGIC_PATH_MAX - n, "%s%s[%zu]",
			n > 0 && p->name != NULL ? "." : "",
			p->name != NULL ? p->name : "", p->index);
	n += more > 0 ? (size_t)more : 0;
	return n < CERTLOGIC_PATH_MAX ? n : CERTLOGIC_PATH_MAX - 1;
}

__attribute__((format(printf, 5, 6))) static void tell(struct check *c,
						       enum sg_err err,
						       const struct place *at,
						       json_t *e,
						       const char *fmt, ...)
{
	char place[CERTLOGIC_PATH_MAX] = "";
	char why[WHY_BYTES];
	va_list args;

	c->err = err;
	if (c->listener == NULL)
		return;
	(void)place_text(at, place);
	va_start(args, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	c->listener->tell(c->listener->ctx, place, e, why);
}

static void check_node(struct check *c, json_t *e, const struct place *at,
		       unsigned depth);

static void check_operands(struct check *c, const json_t *list, size_t n,
			   const char *name, const struct place *at,
			   unsigned depth)
{
	for (size_t i = 0; i < n && c->err != SG_TOO_BIG; i++) {
		const struct place here = {.up = at, .name = name, .index = i};

		check_node(c, json_array_get(list, i), &here, depth + 1);
	}
}

/* Names between periods; the empty path is all data. */
static bool check_path(struct check *c, const char *path)
{
	const char *p = path;

	if (*p == '\0')
		return true;
	for (;;) {
		const size_t n = strcspn(p, ".");

		if (n == 0)
			return false;
		c->fragments++;
		if (p[n] == '\0')
			return true;
		p += n + 1;
	}
}

static void check_var(struct check *c, json_t *e, const json_t *path,
		      const struct place *at)
{
	if (!json_is_string(path)) {
		tell(c, SG_MALFORMED, at, e, "var takes a path, as one text");
		return;
	}
	c->bytes += json_string_length(path);
	if (strlen(json_string_value(path)) != json_string_length(path) ||
	    !check_path(c, json_string_value(path)))
		tell(c, SG_MALFORMED, at, e,
		     "a path is names between periods, none of them empty");
	if (c->fragments > CERTLOGIC_NODES_MAX)
		tell(c, SG_TOO_BIG, at, e, "paths of more than %d names",
		     CERTLOGIC_NODES_MAX);
}

/* What plusTime and extractFromUVCI take as it stands, not evaluated. */
static void check_constants(struct check *c, json_t *e, int operation,
			    const json_t *operands, const struct place *at)
{
	const char *unit;
	int64_t number;

	if (!integer_of(json_array_get(operands, 1), &number))
		tell(c, SG_MALFORMED, at, e,
		     "the second operand of %s must be an integer",
		     FORM[operation].name);
	if (operation != CERTLOGIC_DO_PLUS_TIME)
		return;
	unit = json_string_value(json_array_get(operands, 2));
	for (unsigned i = 0; unit != NULL && i < CERTLOGIC_UNITS; i++)
		if (strcmp(unit, certlogic_unit_name((enum certlogic_unit)i)) ==
		    0)
			return;
	tell(c, SG_MALFORMED, at, e,
	     "the unit of plusTime is year, month, day or hour");
}

static void check_operation(struct check *c, json_t *e, const struct place *at,
			    unsigned depth)
{
	const json_t *operands;
	const char *name = only_key(e, &operands);
	const struct form *form;
	int operation;
	size_t n;

	if (json_object_size(e) != 1) {
		tell(c, SG_MALFORMED, at, e,
		     "an operation has exactly one name, not %zu",
		     json_object_size(e));
		return;
	}
	if (strcmp(name, "var") == 0) {
		check_var(c, e, operands, at);
		return;
	}
	if (!json_is_array(operands)) {
		tell(c, SG_MALFORMED, at, e,
		     "the operands of an operation are an array");
		return;
	}
	operation = operation_of(name);
	if (operation == NO_OPERATION) {
		tell(c, SG_MALFORMED, at, e, "there is no operation '%.*s'",
		     SHOWN_BYTES, name);
		return;
	}
	form = &FORM[operation];
	n = json_array_size(operands);
	if (n < form->least || n > form->most) {
		tell(c, SG_MALFORMED, at, e,
		     form->least == form->most
			     ? "%s takes %zu operands, not %zu"
			     : "%s takes at least %zu operands, and not %zu",
		     name, form->least, n);
		return;
	}
	if (operation == CERTLOGIC_DO_PLUS_TIME ||
	    operation == CERTLOGIC_DO_UVCI) {
		check_constants(c, e, operation, operands, at);
		n = 1;
	}
	check_operands(c, operands, n, name, at, depth);
}

static void check_literal(struct check *c, json_t *e, const struct place *at)
{
	int64_t number;

	if (json_is_number(e) && !integer_of(e, &number))
		tell(c, SG_MALFORMED, at, e, "a number must be an integer");
	else if (!json_is_number(e) && !json_is_boolean(e))
		tell(c, SG_MALFORMED, at, e, "null is no expression");
}

static void check_node(struct check *c, json_t *e, const struct place *at,
		       unsigned depth)
{
	if (depth > CERTLOGIC_DEPTH_MAX) {
		tell(c, SG_TOO_BIG, at, e, "deeper than %d levels",
		     CERTLOGIC_DEPTH_MAX);
		return;
	}
	if (++c->nodes > CERTLOGIC_NODES_MAX) {
		tell(c, SG_TOO_BIG, at, e, "larger than %d parts",
		     CERTLOGIC_NODES_MAX);
		return;
	}
	if (json_is_array(e)) {
		c->values += json_array_size(e);
		check_operands(c, e, json_array_size(e), NULL, at, depth);
	} else if (json_is_string(e)) {
		c->bytes += json_string_length(e);
	} else if (json_is_object(e)) {
		check_operation(c, e, at, depth);
	} else {
		check_literal(c, e, at);
	}
}

/* --- the program ---------------------------------------------------------- */

/* How much of each array of the program is filled. */
struct builder {
	struct certlogic *out;
	size_t nodes, fragments, values, bytes;
};

static struct span add_text(struct builder *b, const char *text, size_t n)
{
	uint8_t *p = b->out->text + b->bytes;

	if (n > 0)
		memcpy(p, text, n);
	b->bytes += n;
	return span_of(p, n);
}

static bool is_constant(const json_t *e)
{
	if (!json_is_array(e))
		return !json_is_object(e);
	for (size_t i = 0; i < json_array_size(e); i++)
		if (!is_constant(json_array_get(e, i)))
			return false;
	return true;
}

static struct certlogic_value build_constant(struct builder *b, const json_t *e)
{
	struct certlogic_value *items;
	int64_t number;

	if (json_is_string(e))
		return certlogic_text(add_text(b, json_string_value(e),
					       json_string_length(e)));
	if (json_is_boolean(e))
		return certlogic_bool(json_is_true(e));
	if (integer_of(e, &number))
		return certlogic_integer(number);
	items = b->out->value + b->values;
	b->values += json_array_size(e);
	for (size_t i = 0; i < json_array_size(e); i++)
		items[i] = build_constant(b, json_array_get(e, i));
	return certlogic_list(items, (uint32_t)json_array_size(e));
}

/* ECMA-262: "0" is an index, "00" and "-1" are not. */
static bool index_of(struct span key, uint32_t *out)
{
	uint32_t index = 0;

	if (key.n > 9 || (key.n > 1 && key.p[0] == '0'))
		return false;
	for (size_t i = 0; i < key.n; i++) {
		if (key.p[i] < '0' || key.p[i] > '9')
			return false;
		index = index * 10 + (uint32_t)(key.p[i] - '0');
	}
	*out = index;
	return true;
}

static void build_var(struct builder *b, const json_t *path,
		      struct certlogic_node *node)
{
	const char *p = json_string_value(path);

	node->operation = CERTLOGIC_DO_VAR;
	node->first = (uint16_t)b->fragments;
	while (*p != '\0') {
		struct certlogic_fragment *f =
			&b->out->fragment[b->fragments++];
		const size_t n = strcspn(p, ".");

		f->key = add_text(b, p, n);
		f->indexes = index_of(f->key, &f->index);
		node->n++;
		p += n + (p[n] == '.' ? 1 : 0);
	}
}

static void build_node(struct builder *b, json_t *e, size_t at);

static void build_operands(struct builder *b, const json_t *list, size_t n,
			   struct certlogic_node *node)
{
	const size_t first = b->nodes;

	b->nodes += n;
	node->first = (uint16_t)first;
	node->n = (uint16_t)n;
	for (size_t i = 0; i < n; i++)
		build_node(b, json_array_get(list, i), first + i);
}

static uint8_t unit_of(const json_t *name)
{
	uint8_t unit = 0;

	while (strcmp(json_string_value(name),
		      certlogic_unit_name((enum certlogic_unit)unit)) != 0)
		unit++;
	return unit;
}

static void build_operation(struct builder *b, json_t *e,
			    struct certlogic_node *node)
{
	const json_t *operands;
	const char *name = only_key(e, &operands);
	size_t n;

	if (strcmp(name, "var") == 0) {
		build_var(b, operands, node);
		return;
	}
	n = json_array_size(operands);
	node->operation = (uint8_t)operation_of(name);
	if (node->operation == CERTLOGIC_DO_PLUS_TIME ||
	    node->operation == CERTLOGIC_DO_UVCI) {
		(void)integer_of(json_array_get(operands, 1), &node->number);
		n = 1;
	}
	if (node->operation == CERTLOGIC_DO_PLUS_TIME)
		node->unit = unit_of(json_array_get(operands, 2));
	build_operands(b, operands, n, node);
}

static void build_node(struct builder *b, json_t *e, size_t at)
{
	struct certlogic_node *node = &b->out->node[at];

	if (is_constant(e)) {
		node->operation = CERTLOGIC_DO_LITERAL;
		node->literal = build_constant(b, e);
	} else if (json_is_array(e)) {
		node->operation = CERTLOGIC_DO_LIST;
		build_operands(b, e, json_array_size(e), node);
	} else {
		build_operation(b, e, node);
	}
}

enum sg_err certlogic_load(json_t *expression,
			   const struct certlogic_listener *listener,
			   struct certlogic **out)
{
	struct check c = {.listener = listener, .err = SG_OK};
	struct builder b = {.nodes = 1};
	struct certlogic *p;

	*out = NULL;
	check_node(&c, expression, NULL, 0);
	if (c.err != SG_OK)
		return c.err;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return SG_NO_MEMORY;
	p->node = calloc(c.nodes, sizeof(p->node[0]));
	p->fragment = calloc(c.fragments + 1, sizeof(p->fragment[0]));
	p->value = calloc(c.values + 1, sizeof(p->value[0]));
	p->text = malloc(c.bytes + 1);
	if (p->node == NULL || p->fragment == NULL || p->value == NULL ||
	    p->text == NULL) {
		certlogic_free(p);
		return SG_NO_MEMORY;
	}
	b.out = p;
	build_node(&b, expression, 0);
	*out = p;
	return SG_OK;
}

void certlogic_free(struct certlogic *c)
{
	if (c == NULL)
		return;
	free(c->node);
	free(c->fragment);
	free(c->value);
	free(c->text);
	free(c);
}
