/* SPDX-License-Identifier: Apache-2.0 */
#include "renewing.h"

#include <stdlib.h>

#include "answer.h"
#include "scan.h"

static void put(struct renewing *r, size_t *n, struct span s)
{
	if (s.n > 0)
		memcpy(r->text + *n, s.p, s.n);
	*n += s.n;
}

/* {"id": ID, "hcert": HCERT}, the values as they stand; without ID if it is
 * empty. */
static enum sg_err make(struct renewing *r, struct span id, struct span hcert,
			struct span *request)
{
	const size_t room = id.n + hcert.n + sizeof("{\"id\":,\"hcert\":}");
	size_t n = 0;

	if (room > r->cap) {
		char *p = realloc(r->text, room);

		if (p == NULL)
			return SG_NO_MEMORY;
		r->text = p;
		r->cap = room;
	}
	put(r, &n, SPAN_LIT("{"));
	if (id.n > 0) {
		put(r, &n, SPAN_LIT("\"id\":"));
		put(r, &n, id);
		put(r, &n, SPAN_LIT(","));
	}
	put(r, &n, SPAN_LIT("\"hcert\":"));
	put(r, &n, hcert);
	put(r, &n, SPAN_LIT("}"));
	*request = span_of(r->text, n);
	return SG_OK;
}

enum sg_err renewing_request(struct renewing *r, struct span line,
			     struct span *request, struct span *local)
{
	struct span id;
	struct span hcert;
	struct answer a;

	*request = line;
	*local = (struct span){0};
	answer_read(line, &a);
	if (a.kind == ANSWER_PROBLEM) {
		*local = SPAN_LIT("{\"type\":\"/problems/malformed\","
				  "\"title\":\"Malformed request\","
				  "\"status\":400,\"detail\":\"the line is a "
				  "problem: there is no certificate to renew, "
				  "and it was not sent\"}");
		return SG_OK;
	}
	/* A request has no UVCI beside its certificate, an answer has. */
	if (a.kind != ANSWER_GOOD || a.uvci.n == 0 ||
	    !scan_find(line, "hcert", &hcert))
		return SG_OK;
	if (!scan_find(line, "id", &id))
		id = (struct span){0};
	return make(r, id, hcert, request);
}

void renewing_clear(struct renewing *r)
{
	free(r->text);
	*r = (struct renewing){0};
}
