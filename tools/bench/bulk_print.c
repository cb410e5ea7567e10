/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "bulk_main.h"
#include "pace.h"
#include "report.h"

/* Names of the parts of a run with a reader that stops. */
static const char *const PARTS[] = {"before", "during", "after"};
enum { NPARTS = 3 };

static enum bulk_phase phase_of(size_t part)
{
	return (enum bulk_phase)(BULK_MEASURING + (int)part);
}

/* Answers a second of the others, in a part of the run. */
static double part_rate(const struct bulk_result *b, size_t part)
{
	const uint64_t us = b->phase_us[phase_of(part)];

	return us > 0 ? (double)b->phase_answers[phase_of(part)] * 1e6 /
				(double)us
		      : 0;
}

static void print_what(const struct measure_options *o)
{
	printf("bulk         %s to /v1/%s, %s, %u connection%s of %u in "
	       "flight\n",
	       o->form == RECORDS_JSON ? "NDJSON" : "CBOR sequence",
	       o->validate ? "validations" : "certificates",
	       o->http2 ? "HTTP/2" : "HTTP/1.1", o->connections,
	       o->connections == 1 ? "" : "s", o->window);
	if (o->flawed > 0)
		printf("faults       %.4g %% of the records\n",
		       (double)o->flawed / 1e4);
}

static void print_answers(const struct measure_report *r)
{
	const struct bulk_result *b = &r->bulk;

	printf("rate         %.0f records/s over %.1f s\n", measure_rate(r),
	       (double)b->wall_us / 1e6);
	printf("answers     ");
	for (int status = 0; status < LOAD_STATUS_MAX; status++)
		if (b->by_status[status] > 0)
			printf("  %d: %" PRIu64, status, b->by_status[status]);
	printf("\nin all       %" PRIu64 " sent, %" PRIu64 " answered, %" PRIu64
	       " missing, %" PRIu64
	       " not as the record deserves; %u streams broken\n",
	       b->sent_all, b->answers_all, b->missing, b->unexpected,
	       b->broken);
	if (b->reason[0] != '\0')
		printf("broken by    %s\n", b->reason);
	if (b->surprise[0] != '\0')
		printf("undeserved   %s\n", b->surprise);
	if (b->sampled > 0)
		printf("verified     %" PRIu64 " of %" PRIu64 " sampled%s%s\n",
		       b->sampled - b->sampled_wrong, b->sampled,
		       r->sample.fault[0] != '\0' ? "; " : "", r->sample.fault);
}

static void print_server(const struct measure_options *o,
			 const struct measure_report *r)
{
	printf("cpu/record  ");
	for (int role = 0; role < SCRAPE_ROLES && r->has_server; role++)
		printf(" %s %.1f us ", scrape_role_name((enum scrape_role)role),
		       measure_cpu(r, r->cpu_us[role]));
	if (r->has_server)
		printf(" (outside hsm %.1f us) ",
		       measure_cpu(r, measure_cpu_outside_hsm(r)));
	printf(" this client %.1f us\n", measure_cpu(r, r->bulk.cpu_us));
	upkeep_print(&r->upkeep, "  ", stdout);
	for (int role = 0; role < SCRAPE_ROLES && r->has_server; role++) {
		const struct monitor_range *all = &r->memory[role];
		const struct monitor_range *later = &r->settled[role];

		if (all->n == 0)
			continue;
		printf("memory       %-10s %.1f to %.1f MiB",
		       scrape_role_name((enum scrape_role)role),
		       report_mib(all->least), report_mib(all->most));
		if (o->curve > 0 && later->n > 0)
			printf("; after %d records %.1f to %.1f MiB in %zu "
			       "samples: spread %.1f %%",
			       MEASURE_SETTLED, report_mib(later->least),
			       report_mib(later->most), later->n,
			       measure_spread(later));
		puts("");
	}
}

static void print_deaf(const struct measure_options *o,
		       const struct measure_report *r)
{
	const struct bulk_result *b = &r->bulk;

	printf("stopped      %u s; it had sent %" PRIu64
	       " records by then, %" PRIu64 " answers came%s\n",
	       o->deaf_s, b->deaf_sent, b->deaf_answers,
	       b->deaf_broken ? "; its stream was broken off" : "");
	for (size_t i = 0; i < NPARTS; i++) {
		printf("  %-10s others %.0f records/s;", PARTS[i],
		       part_rate(b, i));
		for (int role = 0; role < SCRAPE_ROLES; role++)
			printf(" %s %.1f MiB",
			       scrape_role_name((enum scrape_role)role),
			       report_mib(r->by_phase[phase_of(i)][role].most));
		puts("");
	}
}

static void print_probe(const struct measure_options *o,
			const struct measure_report *r)
{
	const struct load_result *p = &r->probe;

	printf("single       %u a second beside it: p50 %.2f  p95 %.2f  p99 "
	       "%.2f  max %.2f ms; %" PRIu64 " of %" PRIu64 " issued\n",
	       o->probe, (double)latency_at(&p->latency, 500) / 1e3,
	       (double)latency_at(&p->latency, 950) / 1e3,
	       (double)latency_at(&p->latency, 990) / 1e3,
	       (double)p->latency.max_us / 1e3, p->by_status[200], p->answers);
}

static json_t *range_json(const struct monitor_range *m)
{
	json_t *j = json_object();

	report_count(j, "samples", m->n);
	report_count(j, "least", m->least);
	report_count(j, "most", m->most);
	report_count(j, "last", m->last);
	report_number(j, "spread_percent", measure_spread(m));
	return j;
}

static json_t *ranges_json(const struct monitor_range range[SCRAPE_ROLES])
{
	json_t *j = json_object();

	for (int role = 0; role < SCRAPE_ROLES; role++)
		if (range[role].n > 0)
			json_object_set_new(
				j, scrape_role_name((enum scrape_role)role),
				range_json(&range[role]));
	return j;
}

static json_t *cpu_json(const struct measure_report *r)
{
	json_t *j = json_object();

	for (int role = 0; role < SCRAPE_ROLES && r->has_server; role++)
		report_number(j, scrape_role_name((enum scrape_role)role),
			      measure_cpu(r, r->cpu_us[role]));
	if (r->has_server)
		report_number(j, "outside_hsm",
			      measure_cpu(r, measure_cpu_outside_hsm(r)));
	report_number(j, "client", measure_cpu(r, r->bulk.cpu_us));
	return j;
}

static json_t *deaf_json(const struct measure_report *r)
{
	json_t *j = json_object();

	report_count(j, "sent", r->bulk.deaf_sent);
	report_count(j, "answers", r->bulk.deaf_answers);
	json_object_set_new(j, "broken", json_boolean(r->bulk.deaf_broken));
	for (size_t i = 0; i < NPARTS; i++) {
		json_t *part = json_object();

		report_number(part, "others_rate", part_rate(&r->bulk, i));
		json_object_set_new(part, "memory",
				    ranges_json(r->by_phase[phase_of(i)]));
		json_object_set_new(j, PARTS[i], part);
	}
	return j;
}

static json_t *probe_json(const struct load_result *p)
{
	json_t *j = json_object();

	report_count(j, "requests", p->answers + p->broken);
	report_count(j, "p50_us", latency_at(&p->latency, 500));
	report_count(j, "p95_us", latency_at(&p->latency, 950));
	report_count(j, "p99_us", latency_at(&p->latency, 990));
	report_count(j, "max_us", p->latency.max_us);
	json_object_set_new(j, "status", report_statuses(p->by_status));
	return j;
}

static json_t *curve_json(const struct monitor *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < monitor_count(m); i++) {
		const struct monitor_sample *s = monitor_at(m, i);
		json_t *j = json_object();

		report_count(j, "records", s->records);
		for (int role = 0; role < SCRAPE_ROLES; role++)
			report_count(j,
				     scrape_role_name((enum scrape_role)role),
				     s->resident[role]);
		json_array_append_new(list, j);
	}
	return list;
}

static void print_json(const struct measure_options *o,
		       const struct measure_report *r)
{
	const struct bulk_result *b = &r->bulk;
	json_t *j = json_object();

	json_object_set_new(
		j, "form",
		json_string(o->form == RECORDS_JSON ? "json" : "cbor"));
	json_object_set_new(
		j, "path",
		json_string(o->validate ? "validations" : "certificates"));
	json_object_set_new(j, "protocol", json_string(o->http2 ? "h2" : "h1"));
	report_count(j, "connections", o->connections);
	report_count(j, "window", o->window);
	report_number(j, "share_of_faults", (double)o->flawed / 1e6);
	report_number(j, "seconds", (double)b->wall_us / 1e6);
	report_number(j, "rate", measure_rate(r));
	json_object_set_new(j, "status", report_statuses(b->by_status));
	report_count(j, "sent", b->sent_all);
	report_count(j, "answered", b->answers_all);
	report_count(j, "missing", b->missing);
	report_count(j, "unexpected", b->unexpected);
	report_count(j, "broken", b->broken);
	if (b->reason[0] != '\0')
		json_object_set_new(j, "reason", json_string(b->reason));
	report_count(j, "verified", b->sampled - b->sampled_wrong);
	report_count(j, "verify_failed", b->sampled_wrong);
	pace_json(r, j);
	json_object_set_new(j, "cpu_us_per_record", cpu_json(r));
	json_object_set_new(j, "ledger", upkeep_json(&r->upkeep));
	json_object_set_new(j, "memory", ranges_json(r->memory));
	if (o->limit > 0)
		report_number(j, "ratio", measure_rate(r) / (double)o->limit);
	if (o->curve > 0) {
		json_object_set_new(j, "memory_settled",
				    ranges_json(r->settled));
		json_object_set_new(j, "memory_curve", curve_json(r->samples));
	}
	if (o->deaf_s > 0)
		json_object_set_new(j, "stop_reading", deaf_json(r));
	if (r->has_probe)
		json_object_set_new(j, "single", probe_json(&r->probe));
	report_put(j, stdout);
}

void bulk_print(const struct measure_options *o, const struct measure_report *r,
		bool json)
{
	if (json) {
		print_json(o, r);
		return;
	}
	print_what(o);
	print_answers(r);
	if (o->limit > 0)
		printf("ratio        %.3f of %" PRIu64 "/s\n",
		       measure_rate(r) / (double)o->limit, o->limit);
	pace_print(r, stdout);
	print_server(o, r);
	if (o->deaf_s > 0)
		print_deaf(o, r);
	if (r->has_probe)
		print_probe(o, r);
}
