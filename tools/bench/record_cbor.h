/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_RECORD_CBOR_H
#define SG_BENCH_RECORD_CBOR_H

#include "records.h"

/*
 * Turn R's body from JSON to CBOR: the same structure, members in their order,
 * shortest heads.  Sets N, but not where the UVCI is.
 * Errors: SG_MALFORMED (no JSON), SG_TOO_BIG (more than RECORDS_BODY_MAX).
 */
SG_MUST_USE enum sg_err record_to_cbor(struct record *r);

#endif /* SG_BENCH_RECORD_CBOR_H */
