/* SPDX-License-Identifier: Apache-2.0 */
/* A stream whose client is over its rate.  The core sends records back, and
 * nothing is lost: they are asked again, in their order, before anything else
 * is read.  Meanwhile they take up nothing of the core's, and the stream is not
 * among those that share it. */
#include "api_stream.h"

enum {
	REST_MIN_MS = 1, /* as short as the wheel can: two of its ticks */
	REST_MAX_MS = 1000,
	MS_PER_S = 1000
};

static struct api *api_of(const struct api_stream *s)
{
	return s->call->api;
}

static void set_paced(struct api_stream *s, bool paced)
{
	uint16_t *of_client = &api_of(s)->paced_of[s->client];

	if (paced == s->paced)
		return;
	s->paced = paced;
	*of_client = (uint16_t)(*of_client + (paced ? 1 : -1));
}

/* Ask nothing for WAIT_MS, or as long as a tick of the wheel takes. */
static void rest(struct api_stream *s, uint32_t wait_ms)
{
	if (s->resting)
		return;
	api_stream_sate(s);
	s->resting = true;
	s->rest_ms = api_stream_now_ms(s);
	wheel_set(&s->x->front->wheel, &s->tick,
		  wait_ms < REST_MAX_MS ? wait_ms : REST_MAX_MS);
}

void api_stream_later(struct api_stream *s, struct record *r,
		      const struct wire_later *m)
{
	const struct brought b = {m->request, m->presented, m->signature};
	const size_t n = brought_bytes(&b);
	enum sg_err err = SG_BUSY;

	if (s->cut == SG_OK && api_stream_hold_input(s, n)) {
		err = record_put_off(r, &b);
		if (err != SG_OK)
			api_stream_drop_input(s, n);
	}
	if (err != SG_OK) {
		api_stream_refuse(s, r, err, NULL);
		api_stream_finish(s);
		return;
	}
	s->put_off++;
	s->put_off_bytes += n;
	s->per_second = m->per_second;
	s->told = true;
	set_paced(s, true);
	s->pace = 0;
	rest(s, m->wait_ms);
}

bool api_stream_may_pace(struct api_stream *s)
{
	if (!s->paced || s->pace > 0)
		return true;
	rest(s, REST_MIN_MS);
	return false;
}

void api_stream_paced(struct api_stream *s)
{
	if (s->paced && s->pace > 0)
		s->pace--;
}

/* R is put off no more. */
static struct brought take_back(struct api_stream *s, struct record *r)
{
	const struct brought b = record_resume(r);
	const size_t n = brought_bytes(&b);

	s->put_off--;
	s->put_off_bytes -= n;
	api_stream_drop_input(s, n);
	return b;
}

bool api_stream_resume(struct api_stream *s, uint64_t now_us)
{
	struct record *r = s->put_off > 0 ? records_put_off(&s->records) : NULL;
	struct brought b;

	if (r == NULL)
		return false;
	b = take_back(s, r);
	api_stream_ask(s, r, &b, now_us);
	api_stream_paced(s);
	return true;
}

/* What the client's rate brings in the time that S has rested, shared with its
 * other streams; and some more each time that this was not too much, until S
 * need not be held back any more. */
static uint32_t next_allowance(const struct api_stream *s)
{
	const uint64_t rested_ms = api_stream_now_ms(s) - s->rest_ms;
	const uint64_t streams = api_of(s)->paced_of[s->client];
	const uint64_t n =
		s->told ? s->per_second * rested_ms / MS_PER_S / streams + 1
			: (uint64_t)s->allowance * 2;

	return n < RECORDS_MAX ? (uint32_t)n : RECORDS_MAX;
}

void api_stream_wake(struct api_stream *s)
{
	if (!s->resting)
		return;
	s->allowance = s->pace = next_allowance(s);
	if (!s->told && s->put_off == 0 && s->pace == RECORDS_MAX)
		set_paced(s, false);
	s->told = false;
	s->resting = false;
	api_stream_hunger(s);
}

void api_stream_pace_end(struct api_stream *s)
{
	struct record *r;

	s->resting = false;
	set_paced(s, false);
	while (s->put_off > 0 && (r = records_put_off(&s->records)) != NULL) {
		(void)take_back(s, r);
		api_stream_refuse(s, r, SG_BUSY, NULL);
	}
}

void api_stream_pace_free(struct api_stream *s)
{
	set_paced(s, false);
	api_stream_drop_input(s, s->put_off_bytes);
}
