/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror_notes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cosigned.h"

/* Signature lines that nobody here can judge, of which a note that grows by
 * what others serve takes no more: 16 witnesses and the log's two keys. */
enum { UNKNOWN_MAX = 20 };

static const char COSIGNED[] = "checkpoint.cosigned";
static const char AWAITED[] = "checkpoint.awaited";
enum { NUMBER_BYTES = 24 };

/* --- the same state again ------------------------------------------------- */

/* A note that is put together. */
struct merged {
	uint8_t *out; /* CHECKPOINT_NOTE_MAX bytes */
	size_t n;
	size_t lines;
	struct {
		struct span name;
		uint32_t hash;
	} of[NOTE_SIGNATURES_MAX];
};

static void add_bytes(struct merged *m, struct span s)
{
	memcpy(m->out + m->n, s.p, s.n);
	m->n += s.n;
}

static bool has(const struct merged *m, struct span name, uint32_t hash)
{
	for (size_t i = 0; i < m->lines; i++)
		if (m->of[i].hash == hash && span_eq(m->of[i].name, name))
			return true;
	return false;
}

/* Line I of N, as far as there is room for whoever reads all of it. */
static void add_line(struct merged *m, const struct note *n, size_t i)
{
	const struct span line = n->signature[i].line;

	if (m->lines == NOTE_SIGNATURES_MAX ||
	    line.n > CHECKPOINT_NOTE_MAX - m->n)
		return;
	m->of[m->lines].name = n->signature[i].name;
	m->of[m->lines].hash = n->signature[i].hash;
	m->lines++;
	add_bytes(m, line);
}

static bool is_of(const struct note *n, size_t i, const struct note_key *key)
{
	return n->signature[i].hash == key->hash &&
	       span_is(n->signature[i].name, key->name);
}

/* Whose is line I of N, of those that T knows?  NULL: nobody's. */
static const struct note_key *signer(const struct trust *t,
				     const struct note *n, size_t i)
{
	if (is_of(n, i, &t->key))
		return &t->key;
	if (t->differs && is_of(n, i, &t->own))
		return &t->own;
	for (size_t k = 0; k < t->nwitnesses; k++)
		if (is_of(n, i, &t->witness[k]))
			return &t->witness[k];
	return NULL;
}

/* The lines of N that M lacks: those of keys that T knows, if they are good; or
 * the others, which only who knows no witnesses takes from a server. */
static void add_lines(struct merged *m, const struct trust *t,
		      const struct note *n, bool known, size_t most)
{
	for (size_t i = 0; i < n->n && m->lines < most; i++) {
		const struct note_key *key = signer(t, n, i);

		if ((key != NULL) == known &&
		    !has(m, n->signature[i].name, n->signature[i].hash) &&
		    (key == NULL || note_verify(n, key, NULL) == SG_OK))
			add_line(m, n, i);
	}
}

size_t mirror_merge(const struct outcome *o, uint8_t out[CHECKPOINT_NOTE_MAX])
{
	/* A key that has just followed must be among its signatures. */
	const struct trust_checkpoint *base =
		o->followed ? &o->checkpoint : &o->kept;
	const struct trust_checkpoint *other =
		o->followed ? &o->kept : &o->checkpoint;
	const struct trust *t = &o->trust;
	struct merged m = {.out = out};
	struct note a;
	struct note b;

	if (note_parse(span_of(base->note, base->n), &a) != SG_OK)
		return 0;
	add_bytes(&m, a.text);
	add_bytes(&m, SPAN_LIT("\n"));
	add_lines(&m, t, &a, true, NOTE_SIGNATURES_MAX);
	if (note_parse(span_of(other->note, other->n), &b) == SG_OK &&
	    span_eq(a.text, b.text))
		add_lines(&m, t, &b, true, NOTE_SIGNATURES_MAX);
	else
		b.n = 0;
	add_lines(&m, t, &a, false, NOTE_SIGNATURES_MAX);
	if (t->nwitnesses == 0)
		add_lines(&m, t, &b, false, UNKNOWN_MAX);
	return o->followed || m.n > base->n ? m.n : 0;
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

/* The number of entries that witnesses are awaited to cosign; 0: none. */
static uint64_t awaited(struct tiles *copy)
{
	char text[NUMBER_BYTES + 1];
	size_t n;

	if (tiles_read_file(copy, AWAITED, (uint8_t *)text, NUMBER_BYTES, &n) !=
	    SG_OK)
		return 0;
	text[n] = '\0';
	return strtoull(text, NULL, 10);
}

/* Await those of what is in the copy now, where they have cosigned what was
 * awaited before. */
static enum sg_err await(struct tiles *copy, const struct outcome *o)
{
	const struct trust_cosigned *older = &o->checkpoint.older;
	char text[NUMBER_BYTES + 1];

	if (o->trust.quorum == 0 ||
	    (older->there && older->c.size < awaited(copy)))
		return SG_OK;
	(void)snprintf(text, sizeof(text), "%" PRIu64 "\n",
		       o->checkpoint.c.size);
	return tiles_write_file(copy, AWAITED, span_str(text));
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
	enum sg_err err = SG_OK;

	/* Of the same state the copy's may have more of them. */
	if (older->there && older->c.size > kept_cosigned(copy))
		err = tiles_write_file(copy, COSIGNED,
				       span_of(older->note, older->n));
	return err == SG_OK ? await(copy, o) : err;
}

void mirror_cosigned_goes_on(struct tiles *copy, const struct outcome *o)
{
	const struct trust_cosigned *older = &o->checkpoint.older;
	const uint64_t size = awaited(copy);
	int64_t since_s;

	if (!older->there || older->c.size >= size ||
	    tiles_file_time(copy, AWAITED, &since_s) != SG_OK ||
	    clock_wall_s() - since_s <= o->trust.cosigned_within_s)
		return;
	findings_add(o->findings, FINDING_WITNESS_MISSING, NULL,
		     "they have cosigned %" PRIu64 " entries, of the %" PRIu64
		     " that were copied more than %" PRId64 " s ago",
		     older->c.size, size, o->trust.cosigned_within_s);
}
