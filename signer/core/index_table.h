/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_INDEX_TABLE_H
#define SG_INDEX_TABLE_H

#include <rocksdb/c.h>

#include "index.h"

/*
 * index_table: the index's new items as a file in RocksDB's own form, which it
 * takes as it is.  Blocking; for index.c alone.
 */
enum { INDEX_OFFSET_BYTES = 8 };

/* Where a table is written to in the index's directory; not a name that RocksDB
 * gives. */
#define INDEX_TABLE_NAME "fresh.sst"

/* The watermark's key, among the UVCIs' hashes: none is so short.  Another one
 * where more is to be indexed: then all of the journal is read again. */
#define INDEX_WATERMARK "watermark-2"
enum { INDEX_WATERMARK_BYTES = sizeof(INDEX_WATERMARK) - 1 };

/* An offset as a value, little-endian. */
void index_offset_put(uint8_t out[INDEX_OFFSET_BYTES], uint64_t v);
uint64_t index_offset_get(const uint8_t in[INDEX_OFFSET_BYTES]);

struct index_table {
	const char *path;		  /* .../INDEX_TABLE_NAME */
	const rocksdb_options_t *options; /* the database's */
	const rocksdb_envoptions_t *env;
	const struct index_item *const *item; /* N, by their UVCIs' bytes */
	size_t n;
	uint64_t watermark;
};

/* Write T, and sync it.  Not where it would leave the disk full, which
 * RocksDB's own writes bear badly.  NULL, or why not: to be given to
 * rocksdb_free(). */
SG_MUST_USE char *index_table_write(const struct index_table *t);

/* Before DIR is opened: remove what earlier processes have left there, a table
 * and RocksDB's logs, one a start, that hold nothing. */
void index_table_tidy(const char *dir);

#endif /* SG_INDEX_TABLE_H */
