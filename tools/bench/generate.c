/* SPDX-License-Identifier: Apache-2.0 */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flaws.h"
#include "records.h"
#include "share.h"
#include "tools/common/args.h"
#include "tools/common/times.h"

enum {
	OPT_HELP,
	OPT_FAULTS,
	OPT_FAULT_SET,
	OPT_FORM,
	OPT_KINDS,
	OPT_SEED,
	OPT_DATE,
	OPT_LIST,
	NOPTIONS
};

/* clang-format off */
static const struct arg_option OPTIONS[NOPTIONS] = {
	[OPT_HELP] = {"help", NULL, NULL, "show this help"},
	[OPT_FAULTS] = {"faults", "SHARE", NULL, "of the records, 0 to 1 (0)"},
	[OPT_FAULT_SET] = {"fault-set", "all|plain", NULL, "plain: none that only a rule on the meaning finds (all)"},
	[OPT_FORM] = {"form", "FORM", NULL, "ndjson (default) or cbor-seq"},
	[OPT_KINDS] = {"kinds", "vtr", NULL, "kinds of certificates (vtr: a mix)"},
	[OPT_SEED] = {"seed", "N", NULL, "another seed, other records and UVCIs (1)"},
	[OPT_DATE] = {"date", "DATE", NULL, "they are dated before it (2022-06-01)"},
	[OPT_LIST] = {"list-faults", NULL, NULL, "what faults there are, and end"},
};
/* clang-format on */

static int usage(const char *why)
{
	(void)fprintf(stderr, "signer-bench generate: %s\n", why);
	return 2;
}

static void list_faults(void)
{
	printf("%-20s %-22s %-5s %s\n", "fault", "code", "kinds", "found by");
	for (size_t i = 0; flaw_at(i) != NULL; i++) {
		const struct flaw *f = flaw_at(i);

		printf("%-20s %-22s %-5s %s\n", f->name, f->code, f->kinds,
		       f->plain ? "plain" : "meaning");
	}
}

/* The settings from the options; a reason, or NULL. */
static const char *read_settings(const struct args *args,
				 struct records_settings *s)
{
	const char *const *v = args->value;
	const char *date = v[OPT_DATE] != NULL ? v[OPT_DATE] : "2022-06-01";
	const char *set = v[OPT_FAULT_SET] != NULL ? v[OPT_FAULT_SET] : "all";
	const char *form = v[OPT_FORM] != NULL ? v[OPT_FORM] : "ndjson";
	unsigned share = 0;

	*s = (struct records_settings){.seed = 1, .kinds = "vtr"};
	if (args->n != 1 || !args_number(args->rest[0], 1, UINT32_MAX, &s->n))
		return "give the number of records";
	if (v[OPT_FAULTS] != NULL && !share_parse(v[OPT_FAULTS], &share))
		return "--faults: a share from 0 to 1, such as 0.35";
	s->flawed = share_of(share, s->n);
	s->plain = strcmp(set, "plain") == 0;
	if (!s->plain && strcmp(set, "all") != 0)
		return "--fault-set: all or plain";
	if (strcmp(form, "cbor-seq") == 0)
		s->form = RECORDS_CBOR;
	else if (strcmp(form, "ndjson") != 0)
		return "--form: ndjson or cbor-seq";
	if (v[OPT_KINDS] != NULL)
		s->kinds = v[OPT_KINDS];
	if (v[OPT_SEED] != NULL &&
	    !args_number(v[OPT_SEED], 0, UINT64_MAX, &s->seed))
		return "--seed: a number";
	if (!times_parse(span_str(date), &s->now))
		return "--date: a date such as 2022-06-01";
	return NULL;
}

/* Another seed, another run of UVCIs: the low 40 bits of an odd multiple. */
static uint64_t run_of(uint64_t seed)
{
	return seed * 0x9e3779b97f4a7c15;
}

static int write_all(struct records_source *source)
{
	const struct records_settings *s = &source->settings;
	const uint64_t run = run_of(s->seed);
	struct record r;

	for (uint64_t i = 0; i < s->n && !ferror(stdout); i++) {
		records_next(source, &r);
		record_put_uvci(&r, run, i, r.body);
		(void)fwrite(r.body, 1, r.n, stdout);
		if (s->form == RECORDS_JSON)
			(void)fputc('\n', stdout);
	}
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	(void)fputs("signer-bench generate: cannot write\n", stderr);
	return 1;
}

int generate_main(int argc, char *argv[])
{
	struct args args;
	struct records_settings settings;
	struct records_source source;
	const char *why;

	if (args_parse(OPTIONS, NOPTIONS, argc, argv, &args) != SG_OK)
		return usage(args.why);
	if (args.value[OPT_HELP] != NULL) {
		puts("usage: signer-bench generate N [OPTIONS]\n\n"
		     "Write N plausible requests, of no person, to standard "
		     "output.\n\noptions:");
		args_help(stdout, OPTIONS, NOPTIONS);
		return 0;
	}
	if (args.value[OPT_LIST] != NULL) {
		list_faults();
		return 0;
	}
	why = read_settings(&args, &settings);
	if (why != NULL)
		return usage(why);
	if (records_begin(&source, &settings) != SG_OK)
		return usage("--kinds: letters of \"vtr\"");
	return write_all(&source);
}
