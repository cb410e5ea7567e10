/* SPDX-License-Identifier: Apache-2.0 */
#include "approval.h"

#include <stdlib.h>

#include "hcert/cbor.h"

/* RFC 9052 s. 2, 3.1, 4.1. */
enum {
	TAG_SIGN = 98,
	SIGN_ITEMS = 4,
	SIGNATURE_ITEMS = 3,
	SIG_STRUCTURE_ITEMS = 5
};

/* {3: "application/signerd-operation+cbor"}: content type. */
#define BODY_PROTECTED                                                         \
	SPAN_LIT("\xa1\x03\x78\x22"                                            \
		 "application/signerd-operation+cbor")

_Static_assert((int)ROLL_KID_BYTES == (int)COSE_KID_BYTES,
	       "cose_protected() writes an officer's kid too");

/* --- reading -------------------------------------------------------------- */

/* Take a head of TYPE with exactly ARG. */
static enum sg_err take_head(struct cbor_reader *r, enum cbor_type type,
			     uint64_t arg)
{
	struct cbor_item item;
	const enum sg_err err = cbor_next(r, &item);

	if (err != SG_OK)
		return err;
	return item.type == type && item.arg == arg ? SG_OK : SG_MALFORMED;
}

static bool is_ours(int64_t alg)
{
	return alg == COSE_ES256 || alg == COSE_ES384 || alg == COSE_PS256 ||
	       alg == COSE_EDDSA;
}

/* A signature's protected header: it must be the one that we would write. */
static enum sg_err read_protected(struct approval *a)
{
	struct cbor_reader r = cbor_read(a->prot, CBOR_DETERMINISTIC);
	uint8_t same[COSE_PROTECTED_MAX];
	struct cbor_item item;
	struct span kid;
	int64_t alg;
	size_t n;

	if (take_head(&r, CBOR_MAP, 2) != SG_OK ||
	    cbor_next(&r, &item) != SG_OK || cbor_next(&r, &item) != SG_OK ||
	    !cbor_int(&item, &alg) || !is_ours(alg) ||
	    cbor_next(&r, &item) != SG_OK ||
	    cbor_string(&r, CBOR_BYTES, &kid) != SG_OK ||
	    kid.n != ROLL_KID_BYTES)
		return SG_MALFORMED;
	a->alg = (enum cose_alg)alg;
	a->kid = kid.p;
	if (cose_protected(a->alg, a->kid, same, sizeof(same), &n) != SG_OK ||
	    !span_eq(a->prot, span_of(same, n)))
		return SG_MALFORMED;
	return SG_OK;
}

static enum sg_err read_signature(struct cbor_reader *r, struct approval *a)
{
	enum sg_err err = take_head(r, CBOR_ARRAY, SIGNATURE_ITEMS);

	if (err == SG_OK)
		err = cbor_string(r, CBOR_BYTES, &a->prot);
	if (err == SG_OK)
		err = read_protected(a);
	if (err == SG_OK)
		err = take_head(r, CBOR_MAP, 0);
	if (err == SG_OK)
		err = cbor_string(r, CBOR_BYTES, &a->signature);
	if (err != SG_OK)
		return err;
	return a->signature.n > 0 && a->signature.n <= COSE_SIG_MAX
		       ? SG_OK
		       : SG_MALFORMED;
}

static enum sg_err read_signatures(struct cbor_reader *r, struct approved *out)
{
	struct cbor_item array;
	enum sg_err err = cbor_next(r, &array);

	if (err != SG_OK)
		return err;
	if (array.type != CBOR_ARRAY || array.arg == 0)
		return SG_MALFORMED; /* s. 4.1: one or more */
	if (array.arg > APPROVALS_MAX)
		return SG_TOO_BIG;
	while (err == SG_OK && out->n < array.arg)
		err = read_signature(r, &out->approval[out->n++]);
	return err;
}

static enum sg_err read_sign(struct cbor_reader *r, struct approved *out)
{
	struct span body;
	enum sg_err err = take_head(r, CBOR_ARRAY, SIGN_ITEMS);

	if (err == SG_OK)
		err = cbor_string(r, CBOR_BYTES, &body);
	if (err == SG_OK && !span_eq(body, BODY_PROTECTED))
		err = SG_MALFORMED;
	if (err == SG_OK)
		err = take_head(r, CBOR_MAP, 0);
	if (err == SG_OK)
		err = cbor_string(r, CBOR_BYTES, &out->operation);
	if (err == SG_OK && out->operation.n > OPERATION_BYTES_MAX)
		err = SG_TOO_BIG;
	if (err == SG_OK)
		err = read_signatures(r, out);
	if (err == SG_OK && !cbor_at_end(r))
		err = SG_MALFORMED;
	return err;
}

enum sg_err approved_decode(struct span in, struct approved *out)
{
	struct cbor_reader r = cbor_read(in, CBOR_DETERMINISTIC);
	struct cbor_item item;
	enum sg_err err;

	memset(out, 0, sizeof(*out));
	if (in.n > APPROVED_BYTES_MAX)
		return SG_TOO_BIG;
	err = cbor_next(&r, &item);
	if (err != SG_OK)
		return err;
	if (item.type == CBOR_TAG && item.arg == TAG_SIGN)
		return read_sign(&r, out);
	if (item.type != CBOR_MAP)
		return SG_MALFORMED;
	out->operation = in;
	return in.n <= OPERATION_BYTES_MAX ? SG_OK : SG_TOO_BIG;
}

/* --- writing -------------------------------------------------------------- */

/* RFC 9052 s. 4.4. */
static enum sg_err put_message(struct span prot, struct span operation,
			       uint8_t *out, size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);

	cbor_put_array(&w, SIG_STRUCTURE_ITEMS);
	cbor_put_text(&w, SPAN_LIT("Signature"));
	cbor_put_bytes(&w, BODY_PROTECTED);
	cbor_put_bytes(&w, prot);
	cbor_put_bytes(&w, span_of(NULL, 0)); /* external_aad */
	cbor_put_bytes(&w, operation);
	return cbor_done(&w, len);
}

enum sg_err approval_message(const struct officer *officer,
			     struct span operation, uint8_t *out, size_t cap,
			     size_t *len)
{
	uint8_t prot[COSE_PROTECTED_MAX];
	size_t n;
	const enum sg_err err = cose_protected(officer->alg, officer->kid, prot,
					       sizeof(prot), &n);

	*len = 0;
	if (err != SG_OK)
		return err;
	return put_message(span_of(prot, n), operation, out, cap, len);
}

static bool is_by(const struct approval *a, const struct officer *officer)
{
	return memcmp(a->kid, officer->kid, ROLL_KID_BYTES) == 0;
}

static void put_signature(struct cbor_writer *w, struct span prot,
			  struct span signature)
{
	cbor_put_array(w, SIGNATURE_ITEMS);
	cbor_put_bytes(w, prot);
	cbor_put_map(w, 0);
	cbor_put_bytes(w, signature);
}

/* Of a COSE_Sign with N signatures, up to these. */
static void put_head(struct cbor_writer *w, struct span operation, uint64_t n)
{
	cbor_put_tag(w, TAG_SIGN);
	cbor_put_array(w, SIGN_ITEMS);
	cbor_put_bytes(w, BODY_PROTECTED);
	cbor_put_map(w, 0);
	cbor_put_bytes(w, operation);
	cbor_put_array(w, n);
}

enum sg_err approved_add(const struct approved *a,
			 const struct officer *officer, struct span signature,
			 uint8_t *out, size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);
	uint8_t prot[COSE_PROTECTED_MAX];
	uint64_t others = 0;
	bool done = false;
	enum sg_err err;
	size_t n;

	*len = 0;
	err = cose_protected(officer->alg, officer->kid, prot, sizeof(prot),
			     &n);
	if (err != SG_OK)
		return err;
	for (size_t i = 0; i < a->n; i++)
		others += is_by(&a->approval[i], officer) ? 0 : 1;
	if (signature.n == 0)
		return SG_MALFORMED;
	if (others >= APPROVALS_MAX || signature.n > COSE_SIG_MAX)
		return SG_TOO_BIG;
	put_head(&w, a->operation, others + 1);
	for (size_t i = 0; i < a->n; i++) {
		const bool own = is_by(&a->approval[i], officer);

		if (!own)
			put_signature(&w, a->approval[i].prot,
				      a->approval[i].signature);
		else if (!done)
			put_signature(&w, span_of(prot, n), signature);
		done = done || own;
	}
	if (!done)
		put_signature(&w, span_of(prot, n), signature);
	err = cbor_done(&w, len);
	return err == SG_OK && *len > APPROVED_BYTES_MAX ? SG_TOO_BIG : err;
}

enum sg_err approved_drop(const struct approved *a,
			  const uint8_t kid[ROLL_KID_BYTES], uint8_t *out,
			  size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);
	uint64_t left = 0;

	*len = 0;
	for (size_t i = 0; i < a->n; i++)
		left += memcmp(a->approval[i].kid, kid, ROLL_KID_BYTES) != 0;
	if (left == a->n)
		return SG_NOT_FOUND;
	if (left == 0) {
		*len = a->operation.n;
		if (a->operation.n > cap)
			return SG_TOO_BIG;
		memcpy(out, a->operation.p, a->operation.n);
		return SG_OK;
	}
	put_head(&w, a->operation, left);
	for (size_t i = 0; i < a->n; i++)
		if (memcmp(a->approval[i].kid, kid, ROLL_KID_BYTES) != 0)
			put_signature(&w, a->approval[i].prot,
				      a->approval[i].signature);
	return cbor_done(&w, len);
}

/* --- judging -------------------------------------------------------------- */

enum sg_err approval_verify(const struct approved *a, size_t i,
			    const struct officer *officer)
{
	const struct approval *approval = &a->approval[i];
	struct cose_key *key = NULL;
	uint8_t *message = NULL;
	enum sg_err err;
	size_t n;

	if (!is_by(approval, officer) || approval->alg != officer->alg)
		return SG_BAD_SIGNATURE;
	err = put_message(approval->prot, a->operation, NULL, 0, &n);
	if (err != SG_TOO_BIG || n == 0)
		return SG_BAD_SIGNATURE;
	message = malloc(n);
	if (message == NULL)
		return SG_NO_MEMORY;
	err = put_message(approval->prot, a->operation, message, n, &n);
	if (err == SG_OK)
		err = cose_key_of_officer(
			span_of(officer->spki, officer->spki_n), &key);
	if (err == SG_MALFORMED)
		err = SG_BAD_KEY;
	if (err == SG_OK)
		err = cose_key_verify(key, officer->alg, span_of(message, n),
				      approval->signature);
	cose_key_free(key);
	free(message);
	return err;
}

unsigned approval_needed(const struct roll *r, enum operation_kind kind)
{
	if (kind == OPERATION_GENESIS)
		return (unsigned)r->n;
	return kind == OPERATION_STOP ? 1 : r->threshold;
}

/* Does OFFICER's approval of O count towards the threshold? */
static bool counts(const struct roll *r, const struct operation *o,
		   const struct officer *officer)
{
	/* All have to sign a genesis, and one is enough to stop a key. */
	return r->proposer_may_approve || o->kind == OPERATION_GENESIS ||
	       o->kind == OPERATION_STOP ||
	       !span_is(o->proposer, officer->name);
}

/* Where the proposer's approval does not count, is it another one who proposed?
 * Or two could decide alone, by naming a third one who knows nothing of it. */
static bool needs_proposer(const struct roll *r, const struct operation *o)
{
	return !r->proposer_may_approve && o->kind != OPERATION_GENESIS &&
	       o->kind != OPERATION_STOP;
}

/* Has one of the first N of A the kid of the N-th? */
static bool is_second(const struct approved *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(a->approval[i].kid, a->approval[n].kid,
			   ROLL_KID_BYTES) == 0)
			return true;
	return false;
}

static enum sg_err judge_one(const struct roll *r, const struct approved *a,
			     size_t i, const struct operation *o,
			     struct approval_count *out)
{
	const struct officer *officer = roll_find(r, a->approval[i].kid);
	enum sg_err err;

	if (officer == NULL) {
		out->fault = "somebody has signed who is no officer";
		return SG_OK;
	}
	if (is_second(a, i)) {
		out->fault = "an officer has signed twice";
		return SG_OK;
	}
	err = approval_verify(a, i, officer);
	if (err == SG_NO_MEMORY)
		return err;
	if (err != SG_OK) {
		out->fault = "a signature does not verify";
		return SG_OK;
	}
	out->signed_by_any = true;
	if (span_is(o->proposer, officer->name))
		out->lacks_proposer = false;
	if (counts(r, o, officer))
		out->first[out->officers++] = officer->name;
	return SG_OK;
}

enum sg_err approval_judge(const struct roll *r, const struct approved *a,
			   const struct operation *o,
			   struct approval_count *out)
{
	enum sg_err err = SG_OK;

	memset(out, 0, sizeof(*out));
	out->lacks_proposer = needs_proposer(r, o);
	/* Or whoever proposes under a strange name could approve as well. */
	if (roll_named(r, o->proposer) == NULL)
		out->fault = "its proposer is no officer";
	for (size_t i = 0; err == SG_OK && out->fault == NULL && i < a->n; i++)
		err = judge_one(r, a, i, o, out);
	out->lacks_proposer = out->lacks_proposer && out->fault == NULL;
	if (out->lacks_proposer)
		out->fault = "its proposer has not signed it";
	return err;
}
