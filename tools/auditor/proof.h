/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_PROOF_H
#define SG_TOOLS_PROOF_H

#include "trust.h"

struct proof_text {
	uint8_t *p;
	size_t n;
};

/*
 * proof: makes the proof (C2SP tlog-proof) of entry INDEX from the tiles of
 * the log S, as of CHECKPOINT, with the entry as its extra data where S gives
 * it, and verifies it.
 * Owns: OUT->p is the caller's; free().
 * Errors: SG_NOT_FOUND (there is no such entry), SG_BAD_SIGNATURE (the log is
 * damaged: its hashes do not lead to the root), SG_IO, SG_FORBIDDEN,
 * SG_NO_MEMORY, with WHY.
 */
SG_MUST_USE enum sg_err proof_make(struct source *s,
				   const struct trust_checkpoint *checkpoint,
				   uint64_t index, struct proof_text *out,
				   char *why, size_t cap);

#endif /* SG_TOOLS_PROOF_H */
