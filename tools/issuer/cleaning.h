/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_CLEANING_H
#define SG_TOOLS_CLEANING_H

#include "engine.h"

/* cleaning: the data-cleaning report of "validate": many records, judged and
 * not signed. */

/* What the report is to be. */
struct cleaning_form {
	bool csv;
	bool quiet;	    /* without progress */
	const char *faults; /* file for a row a fault, or NULL */
};

/* Validate the lines of L (of the file PATH) as ARGS and SETTINGS say, and
 * print the report.  Returns the exit status. */
int cleaning_run(const struct args *args, struct engine_settings *settings,
		 struct lines *l, const char *path,
		 const struct cleaning_form *form);
/* Are there more records than one in TEXT, the beginning of a file, line by
 * line? */
bool cleaning_is_many(struct span text);
/* Does the file's name say so? */
bool cleaning_is_ndjson(const char *path);

#endif /* SG_TOOLS_CLEANING_H */
