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

/* --- the terms ------------------------------------------------------------ */

static bool read_time(const char *text, int64_t otherwise, uint32_t *out)
{
	int64_t s = otherwise;

	/* "0s" is a time here: a key that need not wait. */
	if (text != NULL && strcmp(text, "0s") == 0)
		s = 0;
	else if (text != NULL)
		s = literal_duration_s(text);
	if (s < 0 || s > UINT32_MAX ||
	    (s == 0 && (text == NULL || strcmp(text, "0s") != 0)))
		return false;
	*out = (uint32_t)s;
	return true;
}

static enum sg_err read_terms(const struct args *args, struct roll *r,
			      char *why, size_t cap)
{
	const char *threshold = args->value[OPT_THRESHOLD];
	uint64_t n = 0;

	r->proposer_may_approve = args->value[OPT_PROPOSER_MAY_APPROVE] != NULL;
	r->policy_approval = args->value[OPT_POLICY_APPROVAL] != NULL;
	if (threshold == NULL ||
	    !args_number(threshold, 1, ROLL_OFFICERS_MAX, &n))
		(void)snprintf(why, cap, "--threshold: how many must approve");
	else if (!read_time(args->value[OPT_LEAD], LEAD_S, &r->lead_s))
		(void)snprintf(why, cap, "--lead: as 24h, or 0s");
	else if (!read_time(args->value[OPT_STALE], STALE_S, &r->stale_s))
		(void)snprintf(why, cap, "--stale: as 7d");
	else {
		r->threshold = (unsigned)n;
		return SG_OK;
	}
	return SG_CONFIG;
}

enum sg_err members_roll(const struct args *args, struct roll *out, char *why,
			 size_t cap)
{
	enum sg_err err = SG_OK;
	const char *fault;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; err == SG_OK && i < args->nmany; i++)
		err = add_officer(out, args->many[i], why, cap);
	if (err == SG_OK)
		err = read_terms(args, out, why, cap);
	if (err != SG_OK)
		return err;
	fault = roll_fault(out);
	if (fault == NULL)
		return SG_OK;
	(void)snprintf(why, cap, "%s", fault);
	return SG_CONFIG;
}
