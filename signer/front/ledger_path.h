/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_LEDGER_PATH_H
#define SG_LEDGER_PATH_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

/*
 * ledger_path: the names of a log's tiles, <L>/<N>[.p/<W>] and
 * entries/<N>[.p/<W>] (C2SP tlog-tiles), as they come in a request's path.
 * Whatever is taken names a file below the log's directory and no other.
 * Pure.
 */
enum {
	LEDGER_PATH_MAX = 64, /* of any name, with "tile/" and the NUL */
	LEDGER_PATH_WIDTH = 256,
	LEDGER_PATH_ENTRIES = -1 /* the level of bundles of entries */
};

struct ledger_path {
	int level; /* 0..63, or LEDGER_PATH_ENTRIES */
	uint64_t n;
	unsigned width; /* 1..256 hashes or entries; 256: it is full */
};

/* Read TEXT, what stands behind "tile/".  Errors: SG_NOT_FOUND: it is not just
 * what ledger_path_text() would write. */
SG_MUST_USE enum sg_err ledger_path_parse(struct span text,
					  struct ledger_path *out);
/* Write "tile/0/x001/x234/067.p/8"; always fits. */
void ledger_path_text(const struct ledger_path *p, char out[LEDGER_PATH_MAX]);

#endif /* SG_LEDGER_PATH_H */
