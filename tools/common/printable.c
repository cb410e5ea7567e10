/* SPDX-License-Identifier: Apache-2.0 */
#include "printable.h"

#include <stdlib.h>

#include "hcert/utf8.h"

enum { ESCAPE_BYTES = 6 /* \u and four digits, of one byte or more */ };

void printable_put(FILE *to, struct span text)
{
	while (text.n > 0) {
		const uint8_t *at = text.p;
		const uint32_t c = utf8_next(&text);

		if (c == UTF8_BROKEN || utf8_is_hidden(c))
			(void)fputs("\xef\xbf\xbd", to);
		else
			(void)fwrite(at, 1, (size_t)(text.p - at), to);
	}
}

char *printable_json(const json_t *j, size_t flags)
{
	char *plain = json_dumps(j, flags);
	struct span rest;
	char *out;
	size_t n = 0;

	if (plain == NULL)
		return NULL;
	rest = span_str(plain);
	out = malloc(rest.n * ESCAPE_BYTES + 1);
	/* Outside of strings JSON has line feeds only, and only FLAGS ask for
	 * them; in strings they are escaped already. */
	while (out != NULL && rest.n > 0) {
		const uint8_t *at = rest.p;
		const uint32_t c = utf8_next(&rest);
		const size_t width = (size_t)(rest.p - at);

		if (c != '\n' && utf8_is_hidden(c)) {
			n += (size_t)snprintf(out + n, ESCAPE_BYTES + 1,
					      "\\u%04X", (unsigned)c);
		} else {
			memcpy(out + n, at, width);
			n += width;
		}
	}
	if (out != NULL)
		out[n] = '\0';
	free(plain);
	return out;
}
