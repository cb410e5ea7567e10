/* SPDX-License-Identifier: Apache-2.0 */
#include "index.h"

#include <errno.h>
#include <rocksdb/c.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "young.h"

enum {
	DIR_MODE = 0700,
	OFFSET_BYTES = 8,
	MEMTABLE_BYTES = 64 << 20,
	CACHE_BYTES = 64 << 20,	 /* of blocks, also of indexes */
	TABLE_BYTES = 256 << 20, /* of a file, so that few are open */
	OPEN_FILES = 256,
	LOG_BYTES = 1 << 20,
	LOG_FILES = 2,
	LOG_WARN = 2, /* InfoLogLevel::WARN_LEVEL */
	THREADS = 2,
	FILTER_BITS = 10, /* a key: one false positive in a hundred */
	BLOCK_FORMAT = 5  /* readable since RocksDB 6.6: the fast filter */
};

static const double MEMTABLE_FILTER = 0.02; /* of its bytes */

/* No hash is so short. */
static const char WATERMARK[] = "watermark";
enum { WATERMARK_BYTES = sizeof(WATERMARK) - 1 };

struct index {
	rocksdb_t *db;
	rocksdb_options_t *options;
	rocksdb_readoptions_t *read;
	rocksdb_writeoptions_t *write;
	rocksdb_writebatch_t *batch;
	struct young *young;	      /* what RocksDB does not have yet */
	uint64_t watermark, written;  /* RocksDB's own */
	_Atomic int64_t complained_s; /* when it was last logged */
};

/* REASON is RocksDB's, and is freed. */
static enum sg_err fault(const char *event, char *reason)
{
	log_event(LOG_ERROR, event, "reason=" LOG_Q, reason);
	rocksdb_free(reason);
	return SG_IO;
}

static void put_offset(uint8_t out[OFFSET_BYTES], uint64_t v)
{
	for (unsigned i = 0; i < OFFSET_BYTES; i++)
		out[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_offset(const uint8_t in[OFFSET_BYTES])
{
	uint64_t v = 0;

	for (unsigned i = 0; i < OFFSET_BYTES; i++)
		v |= (uint64_t)in[i] << (8 * i);
	return v;
}

/* --- settings ----------------------------------------------------------- */

/* Most look-ups are for what is not there, and ask the filter of each file: all
 * filters stay in memory, 1.25 bytes a certificate.  The indexes, which are
 * asked for what is there, lie in two levels in the cache. */
static void set_table(rocksdb_options_t *options)
{
	rocksdb_block_based_table_options_t *t =
		rocksdb_block_based_options_create();
	rocksdb_cache_t *cache = rocksdb_cache_create_lru(CACHE_BYTES);

	rocksdb_block_based_options_set_format_version(t, BLOCK_FORMAT);
	rocksdb_block_based_options_set_block_cache(t, cache);
	rocksdb_block_based_options_set_filter_policy(
		t, rocksdb_filterpolicy_create_bloom_full(FILTER_BITS));
	rocksdb_block_based_options_set_index_type(
		t, rocksdb_block_based_table_index_type_two_level_index_search);
	rocksdb_options_set_block_based_table_factory(options, t);
	/* The table's settings have copies and references of their own. */
	rocksdb_block_based_options_destroy(t);
	rocksdb_cache_destroy(cache);
}

static rocksdb_options_t *make_options(void)
{
	rocksdb_options_t *o = rocksdb_options_create();

	rocksdb_options_set_create_if_missing(o, 1);
	rocksdb_options_set_compression(o, rocksdb_no_compression);
	rocksdb_options_set_write_buffer_size(o, MEMTABLE_BYTES);
	/* Most look-ups are for what is not there: without a filter of its own
	 * the newest table in memory costs more than all on disk. */
	rocksdb_options_set_memtable_prefix_bloom_size_ratio(o,
							     MEMTABLE_FILTER);
	rocksdb_options_set_memtable_whole_key_filtering(o, 1);
	/* Each key is merged a few times only, not once a level. */
	rocksdb_options_set_compaction_style(o, rocksdb_universal_compaction);
	rocksdb_options_set_target_file_size_base(o, TABLE_BYTES);
	rocksdb_options_set_max_background_jobs(o, THREADS);
	rocksdb_options_set_max_open_files(o, OPEN_FILES);
	/* Its own log tells of trouble, and stays small. */
	rocksdb_options_set_info_log_level(o, LOG_WARN);
	rocksdb_options_set_max_log_file_size(o, LOG_BYTES);
	rocksdb_options_set_keep_log_file_num(o, LOG_FILES);
	rocksdb_options_set_stats_dump_period_sec(o, 0);
	set_table(o);
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

static void batch_put(struct index *x, const struct index_item *item)
{
	uint8_t value[OFFSET_BYTES];

	put_offset(value, item->offset);
	rocksdb_writebatch_put(x->batch, (const char *)item->uvci,
			       INDEX_HASH_BYTES, (const char *)value,
			       sizeof(value));
}

/* Give RocksDB what is in the batch, which lacks nothing before WATERMARK. */
static enum sg_err batch_write(struct index *x, uint64_t watermark)
{
	uint8_t value[OFFSET_BYTES];
	char *reason = NULL;

	/* In the same family as the rest: a flush takes both to the disk, or
	 * neither. */
	put_offset(value, watermark);
	rocksdb_writebatch_put(x->batch, WATERMARK, WATERMARK_BYTES,
			       (const char *)value, sizeof(value));
	rocksdb_write(x->db, x->write, x->batch, &reason);
	rocksdb_writebatch_clear(x->batch);
	return reason != NULL ? trouble(x, "index-unwritable", reason) : SG_OK;
}

/* Give RocksDB the young items. */
static enum sg_err drain(struct index *x)
{
	const struct index_item *const *item;
	enum sg_err err;
	size_t n;

	item = young_sorted(x->young, &n);
	if (n == 0 && x->watermark == x->written)
		return SG_OK;
	for (size_t i = 0; i < n; i++)
		batch_put(x, item[i]);
	err = batch_write(x, x->watermark);
	if (err != SG_OK)
		return err;
	x->written = x->watermark;
	/* Only now: whoever looks finds them here or there. */
	young_clear(x->young);
	return SG_OK;
}

/* --- open and close ----------------------------------------------------- */

static enum sg_err read_watermark(struct index *x)
{
	char *reason = NULL;
	size_t n = 0;
	char *value = rocksdb_get(x->db, x->read, WATERMARK, WATERMARK_BYTES,
				  &n, &reason);
	enum sg_err err = SG_OK;

	if (reason != NULL)
		return fault("index-damaged", reason);
	if (value == NULL)
		return SG_OK; /* it is new */
	if (n == OFFSET_BYTES) {
		x->watermark = get_offset((const uint8_t *)value);
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
	if (mkdir(dir, DIR_MODE) != 0 && errno != EEXIST) {
		log_event(LOG_ERROR, "index-damaged",
			  "reason=\"its directory cannot be made\" errno=%d",
			  errno);
		free(x);
		return SG_IO;
	}
	x->options = make_options();
	x->read = rocksdb_readoptions_create();
	x->write = rocksdb_writeoptions_create();
	x->batch = rocksdb_writebatch_create();
	/* What a crash takes back is read from the journal again. */
	rocksdb_writeoptions_disable_WAL(x->write, 1);
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
	rocksdb_writebatch_destroy(x->batch);
	rocksdb_writeoptions_destroy(x->write);
	rocksdb_readoptions_destroy(x->read);
	rocksdb_options_destroy(x->options);
	free(x);
}

enum sg_err index_destroy(const char *dir)
{
	rocksdb_options_t *options = rocksdb_options_create();
	char *reason = NULL;

	rocksdb_destroy_db(options, dir, &reason);
	rocksdb_options_destroy(options);
	if (reason != NULL)
		return fault("index-not-destroyed", reason);
	log_event(LOG_WARNING, "index-destroyed",
		  "reason=\"it is made anew from the journal\"");
	return SG_OK;
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
	if (n == OFFSET_BYTES)
		*offset = get_offset((const uint8_t *)value);
	else
		err = SG_IO;
	rocksdb_free(value);
	return err;
}

enum sg_err index_put(struct index *x, const struct index_item *items, size_t n,
		      uint64_t watermark)
{
	enum sg_err err = SG_OK;

	if (n > young_room(x->young))
		err = drain(x);
	if (err != SG_OK)
		return err;
	if (n <= young_room(x->young)) {
		for (size_t i = 0; i < n; i++)
			young_put(x->young, &items[i]);
		x->watermark = watermark;
		return SG_OK;
	}
	/* So many at once go there directly. */
	for (size_t i = 0; i < n; i++)
		batch_put(x, &items[i]);
	err = batch_write(x, watermark);
	if (err == SG_OK)
		x->watermark = x->written = watermark;
	return err;
}

uint64_t index_watermark(const struct index *x)
{
	return x->watermark;
}

enum sg_err index_flush(struct index *x)
{
	rocksdb_flushoptions_t *options;
	char *reason = NULL;
	const enum sg_err err = drain(x);

	if (err != SG_OK)
		return err;
	options = rocksdb_flushoptions_create();
	rocksdb_flushoptions_set_wait(options, 1);
	rocksdb_flush(x->db, options, &reason);
	rocksdb_flushoptions_destroy(options);
	return reason != NULL ? trouble(x, "index-unwritable", reason) : SG_OK;
}
