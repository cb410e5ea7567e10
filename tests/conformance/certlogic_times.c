/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certlogic_times DIR...: how long the CertLogic rules below the directories
 * take, each over the data of its tests (rule.json beside tests).  Prints the
 * median and the slowest of the rules' mean times, in nanoseconds of this
 * process; exits 0 when there were rules.
 */
#include <dirent.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/certlogic_rule.h"
#include "tools/common/json_cbor.h"
#include "tools/officer/rules.h"

enum {
	OPEN_DIRS_MAX = 16,
	RULES_MAX = 1024,
	TESTS_MAX = 64,
	PATH_BYTES = 4096,
	ROUNDS = 20000
};

struct data {
	uint8_t *payload, *external; /* CBOR */
	size_t payload_n, external_n;
};

static double mean_ns[RULES_MAX];
static size_t nrules;

static bool read_test(const char *path, struct data *out)
{
	json_t *test = json_load_file(path, 0, NULL);
	bool good = test != NULL &&
		    json_cbor(json_object_get(test, "payload"), &out->payload,
			      &out->payload_n) == SG_OK;

	if (good && json_cbor(json_object_get(test, "external"), &out->external,
			      &out->external_n) != SG_OK) {
		free(out->payload);
		good = false;
	}
	json_decref(test);
	return good;
}

static double now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_rule(const struct certlogic_rule *rule,
			const struct data *data, size_t n)
{
	static struct certlogic_scratch scratch;
	static volatile unsigned held; /* so that nothing is left out */
	const double begin = now_ns();

	for (size_t i = 0; i < ROUNDS; i++) {
		const struct data *d = &data[i % n];
		struct certlogic_value payload;
		struct certlogic_value external;
		enum certlogic_error why;

		certlogic_scratch_init(&scratch);
		if (certlogic_value_read(span_of(d->payload, d->payload_n),
					 &payload) == CERTLOGIC_OK &&
		    certlogic_value_read(span_of(d->external, d->external_n),
					 &external) == CERTLOGIC_OK)
			held += certlogic_rule_holds(rule, &payload, &external,
						     &scratch, &why)
					? 1
					: 0;
	}
	(void)held;
	return (now_ns() - begin) / ROUNDS;
}

static size_t read_tests(const char *rule_path, struct data *data)
{
	char folder[PATH_BYTES];
	char path[2 * PATH_BYTES];
	struct dirent **entry;
	size_t n = 0;
	int entries;

	(void)snprintf(folder, sizeof(folder), "%.*stests",
		       (int)(strlen(rule_path) - strlen("rule.json")),
		       rule_path);
	entries = scandir(folder, &entry, NULL, alphasort);
	for (int i = 0; i < entries; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder,
			       entry[i]->d_name);
		if (entry[i]->d_name[0] != '.' && n < TESTS_MAX &&
		    read_test(path, &data[n]))
			n++;
		free(entry[i]);
	}
	if (entries >= 0)
		free((void *)entry);
	return n;
}

static int visit(const char *path, const struct stat *st, int type,
		 struct FTW *ftw)
{
	struct data data[TESTS_MAX];
	struct certlogic_rule rule;
	json_t *j;
	size_t n;

	(void)st;
	if (type != FTW_F || strcmp(path + ftw->base, "rule.json") != 0 ||
	    nrules == RULES_MAX)
		return 0;
	j = json_load_file(path, 0, NULL);
	if (j == NULL || certlogic_rule_load(j, NULL, &rule) != SG_OK) {
		json_decref(j);
		return 0;
	}
	n = read_tests(path, data);
	if (n > 0)
		mean_ns[nrules++] = time_rule(&rule, data, n);
	for (size_t i = 0; i < n; i++) {
		free(data[i].payload);
		free(data[i].external);
	}
	certlogic_rule_clear(&rule);
	json_decref(j);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++)
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
		if (nftw(argv[i], visit, OPEN_DIRS_MAX, FTW_PHYS) != 0)
			return 2;
	if (nrules == 0) {
		(void)fprintf(stderr, "certlogic_times: no rules with tests\n");
		return 2;
	}
	qsort(mean_ns, nrules, sizeof(mean_ns[0]), by_value);
	printf("%zu rules, median %.0f ns, slowest %.0f ns\n", nrules,
	       mean_ns[nrules / 2], mean_ns[nrules - 1]);
	return 0;
}
