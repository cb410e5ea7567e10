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

#endif /* SG_TOOLS_SERVER_KEYS_H */
