/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as CBOR to be shown: what is taken can be printed, and read back
 * as JSON. */
#include <stdlib.h>

#include "tools/common/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *again;
	json_t *j;
	char *text;

	(void)payload_kinds(span_of(data, size));
	if (payload_json(span_of(data, size), &j) != SG_OK)
		return 0;
	text = json_dumps(j, JSON_ENCODE_ANY);
	json_decref(j);
	if (text == NULL)
		abort();
	again = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (again == NULL)
		abort();
	json_decref(again);
	free(text);
	return 0;
}
