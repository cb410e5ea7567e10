/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/hex.h"
#include "report.h"

enum { SECOND_US = 1000000 };

static int compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a;
	const uint32_t y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

struct pace pace_of(const struct bulk_result *b)
{
	uint64_t full = b->phase_us[BULK_MEASURING] / SECOND_US;
	static uint32_t sorted[BULK_SECONDS_MAX];
	struct pace p = {.seconds = 0};

	if (full > BULK_SECONDS_MAX)
		full = BULK_SECONDS_MAX;
	if (full == 0)
		return p;
	p.seconds = (size_t)full;
	for (size_t i = 1; i < p.seconds; i++)
		if (b->second[i] < b->second[p.least_at])
			p.least_at = i;
	p.least = b->second[p.least_at];
	memcpy(sorted, b->second, p.seconds * sizeof(sorted[0]));
	qsort(sorted, p.seconds, sizeof(sorted[0]), compare);
	p.median = sorted[p.seconds / 2];
	p.ratio = p.median > 0 ? (double)p.least / (double)p.median : 0;
	return p;
}

/* Seconds from the begin of measuring to US. */
static double since(const struct measure_report *r, uint64_t us)
{
	return ((double)us - (double)r->bulk.begun_us) / SECOND_US;
}

static void print_operations(const struct measure_report *r, FILE *to)
{
	const struct pace p = pace_of(&r->bulk);
	size_t n;
	const struct apply_one *one = apply_results(r->apply, &n);

	for (size_t i = 0; i < n; i++) {
		const double at = since(r, one[i].begun_us);
		const size_t second = at > 0 ? (size_t)at : 0;

		(void)fprintf(to, "  %s: ", one[i].file);
		if (!one[i].done) {
			(void)fprintf(to, "not done: %s\n", one[i].why);
			continue;
		}
		(void)fprintf(to, "at %.2f s, %.0f ms", at,
			      (double)(one[i].ended_us - one[i].begun_us) /
				      1e3);
		if (second < p.seconds && p.median > 0)
			(void)fprintf(to,
				      "; that second %" PRIu32
				      " answers, %.2f of the median",
				      r->bulk.second[second],
				      (double)r->bulk.second[second] /
					      (double)p.median);
		(void)fputc('\n', to);
	}
}

static void print_kids(const struct sample_result *s, FILE *to)
{
	for (size_t i = 0; i < s->nkids; i++) {
		char kid[HEX_TEXT(COSE_KID_BYTES)];

		(void)hex_encode(s->kid[i].kid, COSE_KID_BYTES, kid);
		(void)fprintf(to, "  kid %s: %" PRIu64 "\n", kid, s->kid[i].n);
	}
}

void pace_print(const struct measure_report *r, FILE *to)
{
	const struct pace p = pace_of(&r->bulk);

	if (p.seconds > 1)
		(void)fprintf(to,
			      "by seconds   median %" PRIu64 ", least %" PRIu64
			      " in second %zu of %zu: %.2f of the median\n",
			      p.median, p.least, p.least_at, p.seconds,
			      p.ratio);
	if (r->apply == NULL)
		return;
	(void)fputs("operations\n", to);
	print_operations(r, to);
	(void)fprintf(to,
		      "certificates %" PRIu64 " kept, %" PRIu64
		      " wrong, %" PRIu64 " repeated",
		      r->sample.kept, r->sample.wrong, r->sample.repeated);
	if (r->has_server)
		(void)fprintf(to, "; the server has issued %" PRIu64,
			      r->issued);
	(void)fputc('\n', to);
	print_kids(&r->sample, to);
}

static json_t *operations_json(const struct measure_report *r)
{
	json_t *list = json_array();
	size_t n;
	const struct apply_one *one = apply_results(r->apply, &n);

	for (size_t i = 0; i < n; i++) {
		json_t *j = json_object();

		json_object_set_new(j, "file", json_string(one[i].file));
		json_object_set_new(j, "done", json_boolean(one[i].done));
		if (one[i].begun_us > 0) {
			report_number(j, "at", since(r, one[i].begun_us));
			report_number(
				j, "ms",
				(double)(one[i].ended_us - one[i].begun_us) /
					1e3);
		}
		if (!one[i].done)
			json_object_set_new(j, "reason",
					    json_string(one[i].why));
		json_array_append_new(list, j);
	}
	return list;
}

static json_t *kids_json(const struct sample_result *s)
{
	json_t *j = json_object();

	for (size_t i = 0; i < s->nkids; i++) {
		char kid[HEX_TEXT(COSE_KID_BYTES)];

		(void)hex_encode(s->kid[i].kid, COSE_KID_BYTES, kid);
		report_count(j, kid, s->kid[i].n);
	}
	return j;
}

void pace_json(const struct measure_report *r, json_t *j)
{
	const struct pace p = pace_of(&r->bulk);
	json_t *list = json_array();
	json_t *seconds = json_object();

	for (size_t i = 0; i < p.seconds; i++)
		json_array_append_new(list, json_integer(r->bulk.second[i]));
	report_count(seconds, "median", p.median);
	report_count(seconds, "least", p.least);
	report_count(seconds, "least_at", p.least_at);
	report_number(seconds, "ratio", p.ratio);
	json_object_set_new(seconds, "answers", list);
	json_object_set_new(j, "by_seconds", seconds);
	report_count(j, "repeated", r->sample.repeated);
	json_object_set_new(j, "kids", kids_json(&r->sample));
	if (r->has_server)
		report_count(j, "issued", r->issued);
	if (r->apply != NULL)
		json_object_set_new(j, "operations", operations_json(r));
}
