/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_TALLY_PRINT_H
#define SG_TOOLS_TALLY_PRINT_H

#include <jansson.h>
#include <stdio.h>

#include "tally.h"

/* tally_print: a tally for people, for spreadsheets and for programs. */

/* A table: codes; fields and issuers if T has them. */
void tally_print_table(FILE *to, struct tally *t);
/* RFC 4180, a line for each code, field and issuer. */
void tally_print_csv(FILE *to, struct tally *t);
/* An object with the same; json_decref().  NULL without memory. */
json_t *tally_json(struct tally *t);
/* Print and drop J. */
void tally_print_json(FILE *to, json_t *j);

#endif /* SG_TOOLS_TALLY_PRINT_H */
