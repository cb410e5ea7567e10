/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_BESIDE_H
#define SG_TOOLS_BESIDE_H

#include "ledger/record.h"
#include "walk.h"

/*
 * beside: the journal's records beside the ledger's entries.  A record is given
 * out only if it holds the very entry that the ledger has at its index, and a
 * signature of which that entry has the revocation hash.  Its UVCI hashes have
 * nothing in the entry that they could be held against without the UVCI: for
 * these the journal's word is taken.
 */
struct beside; /* opaque */

/* Owns: *OUT is the caller's; beside_close().
 * Errors: those of journal_reader_open(), with WHY. */
SG_MUST_USE enum sg_err beside_open(const char *dir, struct beside **out,
				    char why[WHY_MAX]);
void beside_close(struct beside *b); /* NULL is allowed */
/* The record of E, a certificate's; indexes must not descend between calls.
 * Spans of OUT live until the next call.
 * Errors: SG_BAD_SIGNATURE (another entry or signature), SG_MALFORMED (damaged,
 * or there is no such record), SG_IO, with WHY. */
SG_MUST_USE enum sg_err beside_record(struct beside *b,
				      const struct walk_entry *e,
				      struct record *out, char why[WHY_MAX]);

#endif /* SG_TOOLS_BESIDE_H */
