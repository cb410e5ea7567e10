/* SPDX-License-Identifier: Apache-2.0 */
/* The path of a tile in a request: what is taken is spelt in one way only, and
 * leads nowhere but downwards. */
#undef NDEBUG /* its checks are the test */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "front/ledger_path.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[LEDGER_PATH_MAX];
	struct ledger_path p;

	if (ledger_path_parse(span_of(data, size), &p) != SG_OK)
		return 0;
	assert(p.level >= LEDGER_PATH_ENTRIES && p.level <= 63);
	assert(p.width >= 1 && p.width <= LEDGER_PATH_WIDTH);
	ledger_path_text(&p, text);
	assert(memcmp(text, "tile/", 5) == 0);
	assert(span_is(span_of(data, size), text + 5));
	assert(strstr(text, "..") == NULL && strstr(text, "//") == NULL);
	assert(strspn(text, "0123456789/.entrisplx") == strlen(text));
	return 0;
}
