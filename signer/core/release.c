/* SPDX-License-Identifier: Apache-2.0 */
#include "release.h"

#include <stdlib.h>

#include "ipc/wire.h"

struct release {
	int64_t newest_iat;
};

enum sg_err release_create(int64_t newest_iat, struct release **out)
{
	struct release *r = calloc(1, sizeof(*r));

	*out = r;
	if (r == NULL)
		return SG_NO_MEMORY;
	r->newest_iat = newest_iat;
	return SG_OK;
}

bool release_clock_sane(const struct release *r, int64_t now)
{
	return r->newest_iat < INT64_MIN + RELEASE_CLOCK_SLACK_S ||
	       now >= r->newest_iat - RELEASE_CLOCK_SLACK_S;
}

void release_submit(struct release *r, struct release_item *item)
{
	if (item->facts.iat > r->newest_iat)
		r->newest_iat = item->facts.iat;
	item->released(item, SG_OK, WIRE_NO_LEDGER_INDEX, 0);
}

void release_free(struct release *r)
{
	free(r);
}
