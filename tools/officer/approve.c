/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "approving.h"
#include "base/clock.h"
#include "base/hex.h"
#include "standing.h"

enum {
	OPT_OFFICER_KEY = OPT_COMMON,
	OPT_NAME,
	OPT_OUT,
	OPT_ROLL,
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
		     "where it goes with your signature, a new file (FILE.op "
		     "itself)"},
	[OPT_ROLL] = {"roll", "FILE", NULL,
		      "the operation that the officers in force come from"},
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

/* ONCE_MORE: he had signed it before. */
static int report(const struct args *args, const struct signer *s,
		  struct span bytes, const struct opfile_known *known,
		  bool once_more)
{
	const char *out = args->value[OPT_OUT];
	static struct opfile f;
	char kid[HEX_TEXT(ROLL_KID_BYTES)];
	const char *fault;

	if (approved_decode(bytes, &f.approved) != SG_OK ||
	    operation_decode(f.approved.operation, &f.operation, &fault) !=
		    SG_OK)
		return officer_trouble(err_text(SG_INTERNAL));
	(void)fprintf(stderr,
		      "%s %s, kid %s%s; it has %zu signature%s%s, in %s.\n",
		      once_more ? "It was signed before by" : "Signed by",
		      s->officer.name,
		      hex_encode(s->officer.kid, ROLL_KID_BYTES, kid),
		      once_more ? ": nothing is added" : "", f.approved.n,
		      f.approved.n == 1 ? "" : "s", once_more ? "" : " now",
		      out != NULL ? out : args->rest[0]);
	if (standing_show(&f, known, stderr) != SG_OK)
		return officer_trouble(err_text(SG_NO_MEMORY));
	if (args->value[OPT_JSON] == NULL)
		return EXIT_GOOD;
	return opfile_print_json(&f, known, JSON_COMPACT)
		       ? EXIT_GOOD
		       : officer_trouble(err_text(SG_NO_MEMORY));
}

static int sign(const struct args *args, const struct opfile *f,
		const struct opfile_known *known, const struct signer *s)
{
	const char *out = args->value[OPT_OUT];
	char why[WHY_MAX] = "";
	struct approving done;
	int status;

	if (approving_sign(f, s, &done, why, sizeof(why)) != SG_OK ||
	    approving_put(args->rest[0], out, span_of(done.p, done.n), why,
			  sizeof(why)) != SG_OK)
		status = officer_trouble(why);
	else
		status = report(args, s, span_of(done.p, done.n), known, false);
	free(done.p);
	return status;
}

/* F bears the signature of S already: it stays as it is, where it is to go. */
static int leave(const struct args *args, const struct opfile *f,
		 const struct opfile_known *known, const struct signer *s)
{
	const char *out = args->value[OPT_OUT];
	const struct span bytes = span_of(f->bytes, f->n);
	const bool in_place = out == NULL && strcmp(args->rest[0], "-") != 0;
	char why[WHY_MAX] = "";

	if (!in_place &&
	    approving_put(args->rest[0], out, bytes, why, sizeof(why)) != SG_OK)
		return officer_trouble(why);
	return report(args, s, bytes, known, true);
}

/* Has the proposer of F to sign it, by R, without being counted?  Then that is
 * what it lacks where nobody has signed. */
static bool is_not_counted(const struct roll *r, const struct opfile *f)
{
	struct approved nobody = f->approved;
	struct approval_count count;

	nobody.n = 0;
	return approval_judge(r, &nobody, &f->operation, &count) == SG_OK &&
	       count.lacks_proposer;
}

/* What its officer is to know before he signs.  False, with WHY: it could only
 * be refused. */
static bool is_worth_it(const struct args *args, const struct opfile *f,
			const struct opfile_known *known, char *why, size_t cap)
{
	const char *name = args->value[OPT_NAME];
	const struct roll *r = opfile_roll(f, known);

	if (opfile_has_expired(f, known, why, cap) ||
	    !approving_others(f, known, name, why, cap))
		return false;
	if (r != NULL && span_is(f->operation.proposer, name) &&
	    is_not_counted(r, f))
		(void)fputs("\nYou are its proposer: your signature has to be "
			    "there, and is not counted as an approval.\n",
			    stderr);
	return true;
}

static int approve(const struct args *args, const struct opfile *f,
		   const struct opfile_known *known)
{
	const struct signer_wanted wanted = {
		.key = args->value[OPT_OFFICER_KEY],
		.name = args->value[OPT_NAME],
		.module = args->value[OPT_MODULE],
		.pin_file = args->value[OPT_PIN_FILE]};
	char why[WHY_MAX] = "";
	struct signer s;
	int status;

	/* What is signed is seen first, also by who says --yes. */
	(void)fputs("You sign this:\n\n", stderr);
	if (opfile_show(f, known, stderr) != SG_OK)
		return officer_trouble("it cannot be shown");
	if (!is_worth_it(args, f, known, why, sizeof(why))) {
		(void)officer_trouble(why);
		return EXIT_REFUSED;
	}
	if (!asked(args))
		return EXIT_REFUSED;
	if (signer_open(&wanted, &s, why, sizeof(why)) != SG_OK)
		return officer_trouble(why);
	if (!approving_may(f, known, &s.officer, why, sizeof(why))) {
		(void)officer_trouble(why);
		status = EXIT_REFUSED;
	} else if (approving_has(f, &s.officer)) {
		status = leave(args, f, known, &s);
	} else {
		status = sign(args, f, known, &s);
	}
	signer_close(&s);
	return status;
}

static int run(const struct args *args)
{
	static struct opfile f;
	static struct in_force now;
	const struct opfile_known known = {.now = &now, .time = clock_wall_s()};
	char why[WHY_MAX] = "";
	int status;

	now = (struct in_force){.has_keys = false};
	if (args->n != 1 || args->value[OPT_OFFICER_KEY] == NULL ||
	    args->value[OPT_NAME] == NULL)
		return officer_trouble("approve takes one file, --key and "
				       "--name");
	if (opfile_read(args->rest[0], &f, why, sizeof(why)) != SG_OK)
		return officer_trouble(why);
	if (args->value[OPT_ROLL] != NULL &&
	    in_force_read(args->value[OPT_ROLL], &now, why, sizeof(why)) !=
		    SG_OK)
		status = officer_trouble(why);
	else
		status = approve(args, &f, &known);
	free(f.bytes);
	return status;
}

const struct command APPROVE_COMMAND = {
	.name = "approve",
	.usage = "FILE.op --key KEY --name NAME [--roll FILE] [--out FILE]",
	.about = "sign an operation as an officer",
	.more = "It is shown, and signed when you type \"yes\"; one that could "
		"only be refused is not\n(it has expired; another signature "
		"does not verify by --roll).  Officers sign one\nfile one "
		"after the other, or copies of it, which \"join\" puts "
		"together.  KEY is a\nPEM file (P-256, P-384, RSA, Ed25519), "
		"or on a smart card\n\"pkcs11:token=...;object=...\", with "
		"?module-path=PATH or --module.\n",
	.options = OPTIONS,
	.noptions = OPT_COUNT,
	.run = run};
