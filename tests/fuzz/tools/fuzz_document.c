/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_document: what a signerd says to officers, of whatever bytes. */
#include <jansson.h>
#include <stdlib.h>

#include "tools/common/printable.h"
#include "tools/officer/document.h"
#include "tools/officer/in_force.h"
#include "tools/officer/proposal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct in_force now;
	char why[128];
	struct checkpoint c;
	struct span bytes;
	json_t *j;
	char *text;

	if (document_json(span_of(data, n), &j) != SG_OK)
		return 0;
	text = printable_json(j, JSON_COMPACT | JSON_ENCODE_ANY);
	free(text);
	(void)document_key(j, "dsc-1");
	if (in_force_told(j, &now, why, sizeof(why)) != SG_OK && now.roll.n > 0)
		abort();
	if (document_bytes(j, "csr", &bytes))
		free((void *)(uintptr_t)bytes.p);
	if (proposal_checkpoint(j, &c) == SG_OK && c.origin.n == 0)
		abort();
	json_decref(j);
	return 0;
}
