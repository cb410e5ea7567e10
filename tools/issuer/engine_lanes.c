/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_lanes.h"

#include <inttypes.h>
#include <stdio.h>

#include "answer.h"
#include "base/clock.h"

enum { FAREWELL_S = 2, POLL_MS = 500, QUIET_US = 500000 };

/* Is trying again in vain?  A fault on our side. */
static bool is_hopeless(CURLcode code)
{
	return code == CURLE_SSL_CERTPROBLEM ||
	       code == CURLE_PEER_FAILED_VERIFICATION ||
	       code == CURLE_SSL_CACERT_BADFILE ||
	       code == CURLE_URL_MALFORMAT || code == CURLE_SSL_CIPHER ||
	       code == CURLE_UNSUPPORTED_PROTOCOL;
}

/* A refused or broken stream: when to try again. */
static enum sg_err after_break(struct engine *e, struct lane *l,
			       const struct stream_end *end)
{
	const bool refused = end->status != 0 && end->status != 200;
	uint64_t until;

	if ((end->hopeless || is_hopeless(end->code)) && !e->connected)
		return engine_fail(e, SG_CONFIG, "%s", end->why);
	if (refused && end->status < 500 && !answer_again(end->status))
		return engine_fail(e, SG_CONFIG, "%s", end->why);
	l->breaks = end->answers > 0 ? 1 : l->breaks + 1;
	l->not_before = e->now + engine_back_off(l->breaks);
	if (!refused)
		return SG_OK;
	until = e->now + (uint64_t)end->retry_after * US;
	if (until > e->moved_us + e->settings->give_up_s * US)
		return engine_fail(e, SG_TIMED_OUT,
				   "%s; it asks to come back in %" PRIu32 " s",
				   end->why, end->retry_after);
	if (until > e->hold_us)
		e->hold_us = until;
	return SG_OK;
}

static enum sg_err finish(struct engine *e, struct lane *l, CURLcode code)
{
	struct stream_end end;

	stream_finish(l->s, e->multi, code, &end);
	e->connected = e->connected || end.status != 0;
	if (e->err != SG_OK)
		return e->err;
	if (end.whole && end.code == CURLE_OK && end.status == 200) {
		/* It may be a server that says goodbye to all. */
		l->breaks = end.answers > 0 ? 0 : l->breaks + 1;
		l->not_before =
			e->now +
			(l->breaks > 0 ? engine_back_off(l->breaks) : 0);
		return SG_OK;
	}
	/* Without a connection there was no stream to break. */
	e->stats->breaks += end.code != CURLE_COULDNT_CONNECT &&
			    end.code != CURLE_COULDNT_RESOLVE_HOST;
	(void)snprintf(e->stats->note, sizeof(e->stats->note), "%s", end.why);
	engine_clean(e->stats->note);
	return after_break(e, l, &end);
}

enum sg_err lanes_reap(struct engine *e)
{
	enum sg_err err = SG_OK;
	CURLMsg *m;
	int left;

	/* What a stream's end asks to wait begins here, not before the turn's
	 * work. */
	e->now = clock_mono_us();
	while (err == SG_OK &&
	       (m = curl_multi_info_read(e->multi, &left)) != NULL) {
		struct lane *l = NULL;

		for (unsigned i = 0; i < e->settings->streams; i++)
			if (https_handle(e->lane[i].h) == m->easy_handle)
				l = &e->lane[i];
		if (l != NULL && m->msg == CURLMSG_DONE)
			err = finish(e, l, m->data.result);
	}
	return err;
}

/* Feed a stream that waits; see whether it is still there. */
static enum sg_err tend_active(struct engine *e, struct lane *l, bool work)
{
	uint64_t quiet_us;

	stream_tick(l->s, e->now);
	if (stream_is_hungry(l->s) && (work || !engine_more(e)))
		stream_resume(l->s);
	if (stream_is_dismissed(l->s))
		stream_end_request(l->s);
	if (stream_flying(l->s) == 0)
		return SG_OK;
	quiet_us = e->now - stream_heard_us(l->s);
	if (quiet_us > e->settings->stall_s * US)
		return finish(e, l, CURLE_OPERATION_TIMEDOUT);
	if (quiet_us > QUIET_US)
		stream_end_request(l->s);
	return SG_OK;
}

enum sg_err lanes_tend(struct engine *e)
{
	enum sg_err err = SG_OK;

	for (unsigned i = 0; i < e->settings->streams && err == SG_OK; i++) {
		struct lane *l = &e->lane[i];
		const bool work = window_has(e->w, e->now);

		if (stream_active(l->s))
			err = tend_active(e, l, work);
		else if (work && e->now >= l->not_before &&
			 e->now >= e->hold_us)
			err = stream_start(l->s, e->multi, e->now);
	}
	if (err != SG_OK && e->err == SG_OK)
		return engine_fail(e, err, "%s", err_text(err));
	return err;
}

void lanes_farewell(struct engine *e)
{
	const uint64_t until = clock_mono_us() + (uint64_t)FAREWELL_S * US;
	int running = 1;

	do {
		e->now = clock_mono_us();
		if (lanes_tend(e) != SG_OK ||
		    curl_multi_perform(e->multi, &running) != CURLM_OK ||
		    lanes_reap(e) != SG_OK)
			return;
		if (running > 0)
			(void)curl_multi_poll(e->multi, NULL, 0, POLL_MS, NULL);
	} while (running > 0 && e->now < until && !engine_stop);
}

enum sg_err lanes_open(struct engine *e, const struct args *args,
		       const struct stream_hooks *hooks)
{
	enum sg_err err = SG_OK;

	for (unsigned i = 0; i < e->settings->streams && err == SG_OK; i++) {
		struct lane *l = &e->lane[i];

		err = online_open(args, &l->h, e->why, WHY_MAX);
		if (err == SG_OK)
			err = stream_create(l->h, e->settings->path,
					    e->settings->window, hooks, &l->s);
	}
	return err;
}

void lanes_close(struct engine *e)
{
	struct stream_end end;

	for (unsigned i = 0; i < e->settings->streams; i++) {
		struct lane *l = &e->lane[i];

		if (l->s != NULL && stream_active(l->s))
			stream_finish(l->s, e->multi, CURLE_OK, &end);
		stream_free(l->s);
		https_close(l->h);
	}
}
