/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

static const char *const NAMES[CALL_COUNT] = {
#define X(name, ...) [CALL_##name] = #name,
	CALL_OWN(X) CALL_TOKEN(X) CALL_SESSION(X)
#undef X
};

bool call_of(struct span name, enum call *call)
{
	for (int i = 0; i < CALL_COUNT; i++) {
		if (i == CALL_C_Initialize || i == CALL_C_Finalize ||
		    !span_is(name, NAMES[i]))
			continue;
		*call = (enum call)i;
		return true;
	}
	return false;
}

const char *call_name(enum call call)
{
	return NAMES[call];
}
