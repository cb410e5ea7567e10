/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_RECORD_CBOR_H
#define SG_BENCH_RECORD_CBOR_H

#include "records.h"

/*
 * Turn R's body from JSON to CBOR: the same structure, shortest heads; members
 * in their order, or SORTED: deterministic CBOR (RFC 8949 s. 4.2.1).  Sets N,
 * but not where the UVCI is. Errors: SG_MALFORMED (no JSON), SG_TOO_BIG (more
 * than RECORDS_BODY_MAX).
 */
SG_MUST_USE enum sg_err record_to_cbor(struct record *r, bool sorted);

#endif /* SG_BENCH_RECORD_CBOR_H */
