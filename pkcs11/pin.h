/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_PIN_H
#define SG_PIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"

/*
 * pin: a PIN on its short way from its file to C_Login, in a page of its own
 * that is locked into memory, left out of core dumps and wiped after use.
 */
enum { PIN_BYTES_MAX = 256 }; /* with the line end */

struct pin {
	uint8_t *bytes; /* not NUL-terminated */
	size_t n;
	size_t mapped; /* bytes of the page */
};

/* Have others than its owner rights to the PIN's file PATH, whose stat() is ST?
 * Of systemd's credentials the group bits do not count: they are the ACL that
 * lets the service read them. */
bool pin_is_shared(const char *path, const struct stat *st);

/*
 * Read the PIN in the file PATH, without a line end (LF or CRLF).  Warns in
 * the log when others than the owner have rights to it, and goes on: what must
 * not begin so (--check, a start, a reload) has refused it before, and a
 * process that is replaced meanwhile is needed more than it is suspect. Owns:
 * *OUT is the caller's; pin_wipe() as soon as C_Login is back. Errors: SG_IO
 * (errno says why; logged), SG_CONFIG when it is empty or longer than
 * PIN_BYTES_MAX.  *OUT is empty unless SG_OK.
 */
SG_MUST_USE enum sg_err pin_read(const char *path, struct pin *out);
/* Overwrite and release.  An empty PIN is allowed. */
void pin_wipe(struct pin *pin);

#endif /* SG_PIN_H */
