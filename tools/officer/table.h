/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_TABLE_H
#define SG_TOOLS_TABLE_H

#include <stdbool.h>
#include <stdio.h>

/* table: text in columns, each as wide as its widest cell. */
enum { TABLE_COLUMNS_MAX = 12, TABLE_ROWS_MAX = 256, TABLE_CELL_MAX = 80 };

enum table_mood { TABLE_PLAIN, TABLE_GOOD, TABLE_CARE, TABLE_BAD };

struct table {
	FILE *to;
	bool colour;
	size_t columns, rows;
	struct table_cell {
		char text[TABLE_CELL_MAX];
		enum table_mood mood;
	} cell[TABLE_ROWS_MAX][TABLE_COLUMNS_MAX];
};

/* May colours go to TO?  Not unless it is a terminal (and NO_COLOR is not set).
 */
bool table_colours(FILE *to);
/* Begin the next row; what is beyond TABLE_ROWS_MAX is dropped. */
void table_row(struct table *t);
/* The next cell of that row; what is no printable ASCII becomes '?'. */
__attribute__((format(printf, 3, 4))) void table_cell(struct table *t,
						      enum table_mood mood,
						      const char *fmt, ...);
/* Print it, and begin anew. */
void table_print(struct table *t);

/* What turns MOOD on in a terminal, and "" where nothing does; TABLE_PLAIN
 * turns all off. */
const char *table_mood(enum table_mood mood, bool colour);

#endif /* SG_TOOLS_TABLE_H */
