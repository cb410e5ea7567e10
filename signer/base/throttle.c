/* SPDX-License-Identifier: Apache-2.0 */
#include "throttle.h"

bool throttle_allows(struct throttle *t, int64_t now, uint64_t *dropped)
{
	if (t->second != now) {
		t->second = now;
		t->lines = 0;
	}
	if (t->lines == THROTTLE_LINES) {
		t->dropped++;
		return false;
	}
	t->lines++;
	*dropped = t->dropped;
	t->dropped = 0;
	return true;
}
