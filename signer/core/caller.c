/* SPDX-License-Identifier: Apache-2.0 */
#include "caller.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/request_id.h"
#include "base/throttle.h"
#include "ipc/wire.h"

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

const char *caller_unknown(uint8_t language)
{
	return language == WIRE_VIETNAMESE
		       ? "chính sách không có đơn vị nào dùng chứng thư này"
		       : CALLER_UNKNOWN;
}

const char *caller_may_not(enum client_operation operation, uint8_t language)
{
	static const char *const text[][WIRE_LANGUAGE_COUNT] = {
		[CLIENT_ISSUE] = {"the policy does not allow this client to "
				  "issue",
				  "chính sách không cho phép đơn vị này cấp "
				  "chứng nhận"},
		[CLIENT_VALIDATE] =
			{"the policy does not allow this client to "
			 "validate",
			 "chính sách không cho phép đơn vị này kiểm "
			 "tra dữ liệu"},
		[CLIENT_RENEW] = {"the policy does not allow this client to "
				  "renew",
				  "chính sách không cho phép đơn vị này gia "
				  "hạn chứng nhận"},
	};

	assert(operation <= CLIENT_RENEW);
	return text[operation][language == WIRE_VIETNAMESE ? WIRE_VIETNAMESE
							   : WIRE_ENGLISH];
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
