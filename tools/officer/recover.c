/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signing.h"
#include "tools/common/input.h"

enum { OPT_NAME = OPT_COMMON, OPT_OFFICER_KEY, OPT_OUT, OPT_COUNT };

static const struct arg_option OPTIONS[OPT_COUNT] = {
	COMMON_OPTIONS,
	[OPT_NAME] = {"name", "NAME", NULL,
		      "the officer's name, as in ledger.officers"},
	[OPT_OFFICER_KEY] = {"key", "FILE", NULL,
			     "the officer's own key, Ed25519, PEM"},
	[OPT_OUT] = {"out", "FILE", NULL,
		     "where the signed statement goes (standard output)"}};

enum { STATEMENT_LINES = 4 };
static const char FIRST_LINE[] = "signerd ledger recovery\n";

/* Four lines and no more: nobody is to sign what he does not see. */
static bool is_statement(struct span text)
{
	size_t lines = 0;

	for (size_t i = 0; i < text.n; i++) {
		const uint8_t c = text.p[i];

		if (c == '\n' && (i == 0 || text.p[i - 1] == '\n'))
			return false;
		if (c == '\n')
			lines++;
		else if (c < ' ')
			return false;
	}
	return lines == STATEMENT_LINES && text.p[text.n - 1] == '\n' &&
	       text.n > strlen(FIRST_LINE) &&
	       memcmp(text.p, FIRST_LINE, strlen(FIRST_LINE)) == 0;
}

static int sign_statement(const struct args *args,
			  const struct officer_key *key, struct span in)
{
	const struct signing to = {.key = key,
				   .out = args->value[OPT_OUT],
				   .place = "state/recovery",
				   .json = args->value[OPT_JSON] != NULL};
	struct span lines;
	struct note n;

	signing_take_apart(in, &n, &lines);
	if (!is_statement(n.text)) {
		(void)fputs("signer-officer: this is no statement that signerd "
			    "asked for (state/recovery.request)\n",
			    stderr);
		return EXIT_REFUSED;
	}
	if (lines.n > 0 && note_verify(&n, &key->note, NULL) == SG_OK) {
		(void)fputs("signer-officer: you have signed it already\n",
			    stderr);
		return EXIT_REFUSED;
	}
	(void)fputs("You sign that signerd goes on with a ledger that is not "
		    "what it was:\n\n",
		    stderr);
	signing_show(n.text);
	(void)fputs("\nWhat is known beyond the state on disk is lost for "
		    "good.\n",
		    stderr);
	return signing_add(&to, &n, lines);
}

static int run(const struct args *args)
{
	char why[WHY_MAX] = "";
	struct officer_key key;
	uint8_t *in = NULL;
	size_t n = 0;
	int status;

	if (args->n != 1 || args->value[OPT_NAME] == NULL ||
	    args->value[OPT_OFFICER_KEY] == NULL)
		return officer_trouble(
			"recover takes a statement, --key and --name");
	if (officer_key_read(args->value[OPT_OFFICER_KEY],
			     args->value[OPT_NAME], &key, why,
			     sizeof(why)) != SG_OK)
		return officer_trouble(why);
	if (input_bytes(args->rest[0], &in, &n, why, sizeof(why)) != SG_OK)
		status = officer_trouble(why);
	else
		status = sign_statement(args, &key, span_of(in, n));
	free(in);
	EVP_PKEY_free(key.pkey);
	return status;
}

const struct command RECOVER_COMMAND = {
	.name = "recover",
	.usage = "STATEMENT --key KEY.pem --name NAME [--out FILE]",
	.about = "sign that signerd goes on with the ledger that it found",
	.more = "STATEMENT is state/recovery.request, as signerd wrote it when "
		"it refused the ledger,\nor what another officer has signed "
		"of it.  With enough signatures it goes to\nstate/recovery; "
		"see LEDGER REFUSED in signerd(8).\n",
	.options = OPTIONS,
	.noptions = OPT_COUNT,
	.run = run};
