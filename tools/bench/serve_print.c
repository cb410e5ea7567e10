/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "report.h"
#include "serve.h"

static double rate(const struct serve_report *r)
{
	const struct load_result *l = &r->load;

	return l->wall_us == 0
		       ? 0
		       : (double)l->by_status[200] * 1e6 / (double)l->wall_us;
}

/* Microseconds of CPU a request, warm-up included. */
static double per_request(const struct serve_report *r, uint64_t us)
{
	return r->load.answers_all == 0
		       ? 0
		       : (double)us / (double)r->load.answers_all;
}

static uint64_t cpu_outside_hsm(const struct serve_report *r)
{
	uint64_t sum = 0;

	for (int role = 0; role < SCRAPE_ROLES; role++)
		if (role != SCRAPE_HSM)
			sum += r->cpu_us[role];
	return sum;
}

/* The better of the two is the limit: a token that was slow once can do more.
 */
static double raw_rate(const struct serve_report *r)
{
	return r->raw_before > r->raw_after ? r->raw_before : r->raw_after;
}

static double ratio(const struct serve_report *r)
{
	const double raw = raw_rate(r);

	return raw > 0 ? rate(r) / raw : 0;
}

static void print_cpu(const struct serve_report *r)
{
	printf("cpu/request");
	for (int role = 0; role < SCRAPE_ROLES && r->has_cpu; role++)
		printf("  %s %.1f us", scrape_role_name((enum scrape_role)role),
		       per_request(r, r->cpu_us[role]));
	if (r->has_cpu)
		printf("  (outside hsm %.1f us)",
		       per_request(r, cpu_outside_hsm(r)));
	printf("  this client %.1f us\n", per_request(r, r->load.cpu_us));
}

static void print_text(const struct serve_report *r)
{
	const struct load_result *l = &r->load;

	printf("serve        %s, %u in flight on %u connections, %.1f s\n",
	       r->http2 ? "HTTP/2" : "HTTP/1.1", r->concurrency, r->connections,
	       (double)l->wall_us / 1e6);
	printf("rate         %.0f certificates/s\n", rate(r));
	printf("latency      p50 %.2f  p95 %.2f  p99 %.2f  max %.2f ms\n",
	       (double)latency_at(&l->latency, 500) / 1e3,
	       (double)latency_at(&l->latency, 950) / 1e3,
	       (double)latency_at(&l->latency, 990) / 1e3,
	       (double)l->latency.max_us / 1e3);
	printf("answers     ");
	for (int status = 0; status < LOAD_STATUS_MAX; status++)
		if (l->by_status[status] > 0)
			printf("  %d: %" PRIu64, status, l->by_status[status]);
	printf("  broken: %" PRIu64 "  unanswered: %" PRIu64 "\n", l->broken,
	       l->unanswered);
	if (l->reconnects > 0)
		printf("reconnects   %" PRIu64 "\n", l->reconnects);
	print_cpu(r);
	if (l->sampled > 0)
		printf("verified     %" PRIu64 " of %" PRIu64 " sampled%s%s\n",
		       l->sampled - l->sampled_wrong, l->sampled,
		       r->sample_fault[0] != '\0' ? "; " : "", r->sample_fault);
	if (r->has_raw)
		printf("bare token   %.0f/s before, %.0f/s after; ratio to the "
		       "better %.2f\n",
		       r->raw_before, r->raw_after, ratio(r));
}

static json_t *cpu_json(const struct serve_report *r)
{
	json_t *j = json_object();

	for (int role = 0; role < SCRAPE_ROLES && r->has_cpu; role++)
		report_number(j, scrape_role_name((enum scrape_role)role),
			      per_request(r, r->cpu_us[role]));
	if (r->has_cpu)
		report_number(j, "outside_hsm",
			      per_request(r, cpu_outside_hsm(r)));
	report_number(j, "client", per_request(r, r->load.cpu_us));
	return j;
}

static void print_json(const struct serve_report *r)
{
	const struct load_result *l = &r->load;
	json_t *j = json_object();

	json_object_set_new(j, "protocol", json_string(r->http2 ? "h2" : "h1"));
	report_count(j, "concurrency", r->concurrency);
	report_count(j, "connections", r->connections);
	report_number(j, "seconds", (double)l->wall_us / 1e6);
	report_number(j, "rate", rate(r));
	report_count(j, "p50_us", latency_at(&l->latency, 500));
	report_count(j, "p95_us", latency_at(&l->latency, 950));
	report_count(j, "p99_us", latency_at(&l->latency, 990));
	report_count(j, "max_us", l->latency.max_us);
	json_object_set_new(j, "status", report_statuses(l->by_status));
	report_count(j, "broken", l->broken);
	report_count(j, "unanswered", l->unanswered);
	report_count(j, "reconnects", l->reconnects);
	json_object_set_new(j, "cpu_us_per_request", cpu_json(r));
	report_count(j, "verified", l->sampled - l->sampled_wrong);
	report_count(j, "verify_failed", l->sampled_wrong);
	if (r->has_raw) {
		report_number(j, "raw_before", r->raw_before);
		report_number(j, "raw_after", r->raw_after);
		report_number(j, "ratio", ratio(r));
	}
	report_put(j, stdout);
}

void serve_print(const struct serve_report *r, bool json)
{
	if (json)
		print_json(r);
	else
		print_text(r);
}

void serve_print_idle(const struct idle_result *r, unsigned asked, bool json)
{
	const double grown =
		(double)r->resident_after - (double)r->resident_before;
	const double each =
		r->connections > 0 ? grown / (double)r->connections / 1024 : 0;
	json_t *j;

	if (!json) {
		printf("idle         %" PRIu64 " of %u connections, opened in "
		       "%.1f s (%.0f/s)\n",
		       r->connections, asked, r->seconds,
		       r->seconds > 0 ? r->opened / r->seconds : 0);
		printf("memory       front %.1f MiB before, %.1f MiB after: "
		       "%.1f KiB a connection\n",
		       (double)r->resident_before / 1048576,
		       (double)r->resident_after / 1048576, each);
		return;
	}
	j = json_object();
	report_count(j, "connections", r->connections);
	report_count(j, "asked", asked);
	report_number(j, "seconds", r->seconds);
	report_count(j, "front_resident_before", r->resident_before);
	report_count(j, "front_resident_after", r->resident_after);
	report_number(j, "kib_per_connection", each);
	report_put(j, stdout);
}
