/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a ledger entry: what is decoded is encoded to the same bytes.
 * Of a certificate only what its hashes are of could be encoded again. */
#include <stdlib.h>

#include "ledger/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum sg_err encode(const struct entry *e, uint8_t *out, size_t cap,
			  size_t *n)
{
	switch (e->type) {
	case ENTRY_STARTED:
	case ENTRY_STOPPED:
		return entry_encode_run(e->type, e->time_ms, out, cap, n);
	case ENTRY_REFUSED:
		return entry_encode_refused(e->time_ms, &e->refused, out, cap,
					    n);
	case ENTRY_POLICY:
		return entry_encode_policy(e->time_ms, e->policy_hash, out, cap,
					   n);
	case ENTRY_CEREMONY:
		return entry_encode_ceremony(
			e->time_ms,
			&(struct entry_ceremony){.operation = e->operation,
						 .refusal = e->refusal,
						 .outcome = e->outcome},
			out, cap, n);
	case ENTRY_REVOCATION:
		return entry_encode_revocation(e->time_ms, e->operation, out,
					       cap, n);
	case ENTRY_KEY_EVENT:
		return entry_encode_key_event(
			e->time_ms,
			&(struct entry_key_event){.label = e->label,
						  .state = e->state,
						  .kid = e->kid,
						  .operation =
							  e->operation_hash},
			out, cap, n);
	default: return SG_NOT_FOUND;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct entry e;
	static uint8_t again[ENTRY_BYTES_MAX];
	enum sg_err err;
	size_t n;

	if (entry_decode(span_of(data, size), &e) != SG_OK)
		return 0;
	err = entry_matches(&e, span_of(data, size), SPAN_LIT("u"),
			    SPAN_LIT("s"));
	if (err != SG_BAD_SIGNATURE)
		abort();
	err = encode(&e, again, sizeof(again), &n);
	if (err == SG_NOT_FOUND)
		return 0;
	if (err != SG_OK || !span_eq(span_of(again, n), span_of(data, size)))
		abort();
	return 0;
}
