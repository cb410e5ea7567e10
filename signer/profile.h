/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_PROFILE_H
#define SG_PROFILE_H

#include "config.h"
#include "sandbox/sandbox.h"

/*
 * profile: what the configuration means for the sandbox of a role: where its
 * files are, as whom it runs, whether it has a network.  Directories, and not
 * the files in them, for what a reload (SIGHUP) reads anew.
 */

/*
 * The sandbox of ROLE in SLOT.  Reads the files of users, and a SoftHSM2's
 * configuration, from the environment of the HSM.
 * Owns: *OUT; free().
 * Errors: SG_CONFIG (there is no such slot), SG_NOT_FOUND (there is no such
 * user), SG_TOO_BIG (too many paths), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err profile_make(const struct config *c,
				     enum wire_role role, unsigned slot,
				     struct sandbox **out);

/* sandbox_enter() by it.  Errors: SG_IO, SG_CONFIG; logged. */
SG_MUST_USE enum sg_err profile_enter(const struct config *c,
				      enum wire_role role, unsigned slot);

/* Make the directory PATH of ROLE's, and give it to its user, where it has one.
 * One that is there stays as it is.  Errors: SG_IO, SG_NOT_FOUND; logged. */
SG_MUST_USE enum sg_err profile_directory(const struct config *c,
					  enum wire_role role, const char *path,
					  mode_t mode);

/* The token directory that the SoftHSM2 configuration TEXT names, into OUT; or
 * SG_NOT_FOUND. */
SG_MUST_USE enum sg_err profile_token_directory(struct span text,
						char out[SANDBOX_PATH_BYTES]);

#endif /* SG_PROFILE_H */
