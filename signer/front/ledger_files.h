/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_LEDGER_FILES_H
#define SG_LEDGER_FILES_H

#include "ledger_path.h"

/*
 * ledger_files: reads the log's directory (C2SP tlog-tiles), which the core
 * writes: regular files below it, through no link.  What stands in them is not
 * judged: who reads a log verifies it.  Blocking; the files are small.
 */
enum {
	LEDGER_CHECKPOINT_MAX = 65536,
	LEDGER_VKEY_MAX = 4096,
	LEDGER_TILE_MAX = LEDGER_PATH_WIDTH * 32, /* SHA-256 hashes */
	/* Entries of 65,535 bytes at most, each behind its length. */
	LEDGER_BUNDLE_MAX = LEDGER_PATH_WIDTH * (2 + 65535)
};

/* Let *DIR, open or -1, be the directory PATH as it is now.  Where there is
 * none it is -1; which is logged, but for an empty PATH or one that does not
 * exist yet. */
void ledger_files_open(int *dir, const char *path);
void ledger_files_close(int *dir); /* -1 is allowed */

/*
 * Read the file NAME below DIR, at most MAX bytes.
 * Owns: *OUT is the caller's; free().
 * Errors: SG_NOT_FOUND; SG_TOO_BIG and SG_IO, logged; SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err ledger_files_read(int dir, const char *name, size_t max,
					  uint8_t **out, size_t *len);
/*
 * Read a tile.  Where it is partial and not there, the full one serves, cut to
 * its width.
 * Owns and errors as above; SG_MALFORMED, logged: the full one is damaged.
 */
SG_MUST_USE enum sg_err ledger_files_tile(int dir, const struct ledger_path *p,
					  uint8_t **out, size_t *len);

#endif /* SG_LEDGER_FILES_H */
