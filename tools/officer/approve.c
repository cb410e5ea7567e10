/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "approving.h"
#include "base/hex.h"

enum {
	OPT_OFFICER_KEY = OPT_COMMON,
	OPT_NAME,
	OPT_OUT,
	OPT_YES,
	OPT_MODULE,
	OPT_PIN_FILE,
	OPT_COUNT
};

static const struct arg_option OPTIONS[OPT_COUNT] = {
	COMMON_OPTIONS,
	[OPT_OFFICER_KEY] = {"key", "KEY", NULL,
			     "your key: a PEM file, or a pkcs11: URI"},
	[OPT_NAME] = {"name", "NAME", NULL, "your name, as the roll has it"},
	[OPT_OUT] = {"out", "FILE", NULL,
		     "where it goes with your signature (FILE.op itself)"},
	[OPT_YES] = {"yes", NULL, NULL, "sign without asking"},
	[OPT_MODULE] = {"module", "PATH", NULL,
			"of a card: its PKCS #11 module"},
	[OPT_PIN_FILE] = {"pin-file", "FILE", NULL,
			  "of a card: the PIN, instead of asking for it"}};

/* Does the officer say yes? */
static bool asked(const struct args *args)
{
	char line[16];

	if (args->value[OPT_YES] != NULL)
		return true;
	if (isatty(STDIN_FILENO) == 0) {
		(void)fputs("signer-officer: there is no terminal to ask on; "
			    "--yes signs without asking\n",
			    stderr);
		return false;
	}
	(void)fputs("\nSign it?  Type \"yes\": ", stderr);
	if (fgets(line, sizeof(line), stdin) != NULL &&
	    strcmp(line, "yes\n") == 0)
		return true;
	(void)fputs("Not signed.\n", stderr);
	return false;
}

static int report(const struct args *args, const struct signer *s,
		  struct span bytes, const char *path)
{
	static struct opfile f;
	struct opfile_known nobody = {0};
	char kid[HEX_TEXT(ROLL_KID_BYTES)];
	const char *fault;

	if (approved_decode(bytes, &f.approved) != SG_OK ||
	    operation_decode(f.approved.operation, &f.operation, &fault) !=
		    SG_OK)
		return officer_trouble(err_text(SG_INTERNAL));
	(void)fprintf(stderr,
		      "Signed by %s, kid %s; it has %zu signature%s now, in "
		      "%s.\n",
		      s->officer.name,
		      hex_encode(s->officer.kid, ROLL_KID_BYTES, kid),
		      f.approved.n, f.approved.n == 1 ? "" : "s", path);
	if (args->value[OPT_JSON] == NULL)
		return EXIT_GOOD;
	return opfile_print_json(&f, &nobody, JSON_COMPACT)
		       ? EXIT_GOOD
		       : officer_trouble(err_text(SG_NO_MEMORY));
}

/* The first officers stand in the genesis itself.  Is S the one of its name? */
static bool is_named(const struct opfile *f, const struct signer *s, char *why,
		     size_t cap)
{
	const struct officer *o;

	if (f->operation.kind != OPERATION_GENESIS)
		return true; /* signerd knows who is whose */
	o = roll_find(&f->operation.roll, s->officer.kid);
	if (o != NULL && strcmp(o->name, s->officer.name) == 0)
		return true;
	if (o == NULL)
		(void)snprintf(why, cap,
			       "this key is of none of the officers that the "
			       "genesis names");
	else
		(void)snprintf(why, cap, "the genesis has this key as %s's",
			       o->name);
	return false;
}

static int sign(const struct args *args, const struct opfile *f,
		const struct signer *s)
{
	const char *path = args->value[OPT_OUT] != NULL ? args->value[OPT_OUT]
							: args->rest[0];
	char why[WHY_MAX] = "";
	struct approving signed_op;
	int status;

	if (approving_sign(f, s, &signed_op, why, sizeof(why)) != SG_OK ||
	    approving_write(path, span_of(signed_op.p, signed_op.n), why,
			    sizeof(why)) != SG_OK)
		status = officer_trouble(why);
	else
		status = report(args, s, span_of(signed_op.p, signed_op.n),
				path);
	free(signed_op.p);
	return status;
}

static int approve(const struct args *args, const struct opfile *f)
{
	const struct signer_wanted wanted = {
		.key = args->value[OPT_OFFICER_KEY],
		.name = args->value[OPT_NAME],
		.module = args->value[OPT_MODULE],
		.pin_file = args->value[OPT_PIN_FILE]};
	const struct opfile_known nobody = {0};
	char why[WHY_MAX] = "";
	struct signer s;
	int status;

	/* What is signed is seen first, also by who says --yes. */
	(void)fputs("You sign this:\n\n", stderr);
	if (opfile_show(f, &nobody, stderr) != SG_OK)
		return officer_trouble("it cannot be shown");
	if (!asked(args))
		return EXIT_REFUSED;
	if (signer_open(&wanted, &s, why, sizeof(why)) != SG_OK)
		return officer_trouble(why);
	if (is_named(f, &s, why, sizeof(why))) {
		status = sign(args, f, &s);
	} else {
		(void)officer_trouble(why);
		status = EXIT_REFUSED;
	}
	signer_close(&s);
	return status;
}

static int run(const struct args *args)
{
	static struct opfile f;
	char why[WHY_MAX] = "";
	int status;

	if (args->n != 1 || args->value[OPT_OFFICER_KEY] == NULL ||
	    args->value[OPT_NAME] == NULL)
		return officer_trouble("approve takes one file, --key and "
				       "--name");
	if (opfile_read(args->rest[0], &f, why, sizeof(why)) != SG_OK)
		return officer_trouble(why);
	status = approve(args, &f);
	free(f.bytes);
	return status;
}

const struct command APPROVE_COMMAND = {
	.name = "approve",
	.usage = "FILE.op --key KEY --name NAME [--out FILE]",
	.about = "sign an operation as an officer",
	.more = "It is shown, and signed when you type \"yes\".  Officers "
		"sign one file one after the\nother, or copies of it, which "
		"\"join\" puts together.  KEY is a PEM file (P-256,\nP-384, "
		"RSA, Ed25519), or on a smart card "
		"\"pkcs11:token=...;object=...\", with\n?module-path=PATH or "
		"--module.\n",
	.options = OPTIONS,
	.noptions = OPT_COUNT,
	.run = run};
