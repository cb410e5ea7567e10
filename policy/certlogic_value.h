/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CERTLOGIC_VALUE_H
#define SG_CERTLOGIC_VALUE_H

#include "base/span.h"

/*
 * certlogic_value: what CertLogic (EU DCC, specification 1.3.3) computes with,
 * and the limits of a computation.  A value is a view: of data in CBOR, read
 * where it lies, of a loaded rule, or of the scratch.  No allocation;
 * thread-safe, all state is the caller's.
 *
 *	X(id, text for a person)
 */
#define CERTLOGIC_ERROR_MAP(X)                                                 \
	X(OK, "")                                                              \
	X(TYPE, "an operand has the wrong type")                               \
	X(TRUTH, "a value is neither truthy nor falsy")                        \
	X(DATE, "a text is not a date or date-time")                           \
	X(RANGE, "a number or a date-time is out of range")                    \
	X(DATA, "the data is not well-formed")                                 \
	X(STEPS, "it takes too many steps")                                    \
	X(SCRATCH, "it makes too many values")

enum certlogic_error {
#define X(id, text) CERTLOGIC_##id,
	CERTLOGIC_ERROR_MAP(X)
#undef X
		CERTLOGIC_ERROR_COUNT
};

/* Static. */
const char *certlogic_error_text(enum certlogic_error error);

enum certlogic_type {
	CERTLOGIC_NULL,
	CERTLOGIC_FALSE,
	CERTLOGIC_TRUE,
	CERTLOGIC_INTEGER,
	CERTLOGIC_TEXT,
	CERTLOGIC_TIME,	  /* a date-time */
	CERTLOGIC_ARRAY,  /* of CBOR */
	CERTLOGIC_MAP,	  /* of CBOR */
	CERTLOGIC_LIST,	  /* an array of values */
	CERTLOGIC_RECORD, /* a map of members */
	CERTLOGIC_OTHER	  /* what no operation takes: fractions, bytes, tags */
};

struct certlogic_value {
	enum certlogic_type type;
	uint32_t n; /* items, pairs, members */
	union {
		int64_t integer;
		int64_t ms;	  /* since 1970: of a date-time */
		struct span text; /* UTF-8 */
		struct span data; /* of ARRAY, MAP: from the first item to the
				     input's end */
		const struct certlogic_value *item;
		const struct certlogic_member *member;
	};
};

struct certlogic_member {
	struct span key;
	struct certlogic_value value;
};

/*
 * What one evaluation may use up.  A step is a node evaluated, an item of the
 * data passed, a comparison, or 64 bytes of text looked at, so that the time
 * is bounded whatever rule and data are.
 */
enum {
	CERTLOGIC_STEPS_MAX = 20000,
	CERTLOGIC_SCRATCH_MAX = 128, /* values */
	CERTLOGIC_MEMBERS_MAX = 16
};

struct certlogic_scratch {
	uint32_t steps;	   /* left */
	uint32_t n;	   /* values used */
	uint32_t nmembers; /* members used */
	struct certlogic_value value[CERTLOGIC_SCRATCH_MAX];
	struct certlogic_member member[CERTLOGIC_MEMBERS_MAX];
};

static inline void certlogic_scratch_init(struct certlogic_scratch *s)
{
	s->steps = CERTLOGIC_STEPS_MAX;
	s->n = 0;
	s->nmembers = 0;
}

/* Take N steps; false when there are not as many left. */
static inline bool certlogic_spend(struct certlogic_scratch *s, size_t n)
{
	if (n > s->steps) {
		s->steps = 0;
		return false;
	}
	s->steps -= (uint32_t)n;
	return true;
}

static inline struct certlogic_value certlogic_integer(int64_t i)
{
	return (struct certlogic_value){.type = CERTLOGIC_INTEGER,
					.integer = i};
}

static inline struct certlogic_value certlogic_text(struct span text)
{
	return (struct certlogic_value){.type = CERTLOGIC_TEXT, .text = text};
}

static inline struct certlogic_value certlogic_bool(bool b)
{
	return (struct certlogic_value){.type = b ? CERTLOGIC_TRUE
						  : CERTLOGIC_FALSE};
}

static inline struct certlogic_value certlogic_record(
	const struct certlogic_member *member, uint32_t n)
{
	return (struct certlogic_value){
		.type = CERTLOGIC_RECORD, .n = n, .member = member};
}

static inline struct certlogic_value certlogic_list(
	const struct certlogic_value *item, uint32_t n)
{
	return (struct certlogic_value){
		.type = CERTLOGIC_LIST, .n = n, .item = item};
}

/* The value at the start of IN, CBOR with definite lengths; what is behind it
 * is not looked at.  Errors: CERTLOGIC_DATA. */
enum certlogic_error certlogic_value_read(struct span in,
					  struct certlogic_value *out);
/* The member KEY of V, null if V is none or has none. */
enum certlogic_error certlogic_value_member(const struct certlogic_value *v,
					    struct span key,
					    struct certlogic_scratch *s,
					    struct certlogic_value *out);
/* Item INDEX, likewise. */
enum certlogic_error certlogic_value_item(const struct certlogic_value *v,
					  uint32_t index,
					  struct certlogic_scratch *s,
					  struct certlogic_value *out);

static inline bool certlogic_is_array(const struct certlogic_value *v)
{
	return v->type == CERTLOGIC_ARRAY || v->type == CERTLOGIC_LIST;
}

/* A walk over the items of an array. */
struct certlogic_walk {
	struct certlogic_value rest;
};

static inline struct certlogic_walk certlogic_walk(
	const struct certlogic_value *v)
{
	return (struct certlogic_walk){.rest = *v};
}

/* Take the next of W's items, of which there is one as long as W->rest.n is
 * not 0. */
enum certlogic_error certlogic_walk_next(struct certlogic_walk *w,
					 struct certlogic_scratch *s,
					 struct certlogic_value *out);

/* Specification, "Truthy and falsy values".  Errors: CERTLOGIC_TRUTH. */
enum certlogic_error certlogic_value_truth(const struct certlogic_value *v,
					   bool *truth);
/* Specification, "===".  Values of different types differ.  Errors:
 * CERTLOGIC_TYPE for two arrays, two maps, two date-times, and what no
 * operation takes, of which it says nothing reliable. */
enum certlogic_error certlogic_value_same(const struct certlogic_value *a,
					  const struct certlogic_value *b,
					  struct certlogic_scratch *s,
					  bool *same);

#endif /* SG_CERTLOGIC_VALUE_H */
