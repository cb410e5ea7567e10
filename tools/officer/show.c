/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "daemon.h"
#include "opfile.h"

enum { OPT_ROLL = OPT_DAEMON, OPT_COUNT };

static const struct arg_option OPTIONS[OPT_COUNT] = {
	COMMON_OPTIONS, DAEMON_OPTIONS,
	[OPT_ROLL] = {"roll", "FILE", NULL,
		      "the operation that the officers in force come from"}};

static int print(const struct args *args, const struct opfile *f,
		 const struct opfile_known *known)
{
	const int good = opfile_is_good(f, known) ? EXIT_GOOD : EXIT_REFUSED;

	if (args->value[OPT_JSON] == NULL)
		return opfile_show(f, known, stdout) == SG_OK
			       ? good
			       : officer_trouble("it cannot be shown");
	return opfile_print_json(f, known, JSON_INDENT(2))
		       ? good
		       : officer_trouble(err_text(SG_NO_MEMORY));
}

/* With what is known of the officers. */
static int show(const struct args *args, const struct opfile *f)
{
	static struct in_force now;
	struct opfile_known known = {.now = &now, .time = clock_wall_s()};
	json_t *document = NULL;
	char why[WHY_MAX] = "";
	enum sg_err err = SG_OK;
	int status;

	now = (struct in_force){.has_keys = false};
	if (args->value[OPT_SOCKET] != NULL ||
	    (args->value[OPT_SERVER] != NULL && args->value[OPT_CERT] != NULL))
		err = daemon_look(args, &document, why, sizeof(why));
	/* What is signed is shown all the same. */
	if (err != SG_OK)
		(void)fprintf(stderr,
			      "signer-officer: %s; shown without what signerd "
			      "knows\n",
			      why);
	err = SG_OK;
	known.document = document;
	if (args->value[OPT_ROLL] != NULL)
		err = in_force_read(args->value[OPT_ROLL], &now, why,
				    sizeof(why));
	else if (document != NULL)
		err = in_force_told(document, &now, why, sizeof(why));
	status = err == SG_OK ? print(args, f, &known)
			      : daemon_trouble(err, why);
	json_decref(document);
	return status;
}

static int run(const struct args *args)
{
	static struct opfile f;
	char why[WHY_MAX] = "";
	int status;

	if (args->n != 1)
		return officer_trouble("show takes one file");
	if (opfile_read(args->rest[0], &f, why, sizeof(why)) != SG_OK)
		return officer_trouble(why);
	status = show(args, &f);
	free(f.bytes);
	return status;
}

const struct command SHOW_OPERATION_COMMAND = {
	.name = "show",
	.usage = "FILE.op [--roll GENESIS.op]",
	.about = "show an operation, and who has signed it",
	.more = "Officers compare the SHA-256 by voice: it is that of the "
		"bytes that each signs.\nSignatures are verified by the keys "
		"in --roll; a signerd that is named tells names\nonly, and "
		"which keys there are.\n",
	.options = OPTIONS,
	.noptions = OPT_COUNT,
	.run = run};
