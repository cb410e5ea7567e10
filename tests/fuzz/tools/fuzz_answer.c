/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "tools/issuer/tally.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A line of a server's stream, and behind a line feed the request it answers:
 * what is read of both stays within them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *lf = n > 0 ? memchr(data, '\n', n) : NULL;
	const size_t line_n = lf != NULL ? (size_t)(lf - data) : n;
	const struct span line = span_of(data, line_n);
	struct span request = {0};
	struct answer a;
	struct tally *t;

	if (lf != NULL)
		request = span_of(lf + 1, n - line_n - 1);
	answer_read(line, &a);
	if ((a.kind == ANSWER_NONE) != (a.status == 0))
		abort();
	if (a.kind == ANSWER_NONE || tally_create(true, &t) != SG_OK)
		return 0;
	(void)answer_fits(&a, request);
	tally_add(t, 1, request, &a);
	if (t->good + t->refused + t->again != 1)
		abort();
	tally_free(t);
	return 0;
}
