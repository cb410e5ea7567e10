/* SPDX-License-Identifier: Apache-2.0 */
#include "bulk_main.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "share.h"
#include "tools/common/args.h"

enum { EXIT_GOOD = 0, EXIT_WRONG = 1, EXIT_TROUBLE = 2 };

enum {
	OPT_HELP,
	OPT_JSON,
	OPT_SERVER,
	OPT_CERT,
	OPT_KEY,
	OPT_CA,
	OPT_METRICS,
	OPT_FORM,
	OPT_PATH,
	OPT_PROTOCOL,
	OPT_CONNECTIONS,
	OPT_WINDOW,
	OPT_RECORDS,
	OPT_SECONDS,
	OPT_WARMUP,
	OPT_FLAWED,
	OPT_KINDS,
	OPT_SEED,
	OPT_VERIFY,
	OPT_PROBE,
	OPT_DEAF,
	OPT_CURVE,
	OPT_LIMIT,
	OPT_SOCKET,
	OPT_EVERY,
	OPT_QUIET,
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
	[OPT_FORM] = {"form", "json|cbor", NULL, "NDJSON (default) or a CBOR sequence"},
	[OPT_PATH] = {"path", "WHAT", NULL, "certificates (default) or validations"},
	[OPT_PROTOCOL] = {"protocol", "h1|h2", NULL, "HTTP/1.1 or HTTP/2 (default)"},
	[OPT_CONNECTIONS] = {"connections", "N", NULL, "with a stream each (1)"},
	[OPT_WINDOW] = {"window", "N", NULL, "records in flight a stream (1024)"},
	[OPT_RECORDS] = {"records", "N", NULL, "send so many in all"},
	[OPT_SECONDS] = {"seconds", "N", NULL, "measure that long (10, without --records)"},
	[OPT_WARMUP] = {"warmup", "N", NULL, "seconds before measuring (1; with --records 0)"},
	[OPT_FLAWED] = {"share-of-faults", "SHARE", NULL, "of faulty records, 0 to 1 (0)"},
	[OPT_KINDS] = {"kinds", "vtr", NULL, "kinds of certificates (vtr: a mix)"},
	[OPT_SEED] = {"seed", "N", NULL, "of the records (1); UVCIs are always fresh"},
	[OPT_VERIFY] = {"verify", "N", NULL, "verify one answer in N by /v1/keys (1000, with FILES 1; 0: none)"},
	[OPT_PROBE] = {"single-probe", "N", NULL, "N single requests a second beside it (0)"},
	[OPT_DEAF] = {"stop-reading", "S", NULL, "one connection more reads nothing for S seconds (0)"},
	[OPT_CURVE] = {"memory-curve", "N", NULL, "memory of every role each N records"},
	[OPT_LIMIT] = {"limit", "RATE", NULL, "signatures a second of the token, to tell the ratio"},
	[OPT_SOCKET] = {"socket", "PATH", NULL, "signerd's run/officer.sock, for the operations in FILES"},
	[OPT_EVERY] = {"every", "S", NULL, "apply one of FILES each S seconds (5)"},
	[OPT_QUIET] = {"quiet", NULL, NULL, "do not tell progress"},
};
/* clang-format on */

static int trouble(const char *why)
{
	(void)fprintf(stderr, "signer-bench bulk: %s\n", why);
	return EXIT_TROUBLE;
}

static bool number(const struct args *args, int option, uint64_t max,
		   uint64_t otherwise, uint64_t *out)
{
	const char *text = args->value[option];

	*out = otherwise;
	if (text == NULL || args_number(text, 0, max, out))
		return true;
	(void)fprintf(stderr, "signer-bench bulk: --%s: a number up to %llu\n",
		      OPTIONS[option].name, (unsigned long long)max);
	return false;
}

/* The same for what is counted in an unsigned. */
static bool small(const struct args *args, int option, unsigned max,
		  unsigned otherwise, unsigned *out)
{
	uint64_t value;

	if (!number(args, option, max, otherwise, &value))
		return false;
	*out = (unsigned)value;
	return true;
}

/* A last pause after the last operation. */
static uint64_t usual_seconds(const struct measure_options *o)
{
	return o->nfiles > 0 ? (o->nfiles + 1) * o->every : 10;
}

static bool read_numbers(const struct args *args, struct measure_options *o)
{
	if (!number(args, OPT_RECORDS, UINT32_MAX, 0, &o->records) ||
	    !number(args, OPT_EVERY, 3600, 5, &o->every) ||
	    !number(args, OPT_SECONDS, 86400,
		    o->records > 0 ? 0 : usual_seconds(o), &o->seconds) ||
	    !number(args, OPT_WARMUP, 3600, o->records > 0 ? 0 : 1,
		    &o->warmup) ||
	    !number(args, OPT_SEED, UINT64_MAX, 1, &o->seed) ||
	    !number(args, OPT_CURVE, UINT32_MAX, 0, &o->curve) ||
	    !number(args, OPT_LIMIT, UINT32_MAX, 0, &o->limit) ||
	    !small(args, OPT_CONNECTIONS, BULK_CONNECTIONS_MAX, 1,
		   &o->connections) ||
	    !small(args, OPT_WINDOW, BULK_WINDOW_MAX, 1024, &o->window) ||
	    !small(args, OPT_VERIFY, UINT32_MAX, o->nfiles > 0 ? 1 : 1000,
		   &o->verify) ||
	    !small(args, OPT_PROBE, 1000, 0, &o->probe) ||
	    !small(args, OPT_DEAF, 3600, 0, &o->deaf_s))
		return false;
	return true;
}

/* One of two words, the first being the default. */
static bool choose(const struct args *args, int option, const char *usual,
		   const char *other, bool *is_other)
{
	const char *text = args->value[option];

	*is_other = text != NULL && strcmp(text, other) == 0;
	if (text == NULL || *is_other || strcmp(text, usual) == 0)
		return true;
	(void)fprintf(stderr, "signer-bench bulk: --%s: %s or %s\n",
		      OPTIONS[option].name, usual, other);
	return false;
}

/* A reason, or NULL. */
static const char *check(const struct measure_options *o)
{
	if (o->records == 0 && o->seconds == 0)
		return "nothing to do with a 0 there";
	if (o->connections == 0 || o->window == 0)
		return "--connections, --window: at least 1";
	if (o->deaf_s > 0 && (o->records > 0 || o->metrics == NULL))
		return "--stop-reading needs --seconds and --metrics";
	if (o->curve > 0 && o->metrics == NULL)
		return "--memory-curve needs --metrics";
	if ((o->nfiles > 0) != (o->socket != NULL))
		return "operations to apply need --socket, and the other way "
		       "around";
	if (o->nfiles > 0 && o->every == 0)
		return "--every: at least 1";
	return NULL;
}

static bool read_options(const struct args *args, struct measure_options *o)
{
	const char *flawed = args->value[OPT_FLAWED];
	const char *kinds = args->value[OPT_KINDS];
	const char *why;
	bool cbor;
	bool h1;

	*o = (struct measure_options){
		.server = {.server = args->value[OPT_SERVER],
			   .cert = args->value[OPT_CERT],
			   .key = args->value[OPT_KEY],
			   .ca = args->value[OPT_CA]},
		.metrics = args->value[OPT_METRICS],
		.kinds = kinds != NULL ? kinds : "vtr",
		.tell = args->value[OPT_QUIET] == NULL,
		.file = args->rest,
		.nfiles = args->n,
		.socket = args->value[OPT_SOCKET],
	};
	if (!choose(args, OPT_FORM, "json", "cbor", &cbor) ||
	    !choose(args, OPT_PATH, "certificates", "validations",
		    &o->validate) ||
	    !choose(args, OPT_PROTOCOL, "h2", "h1", &h1) ||
	    !read_numbers(args, o))
		return false;
	o->form = cbor ? RECORDS_CBOR : RECORDS_JSON;
	o->http2 = !h1;
	why = check(o);
	if (flawed != NULL && !share_parse(flawed, &o->flawed))
		why = "--share-of-faults: from 0 to 1, such as 0.35";
	if (why != NULL)
		(void)trouble(why);
	return why == NULL;
}

int bulk_main(int argc, char *argv[])
{
	/* A latency table is too big for the stack. */
	static struct measure_report report;
	struct measure_options options;
	char why[MEASURE_WHY_MAX] = "";
	struct args args;
	int status;

	if (args_parse(OPTIONS, NOPTIONS, argc, argv, &args) != SG_OK)
		return trouble(args.why);
	if (args.value[OPT_HELP] != NULL) {
		puts("usage: signer-bench bulk [OPTIONS] [FILE.op...]\n\n"
		     "Stream records to a signing server and measure it; "
		     "meanwhile apply the\noperations in FILES, such as "
		     "rotations.\n\n"
		     "options:");
		args_help(stdout, OPTIONS, NOPTIONS);
		return EXIT_GOOD;
	}
	if (!read_options(&args, &options))
		return EXIT_TROUBLE;
	(void)signal(SIGPIPE, SIG_IGN);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return trouble("cannot initialise libcurl");
	if (measure_run(&options, &report, why) != SG_OK) {
		status = trouble(why);
	} else {
		bulk_print(&options, &report, args.value[OPT_JSON] != NULL);
		status = measure_good(&report) ? EXIT_GOOD : EXIT_WRONG;
	}
	measure_release(&report);
	curl_global_cleanup();
	return status;
}
