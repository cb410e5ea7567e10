/* SPDX-License-Identifier: Apache-2.0 */
#include "bulk.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "stream.h"

enum {
	TICK_MS = 20,
	DRAIN_US = 60000000,   /* for the last answers */
	SILENCE_US = 60000000, /* without any answer: give up */
	OPEN_US = 30000000     /* for all connections to come up */
};

bool bulk_measuring(const struct bulk *b)
{
	return b->phase == BULK_MEASURING || b->phase == BULK_DEAF ||
	       b->phase == BULK_AFTER;
}

/* --- the connections --- */

static enum sg_err opened(void *owner)
{
	struct stream *s = owner;

	if (s->settings->http2) {
		const uint8_t *alpn;
		unsigned n;

		SSL_get0_alpn_selected(s->link.ssl, &alpn, &n);
		if (!span_is(span_of(alpn, n), "h2"))
			return SG_BAD_MEDIA_TYPE;
	}
	s->ready = true;
	return s->bulk->protocol->open(s);
}

static enum sg_err input(void *owner, struct span plain)
{
	struct stream *s = owner;

	return s->bulk->protocol->input(s, plain);
}

static enum sg_err output(void *owner)
{
	struct stream *s = owner;

	return s->bulk->protocol->output(s);
}

static void drop(void *owner)
{
	struct stream *s = owner;
	struct bulk *b = s->bulk;

	s->bulk->protocol->close(s);
	link_close(&s->link);
	s->ready = false;
	if (s->done)
		return;
	s->done = true;
	s->broken = true;
	if (b->result->reason[0] == '\0')
		(void)snprintf(b->result->reason, BULK_REASON_MAX, "%s",
			       b->loop.reason[0] != '\0' ? b->loop.reason
							 : "broken off");
}

static void push(struct stream *s)
{
	if (s->ready && link_push(&s->bulk->loop, &s->link) != SG_OK)
		drop(s);
}

/* Begin S's request. */
static void begin(struct stream *s)
{
	s->held = false;
	if (!s->ready)
		return;
	if (s->bulk->protocol->begin(s) != SG_OK)
		drop(s);
	else
		push(s);
}

/* --- the phases --- */

static void enter(struct bulk *b, enum bulk_phase phase)
{
	const uint64_t now = clock_mono_us();

	b->result->phase_us[b->phase] = now - b->phase_us;
	if (bulk_measuring(b))
		b->result->wall_us += now - b->phase_us;
	b->phase = phase;
	b->phase_us = now;
	if (b->settings->progress != NULL)
		atomic_store(&b->settings->progress->phase, (int)phase);
	if (phase == BULK_MEASURING)
		b->result->begun_us = now;
	if (phase == BULK_WARMING) {
		b->answered_us = now;
		for (size_t i = 0; i < b->nstreams; i++)
			if (&b->stream[i] != b->deaf)
				begin(&b->stream[i]);
	}
	if (phase == BULK_DEAF) {
		link_listen(&b->loop, &b->deaf->link, false);
		begin(b->deaf);
	}
	if (phase == BULK_AFTER) {
		b->result->deaf_sent = b->deaf->sent;
		b->deaf->window = b->settings->window;
		link_listen(&b->loop, &b->deaf->link, true);
	}
	/* There may be nothing to wait for but our own word. */
	for (size_t i = 0; i < b->nstreams && phase == BULK_DRAINING; i++)
		push(&b->stream[i]);
}

static size_t count_ready(const struct bulk *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->nstreams; i++)
		n += b->stream[i].ready;
	return n;
}

static size_t count_broken(const struct bulk *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->nstreams; i++)
		n += b->stream[i].broken;
	return n;
}

static bool all_done(const struct bulk *b)
{
	for (size_t i = 0; i < b->nstreams; i++)
		if (!b->stream[i].done && !b->stream[i].held)
			return false;
	return true;
}

/* Is it time for the next phase?  False: it is all over. */
static bool tick(struct bulk *b)
{
	const struct bulk_settings *s = b->settings;
	const uint64_t now = clock_mono_us();
	const uint64_t in_phase = now - b->phase_us;

	if (b->phase == BULK_OPENING) {
		if (count_ready(b) == b->nstreams) {
			enter(b, BULK_WARMING);
			/* No answer may come before it counts. */
			if (s->warmup_us == 0)
				enter(b, BULK_MEASURING);
		}
		return count_broken(b) == 0 && in_phase <= OPEN_US;
	}
	if (b->phase == BULK_WARMING && in_phase >= s->warmup_us)
		enter(b, BULK_MEASURING);
	else if (b->phase == BULK_MEASURING && s->duration_us > 0 &&
		 in_phase >= s->duration_us)
		enter(b, b->deaf != NULL ? BULK_DEAF : BULK_DRAINING);
	else if (b->phase == BULK_DEAF && in_phase >= s->deaf_us)
		enter(b, BULK_AFTER);
	else if (b->phase == BULK_AFTER && in_phase >= s->duration_us)
		enter(b, BULK_DRAINING);
	if (all_done(b) || now > b->answered_us + SILENCE_US)
		return false;
	/* Of the phase that may have begun just now. */
	return b->phase != BULK_DRAINING ||
	       clock_mono_us() - b->phase_us <= DRAIN_US;
}

static enum sg_err run(struct bulk *b)
{
	for (size_t i = 0; i < b->nstreams; i++)
		if (link_connect(&b->loop, &b->stream[i].link) != SG_OK)
			return SG_IO;
	while (tick(b)) {
		const enum sg_err err = link_loop_run(&b->loop, TICK_MS, drop);

		if (err != SG_OK)
			return err;
	}
	enter(b, BULK_DRAINING);
	return SG_OK;
}

static enum sg_err prepare(struct bulk *b)
{
	const struct bulk_settings *s = b->settings;

	b->nstreams = s->connections + (s->deaf_us > 0 ? 1U : 0U);
	b->stream = calloc(b->nstreams, sizeof(b->stream[0]));
	if (b->stream == NULL)
		return SG_NO_MEMORY;
	for (size_t i = 0; i < b->nstreams; i++) {
		struct stream *one = &b->stream[i];

		one->bulk = b;
		one->settings = s;
		one->index = (unsigned)i;
		one->held = true;
		one->window = s->window;
		one->answers.form = s->form;
		one->link.owner = one;
		one->link.fd = -1;
	}
	if (s->deaf_us > 0) {
		b->deaf = &b->stream[b->nstreams - 1];
		b->deaf->window = 0;
	}
	return SG_OK;
}

/* What became of each stream. */
static enum sg_err conclude(struct bulk *b)
{
	struct bulk_result *r = b->result;
	size_t alive = 0;

	for (size_t i = 0; i < b->nstreams; i++) {
		const struct stream *s = &b->stream[i];

		r->missing += s->sent - s->answered;
		r->broken += s->broken || !s->done;
		alive += s->answered > 0;
	}
	if (b->deaf != NULL) {
		r->deaf_answers = b->deaf->answered;
		r->deaf_broken = b->deaf->broken || !b->deaf->done;
	}
	if (alive > 0)
		return SG_OK;
	if (r->reason[0] == '\0')
		(void)snprintf(r->reason, sizeof(r->reason), "%s",
			       b->loop.reason[0] != '\0' ? b->loop.reason
							 : "no answer");
	return SG_IO;
}

static void release(struct bulk *b)
{
	for (size_t i = 0; i < b->nstreams && b->stream != NULL; i++) {
		b->protocol->close(&b->stream[i]);
		link_close(&b->stream[i].link);
	}
	free(b->stream);
	link_loop_close(&b->loop);
	free(b);
}

enum sg_err bulk_run(const struct bulk_settings *settings,
		     struct bulk_result *out)
{
	static const struct link_ops ops = {opened, input, output};
	struct bulk *b = calloc(1, sizeof(*b));
	const uint64_t cpu_before = stream_cpu_us();
	enum sg_err err;

	memset(out, 0, sizeof(*out)); /* too big for a copy */
	if (b == NULL)
		return SG_NO_MEMORY;
	b->settings = settings;
	b->protocol = settings->http2 ? &STREAM_H2 : &STREAM_H1;
	b->result = out;
	b->phase_us = clock_mono_us();
	err = link_loop_open(&b->loop, settings->target, &ops);
	if (err == SG_OK)
		err = prepare(b);
	if (err == SG_OK)
		err = run(b);
	if (err == SG_OK || err == SG_IO)
		err = conclude(b);
	out->cpu_us = stream_cpu_us() - cpu_before - b->sample_cpu_us;
	release(b);
	return err;
}
