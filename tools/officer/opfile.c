/* SPDX-License-Identifier: Apache-2.0 */
#include "opfile.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "document.h"
#include "standing.h"
#include "tools/common/input.h"
#include "tools/common/printable.h"
#include "tools/common/times.h"

enum {
	HASH_BYTES = 32,
	GROUP = 4, /* digits that are read aloud in one breath */
	WIDTH = 14 /* of the lines' names */
};

enum sg_err opfile_read(const char *path, struct opfile *out, char *why,
			size_t cap)
{
	const char *fault = NULL;
	enum sg_err err;

	*out = (struct opfile){0};
	err = input_bytes(path, &out->bytes, &out->n, why, cap);
	if (err != SG_OK)
		return err;
	err = approved_decode(span_of(out->bytes, out->n), &out->approved);
	if (err == SG_OK)
		err = operation_decode(out->approved.operation, &out->operation,
				       &fault);
	if (err == SG_OK)
		return SG_OK;
	(void)snprintf(why, cap, "%s: not an operation%s%s", path,
		       fault != NULL ? ": " : "", fault != NULL ? fault : "");
	free(out->bytes);
	*out = (struct opfile){0};
	return err == SG_NO_MEMORY ? err : SG_MALFORMED;
}

bool opfile_hash(const struct opfile *f, char out[OPFILE_HASH_TEXT])
{
	uint8_t hash[HASH_BYTES];

	if (EVP_Digest(f->approved.operation.p, f->approved.operation.n, hash,
		       NULL, EVP_sha256(), NULL) != 1)
		return false;
	(void)hex_encode(hash, sizeof(hash), out);
	return true;
}

/* --- who has signed ------------------------------------------------------- */

struct signed_by {
	const char *name; /* NULL: not known */
	const char *word; /* of the signature */
	bool bad;	  /* nobody is to go by it */
};

const struct roll *opfile_roll(const struct opfile *f,
			       const struct opfile_known *known)
{
	/* Those whom a genesis names sign it themselves. */
	if (f->operation.kind == OPERATION_GENESIS)
		return &f->operation.roll;
	return known->now != NULL && known->now->has_keys ? &known->now->roll
							  : NULL;
}

/* Has one before the I-th the same kid? */
static bool is_second(const struct approved *a, size_t i)
{
	for (size_t n = 0; n < i; n++)
		if (memcmp(a->approval[n].kid, a->approval[i].kid,
			   ROLL_KID_BYTES) == 0)
			return true;
	return false;
}

static struct signed_by who_signed(const struct opfile *f, size_t i,
				   const struct opfile_known *known)
{
	const struct approval *a = &f->approved.approval[i];
	const struct roll *keys = opfile_roll(f, known);
	const struct roll *roll = keys;
	const struct officer *officer;

	if (roll == NULL && known->now != NULL && known->now->roll.n > 0)
		roll = &known->now->roll;
	if (roll == NULL)
		return (struct signed_by){NULL, "not verified here", false};
	officer = roll_find(roll, a->kid);
	if (officer == NULL)
		return (struct signed_by){NULL, "NO OFFICER of the roll", true};
	if (is_second(&f->approved, i))
		return (struct signed_by){officer->name, "ONCE MORE", true};
	if (keys == NULL)
		return (struct signed_by){officer->name, "not verified here",
					  false};
	if (approval_verify(&f->approved, i, officer) == SG_OK)
		return (struct signed_by){officer->name, "verified", false};
	return (struct signed_by){officer->name, "DOES NOT VERIFY", true};
}

const char *opfile_signature_fault(const struct opfile *f, size_t i,
				   const struct opfile_known *known)
{
	const struct signed_by by = who_signed(f, i, known);

	return by.bad ? by.word : NULL;
}

bool opfile_has_expired(const struct opfile *f,
			const struct opfile_known *known, char *why, size_t cap)
{
	char text[TIMES_TEXT];

	/* As signerd has it. */
	if (known->time == 0 || known->time <= f->operation.expires)
		return false;
	times_format(f->operation.expires, text);
	(void)snprintf(why, cap, "it has expired at %s: have it proposed anew",
		       text);
	return true;
}

bool opfile_is_good(const struct opfile *f, const struct opfile_known *known)
{
	char why[WHY_MAX];

	for (size_t i = 0; i < f->approved.n; i++)
		if (opfile_signature_fault(f, i, known) != NULL)
			return false;
	return !opfile_has_expired(f, known, why, sizeof(why));
}

static void show_signatures(const struct opfile *f,
			    const struct opfile_known *known, FILE *to)
{
	char kid[HEX_TEXT(ROLL_KID_BYTES)];

	if (f->approved.n == 0)
		(void)fprintf(to, "%-*s nobody\n", WIDTH, "signed by:");
	for (size_t i = 0; i < f->approved.n; i++) {
		const struct approval *a = &f->approved.approval[i];
		const struct signed_by by = who_signed(f, i, known);

		(void)fprintf(to, "%-*s ", WIDTH, i == 0 ? "signed by:" : "");
		printable_put(to,
			      span_str(by.name != NULL ? by.name : "somebody"));
		(void)fprintf(to, ", kid %s, %s: %s\n",
			      hex_encode(a->kid, ROLL_KID_BYTES, kid),
			      cose_alg_name(a->alg), by.word);
	}
}

/* --- for a person --------------------------------------------------------- */

static void show_hash(const char *hash, FILE *to)
{
	(void)fprintf(to, "%-*s", WIDTH, "SHA-256:");
	for (size_t i = 0; hash[i] != '\0'; i += GROUP)
		(void)fprintf(to, "%s%.*s",
			      i == (size_t)HASH_BYTES ? "\n               "
						      : " ",
			      GROUP, hash + i);
	(void)fputc('\n', to);
}

enum sg_err opfile_show(const struct opfile *f,
			const struct opfile_known *known, FILE *to)
{
	char *text = malloc(OPERATION_TEXT_MAX);
	char hash[OPFILE_HASH_TEXT];
	char why[WHY_MAX];
	enum sg_err err = SG_NO_MEMORY;

	if (text != NULL)
		err = operation_text(&f->operation, text, OPERATION_TEXT_MAX);
	if (err == SG_OK && !opfile_hash(f, hash))
		err = SG_INTERNAL;
	if (err == SG_OK) {
		(void)fputs(text, to); /* nothing hides in it */
		standing_changes(f, known, to);
		(void)fputc('\n', to);
		show_hash(hash, to);
		show_signatures(f, known, to);
		err = standing_show(f, known, to);
		if (opfile_has_expired(f, known, why, sizeof(why)))
			(void)fprintf(to, "%-*s %s\n", WIDTH, "REFUSED:", why);
	}
	free(text);
	return err;
}

/* --- for a program -------------------------------------------------------- */

static json_t *signature_json(const struct opfile *f, size_t i,
			      const struct opfile_known *known)
{
	const struct approval *a = &f->approved.approval[i];
	const struct signed_by by = who_signed(f, i, known);
	char kid[2 * ROLL_KID_BYTES];

	kid[base64_encode(span_of(a->kid, ROLL_KID_BYTES), BASE64_STANDARD,
			  kid)] = '\0';
	return json_pack("{s:s, s:s, s:s*, s:s}", "kid", kid, "alg",
			 cose_alg_name(a->alg), "name", by.name, "signature",
			 by.word);
}

json_t *opfile_json(const struct opfile *f, const struct opfile_known *known)
{
	json_t *signatures = json_array();
	json_t *operation = NULL;
	char hash[OPFILE_HASH_TEXT] = "";
	char why[WHY_MAX];

	if (!opfile_hash(f, hash) ||
	    document_json(f->approved.operation, &operation) != SG_OK) {
		json_decref(signatures);
		return NULL;
	}
	for (size_t i = 0; i < f->approved.n; i++)
		(void)json_array_append_new(signatures,
					    signature_json(f, i, known));
	return json_pack("{s:o, s:s, s:o, s:b, s:o*}", "operation", operation,
			 "sha256", hash, "signatures", signatures, "expired",
			 opfile_has_expired(f, known, why, sizeof(why)),
			 "standing", standing_json(f, known));
}

bool opfile_print_json(const struct opfile *f, const struct opfile_known *known,
		       size_t flags)
{
	json_t *j = opfile_json(f, known);
	char *text = j != NULL ? printable_json(j, flags) : NULL;

	json_decref(j);
	if (text == NULL)
		return false;
	(void)puts(text);
	free(text);
	return true;
}
