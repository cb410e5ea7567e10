/* SPDX-License-Identifier: Apache-2.0 */
#include "index.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "index_table.h"
#include "young.h"

enum {
	DIR_MODE = 0700,
	/* Of a file that a merge writes.  For each of its keys RocksDB keeps 8
	 * bytes until the file's filter is made: 1.4 MiB; 2 of one that is
	 * handed over. */
	TABLE_BYTES = 8 << 20,
	OPEN_FILES = 4096,	   /* 100 million items are 600 */
	OTHER_FILES = 256,	   /* the core's, links and the ledger's */
	OPEN_SHARD_BITS = 2,	   /* parts of OPEN_FILES, none full early */
	WRITE_BYTES = 128 << 10,   /* of a merge, at a time */
	MERGED_BYTES_S = 16 << 20, /* that merges write, a second */
	MERGED_US = 10 * 1000,	   /* of such bytes at a time */
	MERGED_FAIRNESS = 10,	   /* RocksDB's own choice */
	RETRY_US = 500 * 1000,	   /* after a table could not be written */
	LOG_BYTES = 1 << 20,
	LOG_FILES = 2,
	LOG_WARN = 2, /* InfoLogLevel::WARN_LEVEL */
	THREADS = 2,
	HASHES_BYTES = YOUNG_MAX * 8,
	PIECE_BYTES = 512,
	FILTER_BITS = 12, /* a key: three false positives in a thousand */
	BLOCK_FORMAT = 5  /* readable since RocksDB 6.6: the fast filter */
};

_Static_assert((int)INDEX_PUT_MAX <= (int)YOUNG_MAX,
	       "a put fits when it is empty");

struct index {
	rocksdb_t *db;
	rocksdb_options_t *options;
	rocksdb_readoptions_t *read;
	rocksdb_envoptions_t *env;
	rocksdb_ingestexternalfileoptions_t *take;
	char *fresh;
	struct young *young;	     /* what RocksDB does not have yet */
	uint64_t watermark, written; /* RocksDB's own */
	/* RocksDB's books could not be written when it took a table.  After
	 * that it may say that all is well again, and end the process by an
	 * assertion when it is given another one. */
	bool broken;
	uint64_t failed_us; /* when a table could not be written; 0: it could */
	_Atomic int64_t complained_s; /* when it was last logged */
};

/* REASON is RocksDB's, and is freed. */
static enum sg_err fault(const char *event, char *reason)
{
	log_event(LOG_ERROR, event, "reason=" LOG_Q, reason);
	rocksdb_free(reason);
	return SG_IO;
}

/* --- settings ----------------------------------------------------------- */

/* Most look-ups are for what is not there, and ask the filter of each file: all
 * filters stay in memory, 1.6 bytes a certificate.  The indexes, which are
 * asked for what is there, lie in two levels, of which the upper one stays in
 * memory.  What is asked for is asked for once, and its pages are the kernel's
 * to keep: a cache of ours would grow for nothing. */
static void set_table(rocksdb_options_t *options)
{
	rocksdb_block_based_table_options_t *t =
		rocksdb_block_based_options_create();

	rocksdb_block_based_options_set_format_version(t, BLOCK_FORMAT);
	rocksdb_block_based_options_set_no_block_cache(t, 1);
	rocksdb_block_based_options_set_filter_policy(
		t, rocksdb_filterpolicy_create_bloom_full(FILTER_BITS));
	rocksdb_block_based_options_set_index_type(
		t, rocksdb_block_based_table_index_type_two_level_index_search);
	rocksdb_options_set_block_based_table_factory(options, t);
	/* The table's settings have copies and references of their own. */
	rocksdb_block_based_options_destroy(t);
}

/* A merge at full speed takes a core from those who sign, for a second or for
 * minutes.  It is in no hurry: until it ends look-ups ask a few filters more,
 * and merges that come late take more files at once, each key fewer times. */
static void limit_merges(rocksdb_options_t *options)
{
	rocksdb_ratelimiter_t *limit = rocksdb_ratelimiter_create(
		MERGED_BYTES_S, MERGED_US, MERGED_FAIRNESS);

	rocksdb_options_set_ratelimiter(options, limit);
	rocksdb_ratelimiter_destroy(limit); /* the options share it */
}

/* A table that is not kept open is opened, and its filter read, for each
 * look-up: so all that the process may open, but for what else it opens. */
static int open_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur >= OPEN_FILES + OTHER_FILES)
		return OPEN_FILES;
	return limit.rlim_cur > OTHER_FILES
		       ? (int)(limit.rlim_cur - OTHER_FILES)
		       : 0; /* RocksDB takes what it needs */
}

static rocksdb_options_t *make_options(void)
{
	rocksdb_options_t *o = rocksdb_options_create();

	rocksdb_options_set_create_if_missing(o, 1);
	rocksdb_options_set_compression(o, rocksdb_no_compression);
	/* Each key is merged a few times only, not once a level. */
	rocksdb_options_set_compaction_style(o, rocksdb_universal_compaction);
	rocksdb_options_set_target_file_size_base(o, TABLE_BYTES);
	rocksdb_options_set_writable_file_max_buffer_size(o, WRITE_BYTES);
	rocksdb_options_set_max_background_jobs(o, THREADS);
	rocksdb_options_set_max_open_files(o, open_files());
	rocksdb_options_set_table_cache_numshardbits(o, OPEN_SHARD_BITS);
	/* Its own log tells of trouble, and stays small. */
	rocksdb_options_set_info_log_level(o, LOG_WARN);
	rocksdb_options_set_max_log_file_size(o, LOG_BYTES);
	rocksdb_options_set_keep_log_file_num(o, LOG_FILES);
	rocksdb_options_set_stats_dump_period_sec(o, 0);
	limit_merges(o);
	set_table(o);
	return o;
}

/* Have the file moved, not copied. */
static rocksdb_ingestexternalfileoptions_t *make_take(void)
{
	rocksdb_ingestexternalfileoptions_t *o =
		rocksdb_ingestexternalfileoptions_create();

	rocksdb_ingestexternalfileoptions_set_move_files(o, 1);
	return o;
}

/* --- writing ------------------------------------------------------------ */

/* As fault(), but once a second: clients can cause it, and what fails is tried
 * again. */
static enum sg_err trouble(struct index *x, const char *event, char *reason)
{
	const int64_t now = clock_wall_s();

	if (atomic_exchange(&x->complained_s, now) != now)
		return fault(event, reason);
	rocksdb_free(reason);
	return SG_IO;
}

/* Give RocksDB the young items: as a table that is made, and that it takes as
 * it is.  One after the other, hashes are a walk through its memory each. */
static enum sg_err drain(struct index *x)
{
	struct index_table table = {.path = x->fresh,
				    .options = x->options,
				    .env = x->env,
				    .watermark = x->watermark};
	char *reason;

	if (young_room(x->young) == YOUNG_MAX && x->watermark == x->written)
		return SG_OK;
	if (x->broken)
		return SG_IO;
	table.item = young_sorted(x->young, &table.n);
	reason = index_table_write(&table);
	if (reason == NULL) {
		rocksdb_ingest_external_file(x->db, &table.path, 1, x->take,
					     &reason);
		x->broken = reason != NULL;
	}
	x->failed_us = reason != NULL ? clock_mono_us() : 0;
	if (reason != NULL)
		return trouble(x, "index-unwritable", reason);
	x->written = x->watermark;
	/* Only now: whoever looks finds them here or there. */
	young_clear(x->young);
	return SG_OK;
}

/* RocksDB keeps a hash of each key until the filter is made, in pieces.  Freed,
 * they stay with the thread's arena: core_run() has it keep them. */
void index_reserve(void)
{
	void *last = NULL;

	for (size_t i = 0; i < HASHES_BYTES / PIECE_BYTES; i++) {
		void **piece = malloc(PIECE_BYTES);

		if (piece == NULL)
			break;
		*piece = last;
		last = piece;
	}
	while (last != NULL) {
		void *next = *(void **)last;

		free(last);
		last = next;
	}
}

/* --- open and close ----------------------------------------------------- */

static enum sg_err read_watermark(struct index *x)
{
	char *reason = NULL;
	size_t n = 0;
	char *value = rocksdb_get(x->db, x->read, INDEX_WATERMARK,
				  INDEX_WATERMARK_BYTES, &n, &reason);
	enum sg_err err = SG_OK;

	if (reason != NULL)
		return fault("index-damaged", reason);
	if (value == NULL)
		return SG_OK; /* it is new */
	if (n == INDEX_OFFSET_BYTES) {
		x->watermark = index_offset_get((const uint8_t *)value);
		x->written = x->watermark;
	} else {
		log_event(LOG_ERROR, "index-damaged",
			  "reason=\"the watermark is no offset\"");
		err = SG_IO;
	}
	rocksdb_free(value);
	return err;
}

enum sg_err index_open(const char *dir, struct index **out)
{
	struct index *x = calloc(1, sizeof(*x));
	char *reason = NULL;
	enum sg_err err;

	*out = NULL;
	if (x == NULL)
		return SG_NO_MEMORY;
	if (asprintf(&x->fresh, "%s/%s", dir, INDEX_TABLE_NAME) < 0) {
		free(x);
		return SG_NO_MEMORY;
	}
	if (mkdir(dir, DIR_MODE) != 0 && errno != EEXIST) {
		log_event(LOG_ERROR, "index-damaged",
			  "reason=\"its directory cannot be made\" errno=%d",
			  errno);
		free(x->fresh);
		free(x);
		return SG_IO;
	}
	x->options = make_options();
	x->read = rocksdb_readoptions_create();
	x->env = rocksdb_envoptions_create();
	x->take = make_take();
	index_table_tidy(dir);
	x->db = rocksdb_open(x->options, dir, &reason);
	err = reason != NULL ? fault("index-damaged", reason)
			     : read_watermark(x);
	if (err == SG_OK)
		err = young_create(&x->young);
	if (err != SG_OK) {
		index_close(x);
		return err;
	}
	*out = x;
	return SG_OK;
}

void index_close(struct index *x)
{
	if (x == NULL)
		return;
	if (x->young != NULL)
		(void)!drain(x); /* or it is read from the journal again */
	young_free(x->young);
	if (x->db != NULL)
		rocksdb_close(x->db); /* and its background work */
	rocksdb_ingestexternalfileoptions_destroy(x->take);
	rocksdb_envoptions_destroy(x->env);
	rocksdb_readoptions_destroy(x->read);
	rocksdb_options_destroy(x->options);
	free(x->fresh);
	free(x);
}

enum sg_err index_destroy(const char *dir)
{
	rocksdb_options_t *options = rocksdb_options_create();
	char *reason = NULL;

	index_table_tidy(dir);
	rocksdb_destroy_db(options, dir, &reason);
	rocksdb_options_destroy(options);
	if (reason != NULL)
		return fault("index-not-destroyed", reason);
	log_event(LOG_WARNING, "index-destroyed",
		  "reason=\"it is made anew from the journal\"");
	return SG_OK;
}

/* --- keys --------------------------------------------------------------- */

enum { NAME_BYTES = 16, BYTE_BITS = 8 };

void index_decision(uint64_t n, uint8_t out[INDEX_HASH_BYTES])
{
	memset(out, 0, INDEX_HASH_BYTES);
	memcpy(out, "signerd decision", NAME_BYTES);
	for (size_t i = INDEX_HASH_BYTES; n > 0; n >>= BYTE_BITS)
		out[--i] = (uint8_t)n;
}

void index_policy(const uint8_t hash[INDEX_HASH_BYTES],
		  uint8_t out[INDEX_HASH_BYTES])
{
	memcpy(out, "signerd policy: ", NAME_BYTES);
	memcpy(out + NAME_BYTES, hash, INDEX_HASH_BYTES - NAME_BYTES);
}

/* --- use ---------------------------------------------------------------- */

enum sg_err index_get(struct index *x, const uint8_t uvci[INDEX_HASH_BYTES],
		      uint64_t *offset)
{
	char *reason = NULL;
	size_t n = 0;
	char *value;
	enum sg_err err = SG_OK;

	if (young_get(x->young, uvci, offset) == SG_OK)
		return SG_OK;
	value = rocksdb_get(x->db, x->read, (const char *)uvci,
			    INDEX_HASH_BYTES, &n, &reason);
	if (reason != NULL)
		return trouble(x, "index-unreadable", reason);
	if (value == NULL)
		return SG_NOT_FOUND;
	if (n == INDEX_OFFSET_BYTES)
		*offset = index_offset_get((const uint8_t *)value);
	else
		err = SG_IO;
	rocksdb_free(value);
	return err;
}

enum sg_err index_put(struct index *x, const struct index_item *items, size_t n,
		      uint64_t watermark)
{
	enum sg_err err;

	assert(n <= INDEX_PUT_MAX);
	if (n > young_room(x->young)) {
		/* It is asked for with each commit; a table costs a tenth of a
		 * second. */
		if (x->failed_us != 0 &&
		    clock_mono_us() - x->failed_us < RETRY_US)
			return SG_IO;
		err = drain(x);
		if (err != SG_OK)
			return err;
	}
	for (size_t i = 0; i < n; i++)
		young_put(x->young, &items[i]);
	x->watermark = watermark;
	return SG_OK;
}

uint64_t index_watermark(const struct index *x)
{
	return x->watermark;
}

enum sg_err index_flush(struct index *x)
{
	return drain(x);
}
