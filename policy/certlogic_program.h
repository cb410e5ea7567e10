/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CERTLOGIC_PROGRAM_H
#define SG_CERTLOGIC_PROGRAM_H

#include "certlogic_value.h"

/*
 * certlogic_program: a CertLogic expression as it is evaluated, the common
 * inside of certlogic_load (which makes one) and certlogic_evaluate.
 *
 *	X(id, name in JSON, least operands, most operands)
 */
enum { CERTLOGIC_ANY_NUMBER = 255 }; /* of operands */

#define CERTLOGIC_OPERATION_MAP(X)                                             \
	X(IF, "if", 3, 3)                                                      \
	X(AND, "and", 2, CERTLOGIC_ANY_NUMBER)                                 \
	X(NOT, "!", 1, 1)                                                      \
	X(SAME, "===", 2, 2)                                                   \
	X(IN, "in", 2, 2)                                                      \
	X(PLUS, "+", 2, 2)                                                     \
	X(LESS, "<", 2, 3)                                                     \
	X(GREATER, ">", 2, 3)                                                  \
	X(NOT_MORE, "<=", 2, 3)                                                \
	X(NOT_LESS, ">=", 2, 3)                                                \
	X(BEFORE, "before", 2, 3)                                              \
	X(AFTER, "after", 2, 3)                                                \
	X(NOT_AFTER, "not-after", 2, 3)                                        \
	X(NOT_BEFORE, "not-before", 2, 3)                                      \
	X(PLUS_TIME, "plusTime", 3, 3)                                         \
	X(BIRTH, "dccDateOfBirth", 1, 1)                                       \
	X(REDUCE, "reduce", 3, 3)                                              \
	X(UVCI, "extractFromUVCI", 2, 2)

enum certlogic_operation {
#define X(id, name, least, most) CERTLOGIC_DO_##id,
	CERTLOGIC_OPERATION_MAP(X)
#undef X
		CERTLOGIC_DO_LITERAL,
	CERTLOGIC_DO_LIST, /* an array whose items are evaluated */
	CERTLOGIC_DO_VAR,
	CERTLOGIC_OPERATIONS
};

/* A part of a data access path, between its periods. */
struct certlogic_fragment {
	struct span key;
	bool indexes; /* may name an item of an array, too: */
	uint32_t index;
};

struct certlogic_node {
	uint8_t operation;
	uint8_t unit;	   /* of PLUS_TIME: enum certlogic_unit */
	uint16_t first, n; /* operands: nodes; of VAR: fragments */
	union {
		struct certlogic_value literal;
		int64_t number; /* of PLUS_TIME and UVCI */
	};
};

struct certlogic {
	struct certlogic_node *node; /* 0 is the whole expression */
	struct certlogic_fragment *fragment;
	struct certlogic_value *value; /* of constant arrays */
	uint8_t *text;
};

#endif /* SG_CERTLOGIC_PROGRAM_H */
