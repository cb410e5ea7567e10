/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_CLEANING_H
#define SG_TOOLS_CLEANING_H

#include "engine.h"

/* cleaning: the data-cleaning report of "validate": many records, judged and
 * not signed. */

/* Validate the lines of L (of the file PATH) as ARGS and SETTINGS say, and
 * print the report, as CSV if CSV is set, without progress if QUIET.  Returns
 * the exit status. */
int cleaning_run(const struct args *args, struct engine_settings *settings,
		 struct lines *l, const char *path, bool csv, bool quiet);
/* Are there more records than one in TEXT, the beginning of a file, line by
 * line? */
bool cleaning_is_many(struct span text);
/* Does the file's name say so? */
bool cleaning_is_ndjson(const char *path);

#endif /* SG_TOOLS_CLEANING_H */
