/* SPDX-License-Identifier: Apache-2.0 */
#include "members_roll.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "members.h"
#include "pkcs11/unconst.h"
#include "policy/literal.h"
#include "signer.h"
#include "tools/common/input.h"

enum { LEAD_S = 24 * 3600, STALE_S = 7 * 24 * 3600 };

/* --- an officer ----------------------------------------------------------- */

/* The public key in IN: a PEM public key, or that of a PEM certificate. */
static EVP_PKEY *public_key(struct span in)
{
	BIO *bio = BIO_new_mem_buf(in.p, (int)in.n);
	EVP_PKEY *pkey =
		bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	X509 *x = NULL;

	if (pkey == NULL && bio != NULL) {
		(void)BIO_reset(bio);
		x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		pkey = x != NULL ? X509_get_pubkey(x) : NULL;
	}
	X509_free(x);
	BIO_free(bio);
	ERR_clear_error();
	return pkey;
}

static enum sg_err add_key(struct roll *r, struct span name, EVP_PKEY *pkey,
			   char *why, size_t cap)
{
	struct span spki = {0};
	enum sg_err err = SG_BAD_KEY;

	if (signer_spki(pkey, &spki))
		err = officer_make(name, spki, &r->officer[r->n]);
	OPENSSL_free(unconst(spki.p));
	if (err == SG_OK) {
		r->n++;
		return SG_OK;
	}
	(void)snprintf(why, cap, "--officer %.*s: %s", (int)name.n,
		       (const char *)name.p,
		       roll_is_name(name)
			       ? "not a key for officers: P-256, P-384, RSA of "
				 "2048 to 4096 bits or Ed25519"
			       : "a name is letters, digits, and . _ -");
	return SG_CONFIG;
}

/* TEXT is NAME=FILE. */
static enum sg_err add_officer(struct roll *r, const char *text, char *why,
			       size_t cap)
{
	const char *equals = strchr(text, '=');
	EVP_PKEY *pkey;
	uint8_t *file;
	size_t n;
	enum sg_err err;

	if (equals == NULL || r->n == ROLL_OFFICERS_MAX) {
		(void)snprintf(why, cap, "--officer: NAME=KEY.pem, %d at most",
			       ROLL_OFFICERS_MAX);
		return SG_CONFIG;
	}
	err = input_bytes(equals + 1, &file, &n, why, cap);
	if (err != SG_OK)
		return SG_CONFIG;
	pkey = public_key(span_of(file, n));
	free(file);
	if (pkey == NULL) {
		(void)snprintf(why, cap,
			       "%s: no public key in PEM form (openssl pkey "
			       "-pubout makes one)",
			       equals + 1);
		return SG_CONFIG;
	}
	err = add_key(r, span_of(text, (size_t)(equals - text)), pkey, why,
		      cap);
	EVP_PKEY_free(pkey);
	return err;
}

/* Those that are named; or, where none is, those of NOW. */
static enum sg_err read_officers(const struct args *args,
				 const struct in_force *now, struct roll *out,
				 char *why, size_t cap)
{
	enum sg_err err = SG_OK;

	for (size_t i = 0; err == SG_OK && i < args->nmany; i++)
		err = add_officer(out, args->many[i], why, cap);
	if (err != SG_OK || args->nmany > 0)
		return err;
	if (now == NULL || !now->has_keys) {
		(void)snprintf(why, cap,
			       "--officer: all of them, each; their keys are "
			       "in the operation that --roll names, too");
		return SG_CONFIG;
	}
	memcpy(out->officer, now->roll.officer, sizeof(out->officer));
	out->n = now->roll.n;
	return SG_OK;
}

/* --- the terms ------------------------------------------------------------ */

static bool read_time(const char *text, uint32_t *out)
{
	/* "0s" is a time here: a key that need not wait. */
	const bool none = strcmp(text, "0s") == 0;
	const int64_t s = none ? 0 : literal_duration_s(text);

	*out = (uint32_t)s;
	return none || (s > 0 && s <= UINT32_MAX);
}

/* One of two options, or neither: *OUT is as it was. */
static bool read_answer(const struct args *args, int yes, int no, bool *out)
{
	if (args->value[yes] != NULL && args->value[no] != NULL)
		return false;
	if (args->value[yes] != NULL || args->value[no] != NULL)
		*out = args->value[yes] != NULL;
	return true;
}

/* What is said, in R, which has the terms that hold otherwise. */
static const char *terms_fault(const struct args *args, struct roll *r)
{
	const char *threshold = args->value[OPT_THRESHOLD];
	const char *lead = args->value[OPT_LEAD];
	const char *stale = args->value[OPT_STALE];
	uint64_t n = r->threshold;

	if (threshold != NULL &&
	    !args_number(threshold, 1, ROLL_OFFICERS_MAX, &n))
		return "--threshold: how many must approve";
	r->threshold = (unsigned)n;
	if (lead != NULL && !read_time(lead, &r->lead_s))
		return "--lead: a whole number and one of s, m, h, d, such as "
		       "24h, or 0s";
	if (stale != NULL && !read_time(stale, &r->stale_s))
		return "--stale: a whole number and one of s, m, h, d, such as "
		       "7d";
	if (!read_answer(args, OPT_PROPOSER_MAY_APPROVE, OPT_PROPOSER_MAY_NOT,
			 &r->proposer_may_approve) ||
	    !read_answer(args, OPT_POLICY_APPROVAL, OPT_NO_POLICY_APPROVAL,
			 &r->policy_approval))
		return "the proposer may approve, or may not; a policy needs "
		       "approval, or does not: say one";
	return NULL;
}

/* Is every term said? */
static bool all_said(const struct args *args)
{
	const char *const *v = args->value;

	return v[OPT_THRESHOLD] != NULL && v[OPT_LEAD] != NULL &&
	       v[OPT_STALE] != NULL &&
	       (v[OPT_PROPOSER_MAY_APPROVE] != NULL ||
		v[OPT_PROPOSER_MAY_NOT] != NULL) &&
	       (v[OPT_POLICY_APPROVAL] != NULL ||
		v[OPT_NO_POLICY_APPROVAL] != NULL);
}

/* The terms that hold where nothing is said.  NULL, or what must be said. */
static const char *usual_terms(const struct args *args,
			       enum operation_kind kind,
			       const struct in_force *now, struct roll *r)
{
	if (kind == OPERATION_GENESIS) {
		r->lead_s = LEAD_S;
		r->stale_s = STALE_S;
		return args->value[OPT_THRESHOLD] != NULL
			       ? NULL
			       : "--threshold: how many must approve";
	}
	if (now == NULL || now->roll.n == 0)
		return all_said(args)
			       ? NULL
			       : "the terms in force are not known: --roll "
				 "names the operation that they come from; or "
				 "say all of them anew";
	r->threshold = now->roll.threshold;
	r->lead_s = now->roll.lead_s;
	r->stale_s = now->roll.stale_s;
	r->proposer_may_approve = now->roll.proposer_may_approve;
	r->policy_approval = now->roll.policy_approval;
	return NULL;
}

enum sg_err members_roll(const struct args *args, enum operation_kind kind,
			 const struct in_force *now, struct roll *out,
			 char *why, size_t cap)
{
	const bool first = kind == OPERATION_GENESIS;
	const char *fault;
	enum sg_err err;

	memset(out, 0, sizeof(*out));
	err = read_officers(args, first ? NULL : now, out, why, cap);
	if (err != SG_OK)
		return err;
	fault = usual_terms(args, kind, now, out);
	if (fault == NULL)
		fault = terms_fault(args, out);
	if (fault == NULL)
		fault = roll_fault(out);
	if (fault == NULL)
		return SG_OK;
	(void)snprintf(why, cap, "%s", fault);
	return SG_CONFIG;
}
