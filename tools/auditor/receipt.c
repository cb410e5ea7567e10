/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "auditor.h"
#include "proof.h"
#include "tools/common/input.h"
#include "tools/common/receipt.h"

enum { OPT_VKEY = OPT_LOG, OPT_INDEX, OPT_PROOF, OPT_OUT, NOPTIONS };

static const struct arg_option OPTIONS[NOPTIONS] = {
	COMMON_OPTIONS,
	LOG_OPTIONS,
	[OPT_VKEY] = {"vkey", "KEY|FILE", NULL, "the log's verifier key"},
	[OPT_INDEX] = {"index", "N", NULL,
		       "the certificate's entry (the answer's)"},
	[OPT_PROOF] = {"proof", "FILE", NULL,
		       "check this proof, and ask nobody"},
	[OPT_OUT] = {"out", "FILE", NULL, "write the proof there"},
};

struct job {
	const struct args *args;
	struct source *source; /* NULL: the proof is a file */
	struct findings *findings;
	struct trust trust;
	struct trust_checkpoint checkpoint;
	struct receipt_asked asked;
	struct proof_text proof;
	char why[WHY_MAX];
};

/* From the server's own hands, else from the tiles. */
static enum sg_err fetch_proof(struct job *j)
{
	char name[64];
	enum sg_err err;

	if (source_proves(j->source)) {
		(void)snprintf(name, sizeof(name), "proof?index=%" PRIu64,
			       j->asked.index);
		j->proof.p = malloc(RECEIPT_PROOF_MAX);
		if (j->proof.p == NULL)
			return SG_NO_MEMORY;
		err = source_file(j->source, name, j->proof.p,
				  RECEIPT_PROOF_MAX, &j->proof.n);
		if (err != SG_OK)
			(void)snprintf(j->why, sizeof(j->why), "%s",
				       source_why(j->source));
		return err;
	}
	err = trust_fetch(&j->trust, j->source, &j->checkpoint, j->findings,
			  j->why, sizeof(j->why));
	if (err == SG_OK)
		err = proof_make(j->source, &j->checkpoint, j->asked.index,
				 &j->proof, j->why, sizeof(j->why));
	return err;
}

static enum sg_err get_proof(struct job *j)
{
	const char *file = j->args->value[OPT_PROOF];

	return file != NULL ? input_bytes(file, &j->proof.p, &j->proof.n,
					  j->why, sizeof(j->why))
			    : fetch_proof(j);
}

static int check(struct job *j)
{
	const struct receipt_case c = {
		.asked = &j->asked,
		.proof = span_of(j->proof.p, j->proof.n),
		.key = &j->trust.key,
		.key_given = j->trust.given,
		.json = j->args->value[OPT_JSON] != NULL,
		.keep = j->args->value[OPT_OUT],
	};
	bool good;

	if (receipt_conclude(&c, &good, j->why, sizeof(j->why)) != SG_OK)
		return auditor_trouble(j->why);
	return good ? EXIT_GOOD : EXIT_REFUSED;
}

static int work(struct job *j)
{
	const struct trust_wanted wanted = {.vkey = j->args->value[OPT_VKEY]};
	enum sg_err err = trust_load(&j->trust, &wanted, j->source, j->findings,
				     j->why, sizeof(j->why));

	if (err == SG_OK) {
		if (!j->trust.given)
			(void)fputs("signer-auditor: no --vkey was given: the "
				    "key is the one that the log itself "
				    "names\n",
				    stderr);
		err = get_proof(j);
	}
	findings_print(j->findings, stderr);
	if (findings_errors(j->findings) > 0)
		return EXIT_REFUSED;
	if (err != SG_OK) {
		auditor_trouble(j->why);
		return err == SG_NOT_FOUND || err == SG_BAD_SIGNATURE
			       ? EXIT_REFUSED
			       : EXIT_TROUBLE;
	}
	return check(j);
}

static int run_job(struct job *j)
{
	const struct args *args = j->args;
	const bool offline = args->value[OPT_PROOF] != NULL;
	const struct source_settings where =
		offline ? (struct source_settings){0}
			: auditor_source(args, args->rest[1]);

	if (offline && args->value[OPT_VKEY] == NULL)
		return auditor_trouble("--proof needs --vkey");
	if (receipt_asked(args->rest[0], args->value[OPT_INDEX], !offline,
			  &j->asked, j->why, sizeof(j->why)) != SG_OK ||
	    (!offline &&
	     source_open(&where, &j->source, j->why, sizeof(j->why)) != SG_OK))
		return auditor_trouble(j->why);
	if (findings_create(&j->findings) != SG_OK)
		return auditor_trouble(err_text(SG_NO_MEMORY));
	return work(j);
}

static int run(const struct args *args)
{
	struct job *j;
	int status;

	if (args->n != (args->value[OPT_PROOF] != NULL ? 1 : 2))
		return auditor_trouble("give a certificate and a log, or a "
				       "certificate and --proof");
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return auditor_trouble(err_text(SG_NO_MEMORY));
	j->args = args;
	status = run_job(j);
	free(j->proof.p);
	free(j->asked.hc1);
	findings_free(j->findings);
	source_close(j->source);
	free(j);
	return status;
}

const struct command AUDIT_RECEIPT_COMMAND = {
	.name = "receipt",
	.usage = "[OPTIONS] HC1|FILE DIR|URL",
	.about = "prove that a certificate is on record",
	.more = "FILE holds the HC1 text, a picture of the QR code, or the "
		"server's answer, which tells\nthe --index.\n",
	.options = OPTIONS,
	.noptions = NOPTIONS,
	.run = run,
};
