/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_SHEET_H
#define SG_TOOLS_SHEET_H

#include <stdio.h>

#include "base/err.h"
#include "base/span.h"

/*
 * sheet: a document of headings, paragraphs and tables, as plain text or as one
 * HTML file that needs nothing else: no script, no font, no picture.  Texts may
 * come from anywhere: what is hidden in them, or would be markup, is made
 * harmless.
 */
enum sheet_form { SHEET_TEXT, SHEET_HTML };

enum { SHEET_COLUMNS_MAX = 12, SHEET_TEXT_MAX = 1024 };

struct sheet; /* opaque */

/* Begin a document with TITLE on TO, which outlives it.
 * Owns: *OUT is the caller's; sheet_end().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err sheet_begin(FILE *to, enum sheet_form form,
				    struct span title, struct sheet **out);
/* Errors: SG_NO_MEMORY (something is missing from it), SG_IO. */
SG_MUST_USE enum sg_err sheet_end(struct sheet *s);

void sheet_heading(struct sheet *s, const char *text);
__attribute__((format(printf, 2, 3))) void sheet_para(struct sheet *s,
						      const char *fmt, ...);
/* A line to be typed in. */
__attribute__((format(printf, 2, 3))) void sheet_command(struct sheet *s,
							 const char *fmt, ...);

/* A table: its columns are named by HEADS (N of them), then come its cells, row
 * by row.  In front of a name, '>' is for numbers, which stand at the right;
 * '@' for what stays on one line, a time; '#' for what may break anywhere, a
 * hash.  HEADS must live until sheet_table_end(). */
void sheet_table(struct sheet *s, size_t n, const char *const *heads);
void sheet_cell(struct sheet *s, struct span text);
__attribute__((format(printf, 2, 3))) void sheet_cellf(struct sheet *s,
						       const char *fmt, ...);
/* A bar of SHARE (0..1) of the column's width. */
void sheet_bar(struct sheet *s, double share);
void sheet_table_end(struct sheet *s);

#endif /* SG_TOOLS_SHEET_H */
