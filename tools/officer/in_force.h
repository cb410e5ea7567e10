/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_IN_FORCE_H
#define SG_TOOLS_IN_FORCE_H

#include <jansson.h>

#include "ceremony/roll.h"

/* in_force: the officers and terms in force, as far as they are known here.
 * Large: in static memory rather than in a frame. */
struct in_force {
	struct roll roll; /* n is 0: not known, or there are none */
	bool has_keys;	  /* their public keys too, or kids and names alone */
};

/* Those of the operation in the file PATH, a genesis or `officers`.
 * Errors, with WHY: those of opfile_read(), SG_CONFIG (another operation). */
SG_MUST_USE enum sg_err in_force_read(const char *path, struct in_force *out,
				      char *why, size_t cap);
/* Those that DOCUMENT (document.h) tells of, without keys; none before a
 * genesis.  Errors, with WHY: SG_MALFORMED. */
SG_MUST_USE enum sg_err in_force_told(const json_t *document,
				      struct in_force *out, char *why,
				      size_t cap);

#endif /* SG_TOOLS_IN_FORCE_H */
