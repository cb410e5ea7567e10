/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RESOLVER_H
#define SG_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * resolver: the files by which the C library finds a host's address.  Landlock
 * opens those that are there when the process begins; one that is replaced (a
 * new /etc/resolv.conf, as the network changes) is closed to it.
 */

/* At most so many are looked at. */
enum { RESOLVER_FILES_MAX = 8 };

/* Theirs, RESOLVER_FILE_COUNT of them. */
extern const char *const RESOLVER_FILES[];
extern const size_t RESOLVER_FILE_COUNT;

struct resolver {
	const char *const *file;
	size_t n;
	bool readable[RESOLVER_FILES_MAX];
};

/* Look at FILES, which stay the caller's for as long as R is used, once the
 * sandbox is entered. */
void resolver_begin(struct resolver *r, const char *const *files, size_t n);

/* One that was readable at the beginning is there, and closed to us now. */
bool resolver_replaced(const struct resolver *r);

#endif /* SG_RESOLVER_H */
