/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_RAW_H
#define SG_BENCH_RAW_H

#include "base/err.h"
#include "hcert/cose.h"

/*
 * raw: what a module can do at most: C_SignInit and C_Sign on the token's own
 * key, without anything around them.  Or, where asked, on a session copy of the
 * key, to see what that is worth.
 */
enum { BENCH_RAW_THREADS_MAX = 256, BENCH_RAW_PROCESSES_MAX = 64 };

struct bench_raw_options {
	const char *module;   /* path */
	const char *pin_file; /* path */
	const char *uri;      /* RFC 7512: token and private key */
	enum cose_alg alg;
	bool session_copies; /* not the key itself, but a copy of it */
	unsigned threads; /* a process, a session each, 1..256; 0: see below */
	unsigned processes; /* 1..64; 0: see below */
	double seconds;	    /* of signing, after all are ready */
};

/*
 * Measure, and set *RATE to the signatures a second.  With threads and
 * processes both 0: the best of one thread, two threads, and a process per
 * CPU.  The module is loaded in child processes only, one after the other
 * since logins at the same moment fail on some tokens.  To be called before
 * the caller starts threads.
 * Errors: SG_CONFIG (a number out of range), SG_TOKEN_DOWN (a child failed; it
 * has said why on standard error), SG_IO.
 */
SG_MUST_USE enum sg_err bench_raw_measure(const struct bench_raw_options *o,
					  double *rate);

/* Run "signer-bench raw" with ARGV[0] the command's name; returns the exit
 * status: 0, 1 (a measurement failed), 2 (usage). */
int bench_raw(int argc, char **argv);

#endif /* SG_BENCH_RAW_H */
