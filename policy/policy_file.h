/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_POLICY_FILE_H
#define SG_POLICY_FILE_H

#include "base/faults.h"
#include "certlogic_judge.h"
#include "client.h"
#include "gateway.h"
#include "lookup.h"
#include "valueset.h"

/*
 * policy_file: policy.yaml, read into what decisions are made from.  The
 * format is in README.md.
 */
enum { POLICY_FILE_BYTES_MAX = 1 << 20 };

struct policy_file {
	struct source *source; /* the names and texts below lie in it */
	int32_t zone_s;	       /* by which its day begins before UTC's */
	size_t nprofiles;
	struct rule_profile *profile; /* one more: every rule an error */
	size_t ngateways;
	struct gateway *gateway;
	struct digest *digest; /* of all gateways */
	size_t nclients;
	struct client *client;
	struct valuesets valuesets; /* the EU's or the file's own */
	struct text_set own_set[VALUESET_COUNT]; /* what those lie in */
	struct certlogic_set certlogic;
	uint8_t *levels;       /* of its rules, by profile */
	struct lookup *lookup; /* of names and keys, by index */
};

/*
 * Read TEXT, called NAME in the faults.  Every fault is told, with its line;
 * what a text means is looked at only when its shape is right.
 * Owns: OUT holds memory until policy_file_clear().
 * Errors: SG_CONFIG, FAULTS say why; SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err policy_file_read(struct span text, const char *name,
					 struct policy_file *out,
					 struct faults *faults);
void policy_file_clear(struct policy_file *f);

#endif /* SG_POLICY_FILE_H */
