/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_RECEIPT_H
#define SG_TOOLS_RECEIPT_H

#include <stdbool.h>

#include "ledger/entry.h"
#include "ledger/note.h"

/*
 * receipt: does a proof (C2SP tlog-proof) show that a certificate is on
 * record?  Its holder cannot make the entry, which has a time and a client's
 * name in it; so the proof brings it along as its extra data, and what the
 * certificate says must fit it.  Step by step; the first that fails is the
 * reason.
 *
 *	X(id, name, what it is about)
 */
#define RECEIPT_MAP(X)                                                         \
	X(CERTIFICATE, "certificate", "a certificate that can be read")        \
	X(PROOF, "proof", "a proof as C2SP tlog-proof has it")                 \
	X(CHECKPOINT, "checkpoint", "its checkpoint is signed by the log")     \
	X(ENTRY, "entry", "the proof brings a well-formed entry along")        \
	X(INCLUSION, "inclusion", "the log holds that entry at that index")    \
	X(MATCH, "match", "the entry is that of this very certificate")

enum receipt_step {
#define X(id, name, about) RECEIPT_##id,
	RECEIPT_MAP(X)
#undef X
		RECEIPT_STEPS /* none failed */
};

enum { RECEIPT_DETAIL_MAX = 200, RECEIPT_PROOF_MAX = 128 << 10 };

struct receipt_result {
	enum receipt_step failed; /* RECEIPT_STEPS: none */
	char detail[RECEIPT_DETAIL_MAX];
	/* As far as the steps went: */
	uint64_t index;	    /* PROOF passed */
	uint64_t size;	    /* CHECKPOINT passed: leaves of the log */
	struct entry entry; /* ENTRY passed */
};

struct receipt; /* opaque: working memory */

/* Owns: *OUT is the caller's; receipt_free().  Errors: SG_NO_MEMORY,
 * SG_INTERNAL. */
SG_MUST_USE enum sg_err receipt_create(struct receipt **out);
void receipt_free(struct receipt *r); /* NULL is allowed */
/* A certificate to be looked for. */
struct receipt_asked {
	char *hc1; /* free() */
	bool has_index;
	uint64_t index;
};

/*
 * What ARG names: an HC1 text, or a file with one (as input_hc1()), or with a
 * server's answer {"hcert": ..., "ledger": {"index": ...}}; INDEX, a number,
 * goes before what that says, or is NULL.  There must be one if NEEDED.
 * Owns: OUT->hc1 is the caller's; free().
 * Errors: SG_CONFIG, SG_IO, SG_MALFORMED, ... with WHY (CAP bytes).
 */
SG_MUST_USE enum sg_err receipt_asked(const char *arg, const char *index,
				      bool needed, struct receipt_asked *out,
				      char *why, size_t cap);
/*
 * Does PROOF, of a log whose key is KEY, show that the certificate of ASKED is
 * on record, under its index if it has one?  Returns whether all steps passed.
 * Spans of OUT lie in R, until its next use.
 */
bool receipt_check(struct receipt *r, const struct receipt_asked *asked,
		   struct span proof, const struct note_key *key,
		   struct receipt_result *out);

/* A certificate and the proof that it is on record. */
struct receipt_case {
	const struct receipt_asked *asked;
	struct span proof;
	const struct note_key *key;
	bool key_given; /* else it is the log's own word */
	bool json;
	const char *keep; /* file that gets a good proof; NULL: none */
};

/*
 * Check C and say on standard output, step by step, what was proved.
 * Errors: SG_NO_MEMORY, SG_INTERNAL, SG_IO (it cannot be kept), with WHY (CAP
 * bytes); *GOOD is whether all steps passed.
 */
SG_MUST_USE enum sg_err receipt_conclude(const struct receipt_case *c,
					 bool *good, char *why, size_t cap);

#endif /* SG_TOOLS_RECEIPT_H */
