/* SPDX-License-Identifier: Apache-2.0 */
#include "caller.h"

enum sg_err caller_find(const struct policy *p, struct span identity,
			const struct client **out)
{
	struct identity who;
	const enum sg_err err = identity_decode(identity, &who);

	if (err != SG_OK)
		return SG_MALFORMED;
	*out = policy_client(p, &who);
	return *out != NULL ? SG_OK : SG_FORBIDDEN;
}
