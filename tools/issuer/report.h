/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_REPORT_H
#define SG_TOOLS_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "tools/common/https.h"

/* report: the server's answers in words. */

/* The answer's body as JSON; NULL if it is none.  json_decref(). */
json_t *report_parse(const struct https_reply *reply);
/* Print the problem J (RFC 9457) that is REPLY: its title, then a line a
 * violation: pointer, code, detail; last the request's name.  J may be NULL. */
void report_problem(FILE *to, const struct https_reply *reply, const json_t *j);
/* Print what the server calls the request of REPLY in its log; nothing if it
 * did not say so. */
void report_request(FILE *to, const struct https_reply *reply);
/* Print the list of violations J, a line each; nothing if it is no list. */
void report_violations(FILE *to, const json_t *j);
/* Print the answer's own JSON and a line end, as it came. */
void report_raw(FILE *to, const struct https_reply *reply);
/* Print TEXT without control characters: a server's words go to a terminal. */
void report_text(FILE *to, const char *text);

#endif /* SG_TOOLS_REPORT_H */
