/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_ROW_EVENT_H
#define SG_TOOLS_ROW_EVENT_H

#include <stdio.h>

#include "ledger/entry.h"

/* row_event: changes of keys, and what officers decided, in print: parts of a
 * row. */

/* For people; nothing of another entry. */
void row_event_table(FILE *to, const struct entry *e);

/* Names of the fields in CSV, which of another entry are empty. */
#define ROW_EVENT_CSV                                                          \
	"operation_sha256,operation_bytes,operation,operation_id,"             \
	"operation_key,proposer,officers,claimed_officers,refusal,key_label,"  \
	"key_state,key_kid"
/* Each with a comma in front. */
void row_event_csv(FILE *to, const struct entry *e);
/* Members of an object, each with a comma in front. */
void row_event_json(FILE *to, const struct entry *e);

#endif /* SG_TOOLS_ROW_EVENT_H */
