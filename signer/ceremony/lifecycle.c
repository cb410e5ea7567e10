/* SPDX-License-Identifier: Apache-2.0 */
#include "lifecycle.h"

const char *key_state_text(enum key_state state)
{
	static const char *const texts[] = {
#define X(id, text) [KEY_##id] = (text),
		KEY_STATE_MAP(X)
#undef X
	};

	return (unsigned)state < KEY_STATE_COUNT ? texts[state] : "unknown";
}
