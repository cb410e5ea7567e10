/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "demo.h"
#include "measure.h"
#include "plot.h"
#include "raw.h"
#include "tools/common/args.h"

enum { EXIT_GOOD = 0, EXIT_WRONG = 1, EXIT_TROUBLE = 2 };

enum {
	WHY_MAX = MEASURE_WHY_MAX,
	SINGLE_TEMPLATES = 240,
	SINGLE_IN_FLIGHT = 64,
	SINGLE_CONNECTIONS = 4,
	BULK_CONNECTIONS = 2,
	BULK_WINDOW = 1024,
	VERIFY_EVERY = 1000,
	WARMUP_S = 1,
	SAMPLE_US = 1500000 /* the server samples its counters once a second */
};

enum {
	OPT_HELP,
	OPT_SECONDS,
	OPT_RAW_SECONDS,
	OPT_JSON,
	OPT_PLOT,
	OPT_PRICE,
	OPT_SIGNERD,
	OPT_PROTOCOL,
	NOPTIONS
};

/* clang-format off */
static const struct arg_option OPTIONS[NOPTIONS] = {
	[OPT_HELP] = {"help", NULL, NULL, "show this help"},
	[OPT_SECONDS] = {"seconds", "N", NULL, "for each step (10)"},
	[OPT_RAW_SECONDS] = {"raw-seconds", "N", NULL, "for each try of the bare token (3)"},
	[OPT_JSON] = {"json", "FILE", NULL, "write the results to it as JSON; -: to standard output, without the table"},
	[OPT_PLOT] = {"plot", "FILE", NULL, "write the chart to it, SVG"},
	[OPT_PRICE] = {"price-per-cpu-hour", "X", NULL, "to tell what 100 million records cost"},
	[OPT_SIGNERD] = {"signerd", "FILE", NULL, "the server to start (the one beside this program)"},
	[OPT_PROTOCOL] = {"protocol", "h1|h2", NULL, "of the streams (h2)"},
};
/* clang-format on */

struct suite {
	struct suite_result result;
	unsigned raw_seconds;
	bool http2;
	const char *json, *plot;
	char signerd[DEMO_TEXT_MAX];
	size_t ndemos;
	struct demo demo[SUITE_DEMOS_MAX];
	char why[WHY_MAX];
};

static int trouble(const char *why)
{
	(void)fprintf(stderr, "signer-bench suite: %s\n", why);
	return EXIT_TROUBLE;
}

static void told(const struct demo *d, const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", cose_alg_name(d->alg), what);
}

/* --- the steps --- */

static enum sg_err run_raw(struct suite *x, const struct demo *d, double *rate)
{
	const struct bench_raw_options o = {
		.module = d->module,
		.pin_file = d->pin_file,
		.uri = d->uri,
		.alg = d->alg,
		.seconds = (double)x->raw_seconds,
	};
	enum sg_err err;

	told(d, "bare token");
	err = bench_raw_measure(&o, rate);
	if (err != SG_OK)
		(void)snprintf(x->why, WHY_MAX, "bare token: %s",
			       err_text(err));
	return err;
}

static bool load_good(const struct load_result *l)
{
	return l->answers > 0 && l->answers == l->by_status[200] &&
	       l->broken == 0 && l->unanswered == 0;
}

static void fill_single(const struct load_result *l,
			const struct scrape *before, const struct scrape *after,
			struct suite_row *row)
{
	const double n = l->answers_all > 0 ? (double)l->answers_all : 1;

	row->rate = (double)l->by_status[200] * 1e6 / (double)l->wall_us;
	for (int role = 0; role < SCRAPE_ROLES; role++) {
		row->cpu_us[role] =
			(double)(after->cpu_us[role] - before->cpu_us[role]) /
			n;
		row->memory[role] = after->resident_bytes[role];
	}
	row->client_us = (double)l->cpu_us / n;
	row->p50_us = latency_at(&l->latency, 500);
	row->p99_us = latency_at(&l->latency, 990);
	row->good = load_good(l);
}

static enum sg_err load_single(struct suite *x, const struct demo *d,
			       const struct records *records,
			       const struct target *target,
			       struct suite_row *row)
{
	/* A latency table is too big for the stack. */
	static struct load_result result;
	struct load_settings s = {
		.target = target,
		.protocol = LOAD_H2,
		.connections = SINGLE_CONNECTIONS,
		.concurrency = SINGLE_IN_FLIGHT,
		.warmup_us = WARMUP_S * 1000000ULL,
		.duration_us = (uint64_t)x->result.seconds * 1000000,
		.accept = "application/json",
		.records = records,
	};
	struct scrape before;
	struct scrape after;
	enum sg_err err = scrape_fetch(d->metrics, &before, x->why, WHY_MAX);

	if (getrandom(&s.run, sizeof(s.run), 0) != (ssize_t)sizeof(s.run))
		s.run = (uint64_t)clock_wall_ms();
	if (err == SG_OK)
		err = load_run(&s, &result, x->why, WHY_MAX);
	if (err != SG_OK)
		return err;
	(void)usleep(SAMPLE_US);
	err = scrape_fetch(d->metrics, &after, x->why, WHY_MAX);
	if (err == SG_OK)
		fill_single(&result, &before, &after, row);
	return err;
}

static enum sg_err run_single(struct suite *x, const struct demo *d,
			      struct suite_row *row)
{
	const struct https_settings client = demo_client(d);
	const struct records_settings wanted = {
		.seed = 1,
		.now = clock_wall_s(),
		.kinds = "vtr",
		.n = SINGLE_TEMPLATES,
	};
	struct records records;
	struct target target;
	enum sg_err err = records_make(&wanted, &records);

	if (err != SG_OK)
		return err;
	err = target_open(&target, &client, "h2", x->why, WHY_MAX);
	if (err == SG_OK) {
		err = load_single(x, d, &records, &target, row);
		target_close(&target);
	}
	records_free(&records);
	return err;
}

static void fill_bulk(const struct measure_report *r, struct suite_row *row)
{
	row->rate = measure_rate(r);
	for (int role = 0; role < SCRAPE_ROLES; role++) {
		row->cpu_us[role] = measure_cpu(r, r->cpu_us[role]);
		row->memory[role] = r->memory[role].most;
	}
	row->client_us = measure_cpu(r, r->bulk.cpu_us);
	row->upkeep = r->upkeep;
	row->good = measure_good(r);
}

static enum sg_err run_bulk(struct suite *x, const struct demo *d,
			    enum suite_step step, struct suite_row *row)
{
	static struct measure_report report;
	const struct measure_options o = {
		.server = demo_client(d),
		.metrics = d->metrics,
		.http2 = x->http2,
		.validate = step == SUITE_VALIDATE,
		.form = step == SUITE_CBOR ? RECORDS_CBOR : RECORDS_JSON,
		.connections = BULK_CONNECTIONS,
		.window = BULK_WINDOW,
		.seconds = x->result.seconds,
		.warmup = WARMUP_S,
		.flawed = step == SUITE_REFUSE ? 1000000 : 0,
		.kinds = "vtr",
		.seed = 1,
		.verify = VERIFY_EVERY,
	};
	const enum sg_err err = measure_run(&o, &report, x->why);

	if (err == SG_OK)
		fill_bulk(&report, row);
	measure_release(&report);
	return err;
}

static enum sg_err run_steps(struct suite *x, const struct demo *d,
			     struct suite_alg *a)
{
	enum sg_err err = run_raw(x, d, &a->raw_before);

	for (int step = 0; step < SUITE_STEPS && err == SG_OK; step++) {
		const enum suite_step one = (enum suite_step)step;

		told(d, suite_step_name(one));
		err = one == SUITE_SINGLE ? run_single(x, d, &a->row[one])
					  : run_bulk(x, d, one, &a->row[one]);
		if (err != SG_OK && x->why[0] == '\0')
			(void)snprintf(x->why, WHY_MAX, "%s", err_text(err));
	}
	return err == SG_OK ? run_raw(x, d, &a->raw_after) : err;
}

/* One demo after the other, so that no server disturbs another. */
static enum sg_err run_all(struct suite *x)
{
	enum sg_err err = SG_OK;

	for (size_t i = 0; i < x->ndemos && err == SG_OK; i++) {
		struct demo *d = &x->demo[i];
		struct suite_alg *a = &x->result.alg[i];

		a->alg = d->alg;
		err = demo_environment(d);
		if (err == SG_OK)
			err = demo_start(d, x->signerd, x->why, WHY_MAX);
		if (err == SG_OK)
			err = run_steps(x, d, a);
		demo_stop(d);
		x->result.n += err == SG_OK;
	}
	return err;
}

/* --- the command --- */

/* Begun before the measurement: a name that cannot be written to is told at
 * once. */
static bool open_output(const char *path, FILE **out)
{
	*out = NULL;
	if (path == NULL)
		return true;
	*out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	return *out != NULL;
}

static bool close_output(FILE *f)
{
	const bool bad = f != NULL && ferror(f) != 0;

	return f == NULL || (f == stdout ? fflush(f) : fclose(f)) == 0 ? !bad
								       : false;
}

static int judge(const struct suite_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		for (int step = 0; step < SUITE_STEPS; step++)
			if (!r->alg[i].row[step].good)
				return EXIT_WRONG;
	return EXIT_GOOD;
}

static int run(struct suite *x)
{
	FILE *json;
	FILE *plot;
	bool written;

	if (!open_output(x->json, &json) || !open_output(x->plot, &plot))
		return trouble("--json, --plot: cannot write there");
	if (run_all(x) != SG_OK)
		return trouble(x->why);
	if (json != stdout && plot != stdout)
		suite_print_text(&x->result, stdout);
	if (json != NULL)
		suite_print_json(&x->result, json);
	if (plot != NULL)
		plot_write(&x->result, plot);
	written = close_output(json);
	written = close_output(plot) && written;
	return written ? judge(&x->result) : trouble("cannot write");
}

/* The signerd in the directory of this very program. */
static bool find_signerd(const char *given, char out[DEMO_TEXT_MAX])
{
	ssize_t n;
	char *slash;

	if (given != NULL)
		return snprintf(out, DEMO_TEXT_MAX, "%s", given) <
		       DEMO_TEXT_MAX;
	n = readlink("/proc/self/exe", out, DEMO_TEXT_MAX - 1);
	if (n <= 0)
		return false;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL ||
	    (size_t)(slash - out) + sizeof("/signerd") > DEMO_TEXT_MAX)
		return false;
	memcpy(slash, "/signerd", sizeof("/signerd"));
	return true;
}

static bool read_price(const char *text, double *out)
{
	char *end;

	if (text == NULL)
		return true;
	*out = strtod(text, &end);
	return end != text && *end == '\0' && *out > 0 && *out < 1e9;
}

static bool read_seconds(const char *text, unsigned otherwise, unsigned *out)
{
	uint64_t value = otherwise;

	if (text != NULL && !args_number(text, 1, 3600, &value))
		return false;
	*out = (unsigned)value;
	return true;
}

/* A reason, or NULL. */
static const char *read_options(const struct args *args, struct suite *x)
{
	const char *const *v = args->value;
	const char *protocol = v[OPT_PROTOCOL];
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	x->result.cpus = cpus > 0 ? (unsigned)cpus : 1;
	x->json = v[OPT_JSON];
	x->plot = v[OPT_PLOT];
	x->http2 = protocol == NULL || strcmp(protocol, "h2") == 0;
	if (!x->http2 && strcmp(protocol, "h1") != 0)
		return "--protocol: h1 or h2";
	if (!read_seconds(v[OPT_SECONDS], 10, &x->result.seconds) ||
	    !read_seconds(v[OPT_RAW_SECONDS], 3, &x->raw_seconds))
		return "--seconds, --raw-seconds: from 1 to 3600";
	if (!read_price(v[OPT_PRICE], &x->result.price))
		return "--price-per-cpu-hour: a number above 0";
	if (!find_signerd(v[OPT_SIGNERD], x->signerd))
		return "--signerd: say where it is";
	if (args->n == 0 || args->n > SUITE_DEMOS_MAX)
		return "give one directory for each algorithm, up to 8, as "
		       "made by tools/quickstart --prepare";
	for (x->ndemos = 0; x->ndemos < args->n; x->ndemos++)
		if (demo_read(args->rest[x->ndemos], &x->demo[x->ndemos],
			      x->why, WHY_MAX) != SG_OK)
			return x->why;
	return NULL;
}

int suite_main(int argc, char *argv[])
{
	static struct suite suite;
	struct args args;
	const char *why;
	int status;

	if (args_parse(OPTIONS, NOPTIONS, argc, argv, &args) != SG_OK)
		return trouble(args.why);
	if (args.value[OPT_HELP] != NULL) {
		puts("usage: signer-bench [suite] [OPTIONS] DIR...\n\n"
		     "Measure everything side by side on the demos in DIR..., "
		     "one for each algorithm,\nwhose servers are started "
		     "unless "
		     "they run.\n\noptions:");
		args_help(stdout, OPTIONS, NOPTIONS);
		return EXIT_GOOD;
	}
	why = read_options(&args, &suite);
	if (why != NULL)
		return trouble(why);
	(void)signal(SIGPIPE, SIG_IGN);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return trouble("cannot initialise libcurl");
	status = run(&suite);
	curl_global_cleanup();
	return status;
}
