/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "filter.h"
#include "row.h"

enum { LIST_LIMIT = 100, LIST_LAST_MAX = 1 << 30 };

enum {
	OPT_FILTER = OPT_LOG,
	OPT_WALK = OPT_FILTER + FILTER_OPTION_COUNT,
	OPT_CSV = OPT_WALK + WALK_OPTION_COUNT,
	OPT_EXPORT, /* their number */
	OPT_LIMIT = OPT_EXPORT,
	OPT_ALL,
	OPT_LAST,
	OPT_LIST
};

/* clang-format off */
#define ROW_OPTIONS                                                            \
	COMMON_OPTIONS, LOG_OPTIONS, FILTER_OPTIONS(OPT_FILTER),               \
	WALK_OPTIONS(OPT_WALK),                                                \
	[OPT_CSV] = {"csv", NULL, NULL, "print CSV"}
/* clang-format on */

static const struct arg_option LIST_OPTIONS[OPT_LIST] = {
	ROW_OPTIONS,
	[OPT_LIMIT] = {"limit", "N", NULL, "print so many at most (100)"},
	[OPT_ALL] = {"all", NULL, NULL, "print all of them"},
	[OPT_LAST] = {"last", "N", NULL,
		      "look only at the last N entries of the log"},
};

static const struct arg_option EXPORT_OPTIONS[OPT_EXPORT] = {ROW_OPTIONS};

struct printing {
	struct filter filter;
	struct row row;
	uint64_t limit;
	bool more; /* there were more than that */
};

static enum sg_err print_one(void *ctx, const struct walk_entry *e,
			     char why[WHY_MAX])
{
	struct printing *p = ctx;

	if (!filter_match(&p->filter, &e->e))
		return SG_OK;
	if (p->row.n == p->limit) {
		p->more = true;
		return SG_CLOSED;
	}
	row_put(&p->row, e);
	if (ferror(p->row.to)) {
		(void)snprintf(why, WHY_MAX, "cannot write");
		return SG_IO;
	}
	return SG_OK;
}

/* Print what ARGS ask for, at most LIMIT, from the last LAST entries. */
static int print_rows(const struct args *args, enum row_form form,
		      uint64_t limit, uint64_t last)
{
	struct printing p = {.limit = limit};
	struct range tail = {0, UINT64_MAX};
	struct ranges ranges = {1, 1, &tail};
	struct walk *w;
	char why[WHY_MAX];
	enum sg_err err;

	if (args->n != 1)
		return auditor_trouble("one log is needed: a directory or a "
				       "URL");
	if (args->value[OPT_CSV] != NULL && args->value[OPT_JSON] != NULL)
		return auditor_trouble("--csv or --json, not both");
	err = filter_read(args, OPT_FILTER, &p.filter, why, sizeof(why));
	if (err == SG_OK)
		err = walk_open(args, OPT_WALK, args->rest[0], &w, why);
	if (err != SG_OK) {
		filter_clear(&p.filter);
		return walk_trouble(err, why);
	}
	if (walk_head(w)->checkpoint.c.size > last)
		tail.first = walk_head(w)->checkpoint.c.size - last;
	row_begin(&p.row, stdout, form);
	err = walk_run(w, p.filter.index.n > 0 ? &p.filter.index : &ranges,
		       print_one, &p, why);
	row_end(&p.row);
	walk_close(w);
	filter_clear(&p.filter);
	if (err != SG_OK)
		return walk_trouble(err, why);
	if (p.more)
		(void)fprintf(stderr,
			      "signer-auditor: there are more than these "
			      "%" PRIu64 "; --all or --limit prints them\n",
			      limit);
	return EXIT_GOOD;
}

static int run_list(const struct args *args)
{
	uint64_t limit = LIST_LIMIT;
	uint64_t last = UINT64_MAX;
	enum row_form form = ROW_TABLE;

	if (args->value[OPT_LIMIT] != NULL &&
	    !args_number(args->value[OPT_LIMIT], 1, UINT64_MAX, &limit))
		return auditor_trouble("--limit: not a number from 1 on");
	if (args->value[OPT_ALL] != NULL)
		limit = UINT64_MAX;
	if (args->value[OPT_LAST] != NULL) {
		if (!args_number(args->value[OPT_LAST], 1, LIST_LAST_MAX,
				 &last))
			return auditor_trouble("--last: not a number from 1 "
					       "on");
		if (args->value[OPT_FILTER + FILTER_INDEX] != NULL)
			return auditor_trouble("--last or --index, not both");
	}
	if (args->value[OPT_CSV] != NULL)
		form = ROW_CSV;
	else if (args->value[OPT_JSON] != NULL)
		form = ROW_JSON;
	return print_rows(args, form, limit, last);
}

static int run_export(const struct args *args)
{
	return print_rows(args,
			  args->value[OPT_CSV] != NULL ? ROW_CSV : ROW_NDJSON,
			  UINT64_MAX, UINT64_MAX);
}

/* clang-format off */
#define ROW_MORE                                                               \
	"Every bundle of entries that is read is proven against the log's "    \
	"signed checkpoint.\nThe rest of the log is not looked at: "           \
	"\"signer-auditor verify\" does that.\n"
/* clang-format on */

const struct command AUDIT_LIST_COMMAND = {
	"list",	  "[OPTIONS] LOG", "print entries of the log, for people",
	ROW_MORE, LIST_OPTIONS,	   OPT_LIST,
	run_list,
};

const struct command AUDIT_EXPORT_COMMAND = {
	"export",
	"[OPTIONS] LOG",
	"print entries of the log with all their fields, for machines",
	"A JSON object a line (NDJSON), or CSV.\n" ROW_MORE,
	EXPORT_OPTIONS,
	OPT_EXPORT,
	run_export,
};
