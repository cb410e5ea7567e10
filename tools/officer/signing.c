/* SPDX-License-Identifier: Apache-2.0 */
#include "signing.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common/input.h"
#include "tools/common/printable.h"

void signing_take_apart(struct span in, struct note *n, struct span *lines)
{
	*lines = span_of(NULL, 0);
	if (note_parse(in, n) == SG_OK) {
		/* An empty line stands between. */
		lines->p = in.p + n->text.n + 1;
		lines->n = in.n - n->text.n - 1;
	} else {
		*n = (struct note){.text = in};
	}
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
static enum sg_err put_note(const struct signing *to, struct span note,
			    size_t signatures, char *why, size_t cap)
{
	enum sg_err err = SG_OK;

	if (!to->json || to->out != NULL)
		err = output_bytes(to->out, note.p, note.n, why, cap);
	if (err == SG_OK && to->json)
		err = print_json(note, signatures);
	return err;
}

static int write_note(const struct signing *to, struct span text,
		      struct span lines, size_t signatures)
{
	char why[WHY_MAX] = "";
	uint8_t *note = malloc(text.n + lines.n + 1);
	size_t n = 0;
	enum sg_err err = SG_NO_MEMORY;

	if (note != NULL)
		err = note_join(text, lines, note, text.n + lines.n + 1, &n);
	if (err == SG_OK)
		err = put_note(to, span_of(note, n), signatures, why,
			       sizeof(why));
	free(note);
	if (err != SG_OK)
		return officer_trouble(why[0] != '\0' ? why : err_text(err));
	(void)fprintf(stderr,
		      "\nSignatures that it has now: %zu.  With those of "
		      "ledger.approvals officers it goes to %s.\n",
		      signatures, to->place);
	return EXIT_GOOD;
}

void signing_show(struct span text)
{
	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		const size_t n = (size_t)(end - text.p); /* the last has one */

		printable_put(stderr, span_of(text.p, n));
		(void)fputc('\n', stderr);
		text = span_of(text.p + n + 1, text.n - n - 1);
	}
}

int signing_add(const struct signing *to, const struct note *n,
		struct span lines)
{
	size_t all_n = 0;
	uint8_t *all = add_line(to->key, n->text, lines, &all_n);
	int status;

	if (all == NULL)
		return officer_trouble("the signature cannot be made");
	status = write_note(to, n->text, span_of(all, all_n), n->n + 1);
	free(all);
	return status;
}
