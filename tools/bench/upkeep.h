/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_UPKEEP_H
#define SG_BENCH_UPKEEP_H

#include "report.h"
#include "scrape.h"

/* upkeep: what the ledger costs: CPU time of the core's parts, and bytes on
 * the disk.  Pure, but for the printing. */
enum { UPKEEP_MANY = 100000000 /* certificates; extrapolated to */ };

struct upkeep {
	bool known; /* the server has a ledger, and tells of it */
	/* Microseconds of CPU a record. */
	double loop, loop_ledger; /* the loop's, and the ledger's part of it */
	double journal, scribe, index; /* threads; the index's are RocksDB's */
	double journal_bytes, tile_bytes; /* written, a certificate issued */
};

/* From BEFORE to AFTER, RECORDS were answered and ISSUED of them signed. */
void upkeep_of(const struct scrape *before, const struct scrape *after,
	       uint64_t records, uint64_t issued, struct upkeep *out);
/* Of all parts but the loop's other work. */
double upkeep_cpu(const struct upkeep *u);

/* Lines that begin with INDENT; nothing where it is not known. */
void upkeep_print(const struct upkeep *u, const char *indent, FILE *to);
/* A new object; null where it is not known. */
json_t *upkeep_json(const struct upkeep *u);

#endif /* SG_BENCH_UPKEEP_H */
