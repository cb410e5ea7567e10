/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <string.h>

enum { POINTER_WIDTH = 18, CODE_WIDTH = 22 };

json_t *report_parse(const struct https_reply *reply)
{
	return json_loadb((const char *)reply->body, reply->n, JSON_ALLOW_NUL,
			  NULL);
}

void report_text(FILE *to, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		const unsigned char c = (unsigned char)*p;

		(void)fputc(c < 0x20 || c == 0x7f ? '?' : c, to);
	}
}

/* As report_text(), filled up to WIDTH columns; codes and pointers are ASCII
 * but for unknown fields' names. */
static void put_column(FILE *to, const char *text, size_t width)
{
	report_text(to, text);
	for (size_t n = strlen(text); n < width; n++)
		(void)fputc(' ', to);
	(void)fputs("  ", to);
}

static const char *member(const json_t *j, const char *name)
{
	const char *text = json_string_value(json_object_get(j, name));

	return text != NULL ? text : "";
}

void report_violations(FILE *to, const json_t *j)
{
	const json_t *v;
	size_t i;

	json_array_foreach(j, i, v)
	{
		const char *pointer = member(v, "pointer");

		(void)fprintf(to, "  %-7s  ",
			      member(v, "level")[0] == 'w' ? "warning"
							   : "error");
		put_column(to, pointer[0] != '\0' ? pointer : "(whole)",
			   POINTER_WIDTH);
		put_column(to, member(v, "code"), CODE_WIDTH);
		report_text(to, member(v, "detail"));
		(void)fputc('\n', to);
	}
}

void report_request(FILE *to, const struct https_reply *reply)
{
	if (reply->request[0] != '\0')
		(void)fprintf(to, "  request %s in the server's log\n",
			      reply->request);
}

void report_problem(FILE *to, const struct https_reply *reply, const json_t *j)
{
	const char *title = member(j, "title");
	const char *detail = member(j, "detail");

	(void)fprintf(to, "refused (%d): ", reply->status);
	report_text(to, title[0] != '\0' ? title : "no reason was given");
	(void)fputc('\n', to);
	if (detail[0] != '\0' && strcmp(detail, title) != 0) {
		(void)fputs("  ", to);
		report_text(to, detail);
		(void)fputc('\n', to);
	}
	report_violations(to, json_object_get(j, "violations"));
	report_request(to, reply);
}

void report_raw(FILE *to, const struct https_reply *reply)
{
	(void)fwrite(reply->body, 1, reply->n, to);
	if (reply->n == 0 || reply->body[reply->n - 1] != '\n')
		(void)fputc('\n', to);
}
