/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ADMISSION_H
#define SG_ADMISSION_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * admission: who may still come in.  Three bounds, each of one front:
 *
 * The open connections of a client, by shares_index() of its identity.
 *
 * The handshakes of an address that do not succeed.  Each takes a token when
 * it begins, and gives it back when it succeeds: so those who have no
 * certificate, or none that is good, or who never go on, run out of them, and
 * a client that connects a thousand times a second does not.  Taken only at
 * the failure they would bound nothing of what is under way: one address could
 * hold every connection until the handshake's deadline, with each token that
 * it gets back anew.  An address has a
 * bucket of BURST_S seconds' worth.  The table is bounded; where it is full,
 * who has failed least is forgotten.  IPv6 counts by /64.
 *
 * The handshakes of an address, whatever comes of them: each costs a signature
 * of the server's key, which may be an HSM's, and who has a good certificate
 * could have them made without end.  The same kind of bucket, in a table of its
 * own.
 *
 * Loop thread only.
 */
enum { ADMISSION_BURST_S = 50, ADMISSION_ADDRESS_TEXT = INET6_ADDRSTRLEN };

struct admission; /* opaque; 300 KiB */

/* Owns: *OUT; admission_free().  Errors: SG_NO_MEMORY, SG_IO. */
SG_MUST_USE enum sg_err admission_create(struct admission **out);
void admission_free(struct admission *a);

/* What SA counts as; 0: as nothing, it is not limited. */
uint64_t admission_address(const struct sockaddr *sa);
void admission_address_text(uint64_t address,
			    char text[ADMISSION_ADDRESS_TEXT]);
/* May ADDRESS begin a handshake at NOW_MS (of any monotonic clock), if RATE a
 * second may fail (0: any)? */
bool admission_begin(struct admission *a, uint64_t address, uint32_t rate,
		     uint64_t now_ms);
/* One that it had begun has succeeded. */
void admission_succeeded(struct admission *a, uint64_t address, uint32_t rate,
			 uint64_t now_ms);

/* May ADDRESS have one more at NOW_MS, if it may have RATE a second (0: any)?
 */
bool admission_handshake(struct admission *a, uint64_t address, uint32_t rate,
			 uint64_t now_ms);

/* May CLIENT have another connection, of MAX (0: any)?  Then it is counted,
 * and admission_leave() is called once for it. */
bool admission_enter(struct admission *a, uint16_t client, size_t max);
void admission_leave(struct admission *a, uint16_t client);

#endif /* SG_ADMISSION_H */
