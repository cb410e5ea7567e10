/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ANSWERS_H
#define SG_ANSWERS_H

#include "ceremony.h"
#include "front_link.h"
#include "keyring.h"
#include "proofs.h"
#include "quota.h"

/*
 * answers: what a front asks (WIRE_ASK) is answered here, at once; what
 * officers bring by way of it (WIRE_OPERATE) goes on to the ceremony from here.
 * Loop thread only.
 */
struct answers {
	const struct keyring *keys;
	struct quota *quota;   /* NULL: nobody has limits */
	struct proofs *proofs; /* NULL: there is no ledger */
	/* The leaves in its journal: the index of journal_end(). */
	uint64_t (*leaves)(void *ctx);
	void *ctx;
	struct ceremony *ceremony; /* NULL: there is no ledger */
};

/* Answer question M, number ID, of front F under POLICY.  False: it makes no
 * sense. */
bool answers_give(const struct answers *a, const struct policy *policy,
		  struct front_link *f, uint64_t id, const struct wire_ask *m);
/* Have operation M, number ID, of front F done, if the client may bring it; F
 * is answered now or later, and ceremony_forget() must be told when it goes.
 * False: it makes no sense. */
bool answers_operate(const struct answers *a, const struct policy *policy,
		     struct front_link *f, uint64_t id,
		     const struct wire_operate *m);

#endif /* SG_ANSWERS_H */
