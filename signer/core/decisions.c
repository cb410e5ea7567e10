/* SPDX-License-Identifier: Apache-2.0 */
#include "decisions.h"

#include <stdlib.h>

#include "ledger/journal_read.h"

struct decisions {
	struct index *index;
	struct journal_reader *reader;
	uint64_t n; /* read so far */
	struct entry entry;
};

bool decision_is(const struct entry *e)
{
	/* What officers sign to let a ledger go on has no outcome. */
	return e->type == ENTRY_CEREMONY
		       ? e->refusal.n == 0 && e->outcome != NULL
		       : e->type == ENTRY_KEY_EVENT &&
				 e->operation_hash == NULL;
}

enum sg_err decisions_open(struct index *x, const char *journal_dir,
			   struct decisions **out)
{
	struct decisions *d = calloc(1, sizeof(*d));
	enum sg_err err;

	*out = NULL;
	if (d == NULL)
		return SG_NO_MEMORY;
	d->index = x;
	err = journal_reader_open(journal_dir, &d->reader);
	if (err != SG_OK) {
		free(d);
		return err;
	}
	*out = d;
	return SG_OK;
}

enum sg_err decisions_next(struct decisions *d, const struct entry **entry,
			   uint64_t *leaf)
{
	uint8_t key[INDEX_HASH_BYTES];
	struct record record;
	uint64_t offset;
	enum sg_err err;

	index_decision(d->n + 1, key);
	err = index_get(d->index, key, &offset);
	if (err != SG_OK)
		return err;
	if (journal_reader_seek(d->reader, offset) != SG_OK)
		return SG_IO;
	err = journal_reader_next(d->reader, UINT64_MAX, &record, NULL);
	if (err == SG_OK)
		err = entry_decode(record.entry, &d->entry);
	if (err != SG_OK)
		return err == SG_IO ? err : SG_MALFORMED;
	if (!decision_is(&d->entry))
		return SG_MALFORMED;
	d->n++;
	*entry = &d->entry;
	*leaf = record.index;
	return SG_OK;
}

void decisions_close(struct decisions *d)
{
	if (d == NULL)
		return;
	journal_reader_close(d->reader);
	free(d);
}
