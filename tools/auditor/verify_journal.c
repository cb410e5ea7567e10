/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bar.h"
#include "ledger/journal_read.h"

struct check {
	struct source *source;
	const struct audit_settings *settings;
	struct findings *findings;
	struct journal_reader *journal;
	uint64_t n;
	bool ended;	 /* nothing more can be compared */
	uint8_t *bundle; /* TILE_BUNDLE_MAX */
};

/* The revocation hash of ENTRY must be that of the signature in R.
 * Errors: SG_NO_MEMORY. */
static enum sg_err check_revocation(struct check *c, const struct record *r,
				    const struct entry *e)
{
	const struct finding_place place = findings_entry(r->index);
	uint8_t hash[ENTRY_REVOCATION_BYTES];
	enum sg_err err;

	if (e->type != ENTRY_ISSUED && e->type != ENTRY_RENEWED)
		return SG_OK;
	err = entry_revocation(e->alg, r->signature, hash);
	if (err == SG_NO_MEMORY)
		return err;
	if (err != SG_OK || e->revocation == NULL ||
	    memcmp(hash, e->revocation, sizeof(hash)) != 0)
		findings_add(c->findings, FINDING_JOURNAL_REVOCATION, &place,
			     "%s", "");
	return SG_OK;
}

static enum sg_err check_record(struct check *c, const struct record *r,
				uint64_t index, struct span entry)
{
	const struct finding_place place = findings_entry(index);
	enum sg_err err = SG_OK;
	struct entry e;

	if (r->index != index)
		findings_add(c->findings, FINDING_JOURNAL_DIFFERS, &place,
			     "its place is that of entry %" PRIu64, r->index);
	else if (!span_eq(r->entry, entry))
		findings_add(c->findings, FINDING_JOURNAL_DIFFERS, &place, "%s",
			     "");
	else if (entry_decode(entry, &e) == SG_OK)
		err = check_revocation(c, r, &e);
	c->n++;
	return err;
}

/* The next record, for entry INDEX. */
static enum sg_err check_next(struct check *c, uint64_t index,
			      struct span entry)
{
	const struct finding_place place = findings_entry(index);
	struct record r;
	const enum sg_err err =
		journal_reader_next(c->journal, UINT64_MAX, &r, NULL);

	if (err == SG_OK)
		return check_record(c, &r, index, entry);
	c->ended = true;
	if (err == SG_NOT_FOUND)
		findings_add(c->findings, FINDING_JOURNAL_MISSING, &place, "%s",
			     "nor is any after it");
	else if (err == SG_MALFORMED)
		findings_add(c->findings, FINDING_JOURNAL_DAMAGED, &place,
			     "at offset %" PRIu64,
			     journal_reader_offset(c->journal));
	else
		return err;
	return SG_OK;
}

/* Be at entry INDEX in the journal. */
static enum sg_err begin(struct check *c, uint64_t index)
{
	const struct finding_place place = findings_entry(index);
	const enum sg_err err = journal_reader_find(c->journal, index);

	if (err != SG_NOT_FOUND && err != SG_MALFORMED)
		return err;
	c->ended = true;
	findings_add(c->findings,
		     err == SG_NOT_FOUND ? FINDING_JOURNAL_MISSING
					 : FINDING_JOURNAL_DAMAGED,
		     &place, "%s", "");
	return SG_OK;
}

static enum sg_err check_bundle(struct check *c, uint64_t n, char *why,
				size_t cap)
{
	const struct audit_settings *s = c->settings;
	const struct tile t = {TILE_ENTRIES, n, tile_width(0, n, s->size)};
	struct span entry;
	struct span rest;
	size_t len;
	enum sg_err err =
		source_tile(c->source, &t, c->bundle, TILE_BUNDLE_MAX, &len);

	if (err == SG_NOT_FOUND || err == SG_MALFORMED || err == SG_TOO_BIG) {
		/* Said already; the journal goes on behind it. */
		const uint64_t next = (n + 1) * TILE_WIDTH;

		return next < s->size ? begin(c, next) : SG_OK;
	}
	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s", source_why(c->source));
		return err;
	}
	rest = span_of(c->bundle, len);
	for (unsigned i = 0; i < t.width && err == SG_OK && !c->ended; i++) {
		const uint64_t index = n * TILE_WIDTH + i;

		if (tile_next_entry(&rest, &entry) != SG_OK)
			break;
		if (index >= s->from)
			err = check_next(c, index, entry);
	}
	return err;
}

static enum sg_err check_all(struct check *c, char *why, size_t cap)
{
	const struct audit_settings *s = c->settings;
	const uint64_t end = s->size / TILE_WIDTH + (s->size % TILE_WIDTH != 0);
	struct bar bar;
	enum sg_err err = SG_OK;

	if (s->from < s->size)
		err = begin(c, s->from);
	bar_begin(&bar, s->quiet, "records", s->size - s->from);
	for (uint64_t n = s->from / TILE_WIDTH;
	     n < end && err == SG_OK && !c->ended &&
	     !findings_full(c->findings);
	     n++) {
		err = check_bundle(c, n, why, cap);
		bar_show(&bar, c->n);
	}
	bar_end(&bar);
	return err;
}

enum sg_err verify_journal(struct source *s, const char *journal,
			   const struct audit_settings *settings,
			   struct outcome *out, char *why, size_t cap)
{
	struct check c = {
		.source = s,
		.settings = settings,
		.findings = out->findings,
		.bundle = malloc(TILE_BUNDLE_MAX),
	};
	enum sg_err err = SG_NO_MEMORY;

	(void)snprintf(why, cap, "%s", err_text(err));
	if (c.bundle == NULL)
		return err;
	err = journal_reader_open(journal, &c.journal);
	if (err == SG_OK) {
		(void)snprintf(why, cap, "%s: it cannot be read", journal);
		err = check_all(&c, why, cap);
		journal_reader_close(c.journal);
	} else {
		(void)snprintf(why, cap, "%s: no journal there", journal);
		err = err == SG_NOT_FOUND ? SG_CONFIG : err;
	}
	out->journal = c.n;
	out->has_journal = err == SG_OK;
	free(c.bundle);
	return err;
}
