/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "officer.h"
#include "tools/common/input.h"
#include "tools/common/printable.h"

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

/* The statement in IN, which may have signatures already: LINES. */
static bool take_apart(struct span in, struct note *n, struct span *lines)
{
	*lines = span_of(NULL, 0);
	if (note_parse(in, n) == SG_OK) {
		/* An empty line stands between. */
		lines->p = in.p + n->text.n + 1;
		lines->n = in.n - n->text.n - 1;
	} else {
		*n = (struct note){.text = in};
	}
	return is_statement(n->text);
}

static bool sign(EVP_PKEY *pkey, struct span text,
		 uint8_t out[NOTE_SIGNATURE_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = NOTE_SIGNATURE_BYTES;
	const bool good =
		ctx != NULL &&
		EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		EVP_DigestSign(ctx, out, &n, text.p, text.n) == 1 &&
		n == NOTE_SIGNATURE_BYTES;

	EVP_MD_CTX_free(ctx);
	return good;
}

/* LINES and the officer's own, in a fresh buffer. */
static uint8_t *add_line(const struct officer_key *key, struct span text,
			 struct span lines, size_t *n)
{
	uint8_t signature[NOTE_SIGNATURE_BYTES];
	uint8_t *all = malloc(lines.n + NOTE_LINE_MAX);
	size_t line_n = 0;

	if (all == NULL)
		return NULL;
	if (lines.n > 0)
		memcpy(all, lines.p, lines.n);
	if (!sign(key->pkey, text, signature) ||
	    note_signature_line(&key->note, 0, signature, all + lines.n,
				NOTE_LINE_MAX, &line_n) != SG_OK) {
		free(all);
		return NULL;
	}
	*n = lines.n + line_n;
	return all;
}

static enum sg_err print_json(struct span note, size_t signatures)
{
	json_t *j = json_object();
	char *out;

	(void)json_object_set_new(j, "statement",
				  json_stringn((const char *)note.p, note.n));
	(void)json_object_set_new(j, "signatures",
				  json_integer((json_int_t)signatures));
	out = printable_json(j, JSON_COMPACT);
	json_decref(j);
	if (out == NULL)
		return SG_NO_MEMORY;
	(void)puts(out);
	free(out);
	return SG_OK;
}

/* What is asked for: the note, with --json in an object; with --out the note
 * goes there, and standard output has only the object. */
static enum sg_err put_note(const struct args *args, struct span note,
			    size_t signatures, char *why, size_t cap)
{
	const bool json = args->value[OPT_JSON] != NULL;
	enum sg_err err = SG_OK;

	if (!json || args->value[OPT_OUT] != NULL)
		err = output_bytes(args->value[OPT_OUT], note.p, note.n, why,
				   cap);
	if (err == SG_OK && json)
		err = print_json(note, signatures);
	return err;
}

static int write_note(const struct args *args, struct span text,
		      struct span lines, size_t signatures)
{
	char why[WHY_MAX] = "";
	uint8_t *note = malloc(text.n + lines.n + 1);
	size_t n = 0;
	enum sg_err err = SG_NO_MEMORY;

	if (note != NULL)
		err = note_join(text, lines, note, text.n + lines.n + 1, &n);
	if (err == SG_OK)
		err = put_note(args, span_of(note, n), signatures, why,
			       sizeof(why));
	free(note);
	if (err != SG_OK)
		return officer_trouble(why[0] != '\0' ? why : err_text(err));
	(void)fprintf(stderr,
		      "\nSignatures that it has now: %zu.  With those of "
		      "ledger.approvals officers it goes to state/recovery.\n",
		      signatures);
	return EXIT_GOOD;
}

/* TEXT on standard error, its lines as lines. */
static void show(struct span text)
{
	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		const size_t n = (size_t)(end - text.p); /* the last has one */

		printable_put(stderr, span_of(text.p, n));
		(void)fputc('\n', stderr);
		text = span_of(text.p + n + 1, text.n - n - 1);
	}
}

static int sign_statement(const struct args *args,
			  const struct officer_key *key, struct span in)
{
	struct span lines;
	struct note n;
	uint8_t *all;
	size_t all_n = 0;
	int status;

	if (!take_apart(in, &n, &lines)) {
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
	show(n.text);
	(void)fputs("\nWhat is known beyond the state on disk is lost for "
		    "good.\n",
		    stderr);
	all = add_line(key, n.text, lines, &all_n);
	if (all == NULL)
		return officer_trouble("the signature cannot be made");
	status = write_note(args, n.text, span_of(all, all_n), n.n + 1);
	free(all);
	return status;
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
