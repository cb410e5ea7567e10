/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "approving.h"

enum { OPT_OUT = OPT_COMMON, OPT_COUNT };

static const struct arg_option OPTIONS[OPT_COUNT] = {
	COMMON_OPTIONS,
	[OPT_OUT] = {"out", "FILE", NULL,
		     "where it goes with all signatures (the first file)"}};

/* What is in ALL, and the signatures in the file PATH too. */
static enum sg_err join_one(struct opfile *all, const char *path, char *why,
			    size_t cap)
{
	static struct opfile next;
	struct approving joined = {0};
	enum sg_err err = opfile_read(path, &next, why, cap);

	if (err != SG_OK)
		return err;
	err = approving_join(all, &next, &joined, why, cap);
	free(next.bytes);
	if (err != SG_OK)
		return err;
	free(all->bytes);
	all->bytes = joined.p;
	all->n = joined.n;
	return approved_decode(span_of(all->bytes, all->n), &all->approved);
}

static int run(const struct args *args)
{
	static struct opfile all;
	const char *out = args->value[OPT_OUT];
	char why[WHY_MAX] = "";
	enum sg_err err;

	if (args->n < 2)
		return officer_trouble("join takes two files or more");
	err = opfile_read(args->rest[0], &all, why, sizeof(why));
	for (size_t i = 1; err == SG_OK && i < args->n; i++)
		err = join_one(&all, args->rest[i], why, sizeof(why));
	if (err == SG_OK)
		err = approving_put(args->rest[0], out,
				    span_of(all.bytes, all.n), why,
				    sizeof(why));
	free(all.bytes);
	if (err == SG_CONFLICT)
		(void)fprintf(stderr, "signer-officer: %s\n", why);
	if (err != SG_OK)
		return err == SG_CONFLICT ? EXIT_REFUSED : officer_trouble(why);
	(void)fprintf(stderr, "It has %zu signature%s now.\n", all.approved.n,
		      all.approved.n == 1 ? "" : "s");
	if (args->value[OPT_JSON] != NULL)
		printf("{\"signatures\": %zu}\n", all.approved.n);
	return EXIT_GOOD;
}

const struct command JOIN_COMMAND = {
	.name = "join",
	.usage = "FILE.op FILE.op... [--out FILE]",
	.about = "put together what officers have signed apart",
	.options = OPTIONS,
	.noptions = OPT_COUNT,
	.run = run};
