/* SPDX-License-Identifier: Apache-2.0 */
#include "asked.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/request_id.h"
#include "base/throttle.h"

enum { CODES_TEXT = 160, HTTP_SERVER_FAULT = 500 };

static const char *const OPERATION[] = {
	[CLIENT_ISSUE] = "issue",
	[CLIENT_VALIDATE] = "validate",
	[CLIENT_RENEW] = "renew",
};

static const char *name_of(const struct asked *a)
{
	return a->client != NULL ? client_name(a->client) : "-";
}

static void log_outcome(const struct asked *a, const char *outcome,
			const char *codes, int64_t index)
{
	char name[REQUEST_ID_TEXT];

	log_event(LOG_INFO, "request-done",
		  "request=%s client=\"%s\" operation=%s outcome=%s "
		  "codes=%s index=%lld queue_us=%u sign_us=%u us=%llu",
		  request_id_text(a->name, a->line, name), name_of(a),
		  OPERATION[a->operation], outcome, codes, (long long)index,
		  a->queue_us, a->sign_us,
		  (unsigned long long)(clock_mono_us() - a->began_us));
}

void asked_done(const struct asked *a, const char *outcome, int64_t index)
{
	if (log_has_requests())
		log_outcome(a, outcome, "-", index);
}

/* The codes of V's errors, as many as fit; "-": none.  Each is the policy's
 * word; a pointer may have the client's. */
static void list_codes(const struct verdict *v, char text[CODES_TEXT])
{
	size_t n = 0;

	for (size_t i = 0; v != NULL && i < v->n; i++) {
		const struct span code = verdict_code(v, i);

		if (v->violation[i].warning || code.n + 2 > CODES_TEXT - n)
			continue;
		if (n > 0)
			text[n++] = ',';
		memcpy(text + n, code.p, code.n);
		n += code.n;
	}
	if (n == 0)
		text[n++] = '-';
	text[n] = '\0';
}

static void log_failed(const struct asked *a, enum sg_err err)
{
	enum { WITHIN_S = 60 }; /* an HSM may be away for hours */
	static struct throttle throttle;
	char name[REQUEST_ID_TEXT];
	uint64_t dropped;

	if (throttle_allows(&throttle, clock_wall_s() / WITHIN_S, &dropped))
		log_event(LOG_WARNING, "request-failed",
			  "request=%s client=\"%s\" operation=%s status=%d "
			  "reason=" LOG_Q " unlogged=%llu",
			  request_id_text(a->name, a->line, name), name_of(a),
			  OPERATION[a->operation], err_http(err), err_text(err),
			  (unsigned long long)dropped);
}

void asked_refused(const struct asked *a, enum sg_err err,
		   const struct verdict *v)
{
	char codes[CODES_TEXT];

	if (err_http(err) >= HTTP_SERVER_FAULT)
		log_failed(a, err);
	if (!log_has_requests())
		return;
	list_codes(v, codes);
	log_outcome(a, err_problem(err), codes, -1);
}
