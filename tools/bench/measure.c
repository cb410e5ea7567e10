/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe.h"
#include "share.h"

enum {
	TEMPLATES = 240,     /* records that are told apart by more than a UVCI;
				whole rounds of the mix of kinds */
	SAMPLE_US = 1500000, /* the server samples its CPU once a second */
	PROBE_IN_FLIGHT = 64
};

/* All that lives as long as a run. */
struct run {
	const struct measure_options *o;
	struct measure_report *r;
	char *why;
	struct target target;
	struct records records;	      /* of the streams */
	struct records probe_records; /* good ones, in JSON */
	struct sampler *sampler;      /* what it keeps is verified at the end */
	struct probe *probe;
	uint64_t number; /* of UVCIs */
};

static enum sg_err make_records(struct run *x, bool streams,
				struct records *out)
{
	const struct measure_options *o = x->o;
	const struct records_settings s = {
		.seed = o->seed,
		.now = clock_wall_s(),
		.kinds = o->kinds,
		.n = TEMPLATES,
		.flawed = streams ? share_of(o->flawed, TEMPLATES) : 0,
		.plain = true,
		.form = streams ? o->form : RECORDS_JSON,
	};
	const enum sg_err err = records_make(&s, out);

	if (err != SG_OK)
		(void)snprintf(x->why, MEASURE_WHY_MAX,
			       "--kinds: letters of \"vtr\"");
	return err;
}

static enum sg_err prepare(struct run *x)
{
	const struct measure_options *o = x->o;
	enum sg_err err = target_open(&x->target, &o->server,
				      o->http2 ? "h2" : "http/1.1", x->why,
				      MEASURE_WHY_MAX);

	if (err == SG_OK)
		err = make_records(x, true, &x->records);
	if (err == SG_OK && o->probe > 0)
		err = make_records(x, false, &x->probe_records);
	if (err == SG_OK && o->verify > 0 && !o->validate)
		err = sampler_create(&o->server,
				     o->form == RECORDS_CBOR ? SAMPLE_CBOR
							     : SAMPLE_JSON,
				     &x->sampler, x->why, MEASURE_WHY_MAX);
	if (err == SG_OK && o->nfiles > 0) {
		const struct apply_settings s = {.socket = o->socket,
						 .file = o->file,
						 .n = o->nfiles,
						 .every_us = o->every * 1000000,
						 .progress = &x->r->progress};

		err = apply_open(&s, &x->r->apply, x->why, MEASURE_WHY_MAX);
	}
	if (getrandom(&x->number, sizeof(x->number), 0) !=
	    (ssize_t)sizeof(x->number))
		x->number = (uint64_t)clock_wall_ms();
	return err;
}

static enum sg_err start_watchers(struct run *x)
{
	const struct measure_options *o = x->o;
	const struct monitor_settings watched = {
		.metrics = o->metrics,
		.every = o->curve,
		.tell = o->tell,
		.progress = &x->r->progress,
	};
	const struct load_settings single = {
		.target = &x->target,
		.protocol = o->http2 ? LOAD_H2 : LOAD_H1,
		.connections = o->http2 ? 1 : PROBE_IN_FLIGHT,
		.concurrency = PROBE_IN_FLIGHT,
		.warmup_us = o->warmup * 1000000,
		.pace_us = o->probe > 0 ? 1000000 / o->probe : 0,
		.accept = "application/json",
		.records = &x->probe_records,
		.run = x->number + 1,
	};
	enum sg_err err = monitor_start(&watched, &x->r->samples);

	if (err == SG_OK && o->probe > 0)
		err = probe_start(&single, &x->probe);
	if (err == SG_OK && x->r->apply != NULL)
		err = apply_start(x->r->apply);
	if (err != SG_OK)
		(void)snprintf(x->why, MEASURE_WHY_MAX, "%s", err_text(err));
	return err;
}

static enum sg_err stream(struct run *x)
{
	const struct measure_options *o = x->o;
	const struct bulk_settings s = {
		.target = &x->target,
		.http2 = o->http2,
		.form = o->form,
		.validate = o->validate,
		.connections = o->connections,
		.window = o->window,
		.nrecords = o->records,
		.warmup_us = o->warmup * 1000000,
		.duration_us = o->seconds * 1000000,
		.deaf_us = (uint64_t)o->deaf_s * 1000000,
		.records = &x->records,
		.run = x->number,
		.sample_every = x->sampler != NULL ? o->verify : 0,
		.sample = sampler_keep,
		.sample_ctx = x->sampler,
		.progress = &x->r->progress,
	};
	const enum sg_err err = bulk_run(&s, &x->r->bulk);

	if (err != SG_OK)
		(void)snprintf(x->why, MEASURE_WHY_MAX, "%s",
			       x->r->bulk.reason[0] != '\0' ? x->r->bulk.reason
							    : err_text(err));
	return err;
}

static enum sg_err verify(struct run *x)
{
	struct measure_report *r = x->r;
	enum sg_err err;

	if (x->sampler == NULL)
		return SG_OK;
	err = sampler_verify(x->sampler, &r->sample, x->why, MEASURE_WHY_MAX);
	r->bulk.sampled_wrong += r->sample.wrong;
	return err;
}

static enum sg_err stop_watchers(struct run *x)
{
	struct measure_report *r = x->r;
	const struct load_result *single;
	enum sg_err err = SG_OK;

	monitor_stop(r->samples);
	if (r->apply != NULL)
		apply_stop(r->apply);
	for (int role = 0; role < SCRAPE_ROLES; role++) {
		const enum scrape_role one = (enum scrape_role)role;

		r->memory[role] =
			monitor_range(r->samples, one, 0, BULK_PHASES);
		r->settled[role] = monitor_range(r->samples, one,
						 MEASURE_SETTLED, BULK_PHASES);
		for (int phase = 0; phase < BULK_PHASES; phase++)
			r->by_phase[phase][role] = monitor_range(
				r->samples, one, 0, (enum bulk_phase)phase);
	}
	if (x->probe == NULL)
		return SG_OK;
	err = probe_stop(x->probe, &single, x->why, MEASURE_WHY_MAX);
	r->has_probe = err == SG_OK;
	r->probe = *single;
	return err;
}

static uint64_t answers_all(const struct measure_report *r)
{
	return r->bulk.answers_all + r->probe.answers_all;
}

static enum sg_err run(struct run *x)
{
	const char *metrics = x->o->metrics;
	struct scrape before = {0};
	struct scrape after;
	enum sg_err err = SG_OK;

	if (metrics != NULL)
		err = scrape_fetch(metrics, &before, x->why, MEASURE_WHY_MAX);
	if (err == SG_OK)
		err = start_watchers(x);
	if (err == SG_OK)
		err = stream(x);
	if (err == SG_OK)
		err = stop_watchers(x);
	if (err != SG_OK || metrics == NULL)
		return err;
	(void)usleep(SAMPLE_US);
	err = scrape_fetch(metrics, &after, x->why, MEASURE_WHY_MAX);
	for (int role = 0; role < SCRAPE_ROLES && err == SG_OK; role++)
		x->r->cpu_us[role] = after.cpu_us[role] - before.cpu_us[role];
	x->r->has_server = err == SG_OK;
	x->r->issued = after.issued - before.issued;
	if (err == SG_OK)
		upkeep_of(&before, &after, answers_all(x->r),
			  after.issued - before.issued, &x->r->upkeep);
	return err;
}

enum sg_err measure_run(const struct measure_options *o,
			struct measure_report *r, char *why)
{
	struct run x = {.o = o, .r = r, .why = why};
	enum sg_err err;

	memset(r, 0, sizeof(*r)); /* too big for a copy */
	err = prepare(&x);
	if (err == SG_OK)
		err = run(&x);
	if (err == SG_OK)
		err = verify(&x);
	if (r->apply != NULL)
		apply_stop(r->apply);
	probe_free(x.probe);
	if (r->samples != NULL)
		monitor_stop(r->samples);
	sampler_free(x.sampler);
	records_free(&x.records);
	records_free(&x.probe_records);
	target_close(&x.target);
	return err;
}

void measure_release(struct measure_report *r)
{
	monitor_free(r->samples);
	r->samples = NULL;
	apply_free(r->apply);
	r->apply = NULL;
}

static bool all_applied(const struct measure_report *r)
{
	const struct apply_one *one;
	size_t n;

	if (r->apply == NULL)
		return true;
	one = apply_results(r->apply, &n);
	for (size_t i = 0; i < n; i++)
		if (!one[i].done)
			return false;
	return true;
}

bool measure_good(const struct measure_report *r)
{
	const struct bulk_result *b = &r->bulk;
	const struct load_result *p = &r->probe;

	return b->answers > 0 && b->unexpected == 0 && b->missing == 0 &&
	       b->broken == 0 && b->sampled_wrong == 0 &&
	       r->sample.repeated == 0 && all_applied(r) &&
	       p->answers == p->by_status[200] && p->broken == 0 &&
	       p->unanswered == 0;
}

double measure_rate(const struct measure_report *r)
{
	const struct bulk_result *b = &r->bulk;

	return b->wall_us > 0 ? (double)b->answers * 1e6 / (double)b->wall_us
			      : 0;
}

double measure_cpu(const struct measure_report *r, uint64_t us)
{
	const uint64_t n = answers_all(r);

	return n > 0 ? (double)us / (double)n : 0;
}

uint64_t measure_cpu_outside_hsm(const struct measure_report *r)
{
	uint64_t sum = 0;

	for (int role = 0; role < SCRAPE_ROLES; role++)
		if (role != SCRAPE_HSM)
			sum += r->cpu_us[role];
	return sum;
}

double measure_spread(const struct monitor_range *m)
{
	return m->n > 0 && m->least > 0
		       ? (double)(m->most - m->least) * 100 / (double)m->least
		       : 0;
}
