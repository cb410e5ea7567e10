/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror_notes.h"

#include <inttypes.h>

#include "base/clock.h"
#include "cosigned.h"

/* Of a note that grows by what others serve: room is left for witnesses. */
enum { MERGED_MAX = 16 };

static const char COSIGNED[] = "checkpoint.cosigned";

/* --- the same state again ------------------------------------------------- */

static bool has_line_of(const struct note *n, struct span name, uint32_t hash)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->signature[i].hash == hash &&
		    span_eq(n->signature[i].name, name))
			return true;
	return false;
}

size_t mirror_merge(const struct outcome *o, uint8_t out[CHECKPOINT_NOTE_MAX])
{
	/* A key that has just followed must be among its signatures. */
	const struct trust_checkpoint *base =
		o->followed ? &o->checkpoint : &o->kept;
	const struct trust_checkpoint *other =
		o->followed ? &o->kept : &o->checkpoint;
	struct note a;
	struct note b;
	size_t lines;
	size_t n = base->n;

	memcpy(out, base->note, n);
	if (note_parse(span_of(base->note, base->n), &a) != SG_OK ||
	    note_parse(span_of(other->note, other->n), &b) != SG_OK ||
	    !span_eq(a.text, b.text))
		return o->followed ? n : 0;
	lines = a.n;
	for (size_t i = 0; i < b.n && lines < MERGED_MAX; i++) {
		const struct span line = b.signature[i].line;

		if (has_line_of(&a, b.signature[i].name, b.signature[i].hash) ||
		    line.n > CHECKPOINT_NOTE_MAX - n)
			continue;
		memcpy(out + n, line.p, line.n);
		n += line.n;
		lines++;
	}
	return o->followed || n > base->n ? n : 0;
}

/* --- what witnesses have cosigned ----------------------------------------- */

/* The number of entries that COPY's is of; 0: there is none. */
static uint64_t kept_cosigned(struct tiles *copy)
{
	uint8_t bytes[CHECKPOINT_NOTE_MAX];
	struct checkpoint c;
	struct note note;
	size_t n;

	if (tiles_read_file(copy, COSIGNED, bytes, sizeof(bytes), &n) !=
		    SG_OK ||
	    note_parse(span_of(bytes, n), &note) != SG_OK ||
	    checkpoint_parse(note.text, &c) != SG_OK)
		return 0;
	return c.size;
}

enum sg_err mirror_cosigned_before(struct tiles *copy, const struct outcome *o)
{
	const struct span kept = span_of(o->kept.note, o->kept.n);

	if (!o->checkpoint.older.there || !o->has_kept ||
	    kept_cosigned(copy) >= o->kept.c.size ||
	    !cosigned_enough(&o->trust, kept))
		return SG_OK;
	return tiles_write_file(copy, COSIGNED, kept);
}

enum sg_err mirror_cosigned_after(struct tiles *copy, const struct outcome *o)
{
	const struct trust_cosigned *older = &o->checkpoint.older;
	const uint64_t kept = kept_cosigned(copy);

	if (!older->there || older->c.size < kept ||
	    (older->c.size == kept &&
	     (!o->has_kept || o->kept.c.size > older->c.size)))
		return SG_OK;
	return tiles_write_file(copy, COSIGNED, span_of(older->note, older->n));
}

void mirror_cosigned_goes_on(struct tiles *copy, const struct outcome *o)
{
	const struct trust_cosigned *older = &o->checkpoint.older;
	int64_t since_s;

	if (!older->there || !o->has_kept || o->kept.c.size <= older->c.size ||
	    kept_cosigned(copy) < older->c.size ||
	    tiles_file_time(copy, COSIGNED, &since_s) != SG_OK ||
	    clock_wall_s() - since_s <= o->trust.cosigned_within_s)
		return;
	findings_add(o->findings, FINDING_WITNESS_MISSING, NULL,
		     "for more than %" PRId64 " s they have cosigned no more "
		     "than %" PRIu64 " entries, while the log grew",
		     o->trust.cosigned_within_s, older->c.size);
}
