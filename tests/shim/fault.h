/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SHIM_FAULT_H
#define SG_SHIM_FAULT_H

#include <p11-kit/pkcs11.h>
#include <stdint.h>

#include "call.h"

/*
 * fault: what goes wrong, at which call of which function.  Pure.
 *
 *	fail=FUNCTION:WHEN:CKR	answer that value, without doing anything
 *	hang=FUNCTION:WHEN	never return, but for another control file
 *	crash=FUNCTION:WHEN	abort the process
 *	lose=FUNCTION:WHEN:TIME	lose all tokens for that long
 *	forge=C_Sign:WHEN	answer a signature that does not verify
 *
 * WHEN counts calls from 1: N, N-M, N- (from N on), or *N (each Nth).
 * TIME is an integer and one of us, ms, s.
 */
enum fault_kind {
	FAULT_FAIL,
	FAULT_HANG,
	FAULT_CRASH,
	FAULT_LOSE,
	FAULT_FORGE
};

enum { FAULTS_MAX = 16 };

/* No pointers: it is also kept in memory that processes share. */
struct fault {
	enum fault_kind kind;
	enum call call;
	uint64_t from, to; /* both included */
	uint64_t every;	   /* not 0: instead of the two */
	CK_RV rv;	   /* FAULT_FAIL */
	uint64_t ns;	   /* FAULT_LOSE */
};

struct fault_set {
	uint32_t n;
	struct fault fault[FAULTS_MAX];
};

/*
 * Add the fault KEY=VALUE to SET.  Returns NULL, or what is wrong with it:
 * static text.  *KNOWN is false when KEY is none of the five.
 */
const char *fault_add(struct fault_set *set, struct span key, struct span value,
		      bool *known);

/* The first fault of SET that the Nth call of CALL meets; NULL if none. */
const struct fault *fault_find(const struct fault_set *set, enum call call,
			       uint64_t n);

/* Decimal digits without a sign, at most MAX; false else. */
bool fault_number(struct span text, uint64_t max, uint64_t *out);
/* "5ms" in nanoseconds, at most an hour; false else. */
bool fault_time(struct span text, uint64_t *ns);

#endif /* SG_SHIM_FAULT_H */
