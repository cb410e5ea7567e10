/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_CORE_PLACE_H
#define TEST_CORE_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "core/release.h"
#include "ledger/journal_read.h"

/*
 * place: a state directory of the test's own, a loop, and a release with a
 * journal there that can be made to fail.
 */
enum { PLACE_ITEMS = 640, PLACE_PATH = 128, PLACE_TURN_MS = 5 };

struct place_item {
	struct release_item item; /* first */
	uint8_t signature[64], hash[32];
	char uvci[32];
	size_t told;
	enum sg_err err;
	int64_t index;
	uint64_t offset;
};

struct place {
	uv_loop_t loop;
	uv_timer_t alarm;
	bool waiting;
	unsigned turns; /* of the alarm, that the wait may take yet */
	char dir[64], journal[PLACE_PATH], ledger[PLACE_PATH],
		index[PLACE_PATH];
	struct metrics_page *page;
	struct release *release;
	size_t changes, losses;
	uint64_t lost_from;
	size_t n;
	struct place_item item[PLACE_ITEMS];
};

/* --- the loop ----------------------------------------------------------- */

static inline void place_on_alarm(uv_timer_t *t)
{
	struct place *p = t->data;

	if (p->turns > 0)
		p->turns--;
}

/* Is the wait for MET still on?  Runs the loop for one turn if so; ends it when
 * MET, or after MS milliseconds.  What threads bring about is looked at with
 * every turn of the alarm. */
static inline bool place_waits(struct place *p, unsigned ms, bool met)
{
	if (!p->waiting) {
		p->waiting = true;
		p->turns = ms / PLACE_TURN_MS + 1;
		uv_timer_start(&p->alarm, place_on_alarm, PLACE_TURN_MS,
			       PLACE_TURN_MS);
	}
	if (met || p->turns == 0) {
		p->waiting = false;
		uv_timer_stop(&p->alarm);
		return false;
	}
	uv_run(&p->loop, UV_RUN_ONCE);
	return true;
}

/* Run the loop until COND, or for MS milliseconds. */
#define PLACE_UNTIL(p, ms, cond)                                               \
	while (place_waits((p), (ms), (cond)))                                 \
	continue
/* Run the loop until COND; it must come true. */
#define PLACE_WAIT(p, cond)                                                    \
	PLACE_UNTIL(p, 10000, cond);                                           \
	assert_true(cond)

/* --- faults ------------------------------------------------------------- */

/* From now on no file may grow beyond N bytes: writes fail with EFBIG. */
static inline void place_limit_files(rlim_t n)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = n == RLIM_INFINITY ? limit.rlim_max : n;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static inline void place_path(const struct place *p, char out[PLACE_PATH],
			      const char *name)
{
	(void)snprintf(out, PLACE_PATH, "%s/%s", p->dir, name);
}

static inline bool place_has(const struct place *p, const char *name)
{
	char path[PLACE_PATH];
	struct stat st;

	place_path(p, path, name);
	return lstat(path, &st) == 0;
}

static inline void place_write(const struct place *p, const char *name,
			       struct span text)
{
	char path[PLACE_PATH];
	FILE *f;

	place_path(p, path, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
	assert_int_equal(fclose(f), 0);
}

static inline void place_remove(const struct place *p, const char *name)
{
	char command[PLACE_PATH + 16];

	(void)snprintf(command, sizeof(command), "rm -rf '%s/%s'", p->dir,
		       name);
	// NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): our own folder
	assert_int_equal(system(command), 0);
}

/* --- the release -------------------------------------------------------- */

static inline void place_on_changed(void *ctx)
{
	((struct place *)ctx)->changes++;
}

static inline void place_on_lost(void *ctx, uint64_t first)
{
	struct place *p = ctx;

	p->losses++;
	p->lost_from = first;
}

static inline void place_open_release(struct place *p)
{
	const struct release_parts parts = {.loop = &p->loop,
					    .journal_dir = p->journal,
					    .origin = "test.example/log",
					    .newest = INT64_MIN,
					    .changed = place_on_changed,
					    .lost = place_on_lost,
					    .ctx = p};

	assert_int_equal(release_create(&parts, &p->release), SG_OK);
}

static inline void place_close_release(struct place *p)
{
	if (p->release != NULL)
		release_abandon(p->release);
	release_free(p->release);
	p->release = NULL;
	uv_run(&p->loop, UV_RUN_NOWAIT);
}

static inline struct place *place_open(void)
{
	struct place *p = calloc(1, sizeof(*p));
	const int fd = metrics_memfd();

	assert_non_null(p);
	log_limit(LOG_ERROR);
	p->page = metrics_map(fd, 1);
	assert_non_null(p->page);
	(void)close(fd);
	metrics_install(p->page);
	assert_int_equal(uv_loop_init(&p->loop), 0);
	uv_timer_init(&p->loop, &p->alarm);
	p->alarm.data = p;
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/test_place.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	place_path(p, p->journal, "journal");
	place_path(p, p->ledger, "ledger");
	place_path(p, p->index, "index");
	return p;
}

static inline void place_close(struct place *p)
{
	place_limit_files(RLIM_INFINITY);
	place_close_release(p);
	uv_close((uv_handle_t *)&p->alarm, NULL);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&p->loop), 0);
	place_remove(p, "");
	free(p);
}

/* --- certificates ------------------------------------------------------- */

static inline void place_on_released(struct release_item *item, enum sg_err err,
				     int64_t index, uint64_t offset)
{
	struct place_item *i = (struct place_item *)item;

	i->told++;
	i->err = err;
	i->index = index;
	i->offset = offset;
}

/* Have one more certificate recorded, issued at IAT; its UVCI's hash begins
 * with its number. */
static inline struct place_item *place_submit(struct place *p, int64_t iat)
{
	static const uint8_t policy[32];
	struct place_item *i = &p->item[p->n];

	assert_true(p->n < PLACE_ITEMS);
	*i = (struct place_item){.index = -2};
	memset(i->signature, (int)p->n, sizeof(i->signature));
	memset(i->hash, (int)p->n, sizeof(i->hash));
	memcpy(i->hash, &p->n, sizeof(p->n));
	(void)snprintf(i->uvci, sizeof(i->uvci), "01:VN:%zu", p->n);
	i->item.facts = (struct entry_certificate){
		.client = SPAN_LIT("issuer"),
		.alg = COSE_ES256,
		.kind = DCC_VACCINATION,
		.signature = span_of(i->signature, sizeof(i->signature)),
		.uvci = span_str(i->uvci),
		.sig_structure = SPAN_LIT("what was signed"),
		.iat = iat,
		.exp = iat + 1000,
		.policy_hash = policy};
	i->item.country = SPAN_LIT("VN");
	i->item.time_ms = clock_wall_ms();
	i->item.uci = i->item.country_uci = i->item.payload = i->hash;
	i->item.released = place_on_released;
	p->n++;
	release_submit(p->release, &i->item, 0);
	return i;
}

/* The records of the journal: their number; ENTRY (may be NULL) gets the one at
 * INDEX, with its bytes in ROOM. */
static inline uint64_t place_records(const struct place *p, uint64_t index,
				     struct entry *entry, uint8_t room[8192])
{
	struct journal_reader *r;
	struct record got;
	uint64_t n = 0;
	enum sg_err err;

	assert_int_equal(journal_reader_open(p->journal, &r), SG_OK);
	while ((err = journal_reader_next(r, UINT64_MAX, &got, NULL)) ==
	       SG_OK) {
		assert_int_equal(got.index, n);
		if (n++ != index || entry == NULL)
			continue;
		assert_true(got.entry.n <= 8192);
		memcpy(room, got.entry.p, got.entry.n);
		assert_int_equal(
			entry_decode(span_of(room, got.entry.n), entry), SG_OK);
	}
	assert_int_equal(err, SG_NOT_FOUND);
	journal_reader_close(r);
	return n;
}

#endif /* TEST_CORE_PLACE_H */
