/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CERTLOGIC_EVALUATE_H
#define SG_CERTLOGIC_EVALUATE_H

#include "certlogic_value.h"

/*
 * certlogic_evaluate: a program over data.  It ends, whatever both of them are:
 * see CERTLOGIC_STEPS_MAX.  No allocation; thread-safe.
 */
struct certlogic;

/*
 * Evaluate PROGRAM over CONTEXT into *OUT, which may lie in all three of them
 * until S is used again.  S has been initialised.
 * Errors: what the specification calls an error, and what exceeds the limits;
 * *OUT is not set.  A rule that cannot be evaluated is not kept.
 */
enum certlogic_error certlogic_evaluate(const struct certlogic *program,
					const struct certlogic_value *context,
					struct certlogic_scratch *s,
					struct certlogic_value *out);

#endif /* SG_CERTLOGIC_EVALUATE_H */
