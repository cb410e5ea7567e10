/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_EVIL_H
#define SG_EVIL_H

#include "base/err.h"
#include "base/span.h"

/*
 * evil: a front that was taken over, at work on the core and the supervisor.
 * It has what such a front has: its two channels, the requests of its clients,
 * and all the time until it is killed.
 */
struct evil {
	int link, control; /* SEQPACKET: to the core, to the supervisor */
	uint64_t seed;	   /* which of many, or of the random numbers */
	struct span who;   /* an identity to take, base/identity.h */
	struct span request, signature, presented; /* as WIRE_ISSUE has them */
	bool dry_run, renew;
	/* What has come of it. */
	unsigned sent, answers, issued, replayed, problems;
	bool ended; /* the link */
};

struct attack {
	const char *name;
	void (*run)(struct evil *e);
};
extern const struct attack ATTACKS[];
extern const size_t ATTACK_COUNT;

enum { EVIL_FDS_MAX = 253, EVIL_ANSWER_MS = 10000 };

/* Send one packet to SOCK with N copies of FD beside it, waiting for room.
 * False: nobody is there. */
bool evil_send(struct evil *e, int sock, const void *packet, size_t bytes,
	       int fd, size_t n);
/* Read answers of the core until there are N more, the link has ended, or MS
 * milliseconds are over. */
void evil_listen(struct evil *e, unsigned n, unsigned ms);
/* xorshift64 */
uint64_t evil_random(struct evil *e);
/* Wait, and show the supervisor that this process lives. */
void evil_rest(unsigned ms);

#endif /* SG_EVIL_H */
