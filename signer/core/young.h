/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_YOUNG_H
#define SG_YOUNG_H

#include "index.h"

/*
 * young: the index's newest items, in a table of its own until there are many.
 * RocksDB takes them as a table of its own form then, in the order of their
 * keys.  One thread puts and clears, any thread gets.
 *
 * Memory: 16 MiB, all of it from the start: a bulk job finds it there.
 */
struct young; /* opaque */

enum { YOUNG_MAX = 1 << 18 }; /* items */

/* Owns: *OUT is the caller's; young_free().  Errors: SG_NO_MEMORY,
 * SG_INTERNAL. */
SG_MUST_USE enum sg_err young_create(struct young **out);
/* How many more items it takes. */
size_t young_room(const struct young *y);
/* Put ITEM, for which there is room; it takes the place of one with its UVCI.
 */
void young_put(struct young *y, const struct index_item *item);
/* Errors: SG_NOT_FOUND. */
SG_MUST_USE enum sg_err young_get(struct young *y,
				  const uint8_t uvci[INDEX_HASH_BYTES],
				  uint64_t *offset);
/* All items, by their UVCIs' bytes; *N of them.  Good until the next put. */
const struct index_item *const *young_sorted(struct young *y, size_t *n);
void young_clear(struct young *y);
void young_free(struct young *y); /* NULL is allowed */

#endif /* SG_YOUNG_H */
