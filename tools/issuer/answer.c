/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <stdlib.h>

#include "base/base64.h"
#include "scan.h"

enum { STATUS_MIN = 400, STATUS_MAX = 599 };

bool answer_again(int status)
{
	return status == 408 || status == 429 || status == 503 || status == 504;
}

bool answer_is_open(const struct answer *a, bool refused)
{
	return a->again || (refused && a->kind == ANSWER_PROBLEM);
}

/* What is seen of a line while its members go by. */
struct seen {
	bool certificate, verdict;
	int64_t status;
};

static void take(struct seen *seen, struct answer *a, struct span key,
		 struct span value)
{
	struct span text;

	if (span_is(key, "hcert"))
		seen->certificate = scan_string(value, &text);
	else if (span_is(key, "verdict"))
		seen->verdict = span_is(value, "\"accept\"");
	else if (span_is(key, "status"))
		seen->status =
			scan_integer(value, &seen->status) ? seen->status : 0;
	else if (span_is(key, "replayed"))
		a->replayed = span_is(value, "true");
	else if (span_is(key, "violations") || span_is(key, "warnings"))
		a->violations = value.p[0] == '[' ? value : a->violations;
	else if (span_is(key, "id"))
		(void)scan_string(value, &a->id);
	else if (span_is(key, "uvci"))
		(void)scan_string(value, &a->uvci);
	else if (span_is(key, "type"))
		(void)scan_string(value, &a->type);
}

void answer_read(struct span line, struct answer *out)
{
	static const char quota[] = "\"quota-exceeded\"";
	struct scan s = scan_object(line);
	struct seen seen = {0};
	struct answer a = {0};
	struct span value;
	struct span key;
	enum scan_got got;

	while ((got = scan_next(&s, &key, &value)) == SCAN_MEMBER)
		take(&seen, &a, key, value);
	*out = (struct answer){0};
	if (got != SCAN_END)
		return;
	if (seen.status >= STATUS_MIN && seen.status <= STATUS_MAX &&
	    !seen.certificate) {
		a.kind = ANSWER_PROBLEM;
		a.status = (int)seen.status;
		a.again = answer_again(a.status);
		a.quota = a.status == 429 && a.violations.n > 0 &&
			  memmem(a.violations.p, a.violations.n, quota,
				 sizeof(quota) - 1) != NULL;
	} else if (seen.certificate || seen.verdict) {
		a.kind = ANSWER_GOOD;
		a.status = 200;
	} else {
		return;
	}
	*out = a;
}

static bool has_escape(struct span s)
{
	return s.n > 0 && memchr(s.p, '\\', s.n) != NULL;
}

static bool same_id(const struct answer *a, struct span request)
{
	struct span value;
	struct span id;

	if (a->id.n == 0 || has_escape(a->id))
		return true;
	if (!scan_find(request, "id", &value))
		return !scan_is_object(request);
	if (!scan_string(value, &id) || has_escape(id))
		return true;
	return span_eq(a->id, id);
}

static bool has(struct span bytes, struct span part)
{
	if (part.n == 0 || has_escape(part))
		return true;
	return bytes.n >= part.n &&
	       memmem(bytes.p, bytes.n, part.p, part.n) != NULL;
}

/* The same of what a client has signed, a COSE_Sign1 in the string BASE64:
 * texts stand in CBOR as they are. */
static bool fits_signed(const struct answer *a, struct span base64)
{
	uint8_t *cose = malloc(base64.n + 1);
	bool fits = true;
	size_t n;

	if (cose != NULL && base64_decode(base64, cose, &n))
		fits = has(span_of(cose, n), a->id) &&
		       has(span_of(cose, n), a->uvci);
	free(cose);
	return fits;
}

bool answer_fits(const struct answer *a, struct span request)
{
	struct span value;

	if (scan_find(request, "signed", &value) && value.n >= 2)
		return fits_signed(a, span_of(value.p + 1, value.n - 2));
	if (!same_id(a, request))
		return false;
	if (a->uvci.n == 0 || has_escape(a->uvci) || has_escape(request))
		return true;
	if (has(request, a->uvci))
		return true;
	return scan_find(request, "hcert", &value) &&
	       !scan_find(request, "uvci", &value) &&
	       !scan_find(request, "dcc", &value);
}
