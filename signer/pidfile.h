/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_PIDFILE_H
#define SG_PIDFILE_H

#include "base/err.h"

/* pidfile: one supervisor at a time, by a locked file that holds its pid. */
struct pidfile {
	int fd; /* -1: none */
	char path[1100];
};

/*
 * Lock DIR/signerd.pid and write this process's id into it.
 * Errors, logged: SG_BUSY (another process holds it), SG_IO.
 */
SG_MUST_USE enum sg_err pidfile_take(struct pidfile *p, const char *dir);
/* Remove the file and let the lock go. */
void pidfile_release(struct pidfile *p);

#endif /* SG_PIDFILE_H */
