/* SPDX-License-Identifier: Apache-2.0 */
#include "caller.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/request_id.h"
#include "base/throttle.h"

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

void caller_log_unknown(struct span identity, uint64_t name)
{
	static struct throttle throttle;
	struct identity who;
	char spki[HEX_TEXT(sizeof(who.spki))];
	char request[REQUEST_ID_TEXT];
	uint64_t dropped;

	if (identity_decode(identity, &who) != SG_OK ||
	    !throttle_allows(&throttle, clock_wall_s(), &dropped))
		return;
	log_event(LOG_WARNING, "client-unknown",
		  "request=%s spki=%s unlogged=%llu",
		  request_id_text(name, 0, request),
		  hex_encode(who.spki, sizeof(who.spki), spki),
		  (unsigned long long)dropped);
}

void caller_log_forbidden(const struct client *client, const char *operation,
			  uint64_t name)
{
	static struct throttle throttle;
	char request[REQUEST_ID_TEXT];
	uint64_t dropped;

	if (!throttle_allows(&throttle, clock_wall_s(), &dropped))
		return;
	log_event(LOG_WARNING, "client-forbidden",
		  "request=%s client=\"%s\" operation=%s unlogged=%llu",
		  request_id_text(name, 0, request), client_name(client),
		  operation, (unsigned long long)dropped);
}
