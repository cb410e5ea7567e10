/* SPDX-License-Identifier: Apache-2.0 */
#include "receipt.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "args.h"
#include "check.h"
#include "hcert/hc1.h"
#include "input.h"
#include "ledger/checkpoint.h"
#include "payload.h"

enum { TBS_MAX = HC1_COSE_MAX + 64, UVCI_MAX = 256 };

struct receipt {
	struct checker *checker;
	struct merkle *merkle;
	size_t entry_n;
	uint8_t entry[ENTRY_BYTES_MAX];
	uint8_t tbs[TBS_MAX];
};

/* A proof taken apart. */
struct parts {
	struct merkle_proof proof;
	struct span checkpoint;
	struct checkpoint opened;
};

enum sg_err receipt_create(struct receipt **out)
{
	struct receipt *r = calloc(1, sizeof(*r));
	enum sg_err err;

	if (r == NULL)
		return SG_NO_MEMORY;
	err = checker_create(&r->checker);
	if (err == SG_OK)
		err = merkle_create(&r->merkle);
	if (err != SG_OK) {
		receipt_free(r);
		return err;
	}
	*out = r;
	return SG_OK;
}

void receipt_free(struct receipt *r)
{
	if (r == NULL)
		return;
	merkle_free(r->merkle);
	checker_free(r->checker);
	free(r);
}

__attribute__((format(printf, 3, 4))) static bool fail(
	struct receipt_result *out, enum receipt_step step, const char *fmt,
	...)
{
	va_list ap;

	out->failed = step;
	va_start(ap, fmt);
	(void)vsnprintf(out->detail, sizeof(out->detail), fmt, ap);
	va_end(ap);
	return false;
}

/* The `ci` of the one entry of DCC. */
static bool find_uvci(struct span dcc, char out[UVCI_MAX])
{
	static const char *const kinds[] = {"v", "t", "r"};
	const json_t *ci = NULL;
	json_t *j;

	if (payload_json(dcc, &j) != SG_OK)
		return false;
	for (size_t i = 0; i < 3 && ci == NULL; i++)
		ci = json_object_get(
			json_array_get(json_object_get(j, kinds[i]), 0), "ci");
	if (json_is_string(ci) && json_string_length(ci) < UVCI_MAX)
		memcpy(out, json_string_value(ci), json_string_length(ci) + 1);
	else
		out[0] = '\0';
	json_decref(j);
	return out[0] != '\0';
}

static bool check_certificate(struct receipt *r, struct span hc1,
			      struct check *check, char uvci[UVCI_MAX],
			      struct receipt_result *out)
{
	static const struct keyset nobody;

	/* Whether its own signature is good is for `verify` to say. */
	(void)checker_run(r->checker, hc1, &nobody, 0, check);
	if (check->failed <= CHECK_DECODE)
		return fail(out, RECEIPT_CERTIFICATE, "%s",
			    check->detail[check->failed]);
	if (!find_uvci(check->claims.dcc, uvci))
		return fail(out, RECEIPT_CERTIFICATE, "it has no UVCI");
	return true;
}

static bool check_proof(struct receipt *r, const struct receipt_asked *asked,
			struct span proof, const struct note_key *key,
			struct parts *p, struct receipt_result *out)
{
	enum sg_err err = checkpoint_proof_parse(proof, &out->index, &p->proof,
						 &p->checkpoint, r->entry,
						 sizeof(r->entry), &r->entry_n);

	if (err != SG_OK)
		return fail(out, RECEIPT_PROOF, "%s",
			    err == SG_TOO_BIG ? err_text(err)
					      : "it is not one");
	if (asked->has_index && asked->index != out->index)
		return fail(out, RECEIPT_PROOF,
			    "it is that of entry %" PRIu64 ", not %" PRIu64,
			    out->index, asked->index);
	err = checkpoint_open(p->checkpoint, key, &p->opened, NULL);
	switch (err) {
	case SG_OK: out->size = p->opened.size; return true;
	case SG_NOT_FOUND:
		return fail(out, RECEIPT_CHECKPOINT,
			    "not signed by this key of %s; where officers "
			    "have changed it, signer-auditor verify --since "
			    "leads to the new one",
			    key->name);
	default: return fail(out, RECEIPT_CHECKPOINT, "%s", err_text(err));
	}
}

static bool check_inclusion(struct receipt *r, const struct parts *p,
			    struct receipt_result *out)
{
	const struct span entry = span_of(r->entry, r->entry_n);
	struct merkle_hash leaf;
	enum sg_err err;

	if (r->entry_n == 0)
		return fail(out, RECEIPT_ENTRY,
			    "the proof has none: the server gives it to the "
			    "client that asked for the certificate, and to "
			    "auditors");
	err = entry_decode(entry, &out->entry);
	if (err != SG_OK)
		return fail(out, RECEIPT_ENTRY, "%s", err_text(err));
	err = merkle_leaf(r->merkle, entry, &leaf);
	if (err == SG_OK)
		err = merkle_check(r->merkle, &p->proof, p->opened.size,
				   out->index, &leaf, &p->opened.root);
	if (err == SG_NO_MEMORY)
		return fail(out, RECEIPT_INCLUSION, "%s", err_text(err));
	if (err != SG_OK)
		return fail(out, RECEIPT_INCLUSION,
			    "the hashes do not lead from the entry to the "
			    "root that was signed");
	return true;
}

static bool check_match(struct receipt *r, const struct check *check,
			const char *uvci, struct receipt_result *out)
{
	const struct cose_sign1 *s = &check->sign1;
	const struct entry *e = &out->entry;
	enum sg_err err;
	size_t n;

	if (e->type != ENTRY_ISSUED && e->type != ENTRY_RENEWED)
		return fail(out, RECEIPT_MATCH,
			    "the entry is not about a certificate");
	if (cose_sig_structure(s->prot, span_of(NULL, 0), s->payload, r->tbs,
			       sizeof(r->tbs), &n) != SG_OK)
		return fail(out, RECEIPT_MATCH, "%s", err_text(SG_TOO_BIG));
	err = entry_matches(e, s->signature, span_str(uvci),
			    span_of(r->tbs, n));
	if (err == SG_NO_MEMORY)
		return fail(out, RECEIPT_MATCH, "%s", err_text(err));
	if (err != SG_OK)
		return fail(out, RECEIPT_MATCH,
			    "it is the entry of another certificate");
	/* The hashes cover the certificate; these stand in the entry, too. */
	if (e->alg != s->alg ||
	    !span_eq(span_of(e->kid, COSE_KID_BYTES), s->kid) ||
	    !check->claims.has_iat || e->iat != check->claims.iat ||
	    !check->claims.has_exp || e->exp != check->claims.exp)
		return fail(out, RECEIPT_MATCH,
			    "the entry has another key, algorithm or time than "
			    "the certificate");
	return true;
}

bool receipt_check(struct receipt *r, const struct receipt_asked *asked,
		   struct span proof, const struct note_key *key,
		   struct receipt_result *out)
{
	struct check check;
	struct parts parts;
	char uvci[UVCI_MAX];

	*out = (struct receipt_result){.failed = RECEIPT_STEPS};
	return check_certificate(r, span_str(asked->hc1), &check, uvci, out) &&
	       check_proof(r, asked, proof, key, &parts, out) &&
	       check_inclusion(r, &parts, out) &&
	       check_match(r, &check, uvci, out);
}

/* --- what is asked for ---------------------------------------------------- */

/* A server's answer.  SG_NOT_FOUND: it is none. */
static enum sg_err take_answer(struct span text, struct receipt_asked *out)
{
	json_t *j = json_loadb((const char *)text.p, text.n,
			       JSON_REJECT_DUPLICATES, NULL);
	const char *hc1 = json_string_value(json_object_get(j, "hcert"));
	const json_t *index =
		json_object_get(json_object_get(j, "ledger"), "index");
	enum sg_err err = SG_NOT_FOUND;

	if (hc1 != NULL) {
		out->hc1 = strdup(hc1);
		err = out->hc1 == NULL ? SG_NO_MEMORY : SG_OK;
	}
	if (json_is_integer(index) && json_integer_value(index) >= 0) {
		out->has_index = true;
		out->index = (uint64_t)json_integer_value(index);
	}
	json_decref(j);
	return err;
}

static enum sg_err take_file(const char *arg, struct receipt_asked *out,
			     char *why, size_t cap)
{
	uint8_t *text;
	size_t n;
	enum sg_err err = input_bytes(arg, &text, &n, why, cap);

	if (err != SG_OK)
		return err;
	err = take_answer(span_of(text, n), out);
	if (err == SG_NOT_FOUND)
		return input_hc1_of(arg, text, n, &out->hc1, why, cap);
	free(text);
	return err;
}

enum sg_err receipt_asked(const char *arg, const char *index, bool needed,
			  struct receipt_asked *out, char *why, size_t cap)
{
	enum sg_err err;

	*out = (struct receipt_asked){0};
	err = strncmp(arg, "HC1:", 4) == 0 ? input_hc1(arg, &out->hc1, why, cap)
					   : take_file(arg, out, why, cap);
	if (err != SG_OK)
		return err;
	if (index != NULL)
		out->has_index = args_number(index, 0, INT64_MAX, &out->index);
	if (out->has_index || (index == NULL && !needed))
		return SG_OK;
	(void)snprintf(why, cap, "%s",
		       index != NULL
			       ? "--index: not a number"
			       : "--index is missing: the number of its entry, "
				 "which stands in the server's answer "
				 "(ledger.index)");
	free(out->hc1);
	out->hc1 = NULL;
	return SG_CONFIG;
}
