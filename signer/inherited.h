/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_INHERITED_H
#define SG_INHERITED_H

#include <stddef.h>

#include "base/err.h"

/*
 * inherited: listening sockets that systemd has opened (sd_listen_fds(3)), by
 * their FileDescriptorName=: "tls", "ops" or "public".
 */
enum { INHERITED_MAX = 64 };

struct inherited {
	size_t n;
	int fd[INHERITED_MAX]; /* close-on-exec and non-blocking */
	char name[INHERITED_MAX][8];
};

/* How many descriptors from 3 on are such; nothing is taken. */
unsigned inherited_count(void);
/*
 * Take them, once: the environment tells of none any more.  Of a start without
 * systemd, there are none.  The descriptors are OUT's owner's.
 * Errors, logged: SG_CONFIG for one that is no listening stream socket or has
 * none of the names; SG_IO.  All are closed then.
 */
SG_MUST_USE enum sg_err inherited_take(struct inherited *out);
/* Hand out the next one of NAME, or -1. */
int inherited_next(struct inherited *from, const char *name);
/* Close those that nobody has asked for. */
void inherited_close(struct inherited *from);

#endif /* SG_INHERITED_H */
