/* SPDX-License-Identifier: Apache-2.0 */
#include "upkeep.h"

static double of_one(uint64_t sum, uint64_t n)
{
	return n > 0 ? (double)sum / (double)n : 0;
}

void upkeep_of(const struct scrape *before, const struct scrape *after,
	       uint64_t records, uint64_t issued, struct upkeep *out)
{
	uint64_t us[SCRAPE_THREADS];
	uint64_t threads = 0;
	const uint64_t core =
		after->cpu_us[SCRAPE_CORE] - before->cpu_us[SCRAPE_CORE];

	*out = (struct upkeep){.known = after->ledger_bytes[0] > 0};
	if (!out->known)
		return;
	for (int i = 0; i < SCRAPE_THREADS; i++) {
		us[i] = after->thread_us[i] - before->thread_us[i];
		threads += us[i];
	}
	out->loop = of_one(us[SCRAPE_LOOP], records);
	out->loop_ledger =
		of_one(after->ledger_loop_us - before->ledger_loop_us, records);
	out->journal = of_one(us[SCRAPE_JOURNAL], records);
	out->scribe = of_one(us[SCRAPE_SCRIBE], records);
	/* The rest of the process; they are not sampled at one moment. */
	out->index = core > threads ? of_one(core - threads, records) : 0;
	out->journal_bytes =
		of_one(after->ledger_bytes[SCRAPE_JOURNAL_FILES] -
			       before->ledger_bytes[SCRAPE_JOURNAL_FILES],
		       issued);
	out->tile_bytes = of_one(after->ledger_bytes[SCRAPE_TILES] -
					 before->ledger_bytes[SCRAPE_TILES],
				 issued);
}

double upkeep_cpu(const struct upkeep *u)
{
	return u->loop_ledger + u->journal + u->scribe + u->index;
}

static double cpu_hours(const struct upkeep *u)
{
	return upkeep_cpu(u) * UPKEEP_MANY / 1e6 / 3600;
}

static double gigabytes(double bytes)
{
	return bytes * UPKEEP_MANY / 1e9;
}

void upkeep_print(const struct upkeep *u, const char *indent, FILE *to)
{
	if (!u->known)
		return;
	(void)fprintf(to,
		      "%score: loop %.1f us (%.1f of it for the ledger), "
		      "journal %.1f, scribe %.1f, index %.1f: the ledger "
		      "%.1f us a record\n",
		      indent, u->loop, u->loop_ledger, u->journal, u->scribe,
		      u->index, upkeep_cpu(u));
	(void)fprintf(to,
		      "%sledger: journal %.0f and tiles %.0f bytes a "
		      "certificate; 100 million: %.1f and %.1f GB, %.2f CPU "
		      "hours\n",
		      indent, u->journal_bytes, u->tile_bytes,
		      gigabytes(u->journal_bytes), gigabytes(u->tile_bytes),
		      cpu_hours(u));
}

json_t *upkeep_json(const struct upkeep *u)
{
	json_t *j;

	if (!u->known)
		return json_null();
	j = json_object();
	report_number(j, "loop_us", u->loop);
	report_number(j, "loop_ledger_us", u->loop_ledger);
	report_number(j, "journal_us", u->journal);
	report_number(j, "scribe_us", u->scribe);
	report_number(j, "index_us", u->index);
	report_number(j, "cpu_us_per_record", upkeep_cpu(u));
	report_number(j, "journal_bytes", u->journal_bytes);
	report_number(j, "tile_bytes", u->tile_bytes);
	report_number(j, "disk_for_100_million",
		      (u->journal_bytes + u->tile_bytes) * UPKEEP_MANY);
	report_number(j, "cpu_hours_for_100_million", cpu_hours(u));
	return j;
}
