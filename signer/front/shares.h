/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SHARES_H
#define SG_SHARES_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

/*
 * shares: how much of the core's credit each client takes up, so that none
 * uses it up: seven eighths in all, and a quarter for requests that it sent
 * and then walked away from, on whatever connections.  Clients are told apart
 * by a hash of their identity, under a secret of the process: nobody chooses
 * a key with which he takes up another's share.  Zeroed: fresh.
 */
enum { SHARES_CLIENTS = 1 << 12 };

/* The index of those who are not known yet, all together. */
enum { SHARES_STRANGERS = SHARES_CLIENTS, SHARES_COUNT };

struct shares {
	uint16_t owed[SHARES_COUNT];	  /* questions with the core */
	uint16_t abandoned[SHARES_COUNT]; /* of them, those that nobody
					       waits for any more */
};

/* Draw the secret, before the first index.  Loop thread only.
 * Errors: SG_IO. */
SG_MUST_USE enum sg_err shares_seed(void);
/* The index of IDENTITY (base/identity.h) in a struct shares.  Two clients
 * that have the same are held up together at worst. */
uint16_t shares_index(struct span identity);
/* May CLIENT not ask another question, with that CREDIT? */
bool shares_used_up(const struct shares *s, uint16_t client, uint32_t credit);

#endif /* SG_SHARES_H */
