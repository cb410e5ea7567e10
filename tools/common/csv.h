/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_CSV_H
#define SG_TOOLS_CSV_H

#include <stdio.h>

/* csv: files that a spreadsheet opens as they are (RFC 4180). */

/* The line HEAD, behind the mark (BOM) by which a spreadsheet knows UTF-8. */
void csv_begin(FILE *to, const char *head);
/* A quoted field.  What a spreadsheet would take for a formula gets an
 * apostrophe in front: texts come from outside. */
void csv_text(FILE *to, const char *text);

#endif /* SG_TOOLS_CSV_H */
