/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SHIM_SPEC_H
#define SG_SHIM_SPEC_H

#include "base/err.h"
#include "fault.h"

/*
 * spec: what the module is to do, from the environment variable SIGNER_SHIM: a
 * list KEY=VALUE,KEY=VALUE that README.md describes.  Pure.
 */
enum {
	SPEC_PATH_MAX = 512,
	SPEC_KEYS_MAX = 4,
	SPEC_LIES_MAX = 4,
	SPEC_RATE_MAX = 1000000,
	SPEC_SESSIONS_MAX = 4096,
	SPEC_WHY_MAX = 160
};

struct spec {
	char module[SPEC_PATH_MAX];  /* the one that is forwarded to */
	char state[SPEC_PATH_MAX];   /* "": none */
	char control[SPEC_PATH_MAX]; /* "": none */
	uint64_t latency_ns;	     /* 0: none */
	uint64_t interval_ns;	     /* of signatures; 0: no rate is set */
	uint32_t sessions;	     /* 0: no cap */
	bool software;
	bool copy_refused;
	size_t nlies;
	CK_ATTRIBUTE_TYPE lie[SPEC_LIES_MAX]; /* booleans, told inverted */
	size_t nkeys;
	char key[SPEC_KEYS_MAX][SPEC_PATH_MAX]; /* PEM */
	struct fault_set faults;
};

/*
 * Parse TEXT; "" is a module that only forwards.
 * Errors: SG_CONFIG, with the reason in WHY.
 */
SG_MUST_USE enum sg_err spec_parse(const char *text, struct spec *out,
				   char why[SPEC_WHY_MAX]);

/* Parse TEXT, a control file: faults only, separated by commas or line ends.
 * Errors as above. */
SG_MUST_USE enum sg_err spec_parse_control(struct span text,
					   struct fault_set *out,
					   char why[SPEC_WHY_MAX]);

#endif /* SG_SHIM_SPEC_H */
