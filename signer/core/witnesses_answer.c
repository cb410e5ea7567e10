/* SPDX-License-Identifier: Apache-2.0 */
/* What a witness says: see witnesses.h. */
#include <stdio.h>

#include "base/log.h"
#include "witnesses_state.h"

enum {
	/* HTTP statuses of add-checkpoint (tlog-witness) */
	DONE = 200,
	REFUSES_KEY = 403,
	KNOWS_NO_LOG = 404,
	CONFLICT = 409,
	BAD_PROOF = 422,
	ANSWER_MAX = 16384,
	CORRECTIONS_MAX = 2, /* asked again at once, in a round */
	REASON_MAX = 192,
	DIGITS_MAX = 19 /* of 2^63 - 1 */
};

static const char SIZE_TYPE[] = "text/x.tlog.size";

/* --- contradictions ------------------------------------------------------- */

static void contradicted(struct witnesses *w, struct witness *x, uint64_t size,
			 bool fork)
{
	x->estranged = x->tried = true;
	x->line_n = 0;
	log_event(LOG_ERROR, "witness-contradicts",
		  "witness=\"%s\" size=%llu fork=%d ours=%llu", x->key.name,
		  (unsigned long long)size, fork,
		  (unsigned long long)x->about.size);
	w->part.events->contradicted(w->part.ctx, x->key.name, size, fork);
}

/* The size that a conflict names: decimal, and a line end. */
static bool read_size(const struct wire_cosigned *m, uint64_t *size)
{
	const uint8_t *p = m->body.p;
	const size_t n = m->body.n;

	if (!span_is(m->type, SIZE_TYPE) || n < 2 || n > DIGITS_MAX + 1 ||
	    p[n - 1] != '\n' || (p[0] == '0' && n > 2))
		return false;
	*size = 0;
	for (size_t i = 0; i < n - 1; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		*size = *size * 10 + (uint64_t)(p[i] - '0');
	}
	return true;
}

static void conflict(struct witnesses *w, struct witness *x,
		     const struct wire_cosigned *m, uint64_t now_us)
{
	uint64_t size;
	const bool named = read_size(m, &size);

	if (named && size > x->about.size) {
		contradicted(w, x, size, false);
	} else if (named && size != x->old) {
		/* It has another one than we thought. */
		x->size = size;
		if (x->corrections++ < CORRECTIONS_MAX)
			witnesses_ask(w, x, now_us);
		else
			witnesses_failed(x, w->witness_us, now_us,
					 "it names one size after another");
	} else if (x->old == x->about.size && x->old > 0) {
		contradicted(w, x, x->old, true);
	} else {
		witnesses_failed(x, w->witness_us, now_us,
				 "its conflict (409) makes no sense");
	}
}

/* --- cosignatures --------------------------------------------------------- */

/* The line of LINES, a note's end, that is X's cosignature of what it was asked
 * about.  Errors: those of note_parse() and note_verify(); SG_TOO_BIG. */
static enum sg_err find_line(const struct witness *x, struct span lines,
			     struct span *out)
{
	static uint8_t buf[CHECKPOINT_TEXT_MAX + 1 + ANSWER_MAX];
	struct note note;
	size_t n;
	enum sg_err err = note_join(span_of(x->about.note, x->about.text_n),
				    lines, buf, sizeof(buf), &n);

	if (err == SG_OK)
		err = note_parse(span_of(buf, n), &note);
	/* An empty line in LINES would make the text that is signed another
	 * one, which begins with ours. */
	if (err == SG_OK && note.text.n != x->about.text_n)
		err = SG_MALFORMED;
	if (err == SG_OK)
		err = note_verify(&note, &x->key, NULL);
	for (size_t i = 0; err == SG_OK && i < note.n; i++)
		if (note.signature[i].hash == x->key.hash &&
		    span_is(note.signature[i].name, x->key.name)) {
			*out = note.signature[i].line;
			return out->n <= NOTE_LINE_MAX ? SG_OK : SG_TOO_BIG;
		}
	return err == SG_OK ? SG_NOT_FOUND : err;
}

/* Why find_line() has found none. */
static const char *why_not(enum sg_err err)
{
	if (err == SG_NO_MEMORY)
		return "there was no memory to verify its cosignature";
	return err == SG_BAD_SIGNATURE
		       ? "its cosignature does not verify with its key"
		       : "its answer has no cosignature of its key";
}

static void cosigned(struct witnesses *w, struct witness *x,
		     const struct wire_cosigned *m, uint64_t now_us)
{
	struct span line;
	const enum sg_err err = find_line(x, m->body, &line);

	if (err != SG_OK) {
		witnesses_failed(x, w->witness_us, now_us, why_not(err));
		return;
	}
	if (x->logged_us != 0)
		log_event(LOG_INFO, "witness-back", "witness=\"%s\"",
			  x->key.name);
	x->size = x->about.size;
	x->cosigned_us = now_us;
	x->failing = false;
	x->wait_ms = x->logged_us = 0;
	if (!witnessed_same(&x->about, &w->about))
		return; /* of a round that is over */
	x->done = x->tried = w->fresh = true;
	x->line_n = line.n;
	memcpy(x->line, line.p, line.n);
}

/* --- any answer ----------------------------------------------------------- */

static void failed(struct witnesses *w, struct witness *x,
		   const struct wire_cosigned *m, uint64_t now_us)
{
	/* A connection that breaks once is no reason to start without its word:
	 * it has a second try. */
	const bool again = w->consulting && !x->failing && m->status == 0;
	char reason[REASON_MAX];

	if (m->status == 0)
		(void)snprintf(reason, sizeof(reason), "%.*s",
			       m->reason.n < REASON_MAX ? (int)m->reason.n
							: REASON_MAX,
			       m->reason.n > 0 ? (const char *)m->reason.p
					       : "");
	else
		(void)snprintf(reason, sizeof(reason), "it answers %u%s",
			       m->status,
			       m->status == KNOWS_NO_LOG
				       ? ": it does not know this log, or the "
					 "url is wrong"
			       : m->status == REFUSES_KEY
				       ? ": it knows another key of this log"
				       : "");
	witnesses_failed(x, w->witness_us, now_us, reason);
	x->tried = !again;
}

void witnesses_answer(struct witnesses *w, struct witness *x,
		      const struct wire_cosigned *m, uint64_t now_us)
{
	x->flying = false;
	if (m->status == DONE)
		cosigned(w, x, m, now_us);
	else if (m->status == CONFLICT)
		conflict(w, x, m, now_us);
	else if (m->status == BAD_PROOF && x->old > 0)
		contradicted(w, x, x->old, true);
	else
		failed(w, x, m, now_us);
}
