/* SPDX-License-Identifier: Apache-2.0 */
#include "diary.h"

#include <stdlib.h>

#include "base/clock.h"
#include "refusals.h"

enum { ENTRY_ROOM = 12288 };

struct diary {
	struct release *release;
	struct refusals *refusals;
	bool began, ended;
	bool started; /* it is on record that the core did */
	bool policy_due;
	uint8_t policy[ENTRY_HASH_BYTES];
	uint64_t refusals_us; /* when they were last taken */
	size_t operation_n;   /* 0: none is to be recorded */
	uint8_t operation[DIARY_OPERATION_MAX];
};

/* Record ENTRY of N bytes, if it could be ENCODED.  False: the journal does not
 * take it now. */
static bool put(struct diary *d, enum sg_err encoded, const uint8_t *entry,
		const size_t *n)
{
	return encoded == SG_OK &&
	       release_note(d->release, span_of(entry, *n)) == SG_OK;
}

static bool put_run(struct diary *d, enum entry_type type)
{
	uint8_t entry[64];
	size_t n = 0;
	const enum sg_err err = entry_encode_run(type, clock_wall_ms(), entry,
						 sizeof(entry), &n);

	return put(d, err, entry, &n);
}

static bool put_policy(struct diary *d)
{
	uint8_t entry[128];
	size_t n = 0;
	const enum sg_err err = entry_encode_policy(clock_wall_ms(), d->policy,
						    entry, sizeof(entry), &n);

	return put(d, err, entry, &n);
}

static bool put_refused(void *ctx, const struct entry_refused *e)
{
	uint8_t entry[ENTRY_ROOM];
	size_t n = 0;
	const enum sg_err err = entry_encode_refused(clock_wall_ms(), e, entry,
						     sizeof(entry), &n);

	return put(ctx, err, entry, &n);
}

static bool put_ceremony(struct diary *d)
{
	uint8_t entry[ENTRY_ROOM];
	size_t n = 0;
	const enum sg_err err = entry_encode_ceremony(
		clock_wall_ms(), span_of(d->operation, d->operation_n), entry,
		sizeof(entry), &n);

	return put(d, err, entry, &n);
}

/* What is due, in its order. */
static void write_due(struct diary *d)
{
	if (!d->began)
		return;
	if (d->operation_n > 0 && put_ceremony(d))
		d->operation_n = 0;
	if (!d->started)
		d->started = put_run(d, ENTRY_STARTED);
	if (d->started && d->policy_due)
		d->policy_due = !put_policy(d);
}

void diary_begin(struct diary *d)
{
	d->began = true;
	write_due(d);
}

void diary_policy(struct diary *d, const uint8_t hash[ENTRY_HASH_BYTES])
{
	if (memcmp(d->policy, hash, sizeof(d->policy)) == 0)
		return;
	memcpy(d->policy, hash, sizeof(d->policy));
	d->policy_due = true;
	write_due(d);
}

void diary_ceremony(struct diary *d, struct span operation)
{
	if (operation.n > sizeof(d->operation))
		return;
	memcpy(d->operation, operation.p, operation.n);
	d->operation_n = operation.n;
}

void diary_refused(struct diary *d, const char *client, const struct verdict *v)
{
	refusals_add(d->refusals, client, v);
}

void diary_tick(struct diary *d, uint64_t now_us)
{
	write_due(d);
	if (!d->started || now_us - d->refusals_us < DIARY_REFUSALS_US)
		return;
	refusals_take(d->refusals, clock_wall_ms(), put_refused, d);
	d->refusals_us = now_us;
}

void diary_end(struct diary *d)
{
	if (d->ended || !d->started)
		return;
	d->ended = true;
	refusals_take(d->refusals, clock_wall_ms(), put_refused, d);
	(void)put_run(d, ENTRY_STOPPED);
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
	d->refusals_us = clock_mono_us();
	*out = d;
	return SG_OK;
}

void diary_free(struct diary *d)
{
	if (d == NULL)
		return;
	refusals_free(d->refusals);
	free(d);
}
