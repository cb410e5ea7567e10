/* SPDX-License-Identifier: Apache-2.0 */
#include "sheet.h"

#include <stdarg.h>
#include <stdlib.h>

#include "hcert/utf8.h"
#include "tools/common/printable.h"

enum {
	BAR_WIDTH = 30,
	LINE_WIDTH = 78,
	LAST_WIDTH = 48, /* of a last column, at least, before it wraps */
	MARGIN = 2,	 /* in front of a table, and between its columns */
	BETWEEN = 3,
	PER_CENT = 100
};

struct cell {
	uint8_t *text;
	size_t n;
	double bar; /* below 0: it is a text */
};

struct sheet {
	FILE *to;
	enum sheet_form form;
	enum sg_err err;
	size_t columns;
	const char *const *heads;
	struct cell *cell;
	size_t n, cap;
};

/* For screens and for paper. */
static const char STYLE[] =
	"<style>\n"
	"body { font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; "
	"background: #fff; max-width: 72em; margin: 2em auto; padding: 0 1em "
	"}\n"
	"h1 { font-size: 1.6em } h2 { font-size: 1.2em; margin-top: 2em; "
	"border-bottom: 1px solid #888 }\n"
	"table { border-collapse: collapse; margin: .8em 0 }\n"
	"th, td { padding: .2em .7em; border-bottom: 1px solid #ccc; "
	"text-align: left; vertical-align: top; overflow-wrap: break-word }\n"
	"th { background: #f0f0f0; vertical-align: bottom }\n"
	".n { text-align: right; font-variant-numeric: tabular-nums }\n"
	"td.n, td.t { white-space: nowrap } td.h { overflow-wrap: anywhere }\n"
	"td.b { width: 12em } td.b span { display: block; height: .9em; "
	"background: #4a6fa5; print-color-adjust: exact; "
	"-webkit-print-color-adjust: exact }\n"
	"pre { background: #f0f0f0; padding: .6em; white-space: pre-wrap; "
	"overflow-wrap: anywhere }\n"
	"@page { size: A4; margin: 15mm }\n"
	"@media print { body { font-size: 9pt; margin: 0; padding: 0; "
	"max-width: none } th, td { padding: .15em .4em } "
	"td.b { width: 7em } tr { break-inside: avoid } "
	"thead { display: table-header-group } h2 { break-after: avoid } }\n"
	"</style>\n";

static void put_html(FILE *to, struct span text)
{
	while (text.n > 0) {
		const uint8_t *at = text.p;
		const uint32_t c = utf8_next(&text);

		if (c == '&')
			(void)fputs("&amp;", to);
		else if (c == '<')
			(void)fputs("&lt;", to);
		else if (c == '>')
			(void)fputs("&gt;", to);
		else if (c == '"')
			(void)fputs("&quot;", to);
		else
			printable_put(to, span_of(at, (size_t)(text.p - at)));
	}
}

static void put(const struct sheet *s, struct span text)
{
	if (s->form == SHEET_HTML)
		put_html(s->to, text);
	else
		printable_put(s->to, text);
}

static int columns_of(struct span text)
{
	int n = 0;

	while (text.n > 0) {
		(void)utf8_next(&text);
		n++;
	}
	return n;
}

static void underline(const struct sheet *s, struct span text, int with)
{
	for (int n = columns_of(text); n > 0; n--)
		(void)fputc(with, s->to);
	(void)fputc('\n', s->to);
}

enum sg_err sheet_begin(FILE *to, enum sheet_form form, struct span title,
			struct sheet **out)
{
	struct sheet *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return SG_NO_MEMORY;
	s->to = to;
	s->form = form;
	if (form == SHEET_HTML) {
		(void)fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n"
			    "<meta charset=\"utf-8\">\n<title>",
			    to);
		put(s, title);
		(void)fputs("</title>\n", to);
		(void)fputs(STYLE, to);
		(void)fputs("</head>\n<body>\n<h1>", to);
		put(s, title);
		(void)fputs("</h1>\n", to);
	} else {
		put(s, title);
		(void)fputc('\n', to);
		underline(s, title, '=');
	}
	*out = s;
	return SG_OK;
}

static void drop_cells(struct sheet *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->cell[i].text);
	s->n = 0;
}

enum sg_err sheet_end(struct sheet *s)
{
	enum sg_err err = s->err;

	if (s->form == SHEET_HTML)
		(void)fputs("</body>\n</html>\n", s->to);
	if (err == SG_OK && (fflush(s->to) != 0 || ferror(s->to)))
		err = SG_IO;
	drop_cells(s);
	free(s->cell);
	free(s);
	return err;
}

void sheet_heading(struct sheet *s, const char *text)
{
	if (s->form == SHEET_HTML) {
		(void)fputs("<h2>", s->to);
		put(s, span_str(text));
		(void)fputs("</h2>\n", s->to);
	} else {
		(void)fprintf(s->to, "\n%s\n", text);
		underline(s, span_str(text), '-');
	}
}

/* Lines of words behind INDENT columns, none longer than WIDTH where it can be
 * helped.  The first one's indent is there already. */
static void put_wrapped(const struct sheet *s, struct span text, int indent,
			int width)
{
	int column = 0;

	while (text.n > 0) {
		const uint8_t *space = memchr(text.p, ' ', text.n);
		const struct span word =
			span_of(text.p, space != NULL ? (size_t)(space - text.p)
						      : text.n);
		const int n = columns_of(word);

		if (column > 0 && column + 1 + n > width) {
			(void)fprintf(s->to, "\n%*s", indent, "");
			column = 0;
		} else if (column > 0) {
			(void)fputc(' ', s->to);
			column++;
		}
		printable_put(s->to, word);
		column += n;
		text = span_of(text.p + word.n, text.n - word.n);
		if (text.n > 0)
			text = span_of(text.p + 1, text.n - 1);
	}
	(void)fputc('\n', s->to);
}

void sheet_para(struct sheet *s, const char *fmt, ...)
{
	char text[SHEET_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (s->form == SHEET_HTML) {
		(void)fputs("<p>", s->to);
		put(s, span_str(text));
		(void)fputs("</p>\n", s->to);
	} else {
		(void)fputc('\n', s->to);
		put_wrapped(s, span_str(text), 0, LINE_WIDTH);
	}
}

void sheet_command(struct sheet *s, const char *fmt, ...)
{
	char text[SHEET_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)fputs(s->form == SHEET_HTML ? "<pre>" : "\n    ", s->to);
	put(s, span_str(text));
	(void)fputs(s->form == SHEET_HTML ? "</pre>\n" : "\n", s->to);
}

/* --- tables --------------------------------------------------------------- */

void sheet_table(struct sheet *s, size_t n, const char *const *heads)
{
	drop_cells(s);
	s->columns = n < SHEET_COLUMNS_MAX ? n : SHEET_COLUMNS_MAX;
	s->heads = heads;
}

static struct cell *add_cell(struct sheet *s)
{
	if (s->n == s->cap) {
		const size_t cap = s->cap == 0 ? 256 : 2 * s->cap;
		struct cell *grown = realloc(s->cell, cap * sizeof(*grown));

		if (grown == NULL) {
			s->err = SG_NO_MEMORY;
			return NULL;
		}
		s->cell = grown;
		s->cap = cap;
	}
	s->cell[s->n] = (struct cell){.bar = -1};
	return &s->cell[s->n++];
}

void sheet_cell(struct sheet *s, struct span text)
{
	struct cell *c = add_cell(s);

	if (c == NULL || text.n == 0)
		return;
	c->text = malloc(text.n);
	if (c->text == NULL) {
		s->err = SG_NO_MEMORY;
		return;
	}
	memcpy(c->text, text.p, text.n);
	c->n = text.n;
}

void sheet_cellf(struct sheet *s, const char *fmt, ...)
{
	char text[SHEET_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sheet_cell(s, span_str(text));
}

void sheet_bar(struct sheet *s, double share)
{
	struct cell *c = add_cell(s);

	if (c != NULL)
		c->bar = share < 0 ? 0 : share > 1 ? 1 : share;
}

static bool is_number(const struct sheet *s, size_t column)
{
	return s->heads[column][0] == '>';
}

static const char *head_of(const struct sheet *s, size_t column)
{
	const char *head = s->heads[column];

	return head[0] != '\0' && strchr(">@#", head[0]) != NULL ? head + 1
								 : head;
}

/* The beginning of a cell of COLUMN: TAG, "th" or "td". */
static void open_cell(const struct sheet *s, const char *tag, size_t column)
{
	const char *class = "";

	switch (s->heads[column][0]) {
	case '>': class = " class=\"n\""; break;
	case '@': class = " class=\"t\""; break;
	case '#': class = " class=\"h\""; break;
	default: break;
	}
	(void)fprintf(s->to, "<%s%s>", tag, class);
}

static bool has_heads(const struct sheet *s)
{
	for (size_t i = 0; i < s->columns; i++)
		if (head_of(s, i)[0] != '\0')
			return true;
	return false;
}

static void heads_html(const struct sheet *s)
{
	(void)fputs("<thead><tr>", s->to);
	for (size_t i = 0; i < s->columns; i++) {
		open_cell(s, "th", i);
		put(s, span_str(head_of(s, i)));
		(void)fputs("</th>", s->to);
	}
	(void)fputs("</tr></thead>\n", s->to);
}

static void table_html(const struct sheet *s)
{
	(void)fputs("<table>\n", s->to);
	if (has_heads(s))
		heads_html(s);
	(void)fputs("<tbody>\n", s->to);
	for (size_t i = 0; i < s->n; i++) {
		const struct cell *c = &s->cell[i];
		const size_t column = i % s->columns;

		if (column == 0)
			(void)fputs("<tr>", s->to);
		if (c->bar >= 0) {
			(void)fprintf(s->to,
				      "<td class=\"b\"><span style=\"width: "
				      "%d%%\"></span></td>",
				      (int)(c->bar * PER_CENT + 0.5));
		} else {
			open_cell(s, "td", column);
			put(s, span_of(c->text, c->n));
			(void)fputs("</td>", s->to);
		}
		if (column + 1 == s->columns)
			(void)fputs("</tr>\n", s->to);
	}
	(void)fputs("</tbody>\n</table>\n", s->to);
}

/* TEXT in the COLUMN that begins at INDENT and is WIDTH wide.  A long text in
 * the last one goes on below itself. */
static void put_column(const struct sheet *s, struct span text, int indent,
		       int width, size_t column)
{
	const int pad = width - columns_of(text);
	const bool last = column + 1 == s->columns;

	(void)fprintf(s->to, "%*s", column == 0 ? MARGIN : BETWEEN, "");
	if (is_number(s, column))
		(void)fprintf(s->to, "%*s", pad > 0 ? pad : 0, "");
	if (last) {
		put_wrapped(s, text, indent,
			    LINE_WIDTH - indent > LAST_WIDTH
				    ? LINE_WIDTH - indent
				    : LAST_WIDTH);
		return;
	}
	printable_put(s->to, text);
	if (!is_number(s, column))
		(void)fprintf(s->to, "%*s", pad > 0 ? pad : 0, "");
}

static struct span bar_text(double bar)
{
	static const char full[BAR_WIDTH + 1] =
		"##############################";

	return span_of(full, (size_t)(bar * BAR_WIDTH + 0.5));
}

static struct span cell_text(const struct cell *c)
{
	return c->bar >= 0 ? bar_text(c->bar) : span_of(c->text, c->n);
}

static void table_text(const struct sheet *s)
{
	int width[SHEET_COLUMNS_MAX] = {0};
	int indent[SHEET_COLUMNS_MAX];

	for (size_t i = 0; i < s->columns; i++)
		width[i] = columns_of(span_str(head_of(s, i)));
	for (size_t i = 0; i < s->n; i++) {
		const int n = columns_of(cell_text(&s->cell[i]));

		if (n > width[i % s->columns])
			width[i % s->columns] = n;
	}
	indent[0] = MARGIN;
	for (size_t i = 1; i < s->columns; i++)
		indent[i] = indent[i - 1] + width[i - 1] + BETWEEN;
	(void)fputc('\n', s->to);
	for (size_t i = 0; i < s->columns && has_heads(s); i++)
		put_column(s, span_str(head_of(s, i)), indent[i], width[i], i);
	for (size_t i = 0; i < s->n; i++) {
		const size_t column = i % s->columns;

		put_column(s, cell_text(&s->cell[i]), indent[column],
			   width[column], column);
	}
}

void sheet_table_end(struct sheet *s)
{
	while (s->columns > 0 && s->n % s->columns != 0 && s->err == SG_OK)
		sheet_cell(s, span_of(NULL, 0));
	if (s->columns == 0 || s->err != SG_OK)
		return;
	if (s->form == SHEET_HTML)
		table_html(s);
	else
		table_text(s);
	drop_cells(s);
}
