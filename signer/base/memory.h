/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BASE_MEMORY_H
#define SG_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * memory: whether it is there.  Thread-safe.
 *
 * Has OpenSSL been refused any?  Its verifications say "no" also where they
 * could not find out, and neither what they return nor its queue of errors
 * tells the two apart at each place.
 */

/*
 * Count it from now on.  First of all in main(): false if OpenSSL has allocated
 * something already; then nothing is counted.  The daemon calls it, where a
 * "no" goes on record, takes a key out of use or refuses a client, and the
 * tools do, where it accuses somebody.
 */
bool memory_watch(void);
/* How often in this thread, since its start.  Only differences mean something.
 */
uint64_t memory_refused(void);
/* One more, for an allocator that stands in for that of memory_watch(). */
void memory_count_refused(void);

/* Have the kernel give all N bytes at P, which are zero, now: what is taken at
 * the start is not missing when there is work. */
void memory_take(void *p, size_t n);

#endif /* SG_BASE_MEMORY_H */
