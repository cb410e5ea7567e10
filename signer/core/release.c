/* SPDX-License-Identifier: Apache-2.0 */
#include "release.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "bell.h"
#include "ipc/wire.h"

enum { ENTRY_ROOM = 2048 };

TAILQ_HEAD(release_list, release_item);

struct release {
	struct bell *bell; /* of the journal's thread */
	struct journal *journal;
	struct release_list waiting; /* in the order of their leaves */
	uint64_t next;		     /* leaf after the last one appended */
	bool records; /* there is a journal, or was until the end */
	bool held;
	int64_t newest; /* seconds since 1970 */
	void (*changed)(void *ctx);
	void (*lost)(void *ctx, uint64_t first);
	void (*recorded)(void *ctx, const struct release_item *item,
			 uint64_t index);
	void *ctx;
};

/* --- the journal's words ---------------------------------------------- */

static void finish(struct release *r, struct release_item *item,
		   enum sg_err err)
{
	TAILQ_REMOVE(&r->waiting, item, entry);
	if (err == SG_OK && r->recorded != NULL)
		r->recorded(r->ctx, item, item->index);
	item->released(item, err,
		       err == SG_OK ? (int64_t)item->index
				    : WIRE_NO_LEDGER_INDEX,
		       item->offset);
}

static void on_committed(void *ctx, uint64_t last)
{
	struct release *r = ctx;
	struct release_item *item;

	while ((item = TAILQ_FIRST(&r->waiting)) != NULL && item->index <= last)
		finish(r, item, SG_OK);
	r->changed(r->ctx);
}

static void on_failed(void *ctx, uint64_t first, enum sg_err err,
		      int system_errno)
{
	struct release *r = ctx;
	struct release_item *item;
	size_t lost = 0;

	/* Those before it have been committed, and their word came first. */
	while ((item = TAILQ_FIRST(&r->waiting)) != NULL) {
		assert(item->index >= first);
		finish(r, item, SG_LEDGER_DOWN);
		lost++;
	}
	r->next = first; /* the leaf is given again */
	if (r->lost != NULL)
		r->lost(r->ctx, first);
	metric_add(METRIC_LEDGER_FAILURES, 1);
	log_event(LOG_ERROR, "journal-down",
		  "first=%llu lost=%zu errno=%d reason=\"%s\" text=\"nothing "
		  "is signed until it can be written again\"",
		  (unsigned long long)first, lost, system_errno, err_text(err));
	r->changed(r->ctx);
}

static void on_recovered(void *ctx)
{
	struct release *r = ctx;

	log_event(LOG_INFO, "journal-up", "text=\"it can be written again\"");
	r->changed(r->ctx);
}

static void on_rung(void *ctx)
{
	struct release *r = ctx;

	if (r->journal != NULL)
		journal_poll(r->journal);
}

/* On the journal thread. */
static void wake_loop(void *ctx)
{
	struct release *r = ctx;

	bell_ring(r->bell);
}

/* --- life ------------------------------------------------------------- */

static void on_gone(void *ctx)
{
	free(ctx);
}

enum sg_err release_create(const struct release_parts *parts,
			   struct release **out)
{
	static const struct journal_events events = {.committed = on_committed,
						     .failed = on_failed,
						     .recovered = on_recovered};
	struct release *r = calloc(1, sizeof(*r));
	const struct journal_settings settings = {.dir = parts->journal_dir,
						  .origin = parts->origin,
						  .events = &events,
						  .ctx = r,
						  .wake = wake_loop};
	enum sg_err err = SG_OK;

	*out = NULL;
	if (r == NULL)
		return SG_NO_MEMORY;
	r->newest = parts->newest;
	r->changed = parts->changed;
	r->lost = parts->lost;
	r->recorded = parts->recorded;
	r->records = parts->journal_dir != NULL;
	r->ctx = parts->ctx;
	TAILQ_INIT(&r->waiting);
	err = bell_create(parts->loop, on_rung, r, &r->bell);
	if (err != SG_OK) {
		free(r);
		return err;
	}
	if (parts->journal_dir != NULL)
		err = journal_open(&settings, &r->journal);
	if (err == SG_MALFORMED)
		err = SG_LEDGER_DOWN; /* no request that is not well-formed */
	if (err != SG_OK) {
		release_free(r);
		return err;
	}
	if (r->journal != NULL && journal_newest_time(r->journal) > r->newest)
		r->newest = journal_newest_time(r->journal);
	*out = r;
	return SG_OK;
}

void release_abandon(struct release *r)
{
	struct release_item *item;

	journal_close(r->journal);
	r->journal = NULL;
	while ((item = TAILQ_FIRST(&r->waiting)) != NULL)
		finish(r, item, SG_CLOSED);
}

void release_free(struct release *r)
{
	if (r == NULL)
		return;
	journal_close(r->journal);
	r->journal = NULL;
	bell_free(r->bell, on_gone);
}

/* --- use -------------------------------------------------------------- */

bool release_clock_sane(const struct release *r, int64_t now)
{
	return r->newest < INT64_MIN + RELEASE_CLOCK_SLACK_S ||
	       now >= r->newest - RELEASE_CLOCK_SLACK_S;
}

bool release_up(const struct release *r)
{
	return r->journal == NULL ? !r->records : journal_up(r->journal);
}

bool release_open(const struct release *r)
{
	return !r->held && release_up(r);
}

void release_hold(struct release *r, bool hold)
{
	r->held = hold;
}

static enum sg_err append(struct release *r, struct release_item *item,
			  size_t more)
{
	uint8_t entry[ENTRY_ROOM];
	struct record record = {.signature = item->facts.signature,
				.country = item->country,
				.uci = item->uci,
				.country_uci = item->country_uci,
				.payload = item->payload};
	size_t n = 0;
	enum sg_err err;

	if (r->journal == NULL)
		return SG_CLOSED; /* abandoned: it would be on no record */
	err = entry_encode_certificate(
		item->renewed ? ENTRY_RENEWED : ENTRY_ISSUED, item->time_ms,
		&item->facts, entry, sizeof(entry), &n);
	if (err != SG_OK)
		return err;
	record.entry = span_of(entry, n);
	return journal_append(
		r->journal, &record,
		(struct journal_wait){.more = more, .bulk = item->bulk},
		&item->index, &item->offset);
}

void release_submit(struct release *r, struct release_item *item, size_t more)
{
	enum sg_err err;

	if (item->facts.iat > r->newest)
		r->newest = item->facts.iat;
	if (!r->records) {
		item->released(item, SG_OK, WIRE_NO_LEDGER_INDEX, 0);
		return;
	}
	err = append(r, item, more);
	if (err != SG_OK) {
		item->released(item, err == SG_IO ? SG_LEDGER_DOWN : err,
			       WIRE_NO_LEDGER_INDEX, 0);
		return;
	}
	r->next = item->index + 1;
	TAILQ_INSERT_TAIL(&r->waiting, item, entry);
}

enum sg_err release_note(struct release *r, struct span entry, uint64_t *index)
{
	const struct record record = {.entry = entry};
	uint64_t offset;
	enum sg_err err;

	*index = 0;
	if (!r->records)
		return SG_OK;
	if (r->journal == NULL)
		return SG_CLOSED;
	err = journal_append(r->journal, &record, (struct journal_wait){0},
			     index, &offset);
	if (err == SG_OK)
		r->next = *index + 1;
	return err;
}

bool release_has(const struct release *r, uint64_t index)
{
	uint64_t end;
	uint64_t offset;

	if (r->journal == NULL)
		return !r->records;
	journal_end(r->journal, &end, &offset);
	return index < end;
}

bool release_idle(const struct release *r)
{
	return TAILQ_EMPTY(&r->waiting) &&
	       (r->next == 0 || release_has(r, r->next - 1));
}

const struct journal *release_journal(const struct release *r)
{
	return r->journal;
}
