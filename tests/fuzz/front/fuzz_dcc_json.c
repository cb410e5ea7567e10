/* SPDX-License-Identifier: Apache-2.0 */
/* A body in JSON: what is taken must be deterministic CBOR, and must stay as
 * it is when it comes back as a CBOR body. */
#include <stdlib.h>

#include "front/dcc_cbor.h"
#include "front/dcc_json.h"
#include "hcert/cbor.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cbor_limits limits = {DCC_DEPTH_MAX, SIZE_MAX};
	static struct dcc_scratch first;
	static struct dcc_scratch second;
	struct span request;
	struct span again;

	if (dcc_json_read(&first, span_of(data, size), &request) != SG_OK)
		return 0;
	if (cbor_check(request, limits) != SG_OK)
		abort();
	if (dcc_cbor_read(&second, request, &again) != SG_OK ||
	    !span_eq(request, again))
		abort();
	(void)dcc_request_text(request, "id");
	return 0;
}
