/* SPDX-License-Identifier: Apache-2.0 */
#include "beside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/journal_read.h"

/* Records that are sooner read past than looked for. */
enum { NEAR = 4096 };

struct beside {
	struct journal_reader *reader;
	bool placed;
	uint64_t next; /* index of the next record */
};

enum sg_err beside_open(const char *dir, struct beside **out, char why[WHY_MAX])
{
	struct beside *b = calloc(1, sizeof(*b));
	enum sg_err err = SG_NO_MEMORY;

	if (b != NULL)
		err = journal_reader_open(dir, &b->reader);
	if (err != SG_OK) {
		(void)snprintf(why, WHY_MAX, "%.300s: %s", dir,
			       err == SG_NOT_FOUND ? "no journal is there"
						   : err_text(err));
		free(b);
		return err;
	}
	*out = b;
	return SG_OK;
}

void beside_close(struct beside *b)
{
	if (b == NULL)
		return;
	journal_reader_close(b->reader);
	free(b);
}

static enum sg_err read_to(struct beside *b, uint64_t index, struct record *out)
{
	enum sg_err err;

	if (!b->placed || index - b->next > NEAR) {
		err = journal_reader_find(b->reader, index);
		if (err != SG_OK)
			return err;
		b->placed = true;
	}
	do {
		err = journal_reader_next(b->reader, UINT64_MAX, out, NULL);
		if (err != SG_OK)
			return err;
		b->next = out->index + 1;
	} while (out->index < index);
	return out->index == index ? SG_OK : SG_NOT_FOUND;
}

/* Errors: SG_BAD_SIGNATURE: something is wrong with R beside E, *WRONG.
 * SG_NO_MEMORY: that is not known. */
static enum sg_err compare(const struct walk_entry *e, const struct record *r,
			   const char **wrong)
{
	uint8_t hash[ENTRY_REVOCATION_BYTES];
	enum sg_err err;

	*wrong = "the journal has another entry there than the ledger";
	if (!span_eq(r->entry, e->bytes))
		return SG_BAD_SIGNATURE;
	*wrong = "the journal's record lacks the certificate's hashes";
	if (r->uci == NULL || r->country_uci == NULL)
		return SG_BAD_SIGNATURE;
	err = entry_revocation(e->e.alg, r->signature, hash);
	if (err == SG_NO_MEMORY)
		return err;
	*wrong = "the journal has another signature than the entry tells of";
	if (err != SG_OK || memcmp(hash, e->e.revocation, sizeof(hash)) != 0)
		return SG_BAD_SIGNATURE;
	return SG_OK;
}

enum sg_err beside_record(struct beside *b, const struct walk_entry *e,
			  struct record *out, char why[WHY_MAX])
{
	const char *wrong = "the journal cannot be read";
	enum sg_err err = read_to(b, e->index, out);

	if (err == SG_OK) {
		err = compare(e, out, &wrong);
		if (err == SG_OK)
			return SG_OK;
	} else if (err == SG_NOT_FOUND) {
		wrong = "the journal does not have it";
		err = SG_MALFORMED;
	} else if (err == SG_MALFORMED) {
		wrong = "the journal is damaged";
	}
	if (err == SG_NO_MEMORY)
		wrong = err_text(err);
	(void)snprintf(why, WHY_MAX, "entry %" PRIu64 ": %s", e->index, wrong);
	return err;
}
