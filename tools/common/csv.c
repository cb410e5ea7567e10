/* SPDX-License-Identifier: Apache-2.0 */
#include "csv.h"

#include <string.h>

void csv_begin(FILE *to, const char *head)
{
	(void)fprintf(to, "\xef\xbb\xbf%s\r\n", head);
}

void csv_text(FILE *to, const char *text)
{
	(void)fputc('"', to);
	if (text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL)
		(void)fputc('\'', to);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '"')
			(void)fputc('"', to);
		(void)fputc(*p, to);
	}
	(void)fputc('"', to);
}
