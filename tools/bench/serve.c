/* SPDX-License-Identifier: Apache-2.0 */
#include "serve.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "raw.h"
#include "sample.h"
#include "tools/common/args.h"

enum {
	WHY_MAX = 512,
	TEMPLATES = 256, /* records that are told apart by more than a UVCI */
	SAMPLE_US = 1500000, /* the server samples its CPU once a second */
	EXIT_GOOD = 0,
	EXIT_WRONG = 1,
	EXIT_TROUBLE = 2
};

enum {
	OPT_HELP,
	OPT_JSON,
	OPT_SERVER,
	OPT_CERT,
	OPT_KEY,
	OPT_CA,
	OPT_METRICS,
	OPT_PROTOCOL,
	OPT_CONCURRENCY,
	OPT_CONNECTIONS,
	OPT_REQUESTS,
	OPT_SECONDS,
	OPT_WARMUP,
	OPT_ACCEPT,
	OPT_KINDS,
	OPT_SEED,
	OPT_VERIFY,
	OPT_IDLE,
	OPT_RAW_MODULE,
	OPT_RAW_URI,
	OPT_RAW_PIN,
	OPT_RAW_SECONDS,
	OPT_ALG,
	NOPTIONS
};

/* clang-format off */
static const struct arg_option OPTIONS[NOPTIONS] = {
	[OPT_HELP] = {"help", NULL, NULL, "show this help"},
	[OPT_JSON] = {"json", NULL, NULL, "print the result as JSON"},
	[OPT_SERVER] = {"server", "URL", "SIGNER_SERVER", "the signing server, https://host:port"},
	[OPT_CERT] = {"cert", "FILE", "SIGNER_CERT", "the client's certificate, PEM"},
	[OPT_KEY] = {"key", "FILE", "SIGNER_KEY", "its private key, PEM"},
	[OPT_CA] = {"ca", "FILE", "SIGNER_CA", "CA of the server, PEM"},
	[OPT_METRICS] = {"metrics", "URL", NULL, "the server's ops listener, for CPU and memory"},
	[OPT_PROTOCOL] = {"protocol", "h1|h2", NULL, "HTTP/1.1 or HTTP/2 (default)"},
	[OPT_CONCURRENCY] = {"concurrency", "N", NULL, "requests in flight (64)"},
	[OPT_CONNECTIONS] = {"connections", "N", NULL, "connections (h2: 4; h1: the concurrency)"},
	[OPT_REQUESTS] = {"requests", "N", NULL, "stop after so many answers"},
	[OPT_SECONDS] = {"seconds", "N", NULL, "measure that long (10, without --requests)"},
	[OPT_WARMUP] = {"warmup", "N", NULL, "seconds before measuring (1)"},
	[OPT_ACCEPT] = {"accept", "TYPE", NULL, "media type asked for (application/json)"},
	[OPT_KINDS] = {"kinds", "vtr", NULL, "kinds of certificates (vtr: a mix)"},
	[OPT_SEED] = {"seed", "N", NULL, "of the records (1); UVCIs are always fresh"},
	[OPT_VERIFY] = {"verify", "N", NULL, "verify one answer in N by /v1/keys (1000; 0: none)"},
	[OPT_IDLE] = {"idle", "N", NULL, "no load: memory of N idle connections"},
	[OPT_RAW_MODULE] = {"raw-module", "FILE", NULL, "also measure this bare PKCS#11 module"},
	[OPT_RAW_URI] = {"raw-uri", "URI", NULL, "its key (RFC 7512)"},
	[OPT_RAW_PIN] = {"raw-pin-file", "FILE", NULL, "its PIN"},
	[OPT_RAW_SECONDS] = {"raw-seconds", "N", NULL, "each time that long (3)"},
	[OPT_ALG] = {"alg", "ALG", NULL, "ES256 (default), PS256 or EdDSA, for --raw-module"},
};
/* clang-format on */

/* The numbers among the options, with their defaults. */
struct numbers {
	uint64_t concurrency, connections, requests, seconds, warmup, seed,
		verify, idle, raw_seconds;
};

static int trouble(const char *why)
{
	(void)fprintf(stderr, "signer-bench: %s\n", why);
	return EXIT_TROUBLE;
}

static bool number(const struct args *args, int option, uint64_t max,
		   uint64_t otherwise, uint64_t *out)
{
	const char *text = args->value[option];

	*out = otherwise;
	if (text == NULL || args_number(text, 0, max, out))
		return true;
	(void)fprintf(stderr, "signer-bench: --%s: a number up to %llu\n",
		      OPTIONS[option].name, (unsigned long long)max);
	return false;
}

static bool read_numbers(const struct args *args, bool h2, struct numbers *n)
{
	const uint64_t most = LOAD_CONCURRENCY_MAX;

	if (!number(args, OPT_CONCURRENCY, most, 64, &n->concurrency) ||
	    !number(args, OPT_CONNECTIONS, most, h2 ? 4 : n->concurrency,
		    &n->connections) ||
	    !number(args, OPT_REQUESTS, UINT32_MAX, 0, &n->requests) ||
	    !number(args, OPT_SECONDS, 86400, n->requests > 0 ? 0 : 10,
		    &n->seconds) ||
	    !number(args, OPT_WARMUP, 3600, 1, &n->warmup) ||
	    !number(args, OPT_SEED, UINT64_MAX, 1, &n->seed) ||
	    !number(args, OPT_VERIFY, UINT32_MAX, 1000, &n->verify) ||
	    !number(args, OPT_IDLE, 60000, 0, &n->idle) ||
	    !number(args, OPT_RAW_SECONDS, 3600, 3, &n->raw_seconds))
		return false;
	if (n->concurrency == 0 || n->connections == 0 ||
	    (n->requests == 0 && n->seconds == 0)) {
		trouble("nothing to do with a 0 there");
		return false;
	}
	if (n->connections > n->concurrency)
		n->connections = n->concurrency;
	if (!h2 && n->connections != n->concurrency) {
		trouble("HTTP/1.1 has one request a connection: leave "
			"--connections out");
		return false;
	}
	return true;
}

static int run_idle(const struct args *args, const struct target *t,
		    const struct numbers *n)
{
	struct idle_result result;
	char why[WHY_MAX];

	if (args->value[OPT_METRICS] == NULL)
		return trouble("--idle needs --metrics");
	if (idle_run(t, args->value[OPT_METRICS], (unsigned)n->idle, &result,
		     why, sizeof(why)) != SG_OK)
		return trouble(why);
	serve_print_idle(&result, (unsigned)n->idle,
			 args->value[OPT_JSON] != NULL);
	return result.connections >= n->idle ? EXIT_GOOD : EXIT_WRONG;
}

/* The load between two readings of the server's counters. */
static enum sg_err run_between(const struct args *args,
			       const struct load_settings *settings,
			       struct serve_report *r, char *why, size_t cap)
{
	const char *metrics = args->value[OPT_METRICS];
	struct scrape before;
	struct scrape after;
	enum sg_err err = SG_OK;

	if (metrics != NULL)
		err = scrape_fetch(metrics, &before, why, cap);
	if (err == SG_OK)
		err = load_run(settings, &r->load, why, cap);
	if (err != SG_OK || metrics == NULL)
		return err;
	(void)usleep(SAMPLE_US);
	err = scrape_fetch(metrics, &after, why, cap);
	if (err != SG_OK)
		return err;
	r->has_cpu = true;
	for (int role = 0; role < SCRAPE_ROLES; role++)
		r->cpu_us[role] = after.cpu_us[role] - before.cpu_us[role];
	return SG_OK;
}

static enum sg_err run_load(const struct args *args, const struct target *t,
			    const struct numbers *n, struct sampler *sampler,
			    struct serve_report *r, char *why)
{
	const char *accept = args->value[OPT_ACCEPT];
	const char *kinds = args->value[OPT_KINDS];
	struct records records;
	struct load_settings settings = {
		.target = t,
		.protocol = r->http2 ? LOAD_H2 : LOAD_H1,
		.connections = r->connections,
		.concurrency = r->concurrency,
		.requests = n->requests,
		.warmup_us = n->warmup * 1000000,
		.duration_us = n->seconds * 1000000,
		.accept = accept != NULL ? accept : "application/json",
		.records = &records,
		.sample_every = sampler != NULL ? (unsigned)n->verify : 0,
		.sample = sampler_keep,
		.sample_ctx = sampler,
	};
	const struct records_settings wanted = {
		.seed = n->seed,
		.now = clock_wall_s(),
		.kinds = kinds != NULL ? kinds : "vtr",
		.n = TEMPLATES,
	};
	enum sg_err err = records_make(&wanted, &records);

	if (err != SG_OK) {
		(void)snprintf(why, WHY_MAX, "--kinds: letters of \"vtr\"");
		return err;
	}
	if (getrandom(&settings.run, sizeof(settings.run), 0) !=
	    (ssize_t)sizeof(settings.run))
		settings.run = (uint64_t)clock_wall_ms();
	err = run_between(args, &settings, r, why, WHY_MAX);
	records_free(&records);
	return err;
}

/* NULL with a reason where nothing can or shall be sampled. */
static enum sg_err make_sampler(const struct args *args,
				const struct https_settings *server,
				const struct numbers *n, struct sampler **out,
				char *why, size_t cap)
{
	const char *accept = args->value[OPT_ACCEPT];
	enum sample_form form = SAMPLE_JSON;

	*out = NULL;
	if (n->verify == 0)
		return SG_OK;
	if (accept != NULL && strcmp(accept, "text/plain") == 0)
		form = SAMPLE_TEXT;
	else if (accept != NULL && strcmp(accept, "application/json") != 0) {
		(void)snprintf(why, cap,
			       "--verify: only for application/json and "
			       "text/plain; say --verify 0");
		return SG_CONFIG;
	}
	return sampler_create(server, form, out, why, cap);
}

static int judge(const struct serve_report *r)
{
	const struct load_result *l = &r->load;

	return l->answers > 0 && l->answers == l->by_status[200] &&
			       l->broken == 0 && l->unanswered == 0 &&
			       l->sampled_wrong == 0
		       ? EXIT_GOOD
		       : EXIT_WRONG;
}

/* The bare token's rate; the caller's environment is the module's. */
static enum sg_err run_raw(const struct args *args, const struct numbers *n,
			   double *rate, char *why, size_t cap)
{
	const char *alg = args->value[OPT_ALG];
	const struct bench_raw_options o = {
		.module = args->value[OPT_RAW_MODULE],
		.pin_file = args->value[OPT_RAW_PIN],
		.uri = args->value[OPT_RAW_URI],
		.alg = cose_alg_of(span_str(alg != NULL ? alg : "ES256")),
		.seconds = (double)n->raw_seconds,
	};
	enum sg_err err = SG_CONFIG;

	if (o.uri == NULL || o.pin_file == NULL || o.alg == COSE_NONE) {
		(void)snprintf(why, cap,
			       "--raw-module needs --raw-uri, --raw-pin-file "
			       "and a right --alg");
		return err;
	}
	err = bench_raw_measure(&o, rate);
	if (err != SG_OK)
		(void)snprintf(why, cap, "bare token: %s", err_text(err));
	return err;
}

/* Everything in its order: the token, the load, the token again. */
static enum sg_err run_all(const struct args *args, const struct target *t,
			   const struct numbers *n, struct sampler *sampler,
			   struct serve_report *r, char *why)
{
	enum sg_err err = SG_OK;

	r->has_raw = args->value[OPT_RAW_MODULE] != NULL;
	if (r->has_raw)
		err = run_raw(args, n, &r->raw_before, why, WHY_MAX);
	if (err == SG_OK)
		err = run_load(args, t, n, sampler, r, why);
	if (err == SG_OK && r->has_raw)
		err = run_raw(args, n, &r->raw_after, why, WHY_MAX);
	return err;
}

static int run_bench(const struct args *args, const struct https_settings *s,
		     const struct target *t, const struct numbers *n,
		     struct serve_report *r)
{
	/* The report, which outlives this call, points into it. */
	static struct sample_result samples;
	struct sampler *sampler;
	char why[WHY_MAX];
	enum sg_err err;
	int status;

	samples = (struct sample_result){.kept = 0};
	if (make_sampler(args, s, n, &sampler, why, sizeof(why)) != SG_OK)
		return trouble(why);
	err = run_all(args, t, n, sampler, r, why);
	if (err == SG_OK && sampler != NULL)
		err = sampler_verify(sampler, &samples, why, sizeof(why));
	if (err != SG_OK) {
		status = trouble(why);
	} else {
		r->load.sampled_wrong += samples.wrong;
		r->sample_fault = samples.fault;
		serve_print(r, args->value[OPT_JSON] != NULL);
		status = judge(r);
	}
	sampler_free(sampler);
	return status;
}

static int run(const struct args *args)
{
	/* A latency table is too big for the stack. */
	static struct serve_report report;
	const char *protocol = args->value[OPT_PROTOCOL];
	const struct https_settings settings = {
		.server = args->value[OPT_SERVER],
		.cert = args->value[OPT_CERT],
		.key = args->value[OPT_KEY],
		.ca = args->value[OPT_CA],
	};
	struct numbers n;
	struct target target;
	char why[WHY_MAX];
	int status;

	if (protocol == NULL)
		protocol = "h2";
	report.http2 = strcmp(protocol, "h2") == 0;
	if (!report.http2 && strcmp(protocol, "h1") != 0)
		return trouble("--protocol: h1 or h2");
	if (args->n > 0)
		return trouble("serve takes options only");
	if (!read_numbers(args, report.http2, &n))
		return EXIT_TROUBLE;
	report.concurrency = (unsigned)n.concurrency;
	report.connections = (unsigned)n.connections;
	if (target_open(&target, &settings, report.http2 ? "h2" : "http/1.1",
			why, sizeof(why)) != SG_OK)
		return trouble(why);
	status = n.idle > 0 ? run_idle(args, &target, &n)
			    : run_bench(args, &settings, &target, &n, &report);
	target_close(&target);
	return status;
}

int serve_main(int argc, char *argv[])
{
	struct args args;
	int status;

	if (args_parse(OPTIONS, NOPTIONS, argc, argv, &args) != SG_OK)
		return trouble(args.why);
	if (args.value[OPT_HELP] != NULL) {
		puts("usage: signer-bench serve [OPTIONS]\n\n"
		     "Load a signing server end to end and measure it.\n\n"
		     "options:");
		args_help(stdout, OPTIONS, NOPTIONS);
		return EXIT_GOOD;
	}
	/* A server that is killed under load is part of the measurement. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return trouble("cannot initialise libcurl");
	status = run(&args);
	curl_global_cleanup();
	return status;
}
