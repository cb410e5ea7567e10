/* SPDX-License-Identifier: Apache-2.0 */
#include "problem.h"

#include <stdio.h>

#include "ipc/wire.h"

enum { TYPE_MAX = 64 };

/* The title stays the same for all problems of a type (RFC 9457 s. 3.1.3). */
static const struct {
	const char *name, *title;
} TITLES[] = {
	{"malformed", "Malformed request"},
	{"unauthenticated", "Client not authenticated"},
	{"forbidden", "Not allowed"},
	{"not-found", "Not found"},
	{"method-not-allowed", "Method not allowed"},
	{"not-acceptable", "No acceptable media type"},
	{"timeout", "Request too slow"},
	{"conflict", "Conflict with what is there"},
	{"too-large", "Request too large"},
	{"unsupported-media-type", "Media type not supported"},
	{"policy", "Refused by policy"},
	{"rate", "Too many requests"},
	{"internal", "Internal error"},
	{"unavailable", "Temporarily unavailable"},
	{"deadline", "Deadline passed"},
};

static const char *title_of(const char *name)
{
	for (size_t i = 0; i < sizeof(TITLES) / sizeof(TITLES[0]); i++) {
		if (strcmp(TITLES[i].name, name) == 0)
			return TITLES[i].title;
	}
	return "Problem";
}

static uint64_t count(struct span list)
{
	struct wire_violation v;
	uint64_t n = 0;

	while (wire_violation_next(&list, &v) == SG_OK)
		n++;
	return n;
}

static void put_violation(struct doc *d, const struct wire_violation *v)
{
	doc_map(d, 4);
	doc_key(d, "pointer");
	doc_text(d, v->pointer);
	doc_key(d, "code");
	doc_text(d, v->code);
	doc_key(d, "level");
	doc_str(d, v->warning ? "warning" : "error");
	doc_key(d, "detail");
	doc_text(d, v->detail);
	doc_map_end(d);
}

void problem_violations(struct doc *d, const char *key, struct span list)
{
	struct wire_violation v;

	doc_key(d, key);
	doc_array(d, count(list));
	while (wire_violation_next(&list, &v) == SG_OK)
		put_violation(d, &v);
	doc_array_end(d);
}

static void put_duplicate_key(struct doc *d)
{
	const struct wire_violation v = {
		.code = SPAN_LIT("duplicate-key"),
		.detail = span_str(err_text(SG_DUPLICATE_KEY)),
	};

	doc_key(d, "violations");
	doc_array(d, 1);
	put_violation(d, &v);
	doc_array_end(d);
}

void problem_write(struct doc *d, const struct problem *p)
{
	const char *name = err_problem(p->err);
	const bool listed = p->violations.n > 0;
	const bool duplicate = !listed && p->err == SG_DUPLICATE_KEY;
	char type[TYPE_MAX];

	(void)snprintf(type, sizeof(type), "/problems/%s", name);
	doc_map(d, 4U + (p->id.n > 0) + (listed || duplicate));
	doc_key(d, "type");
	doc_str(d, type);
	doc_key(d, "title");
	doc_str(d, title_of(name));
	doc_key(d, "status");
	doc_int(d, err_http(p->err));
	doc_key(d, "detail");
	doc_text(d, p->detail.n > 0 ? p->detail : span_str(err_text(p->err)));
	if (p->id.n > 0) {
		doc_key(d, "id");
		doc_text(d, p->id);
	}
	if (listed)
		problem_violations(d, "violations", p->violations);
	else if (duplicate)
		put_duplicate_key(d);
	doc_map_end(d);
}
