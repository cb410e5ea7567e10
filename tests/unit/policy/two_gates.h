/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_TWO_GATES_H
#define SG_TEST_TWO_GATES_H

#include "gateways.h"

/* For the tests: two gateways, of ES256 and EdDSA, for a whole group. */
static struct gate gate, other;

static inline int open_gates(void **state)
{
	(void)state;
	gate = gate_make(COSE_ES256);
	other = gate_make(COSE_EDDSA);
	return 0;
}

static inline int close_gates(void **state)
{
	(void)state;
	gate_free(&gate);
	gate_free(&other);
	return 0;
}

#endif /* SG_TEST_TWO_GATES_H */
