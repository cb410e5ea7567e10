/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_SERVER_KEYS_H
#define SG_TOOLS_SERVER_KEYS_H

#include "https.h"
#include "keyset.h"

/* Add the signer's certificates that the server at H publishes (/v1/keys).
 * Errors: as https_ask() and keyset_add(), SG_IO also for any status but 200;
 * WHY (CAP bytes) says what. */
SG_MUST_USE enum sg_err server_keys(struct https *h, struct keyset *set,
				    char *why, size_t cap);

/* The same as a file for keyset_add(), for who makes several sets of it.
 * Owns: *PEM is the caller's; free(). */
SG_MUST_USE enum sg_err server_keys_pem(struct https *h, uint8_t **pem,
					size_t *n, char *why, size_t cap);

#endif /* SG_TOOLS_SERVER_KEYS_H */
