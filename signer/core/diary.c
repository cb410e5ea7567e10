/* SPDX-License-Identifier: Apache-2.0 */
#include "diary.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "refusals.h"

enum { ENTRY_ROOM = 12288 };

/* Something to be recorded. */
struct matter {
	bool due;	/* the journal is still to take it */
	bool taken;	/* it has, */
	uint64_t index; /* as this leaf */
};

/* One of diary_note(). */
struct jotting {
	STAILQ_ENTRY(jotting) entry;
	struct matter m;
	diary_recorded recorded;
	void *ctx;
	uint64_t tag;
	size_t n;
	uint8_t text[];
};

STAILQ_HEAD(jottings, jotting);

struct diary {
	struct release *release;
	struct refusals *refusals;
	bool began, ended;
	struct matter ceremony, start, policy, revocation;
	struct matter counts;  /* the last entry on refusals */
	struct jottings notes; /* the oldest first */
	uint8_t policy_hash[ENTRY_HASH_BYTES];
	uint64_t refusals_us; /* when they were last taken */
	size_t operation_n;
	uint8_t operation[RECOVERY_NOTE_MAX];
	size_t statement_n;
	uint8_t statement[RECOVERY_NOTE_MAX];
};

/* Record ENTRY of N bytes, if it could be ENCODED, for M.  False: the journal
 * does not take it now. */
static bool put(const struct diary *d, struct matter *m, enum sg_err encoded,
		const uint8_t *entry, const size_t *n)
{
	if (encoded != SG_OK ||
	    release_note(d->release, span_of(entry, *n), &m->index) != SG_OK)
		return false;
	m->due = false;
	m->taken = true;
	return true;
}

static bool put_run(const struct diary *d, enum entry_type type,
		    struct matter *m)
{
	uint8_t entry[64];
	size_t n = 0;
	const enum sg_err err = entry_encode_run(type, clock_wall_ms(), entry,
						 sizeof(entry), &n);

	return put(d, m, err, entry, &n);
}

static bool put_policy(struct diary *d)
{
	uint8_t entry[128];
	size_t n = 0;
	const enum sg_err err = entry_encode_policy(
		clock_wall_ms(), d->policy_hash, entry, sizeof(entry), &n);

	return put(d, &d->policy, err, entry, &n);
}

static bool put_refused(void *ctx, const struct entry_refused *e,
			uint64_t *index)
{
	struct diary *d = ctx;
	uint8_t entry[ENTRY_ROOM];
	size_t n = 0;
	const enum sg_err err = entry_encode_refused(clock_wall_ms(), e, entry,
						     sizeof(entry), &n);

	if (!put(d, &d->counts, err, entry, &n))
		return false;
	*index = d->counts.index;
	return true;
}

static bool put_ceremony(struct diary *d)
{
	uint8_t entry[ENTRY_ROOM];
	size_t n = 0;
	const enum sg_err err = entry_encode_ceremony(
		clock_wall_ms(),
		&(struct entry_ceremony){
			.operation = span_of(d->operation, d->operation_n)},
		entry, sizeof(entry), &n);

	return put(d, &d->ceremony, err, entry, &n);
}

static bool put_revocation(struct diary *d)
{
	uint8_t entry[ENTRY_ROOM];
	size_t n = 0;
	const enum sg_err err = entry_encode_revocation(
		clock_wall_ms(), span_of(d->statement, d->statement_n), entry,
		sizeof(entry), &n);

	return put(d, &d->revocation, err, entry, &n);
}

/* False: the journal does not take the rest now. */
static bool put_notes(struct diary *d)
{
	struct jotting *j;

	for (j = STAILQ_FIRST(&d->notes); j != NULL; j = STAILQ_NEXT(j, entry))
		if (j->m.due && !put(d, &j->m, SG_OK, j->text, &j->n))
			return false;
	return true;
}

/* What is due, in its order; what comes after waits for what comes before. */
static void write_due(struct diary *d)
{
	if (!d->began || d->ended)
		return;
	if (d->ceremony.due && !put_ceremony(d))
		return;
	if (d->start.due && !put_run(d, ENTRY_STARTED, &d->start))
		return;
	if (d->policy.due && !put_policy(d))
		return;
	if (!put_notes(d))
		return;
	if (d->revocation.due)
		(void)put_revocation(d);
}

void diary_begin(struct diary *d)
{
	d->began = true;
	write_due(d);
}

void diary_policy(struct diary *d, const uint8_t hash[ENTRY_HASH_BYTES])
{
	if (memcmp(d->policy_hash, hash, sizeof(d->policy_hash)) == 0)
		return;
	memcpy(d->policy_hash, hash, sizeof(d->policy_hash));
	d->policy.due = true;
	write_due(d);
}

void diary_ceremony(struct diary *d, struct span operation)
{
	assert(operation.n <= sizeof(d->operation));
	memcpy(d->operation, operation.p, operation.n);
	d->operation_n = operation.n;
	d->ceremony = (struct matter){.due = true};
	write_due(d);
}

void diary_revocation(struct diary *d, struct span statement)
{
	assert(statement.n <= sizeof(d->statement));
	memcpy(d->statement, statement.p, statement.n);
	d->statement_n = statement.n;
	d->revocation = (struct matter){.due = true};
	write_due(d);
}

enum sg_err diary_note(struct diary *d, struct span entry,
		       diary_recorded recorded, void *ctx, uint64_t tag)
{
	struct jotting *j = calloc(1, sizeof(*j) + entry.n);

	if (j == NULL)
		return SG_NO_MEMORY;
	j->m.due = true;
	j->recorded = recorded;
	j->ctx = ctx;
	j->tag = tag;
	j->n = entry.n;
	memcpy(j->text, entry.p, entry.n);
	STAILQ_INSERT_TAIL(&d->notes, j, entry);
	write_due(d);
	return SG_OK;
}

void diary_refused(struct diary *d, const char *client, const struct verdict *v)
{
	refusals_add(d->refusals, client, v);
}

static void lose(struct matter *m, uint64_t first)
{
	if (!m->taken || m->index < first)
		return;
	m->taken = false;
	m->due = true;
}

void diary_lost(struct diary *d, uint64_t first)
{
	struct jotting *j;

	for (j = STAILQ_FIRST(&d->notes); j != NULL; j = STAILQ_NEXT(j, entry))
		lose(&j->m, first);
	lose(&d->ceremony, first);
	lose(&d->start, first);
	lose(&d->policy, first);
	lose(&d->revocation, first);
	lose(&d->counts, first);
	refusals_lost(d->refusals, first);
}

static bool on_disk(const struct diary *d, const struct matter *m)
{
	return m->taken && release_has(d->release, m->index);
}

bool diary_revoked(const struct diary *d)
{
	return !d->revocation.due &&
	       (!d->revocation.taken || on_disk(d, &d->revocation));
}

void diary_look(struct diary *d)
{
	struct jotting *j;

	while ((j = STAILQ_FIRST(&d->notes)) != NULL && on_disk(d, &j->m)) {
		STAILQ_REMOVE_HEAD(&d->notes, entry);
		if (j->recorded != NULL)
			j->recorded(j->ctx, j->tag, j->m.index);
		free(j);
	}
}

bool diary_tick(struct diary *d, uint64_t now_us)
{
	bool recorded;

	write_due(d);
	diary_look(d);
	recorded = on_disk(d, &d->ceremony);
	if (recorded)
		d->ceremony.taken = false;
	/* What was taken the last time is kept until it is on record. */
	if (!d->start.taken || d->ended ||
	    now_us - d->refusals_us < DIARY_REFUSALS_US ||
	    (d->counts.taken && !on_disk(d, &d->counts)))
		return recorded;
	refusals_take(d->refusals, clock_wall_ms(), put_refused, d);
	d->refusals_us = now_us;
	return recorded;
}

void diary_end(struct diary *d)
{
	struct matter stop = {.due = true};

	if (d->ended || !d->start.taken)
		return;
	write_due(d);
	d->ended = true;
	refusals_take(d->refusals, clock_wall_ms(), put_refused, d);
	(void)put_run(d, ENTRY_STOPPED, &stop);
}

enum sg_err diary_create(struct release *release, struct diary **out)
{
	struct diary *d = calloc(1, sizeof(*d));

	*out = NULL;
	if (d == NULL)
		return SG_NO_MEMORY;
	if (refusals_create(clock_wall_ms(), &d->refusals) != SG_OK) {
		free(d);
		return SG_NO_MEMORY;
	}
	d->release = release;
	d->start.due = true;
	STAILQ_INIT(&d->notes);
	d->refusals_us = clock_mono_us();
	*out = d;
	return SG_OK;
}

void diary_free(struct diary *d)
{
	struct jotting *j;

	if (d == NULL)
		return;
	while ((j = STAILQ_FIRST(&d->notes)) != NULL) {
		STAILQ_REMOVE_HEAD(&d->notes, entry);
		free(j);
	}
	refusals_free(d->refusals);
	free(d);
}
