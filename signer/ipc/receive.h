/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RECEIVE_H
#define SG_RECEIVE_H

#include "base/err.h"
#include "base/span.h"

/*
 * receive: one packet from a SOCK_SEQPACKET socket, with the descriptors beside
 * it (SCM_RIGHTS).  Never waits.  Thread-safe.
 */
enum { RECEIVE_FDS_MAX = 4 };

struct received {
	struct span bytes; /* lies in the buffer that was lent */
	int fd[RECEIVE_FDS_MAX];
	size_t nfds;
};

/*
 * Receive into BUF, of CAP bytes.
 * Owns: the descriptors, close-on-exec, on SG_OK; after a failure there are
 * none.
 * Errors: SG_BUSY (nothing there now), SG_CLOSED (the other end is gone, and
 * all that it sent has been read), SG_MALFORMED (empty, longer than CAP, or too
 * many descriptors), SG_IO.
 */
SG_MUST_USE enum sg_err receive_packet(int sock, void *buf, size_t cap,
				       struct received *out);
/* Close N descriptors from FD on. */
void receive_close(const int *fd, size_t n);

#endif /* SG_RECEIVE_H */
