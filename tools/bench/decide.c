/* SPDX-License-Identifier: Apache-2.0 */
#include "decide.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fileio.h"
#include "policy/policy.h"
#include "records.h"
#include "share.h"
#include "tools/common/args.h"
#include "tools/common/json_cbor.h"

enum { OPT_HELP, OPT_CLIENT, OPT_FAULTS, OPT_KINDS, OPT_JSON, NOPTIONS };

enum {
	RECORDS = 1000,
	RUNS = 9, /* the median of so many is told */
	RUN_US = 200000,
	POLICY_BYTES_MAX = 1 << 20,
	YEAR_S = 365 * 86400
};

/* clang-format off */
static const struct arg_option OPTIONS[NOPTIONS] = {
	[OPT_HELP] = {"help", NULL, NULL, "show this help"},
	[OPT_CLIENT] = {"client", "NAME", NULL, "of the policy (issuer)"},
	[OPT_FAULTS] = {"faults", "SHARE", NULL, "of the records, 0 to 1 (0)"},
	[OPT_KINDS] = {"kinds", "vtr", NULL, "kinds of certificates (vtr: a mix)"},
	[OPT_JSON] = {"json", NULL, NULL, "print JSON"},
};
/* clang-format on */

struct trial {
	struct policy *policy;
	const struct client *client;
	struct records records;
	int64_t now;
	uint64_t accepted, refused; /* of one turn through the records */
	double us[RUNS];	    /* a decision */
};

static int fail(const char *why)
{
	(void)fprintf(stderr, "signer-bench decide: %s\n", why);
	return 2;
}

static const char *load_policy(struct trial *t, const char *path,
			       const char *client)
{
	struct faults faults = {.n = 0};
	uint8_t *text = NULL;
	size_t n = 0;
	enum sg_err err = fileio_read(path, POLICY_BYTES_MAX, &text, &n);

	if (err != SG_OK)
		return "cannot read the policy file";
	err = policy_load(span_of(text, n), path, &t->policy, &faults);
	free(text);
	if (err != SG_OK) {
		(void)fputs(faults.text, stderr);
		return "the policy file has faults";
	}
	t->client = policy_client_named(t->policy, span_str(client));
	return t->client == NULL ? "the policy has no such client" : NULL;
}

/* As a front would send R. */
static enum sg_err to_cbor(struct record *r)
{
	json_t *j = json_loadb(r->body, r->n, JSON_REJECT_DUPLICATES, NULL);
	uint8_t *cbor = NULL;
	size_t n = 0;
	enum sg_err err = SG_MALFORMED;

	if (j != NULL)
		err = json_cbor(j, &cbor, &n);
	if (err == SG_OK && n > sizeof(r->body))
		err = SG_TOO_BIG;
	if (err == SG_OK) {
		memcpy(r->body, cbor, n);
		r->n = n;
	}
	free(cbor);
	json_decref(j);
	return err;
}

static const char *make_records(struct trial *t, const char *kinds,
				const char *faults)
{
	struct records_settings s = {.seed = 1,
				     .now = t->now,
				     .kinds = kinds != NULL ? kinds : "vtr",
				     .n = RECORDS};
	unsigned share = 0;

	if (faults != NULL && !share_parse(faults, &share))
		return "--faults: a share from 0 to 1, such as 0.35";
	s.flawed = share_of(share, s.n);
	if (records_make(&s, &t->records) != SG_OK)
		return "--kinds: letters of vtr";
	for (size_t i = 0; i < t->records.n; i++) {
		struct record *r = &t->records.record[i];

		record_put_uvci(r, 1, i, r->body);
		if (to_cbor(r) != SG_OK)
			return "a record cannot be written as CBOR";
	}
	return NULL;
}

/* Decide on every record once. */
static const char *turn(struct trial *t)
{
	struct policy_bounds bounds[DCC_KINDS];
	static struct decision d;

	for (size_t i = 0; i < DCC_KINDS; i++)
		bounds[i] = (struct policy_bounds){
			.present = true,
			.not_before = t->now - YEAR_S,
			.not_after = t->now + (int64_t)2 * YEAR_S};
	t->accepted = t->refused = 0;
	for (size_t i = 0; i < t->records.n; i++) {
		const struct record *r = &t->records.record[i];
		const struct policy_question q = {
			.client = t->client,
			.operation = CLIENT_ISSUE,
			.request = span_of(r->body, r->n),
			.now = t->now,
			.bounds = bounds};

		if (policy_decide(t->policy, &q, &d) != SG_OK)
			return "a record is no request";
		if (d.verdict.errors == 0)
			t->accepted++;
		else
			t->refused++;
	}
	return NULL;
}

static int by_time(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

static const char *run(struct trial *t)
{
	for (size_t i = 0; i < RUNS; i++) {
		const uint64_t begin = clock_mono_us();
		uint64_t end;
		double n = 0;

		do {
			const char *why = turn(t);

			if (why != NULL)
				return why;
			n += (double)t->records.n;
			end = clock_mono_us();
		} while (end - begin < RUN_US);
		t->us[i] = (double)(end - begin) / n;
	}
	qsort(t->us, RUNS, sizeof(t->us[0]), by_time);
	return NULL;
}

static void print(const struct trial *t, bool json)
{
	const double median = t->us[RUNS / 2];

	if (json)
		printf("{\"records\": %zu, \"accepted\": %llu, \"refused\": "
		       "%llu, \"decision_us\": {\"median\": %.3f, \"least\": "
		       "%.3f, \"most\": %.3f}}\n",
		       t->records.n, (unsigned long long)t->accepted,
		       (unsigned long long)t->refused, median, t->us[0],
		       t->us[RUNS - 1]);
	else
		printf("%zu records: %llu accepted, %llu refused\n"
		       "a decision: %.2f us (median of %d runs, %.2f to "
		       "%.2f)\n",
		       t->records.n, (unsigned long long)t->accepted,
		       (unsigned long long)t->refused, median, RUNS, t->us[0],
		       t->us[RUNS - 1]);
}

static const char *decide(const struct args *args, struct trial *t)
{
	const char *const *v = args->value;
	const char *why;

	if (args->n != 1)
		return "give the policy file";
	why = load_policy(t, args->rest[0],
			  v[OPT_CLIENT] != NULL ? v[OPT_CLIENT] : "issuer");
	if (why == NULL)
		why = make_records(t, v[OPT_KINDS], v[OPT_FAULTS]);
	if (why == NULL)
		why = run(t);
	if (why == NULL)
		print(t, v[OPT_JSON] != NULL);
	return why;
}

int decide_main(int argc, char *argv[])
{
	struct trial t = {.now = clock_wall_s()};
	struct args args;
	const char *why;

	if (args_parse(OPTIONS, NOPTIONS, argc, argv, &args) != SG_OK)
		return fail(args.why);
	if (args.value[OPT_HELP] != NULL) {
		puts("usage: signer-bench decide POLICY [OPTIONS]\n\n"
		     "How long a decision by that policy file takes, over "
		     "generated records.\n\noptions:");
		args_help(stdout, OPTIONS, NOPTIONS);
		return 0;
	}
	why = decide(&args, &t);
	records_free(&t.records);
	policy_unref(t.policy);
	return why == NULL ? 0 : fail(why);
}
