/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_FAULTS_H
#define SG_TOOLS_FAULTS_H

#include <stdio.h>

#include "answer.h"

/*
 * faults: a file with a row for each fault of each record, for whoever corrects
 * them: CSV with line,pointer,code,level,detail.  As in the report, what does
 * not look like a field's name is "?".  Written as it comes: memory is flat.
 */

/* Write the head of the file TO. */
void faults_begin(FILE *to);
/* The record of line number LINE (from 1) was answered by A, read from TEXT. */
void faults_add(FILE *to, uint64_t line, const struct answer *a,
		struct span text);

#endif /* SG_TOOLS_FAULTS_H */
