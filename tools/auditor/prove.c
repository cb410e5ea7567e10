/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "auditor.h"
#include "proof.h"
#include "tools/common/input.h"
#include "tools/common/printable.h"

enum { OPT_VKEY = OPT_LOG, OPT_INDEX, OPT_OUT, NOPTIONS };

static const struct arg_option OPTIONS[NOPTIONS] = {
	COMMON_OPTIONS,
	LOG_OPTIONS,
	[OPT_VKEY] = {"vkey", "KEY|FILE", NULL, "the log's verifier key"},
	[OPT_INDEX] = {"index", "N", NULL, "the entry, from 0"},
	[OPT_OUT] = {"out", "FILE", NULL, "write the proof there"},
};

static void print_json(uint64_t index, const struct trust_checkpoint *c,
		       struct span proof)
{
	json_t *j = json_pack("{s:b, s:I, s:I, s:s%}", "ok", 1, "index",
			      (json_int_t)index, "size", (json_int_t)c->c.size,
			      "proof", (const char *)proof.p, proof.n);
	char *text = j != NULL ? printable_json(j, JSON_COMPACT) : NULL;

	if (text != NULL)
		puts(text);
	free(text);
	json_decref(j);
}

/* The log's damage, or that there is no such entry, is a check that failed. */
static int give(const struct args *args, uint64_t index, struct source *s,
		const struct trust_checkpoint *c)
{
	const char *to = args->value[OPT_OUT];
	const bool json = args->value[OPT_JSON] != NULL;
	char why[WHY_MAX];
	struct proof_text proof;
	int status = EXIT_GOOD;
	enum sg_err err = proof_make(s, c, index, &proof, why, sizeof(why));

	if (err != SG_OK) {
		auditor_trouble(why);
		return err == SG_NOT_FOUND || err == SG_BAD_SIGNATURE
			       ? EXIT_REFUSED
			       : EXIT_TROUBLE;
	}
	if ((!json || to != NULL) &&
	    output_bytes(to, proof.p, proof.n, why, sizeof(why)) != SG_OK)
		status = auditor_trouble(why);
	if (json)
		print_json(index, c, span_of(proof.p, proof.n));
	free(proof.p);
	return status;
}

static int prove(const struct args *args, uint64_t index, struct source *s,
		 struct findings *f, struct trust_checkpoint *checkpoint)
{
	struct trust trust;
	char why[WHY_MAX];
	const struct trust_wanted wanted = {.vkey = args->value[OPT_VKEY]};
	enum sg_err err = trust_load(&trust, &wanted, s, f, why, sizeof(why));

	if (err != SG_OK && findings_errors(f) == 0)
		return auditor_trouble(why);
	if (err == SG_OK)
		err = trust_fetch(&trust, s, checkpoint, f, why, sizeof(why));
	if (err != SG_OK && err != SG_NOT_FOUND && findings_errors(f) == 0)
		return auditor_trouble(why);
	findings_print(f, stderr);
	if (findings_errors(f) > 0)
		return EXIT_REFUSED;
	if (!trust.given)
		(void)fputs("signer-auditor: no --vkey was given: the key is "
			    "the one that the log itself names\n",
			    stderr);
	return give(args, index, s, checkpoint);
}

static int run(const struct args *args)
{
	struct source_settings where;
	struct source *s = NULL;
	struct trust_checkpoint *checkpoint;
	struct findings *f = NULL;
	char why[WHY_MAX];
	uint64_t index;
	int status = EXIT_TROUBLE;

	if (args->n != 1)
		return auditor_trouble("give one directory or URL");
	if (args->value[OPT_INDEX] == NULL ||
	    !args_number(args->value[OPT_INDEX], 0, INT64_MAX, &index))
		return auditor_trouble("--index: not a number");
	where = auditor_source(args, args->rest[0]);
	if (source_open(&where, &s, why, sizeof(why)) != SG_OK)
		return auditor_trouble(why);
	checkpoint = calloc(1, sizeof(*checkpoint));
	if (checkpoint != NULL && findings_create(&f) == SG_OK)
		status = prove(args, index, s, f, checkpoint);
	else
		auditor_trouble(err_text(SG_NO_MEMORY));
	findings_free(f);
	free(checkpoint);
	source_close(s);
	return status;
}

const struct command AUDIT_PROVE_COMMAND = {
	.name = "prove",
	.usage = "[OPTIONS] --index N DIR|URL",
	.about = "prove that a log holds an entry (C2SP tlog-proof)",
	.more = "The proof brings the entry along as its extra data, where it "
		"may be read. It can be\nverified offline.\n",
	.options = OPTIONS,
	.noptions = NOPTIONS,
	.run = run,
};
