/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_MEMBERS_H
#define SG_TOOLS_MEMBERS_H

#include "daemon.h"
#include "in_force.h"
#include "proposal.h"

/* members: what the command line says of an operation, by its kind. */
enum {
	OPT_LABEL = OPT_DAEMON,
	OPT_HSM,
	OPT_ALG,
	OPT_BITS,
	OPT_KINDS,
	OPT_COUNTRY,
	OPT_SIGNATURES,
	OPT_PERIOD,
	OPT_SUBJECT,
	OPT_CERTIFICATE,
	OPT_PUBLIC,
	OPT_AT,
	OPT_LAST,
	OPT_OVERRIDE,
	OPT_POLICY,
	OPT_OFFICER,
	OPT_THRESHOLD,
	OPT_LEAD,
	OPT_STALE,
	OPT_PROPOSER_MAY_APPROVE,
	OPT_PROPOSER_MAY_NOT,
	OPT_POLICY_APPROVAL,
	OPT_NO_POLICY_APPROVAL,
	OPT_MEMBERS
};

/* clang-format off */
#define MEMBER_OPTIONS                                                         \
	[OPT_LABEL] = {"key", "LABEL", NULL, "the key that is meant"},         \
	[OPT_HSM] = {"hsm", "NAME", NULL,                                      \
		     "generate: in this HSM of signerd.yaml"},                 \
	[OPT_ALG] = {"alg", "ALG", NULL,                                       \
		     "generate: ES256 (default), PS256 or EdDSA"},             \
	[OPT_BITS] = {"bits", "N", NULL, "generate: of PS256 (3072)"},         \
	[OPT_KINDS] = {"kinds", "KINDS", NULL,                                 \
		       "generate: what it signs, of v, t and r (vtr), or none, " \
		       "for the ledger"},                                      \
	[OPT_COUNTRY] = {"country", "CC", NULL,                                \
			 "generate: issuer of the certificates, alpha-2"},     \
	[OPT_SIGNATURES] = {"signatures", "N", NULL,                           \
			    "generate: at most so many"},                      \
	[OPT_PERIOD] = {"period", "TIME", NULL,                                \
			"generate: signs for so long, as 180d"},               \
	[OPT_SUBJECT] = {"subject", "NAME", NULL,                              \
			 "csr: as \"C=VN,O=Ministry,CN=DSC 2\""},              \
	[OPT_CERTIFICATE] = {"certificate", "FILE", NULL,                      \
			     "import: the DSC, PEM or DER"},                   \
	[OPT_PUBLIC] = {"public", "FILE", NULL,                                \
			"log-key: its public key, PEM or DER (signerd's word)"}, \
	[OPT_AT] = {"at", "TIME", NULL,                                        \
		    "activate, retire: then, and not at once"},                \
	[OPT_LAST] = {"last", NULL, NULL,                                      \
		      "retire: although nothing else signs its kinds"},        \
	[OPT_OVERRIDE] = {"override", NULL, NULL,                              \
			  "activate: before verifiers had time to know it"},   \
	[OPT_POLICY] = {"policy", "FILE", NULL,                                \
			"policy: the file that may be in force"},              \
	[OPT_OFFICER] = {"officer", "NAME=KEY.pem...", NULL,                   \
			 "genesis, officers: one; again for each"},            \
	[OPT_THRESHOLD] = {"threshold", "N", NULL,                             \
			   "genesis, officers: so many must approve"},         \
	[OPT_LEAD] = {"lead", "TIME", NULL,                                    \
		      "genesis, officers: from publish to activate (24h)"},    \
	[OPT_STALE] = {"stale", "TIME", NULL,                                  \
		       "genesis, officers: a checkpoint's age (7d)"},          \
	[OPT_PROPOSER_MAY_APPROVE] = {"proposer-may-approve", NULL, NULL,      \
			"genesis, officers: the proposer's approval counts"},  \
	[OPT_PROPOSER_MAY_NOT] = {"proposer-may-not-approve", NULL, NULL,      \
			"officers: it does not, any more"},                    \
	[OPT_POLICY_APPROVAL] = {"policy-approval", NULL, NULL,                \
			"genesis, officers: a policy needs an operation"},     \
	[OPT_NO_POLICY_APPROVAL] = {"no-policy-approval", NULL, NULL,          \
			"officers: it does not, any more"}
/* clang-format on */

/* What the operation's spans lie in, where it is not the command line. */
struct members {
	uint8_t policy[OPERATION_HASH_BYTES];
	struct span subject;	 /* OPENSSL_free() */
	struct span certificate; /* OPENSSL_free() */
	uint8_t spki[OPERATION_SPKI_BYTES];
};

/*
 * Set the members of O's kind from ARGS.  NOW, what is in force, is what
 * officers keep who do not say another thing; NULL: not known.
 * Owns: OUT is the caller's; members_free().
 * Errors, with WHY: SG_CONFIG (missing, wrong, or of another kind), SG_IO.
 */
SG_MUST_USE enum sg_err members_read(const struct args *args,
				     const struct in_force *now,
				     struct operation *o, struct members *out,
				     char *why, size_t cap);
/* O, a LOG_KEY of a key, has no public key yet: take the one that DOCUMENT
 * (document.h; may be NULL) tells.  False: it tells of none. */
bool members_take_public(const json_t *document, struct operation *o,
			 struct members *m);
void members_free(struct members *m);

#endif /* SG_TOOLS_MEMBERS_H */
