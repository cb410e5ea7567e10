/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool table_colours(FILE *to)
{
	/* One thread. */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
	const char *no = getenv("NO_COLOR");

	return (no == NULL || no[0] == '\0') && isatty(fileno(to)) == 1;
}

const char *table_mood(enum table_mood mood, bool colour)
{
	static const char *const code[] = {[TABLE_PLAIN] = "\033[0m",
					   [TABLE_GOOD] = "\033[32m",
					   [TABLE_CARE] = "\033[33m",
					   [TABLE_BAD] = "\033[1;31m"};

	return colour ? code[mood] : "";
}

void table_row(struct table *t)
{
	if (t->rows < TABLE_ROWS_MAX)
		t->rows++;
	t->columns = 0;
	memset(t->cell[t->rows - 1], 0, sizeof(t->cell[0]));
}

void table_cell(struct table *t, enum table_mood mood, const char *fmt, ...)
{
	struct table_cell *cell;
	va_list ap;

	if (t->columns == TABLE_COLUMNS_MAX)
		return;
	cell = &t->cell[t->rows - 1][t->columns++];
	cell->mood = mood;
	va_start(ap, fmt);
	(void)vsnprintf(cell->text, sizeof(cell->text), fmt, ap);
	va_end(ap);
	for (char *p = cell->text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

static size_t width_of(const struct table *t, size_t column)
{
	size_t width = 0;

	for (size_t row = 0; row < t->rows; row++) {
		const size_t n = strlen(t->cell[row][column].text);

		if (n > width)
			width = n;
	}
	return width;
}

static void print_row(const struct table *t, size_t row,
		      const size_t width[TABLE_COLUMNS_MAX])
{
	size_t last = TABLE_COLUMNS_MAX - 1;

	while (last > 0 && t->cell[row][last].text[0] == '\0')
		last--;
	for (size_t i = 0; i <= last; i++) {
		const struct table_cell *cell = &t->cell[row][i];
		const bool colour = t->colour && cell->mood != TABLE_PLAIN;
		const size_t n = strlen(cell->text);

		(void)fprintf(t->to, "%s%s%s", table_mood(cell->mood, colour),
			      cell->text, table_mood(TABLE_PLAIN, colour));
		if (i < last)
			(void)fprintf(t->to, "%*s", (int)(width[i] - n + 2),
				      "");
	}
	(void)fputc('\n', t->to);
}

void table_print(struct table *t)
{
	size_t width[TABLE_COLUMNS_MAX];

	for (size_t i = 0; i < TABLE_COLUMNS_MAX; i++)
		width[i] = width_of(t, i);
	for (size_t row = 0; row < t->rows; row++)
		print_row(t, row, width);
	t->rows = t->columns = 0;
}
