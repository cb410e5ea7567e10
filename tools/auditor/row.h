/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_ROW_H
#define SG_TOOLS_ROW_H

#include <stdio.h>

#include "walk.h"

/* row: entries in print, one after the other. */
enum row_form {
	ROW_TABLE,  /* for people: what matters most, in columns */
	ROW_CSV,    /* all fields */
	ROW_JSON,   /* all fields, in an array */
	ROW_NDJSON, /* the same, a line an entry */
};

struct row {
	FILE *to;
	enum row_form form;
	uint64_t n; /* printed */
};

void row_begin(struct row *r, FILE *to, enum row_form form);
void row_put(struct row *r, const struct walk_entry *e);
void row_end(struct row *r);

enum { ROW_TIME = 40 };
/* "2026-01-31T09:00:00.123Z".  Returns OUT. */
const char *row_time(int64_t ms, char out[ROW_TIME]);
/* TEXT as a JSON string, hidden characters escaped. */
void row_json_text(FILE *to, struct span text);

#endif /* SG_TOOLS_ROW_H */
