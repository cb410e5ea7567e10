/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SENDQ_H
#define SG_SENDQ_H

#include "wire.h"

/*
 * sendq: the packets of a channel that wait to be written, the last of which
 * may still be filled.  Zeroed memory is an empty queue.  Internal to
 * signer/ipc; one thread.
 */
struct sendq_packet; /* opaque */

struct sendq {
	struct sendq_packet *head;
	struct sendq_packet *tail;
	struct sendq_packet
		*spare;	     /* a written packet's memory, to be reused */
	size_t closed_bytes; /* of all packets but one that is being filled */
};

/* Bytes that wait. */
size_t sendq_bytes(const struct sendq *q);
/* The packet that leaves next, with room for one more message with a body of
 * BYTES; NULL when there is no memory. */
struct wire_packet *sendq_room(struct sendq *q, size_t bytes);
/* No more messages into the packet being filled. */
void sendq_cut(struct sendq *q);
/* Append a whole packet with N descriptors, which are then the queue's.  False
 * when there is no memory: the descriptors are still the caller's. */
bool sendq_append(struct sendq *q, struct span bytes, const int *fds, size_t n);

enum sendq_result { SENDQ_EMPTY, SENDQ_FULL, SENDQ_BROKEN };
/* Write to the socket FD what waits, without blocking.  SENDQ_FULL: FD takes
 * no more now; SENDQ_BROKEN: it never will. */
enum sendq_result sendq_write(struct sendq *q, int fd);
/* Block until FD takes more, at most WAIT_MS. */
bool sendq_wait(int fd, int wait_ms);

/* Drop all that waits, closing its descriptors. */
void sendq_clear(struct sendq *q);
/* And release the memory. */
void sendq_free(struct sendq *q);

#endif /* SG_SENDQ_H */
