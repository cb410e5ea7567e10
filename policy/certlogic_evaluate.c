/* SPDX-License-Identifier: Apache-2.0 */
#include "certlogic_evaluate.h"

#include <assert.h>

#include "certlogic_program.h"
#include "certlogic_time.h"

enum { TERNARY = 3, STEP_BYTES = 16 /* of a UVCI, a step */ };

/* An evaluation, and what data it is over: CONTEXT, or inside of a reduction
 * its two values. */
struct run {
	const struct certlogic *program;
	struct certlogic_scratch *scratch;
	const struct certlogic_value *context;
	const struct certlogic_value *current, *accumulator; /* or NULL */
};

static enum certlogic_error evaluate(const struct run *r,
				     const struct certlogic_node *node,
				     struct certlogic_value *out);

static enum certlogic_error operand(const struct run *r,
				    const struct certlogic_node *node, size_t i,
				    struct certlogic_value *out)
{
	return evaluate(r, &r->program->node[node->first + i], out);
}

static enum certlogic_error truth(const struct run *r,
				  const struct certlogic_node *node, size_t i,
				  struct certlogic_value *value, bool *out)
{
	const enum certlogic_error err = operand(r, node, i, value);

	return err != CERTLOGIC_OK ? err : certlogic_value_truth(value, out);
}

/* --- literals and data ---------------------------------------------------- */

static enum certlogic_error do_literal(const struct run *r,
				       const struct certlogic_node *node,
				       struct certlogic_value *out)
{
	(void)r;
	*out = node->literal;
	return CERTLOGIC_OK;
}

static enum certlogic_error do_list(const struct run *r,
				    const struct certlogic_node *node,
				    struct certlogic_value *out)
{
	struct certlogic_scratch *s = r->scratch;
	struct certlogic_value *item = s->value + s->n;

	if (node->n > CERTLOGIC_SCRATCH_MAX - s->n)
		return CERTLOGIC_SCRATCH;
	s->n += node->n;
	for (size_t i = 0; i < node->n; i++) {
		const enum certlogic_error err = operand(r, node, i, &item[i]);

		if (err != CERTLOGIC_OK)
			return err;
	}
	*out = certlogic_list(item, node->n);
	return CERTLOGIC_OK;
}

/* The data inside of a reduction, as a value that outlives it. */
static enum certlogic_error both(const struct run *r,
				 struct certlogic_value *out)
{
	struct certlogic_scratch *s = r->scratch;
	struct certlogic_member *m = s->member + s->nmembers;

	if (s->nmembers > CERTLOGIC_MEMBERS_MAX - 2)
		return CERTLOGIC_SCRATCH;
	s->nmembers += 2;
	m[0] = (struct certlogic_member){.key = SPAN_LIT("current"),
					 .value = *r->current};
	m[1] = (struct certlogic_member){.key = SPAN_LIT("accumulator"),
					 .value = *r->accumulator};
	*out = certlogic_record(m, 2);
	return CERTLOGIC_OK;
}

/* The data that a path of N parts begins at; *USED of them name it. */
static enum certlogic_error begin(const struct run *r,
				  const struct certlogic_fragment *f, size_t n,
				  struct certlogic_value *out, size_t *used)
{
	*used = 0;
	if (r->current == NULL) {
		*out = *r->context;
		return CERTLOGIC_OK;
	}
	if (n == 0)
		return both(r, out);
	*used = 1;
	*out = (struct certlogic_value){.type = CERTLOGIC_NULL};
	if (span_is(f->key, "current"))
		*out = *r->current;
	else if (span_is(f->key, "accumulator"))
		*out = *r->accumulator;
	return CERTLOGIC_OK;
}

static enum certlogic_error do_var(const struct run *r,
				   const struct certlogic_node *node,
				   struct certlogic_value *out)
{
	const struct certlogic_fragment *f = r->program->fragment + node->first;
	struct certlogic_value v;
	size_t i;
	enum certlogic_error err = begin(r, f, node->n, &v, &i);

	for (; err == CERTLOGIC_OK && i < node->n; i++) {
		if (!certlogic_is_array(&v))
			err = certlogic_value_member(&v, f[i].key, r->scratch,
						     &v);
		else if (f[i].indexes)
			err = certlogic_value_item(&v, f[i].index, r->scratch,
						   &v);
		else
			v.type = CERTLOGIC_NULL;
	}
	*out = v;
	return err;
}

/* --- logic ---------------------------------------------------------------- */

static enum certlogic_error do_if(const struct run *r,
				  const struct certlogic_node *node,
				  struct certlogic_value *out)
{
	bool then;
	const enum certlogic_error err = truth(r, node, 0, out, &then);

	return err != CERTLOGIC_OK ? err : operand(r, node, then ? 1 : 2, out);
}

static enum certlogic_error do_and(const struct run *r,
				   const struct certlogic_node *node,
				   struct certlogic_value *out)
{
	enum certlogic_error err = CERTLOGIC_OK;
	bool holds = true;

	for (size_t i = 0; err == CERTLOGIC_OK && holds && i < node->n; i++)
		err = truth(r, node, i, out, &holds);
	return err;
}

static enum certlogic_error do_not(const struct run *r,
				   const struct certlogic_node *node,
				   struct certlogic_value *out)
{
	bool holds;
	const enum certlogic_error err = truth(r, node, 0, out, &holds);

	if (err == CERTLOGIC_OK)
		*out = certlogic_bool(!holds);
	return err;
}

static enum certlogic_error do_same(const struct run *r,
				    const struct certlogic_node *node,
				    struct certlogic_value *out)
{
	struct certlogic_value other;
	bool same;
	enum certlogic_error err = operand(r, node, 0, out);

	if (err == CERTLOGIC_OK)
		err = operand(r, node, 1, &other);
	if (err == CERTLOGIC_OK)
		err = certlogic_value_same(out, &other, r->scratch, &same);
	if (err == CERTLOGIC_OK)
		*out = certlogic_bool(same);
	return err;
}

static enum certlogic_error do_in(const struct run *r,
				  const struct certlogic_node *node,
				  struct certlogic_value *out)
{
	struct certlogic_value array;
	struct certlogic_value item;
	struct certlogic_walk w;
	bool found = false;
	enum certlogic_error err = operand(r, node, 0, out);

	if (err == CERTLOGIC_OK)
		err = operand(r, node, 1, &array);
	if (err != CERTLOGIC_OK)
		return err;
	if (!certlogic_is_array(&array))
		return CERTLOGIC_TYPE;
	w = certlogic_walk(&array);
	while (!found && w.rest.n > 0) {
		err = certlogic_walk_next(&w, r->scratch, &item);
		if (err == CERTLOGIC_OK)
			err = certlogic_value_same(out, &item, r->scratch,
						   &found);
		if (err != CERTLOGIC_OK)
			return err;
	}
	*out = certlogic_bool(found);
	return CERTLOGIC_OK;
}

/* --- numbers and times ---------------------------------------------------- */

static enum certlogic_error do_plus(const struct run *r,
				    const struct certlogic_node *node,
				    struct certlogic_value *out)
{
	struct certlogic_value b;
	int64_t sum;
	enum certlogic_error err = operand(r, node, 0, out);

	if (err == CERTLOGIC_OK)
		err = operand(r, node, 1, &b);
	if (err != CERTLOGIC_OK)
		return err;
	if (out->type != CERTLOGIC_INTEGER || b.type != CERTLOGIC_INTEGER)
		return CERTLOGIC_TYPE;
	if (__builtin_add_overflow(out->integer, b.integer, &sum))
		return CERTLOGIC_RANGE;
	*out = certlogic_integer(sum);
	return CERTLOGIC_OK;
}

static bool is_ordered(uint8_t operation, int64_t a, int64_t b)
{
	switch (operation) {
	case CERTLOGIC_DO_LESS:
	case CERTLOGIC_DO_BEFORE: return a < b;
	case CERTLOGIC_DO_GREATER:
	case CERTLOGIC_DO_AFTER: return a > b;
	case CERTLOGIC_DO_NOT_MORE:
	case CERTLOGIC_DO_NOT_AFTER: return a <= b;
	default: return a >= b;
	}
}

/* All operands are evaluated, and of TYPE, even if the first two decide. */
static enum certlogic_error compare(const struct run *r,
				    const struct certlogic_node *node,
				    enum certlogic_type type,
				    struct certlogic_value *out)
{
	int64_t n[TERNARY];
	bool holds = true;

	for (size_t i = 0; i < node->n; i++) {
		const enum certlogic_error err = operand(r, node, i, out);

		if (err != CERTLOGIC_OK)
			return err;
		if (out->type != type)
			return CERTLOGIC_TYPE;
		n[i] = type == CERTLOGIC_TIME ? out->ms : out->integer;
	}
	for (size_t i = 1; i < node->n; i++)
		holds = holds && is_ordered(node->operation, n[i - 1], n[i]);
	*out = certlogic_bool(holds);
	return CERTLOGIC_OK;
}

static enum certlogic_error do_compare(const struct run *r,
				       const struct certlogic_node *node,
				       struct certlogic_value *out)
{
	return compare(r, node, CERTLOGIC_INTEGER, out);
}

static enum certlogic_error do_compare_times(const struct run *r,
					     const struct certlogic_node *node,
					     struct certlogic_value *out)
{
	return compare(r, node, CERTLOGIC_TIME, out);
}

static enum certlogic_error do_time(const struct run *r,
				    const struct certlogic_node *node,
				    struct certlogic_value *out)
{
	const bool plus = node->operation == CERTLOGIC_DO_PLUS_TIME;
	const enum certlogic_error err = operand(r, node, 0, out);
	int64_t ms;

	if (err != CERTLOGIC_OK)
		return err;
	if (out->type != CERTLOGIC_TEXT)
		return CERTLOGIC_TYPE;
	if (!certlogic_spend(r->scratch, out->text.n / STEP_BYTES))
		return CERTLOGIC_STEPS;
	if (!(plus ? certlogic_time_read(out->text, &ms)
		   : certlogic_birth_read(out->text, &ms)))
		return CERTLOGIC_DATE;
	if (plus && node->number != 0 &&
	    !certlogic_time_plus(ms, node->number,
				 (enum certlogic_unit)node->unit, &ms))
		return CERTLOGIC_RANGE;
	out->type = CERTLOGIC_TIME;
	out->ms = ms;
	return CERTLOGIC_OK;
}

/* --- arrays and UVCIs ----------------------------------------------------- */

static enum certlogic_error do_reduce(const struct run *r,
				      const struct certlogic_node *node,
				      struct certlogic_value *out)
{
	struct certlogic_value array;
	struct certlogic_value current;
	struct certlogic_value accumulator;
	struct run inner = *r;
	struct certlogic_walk w;
	enum certlogic_error err = operand(r, node, 0, &array);

	if (err == CERTLOGIC_OK)
		err = operand(r, node, 2, &accumulator);
	if (err != CERTLOGIC_OK)
		return err;
	if (array.type == CERTLOGIC_NULL)
		array = certlogic_list(NULL, 0);
	if (!certlogic_is_array(&array))
		return CERTLOGIC_TYPE;
	inner.current = &current;
	inner.accumulator = &accumulator;
	w = certlogic_walk(&array);
	while (w.rest.n > 0) {
		err = certlogic_walk_next(&w, r->scratch, &current);
		if (err == CERTLOGIC_OK)
			err = operand(&inner, node, 1, out);
		if (err != CERTLOGIC_OK)
			return err;
		accumulator = *out;
	}
	*out = accumulator;
	return CERTLOGIC_OK;
}

static struct span next_fragment(struct span *rest, bool *more)
{
	size_t n = 0;
	struct span fragment;

	while (n < rest->n && rest->p[n] != '/' && rest->p[n] != '#' &&
	       rest->p[n] != ':')
		n++;
	fragment = span_of(rest->p, n);
	*more = n < rest->n;
	if (*more)
		n++;
	*rest = span_of(rest->p + n, rest->n - n);
	return fragment;
}

static enum certlogic_error do_uvci(const struct run *r,
				    const struct certlogic_node *node,
				    struct certlogic_value *out)
{
	const struct span prefix = SPAN_LIT("URN:UVCI:");
	const enum certlogic_error err = operand(r, node, 0, out);
	struct span fragment;
	struct span rest;
	bool more = true;

	if (err != CERTLOGIC_OK || out->type == CERTLOGIC_NULL)
		return err;
	if (out->type != CERTLOGIC_TEXT)
		return CERTLOGIC_TYPE;
	rest = out->text;
	if (!certlogic_spend(r->scratch, rest.n / STEP_BYTES))
		return CERTLOGIC_STEPS;
	if (rest.n >= prefix.n && memcmp(rest.p, prefix.p, prefix.n) == 0)
		rest = span_of(rest.p + prefix.n, rest.n - prefix.n);
	*out = (struct certlogic_value){.type = CERTLOGIC_NULL};
	for (int64_t i = 0; more && i <= node->number; i++) {
		fragment = next_fragment(&rest, &more);
		if (i == node->number)
			*out = certlogic_text(fragment);
	}
	return CERTLOGIC_OK;
}

/* --- the whole ------------------------------------------------------------ */

static enum certlogic_error (*const DO[CERTLOGIC_OPERATIONS])(
	const struct run *r, const struct certlogic_node *node,
	struct certlogic_value *out) = {
	[CERTLOGIC_DO_IF] = do_if,
	[CERTLOGIC_DO_AND] = do_and,
	[CERTLOGIC_DO_NOT] = do_not,
	[CERTLOGIC_DO_SAME] = do_same,
	[CERTLOGIC_DO_IN] = do_in,
	[CERTLOGIC_DO_PLUS] = do_plus,
	[CERTLOGIC_DO_LESS] = do_compare,
	[CERTLOGIC_DO_GREATER] = do_compare,
	[CERTLOGIC_DO_NOT_MORE] = do_compare,
	[CERTLOGIC_DO_NOT_LESS] = do_compare,
	[CERTLOGIC_DO_BEFORE] = do_compare_times,
	[CERTLOGIC_DO_AFTER] = do_compare_times,
	[CERTLOGIC_DO_NOT_AFTER] = do_compare_times,
	[CERTLOGIC_DO_NOT_BEFORE] = do_compare_times,
	[CERTLOGIC_DO_PLUS_TIME] = do_time,
	[CERTLOGIC_DO_BIRTH] = do_time,
	[CERTLOGIC_DO_REDUCE] = do_reduce,
	[CERTLOGIC_DO_UVCI] = do_uvci,
	[CERTLOGIC_DO_LITERAL] = do_literal,
	[CERTLOGIC_DO_LIST] = do_list,
	[CERTLOGIC_DO_VAR] = do_var,
};

/* As deep as the program is: see CERTLOGIC_DEPTH_MAX. */
static enum certlogic_error evaluate(const struct run *r,
				     const struct certlogic_node *node,
				     struct certlogic_value *out)
{
	if (!certlogic_spend(r->scratch, 1))
		return CERTLOGIC_STEPS;
	return DO[node->operation](r, node, out);
}

enum certlogic_error certlogic_evaluate(const struct certlogic *program,
					const struct certlogic_value *context,
					struct certlogic_scratch *s,
					struct certlogic_value *out)
{
	const struct run r = {
		.program = program, .scratch = s, .context = context};
	struct certlogic_value value;
	const enum certlogic_error err = evaluate(&r, program->node, &value);

	if (err == CERTLOGIC_OK)
		*out = value;
	return err;
}
