/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"
#include "suite.h"

static const char *const STEP_NAMES[SUITE_STEPS] = {
	[SUITE_SINGLE] = "single requests",
	[SUITE_JSON] = "bulk JSON to HC1",
	[SUITE_CBOR] = "bulk CBOR to COSE",
	[SUITE_VALIDATE] = "validation only",
	[SUITE_REFUSE] = "refusal only",
};

static const char *const STEP_KEYS[SUITE_STEPS] = {
	[SUITE_SINGLE] = "single",  [SUITE_JSON] = "bulk_json",
	[SUITE_CBOR] = "bulk_cbor", [SUITE_VALIDATE] = "validation",
	[SUITE_REFUSE] = "refusal",
};

/* The roles that do the work. */
static const enum scrape_role WORKERS[] = {SCRAPE_FRONT, SCRAPE_CORE,
					   SCRAPE_HSM};
enum { NWORKERS = sizeof(WORKERS) / sizeof(WORKERS[0]) };

const char *suite_step_name(enum suite_step step)
{
	return STEP_NAMES[step];
}

bool suite_step_signs(enum suite_step step)
{
	return step == SUITE_SINGLE || step == SUITE_JSON || step == SUITE_CBOR;
}

double suite_raw(const struct suite_alg *a)
{
	return a->raw_before > a->raw_after ? a->raw_before : a->raw_after;
}

double suite_cpu_outside_hsm(const struct suite_row *r)
{
	double sum = 0;

	for (int role = 0; role < SCRAPE_ROLES; role++)
		if (role != SCRAPE_HSM)
			sum += r->cpu_us[role];
	return sum;
}

double suite_hours(const struct suite_row *r)
{
	return r->rate > 0 ? SUITE_RECORDS / r->rate / 3600 : 0;
}

double suite_cpu_hours(const struct suite_row *r)
{
	return (suite_cpu_outside_hsm(r) + r->cpu_us[SCRAPE_HSM]) *
	       SUITE_RECORDS / 1e6 / 3600;
}

static double ratio(const struct suite_alg *a, enum suite_step step)
{
	const double raw = suite_raw(a);

	return raw > 0 ? a->row[step].rate / raw : 0;
}

static void print_row(const struct suite_result *r, const struct suite_alg *a,
		      enum suite_step step, FILE *to)
{
	const struct suite_row *row = &a->row[step];

	(void)fprintf(to, "  %-18s %9.0f ", STEP_NAMES[step], row->rate);
	if (suite_step_signs(step))
		(void)fprintf(to, "%6.2f", ratio(a, step));
	else
		(void)fprintf(to, "%6s", "-");
	for (size_t i = 0; i < NWORKERS; i++)
		(void)fprintf(to, " %7.1f", row->cpu_us[WORKERS[i]]);
	(void)fprintf(to, " %8.1f %7.1f ", suite_cpu_outside_hsm(row),
		      row->client_us);
	for (size_t i = 0; i < NWORKERS; i++)
		(void)fprintf(to, " %5.0f",
			      report_mib(row->memory[WORKERS[i]]));
	(void)fprintf(to, " %8.1f %8.1f", suite_hours(row),
		      suite_cpu_hours(row));
	if (r->price > 0)
		(void)fprintf(to, " %8.2f", suite_cpu_hours(row) * r->price);
	(void)fprintf(to, "%s\n", row->good ? "" : "  (answers were wrong)");
	if (suite_step_signs(step))
		upkeep_print(&row->upkeep, "    ", to);
}

void suite_print_text(const struct suite_result *r, FILE *to)
{
	(void)fprintf(to,
		      "%u CPUs, %u s a step; the ratio is to the better rate "
		      "of the bare token\n",
		      r->cpus, r->seconds);
	for (size_t i = 0; i < r->n; i++) {
		const struct suite_alg *a = &r->alg[i];

		(void)fprintf(
			to,
			"\n%s: bare token %.0f/s before, %.0f/s after\n"
			"  %-18s %9s %6s %23s %8s %7s  %17s %17s%s\n"
			"  %-18s %9s %6s %7s %7s %7s %8s %7s  %5s %5s %5s "
			"%8s %8s%s\n",
			cose_alg_name(a->alg), a->raw_before, a->raw_after, "",
			"", "", "CPU us/record", "outside", "this",
			"memory, MiB", "100 M records", "", "", "records/s",
			"ratio", "front", "core", "hsm", "hsm", "client",
			"front", "core", "hsm", "hours", "CPU h",
			r->price > 0 ? "     cost" : "");
		for (int step = 0; step < SUITE_STEPS; step++)
			print_row(r, a, (enum suite_step)step, to);
		(void)fprintf(to, "  single requests: p50 %.2f  p99 %.2f ms\n",
			      (double)a->row[SUITE_SINGLE].p50_us / 1e3,
			      (double)a->row[SUITE_SINGLE].p99_us / 1e3);
	}
}

static json_t *row_json(const struct suite_result *r, const struct suite_alg *a,
			enum suite_step step)
{
	const struct suite_row *row = &a->row[step];
	json_t *j = json_object();
	json_t *cpu = json_object();
	json_t *memory = json_object();

	report_number(j, "rate", row->rate);
	if (suite_step_signs(step))
		report_number(j, "ratio", ratio(a, step));
	for (int role = 0; role < SCRAPE_ROLES; role++) {
		const char *name = scrape_role_name((enum scrape_role)role);

		report_number(cpu, name, row->cpu_us[role]);
		report_count(memory, name, row->memory[role]);
	}
	report_number(cpu, "outside_hsm", suite_cpu_outside_hsm(row));
	report_number(cpu, "client", row->client_us);
	json_object_set_new(j, "cpu_us_per_record", cpu);
	json_object_set_new(j, "ledger", upkeep_json(&row->upkeep));
	json_object_set_new(j, "memory", memory);
	report_number(j, "hours_for_100_million", suite_hours(row));
	report_number(j, "cpu_hours_for_100_million", suite_cpu_hours(row));
	if (r->price > 0)
		report_number(j, "cost_of_100_million",
			      suite_cpu_hours(row) * r->price);
	if (step == SUITE_SINGLE) {
		report_count(j, "p50_us", row->p50_us);
		report_count(j, "p99_us", row->p99_us);
	}
	json_object_set_new(j, "good", json_boolean(row->good));
	return j;
}

void suite_print_json(const struct suite_result *r, FILE *to)
{
	json_t *j = json_object();
	json_t *list = json_array();

	report_count(j, "cpus", r->cpus);
	report_count(j, "seconds", r->seconds);
	for (size_t i = 0; i < r->n; i++) {
		const struct suite_alg *a = &r->alg[i];
		json_t *one = json_object();

		json_object_set_new(one, "alg",
				    json_string(cose_alg_name(a->alg)));
		report_number(one, "raw_before", a->raw_before);
		report_number(one, "raw_after", a->raw_after);
		for (int step = 0; step < SUITE_STEPS; step++)
			json_object_set_new(
				one, STEP_KEYS[step],
				row_json(r, a, (enum suite_step)step));
		json_array_append_new(list, one);
	}
	json_object_set_new(j, "algorithms", list);
	report_put(j, to);
}
