/* SPDX-License-Identifier: Apache-2.0 */
#include "witnesses.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "fds.h"
#include "witnesses_state.h"

enum { US_PER_MS = 1000 };

/* --- checkpoints ------------------------------------------------------ */

bool witnessed_same(const struct witnessed *a, const struct witnessed *b)
{
	return a->size == b->size &&
	       memcmp(&a->root, &b->root, sizeof(a->root)) == 0;
}

/* NOTE is our own: it is one. */
static void take_note(struct witnessed *to, struct span note)
{
	struct checkpoint c = {0};
	struct note parts;
	enum sg_err err = note_parse(note, &parts);

	if (err == SG_OK)
		err = checkpoint_parse(parts.text, &c);
	assert(err == SG_OK && note.n <= sizeof(to->note));
	to->size = c.size;
	to->root = c.root;
	to->n = note.n;
	to->text_n = parts.text.n;
	memcpy(to->note, note.p, note.n);
}

/* --- what comes of a round -------------------------------------------- */

/* The round's checkpoint with its cosignatures; returns how many. */
static size_t compose(const struct witnesses *w,
		      uint8_t out[CHECKPOINT_NOTE_MAX], size_t *len)
{
	size_t n = w->about.n;
	size_t lines = 0;

	_Static_assert(WITNESSES_NOTE_MAX +
				       CORE_WITNESSES_MAX * NOTE_LINE_MAX <=
			       CHECKPOINT_NOTE_MAX,
		       "all cosignatures fit");
	memcpy(out, w->about.note, n);
	for (size_t i = 0; i < w->n; i++) {
		if (w->witness[i].line_n == 0)
			continue;
		memcpy(out + n, w->witness[i].line, w->witness[i].line_n);
		n += w->witness[i].line_n;
		lines++;
	}
	*len = n;
	return lines;
}

/* Has everybody cosigned, or failed at least once? */
static bool all_tried(const struct witnesses *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (!w->witness[i].tried && !w->witness[i].estranged)
			return false;
	return true;
}

static void give_out(struct witnesses *w)
{
	uint8_t note[CHECKPOINT_NOTE_MAX];
	size_t n;
	const size_t lines = compose(w, note, &n);

	if (lines == 0)
		return;
	if (w->fresh) {
		w->fresh = false;
		w->unkept = true;
		w->part.events->cosigned(w->part.ctx, w->about.size,
					 span_of(note, n));
	}
	if (lines < w->kept && !all_tried(w))
		return;
	w->kept = lines;
	w->unkept = false;
	w->part.events->keep(w->part.ctx, span_of(note, n));
}

void witnesses_settle(struct witnesses *w, uint64_t now_us)
{
	if ((w->fresh || w->unkept) && w->published)
		give_out(w);
	if (w->consulting && (all_tried(w) || now_us >= w->consult_until_us)) {
		w->consulting = false;
		w->part.events->consulted(w->part.ctx);
	}
}

/* --- rounds ----------------------------------------------------------- */

static void begin_round(struct witnesses *w, const struct witnessed *about,
			uint64_t now_us)
{
	const bool same = w->in_round && witnessed_same(&w->about, about);

	w->in_round = true;
	w->began_us = now_us;
	w->about = *about;
	w->fresh = w->fresh && same;
	w->unkept = w->unkept && same;
	for (size_t i = 0; i < w->n; i++) {
		struct witness *x = &w->witness[i];

		x->done = x->tried = false;
		x->corrections = 0;
		if (!same)
			x->line_n = 0;
	}
}

/* Is one under way that answered the last time?  It is given a second interval,
 * so that its cosignature still is one of the round's checkpoint. */
static bool awaited(const struct witnesses *w, uint64_t now_us)
{
	if (now_us >= w->began_us + 2 * w->witness_us)
		return false;
	for (size_t i = 0; i < w->n; i++)
		if (w->witness[i].flying && !w->witness[i].failing)
			return true;
	return false;
}

static void ask_due(struct witnesses *w, uint64_t now_us)
{
	for (size_t i = 0; w->in_round && i < w->n; i++) {
		struct witness *x = &w->witness[i];

		if (!x->done && !x->estranged && now_us >= x->again_us)
			witnesses_ask(w, x, now_us);
	}
}

static void give_up_late(struct witnesses *w, uint64_t now_us)
{
	for (size_t i = 0; i < w->n; i++) {
		struct witness *x = &w->witness[i];

		if (!x->flying || now_us < x->given_up_us)
			continue;
		x->flying = false;
		witnesses_failed(x, w->witness_us, now_us, "no answer");
	}
}

void witnesses_tick(struct witnesses *w, uint64_t now_us)
{
	give_up_late(w, now_us);
	if (w->has_newest && !w->consulting && !awaited(w, now_us) &&
	    (!w->in_round || now_us >= w->began_us + w->witness_us)) {
		begin_round(w, &w->newest, now_us);
		w->published = true;
	}
	ask_due(w, now_us);
	witnesses_settle(w, now_us);
	metric_set(METRIC_LEDGER_WITNESSES_CURRENT,
		   witnesses_current(w, now_us));
}

void witnesses_consult(struct witnesses *w, struct span note)
{
	const uint64_t now = clock_mono_us();
	struct witnessed about;

	take_note(&about, note);
	begin_round(w, &about, now);
	w->published = false;
	w->consulting = true;
	w->consult_until_us = now + (uint64_t)WITNESSES_CONSULT_MS * US_PER_MS;
	ask_due(w, now);
}

void witnesses_published(struct witnesses *w, struct span note)
{
	take_note(&w->newest, note);
	w->has_newest = true;
	if (w->in_round && !w->published) {
		w->published = witnessed_same(&w->about, &w->newest);
		/* What they were asked about will never be. */
		w->in_round = w->published;
	}
	witnesses_tick(w, clock_mono_us());
}

size_t witnesses_current(const struct witnesses *w, uint64_t now_us)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct witness *x = &w->witness[i];

		if (x->cosigned_us != 0 && !x->estranged &&
		    now_us - x->cosigned_us <=
			    WITNESSES_CURRENT_INTERVALS * w->witness_us)
			n++;
	}
	return n;
}

/* --- the link --------------------------------------------------------- */

static bool on_message(void *ctx, const struct wire_msg *m, const int *fds,
		       size_t n)
{
	const uint64_t now = clock_mono_us();
	struct witnesses *w = ctx;
	struct wire_cosigned answer;

	fds_close(fds, n);
	if (m->type != WIRE_COSIGNED || n > 0 || m->id == 0 || m->id > w->ids ||
	    wire_get_cosigned(m, &answer) != SG_OK)
		return false;
	for (size_t i = 0; i < w->n; i++)
		if (w->witness[i].flying && w->witness[i].id == m->id) {
			witnesses_answer(w, &w->witness[i], &answer, now);
			break;
		}
	witnesses_settle(w, now);
	return true;
}

static void unlink_channel(struct witnesses *w)
{
	channel_close(w->channel);
	w->channel = NULL;
	/* Asked anew by the next process, at once. */
	for (size_t i = 0; i < w->n; i++) {
		w->witness[i].flying = false;
		w->witness[i].again_us = 0;
	}
}

static void on_end(void *ctx, bool bad)
{
	struct witnesses *w = ctx;

	unlink_channel(w);
	if (bad) {
		metric_add(METRIC_BAD_MESSAGES, 1);
		w->part.events->bad(w->part.ctx);
	}
}

enum sg_err witnesses_link(struct witnesses *w, int fd)
{
	static const struct channel_events events = {.message = on_message,
						     .end = on_end};
	enum sg_err err;

	unlink_channel(w);
	err = channel_open(w->part.loop, fd, &events, w, &w->channel);
	if (err != SG_OK)
		fds_close(&fd, 1);
	else
		ask_due(w, clock_mono_us());
	return err;
}

/* --- life ------------------------------------------------------------- */

enum sg_err witnesses_create(const struct witnesses_parts *parts,
			     struct witnesses **out)
{
	const struct core_ledger_settings *s = parts->settings;
	struct witnesses *w = calloc(1, sizeof(*w));
	enum sg_err err;

	*out = NULL;
	if (w == NULL)
		return SG_NO_MEMORY;
	w->part = *parts;
	w->part.settings = NULL; /* not kept */
	w->witness_us = (uint64_t)s->witness_ms * US_PER_MS;
	/* What is kept from before may have all. */
	w->n = w->kept = s->nwitnesses;
	err = merkle_create(&w->merkle);
	for (size_t i = 0; err == SG_OK && i < w->n; i++)
		err = note_key_parse(span_str(s->witness[i]),
				     &w->witness[i].key);
	if (err != SG_OK) {
		witnesses_free(w);
		return err;
	}
	metric_set(METRIC_LEDGER_WITNESSES, w->n);
	*out = w;
	return SG_OK;
}

void witnesses_free(struct witnesses *w)
{
	if (w == NULL)
		return;
	channel_close(w->channel);
	tiles_close(w->tiles);
	merkle_free(w->merkle);
	free(w);
}
