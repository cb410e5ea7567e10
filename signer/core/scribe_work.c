/* SPDX-License-Identifier: Apache-2.0 */
/* What the scribe's thread does: see scribe.h. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "scribe_state.h"

enum { PROGRESS_US = 5 * 1000 * 1000, US_PER_MS = 1000 };
/* Without anything to do it sleeps; all that there is to do wakes it. */
static const uint64_t LONG_US = UINT64_C(3600) * 1000 * 1000;

static const char CHECKPOINT[] = "checkpoint";
static const char COSIGNED[] = "checkpoint.cosigned";
static const char VKEY[] = "vkey";

static const char NO_TILES[] = "the ledger's directory cannot be written";
static const char NO_JOURNAL[] = "the journal cannot be read";
static const char NO_INDEX[] = "the index cannot be written";
static const char BAD_INDEX[] =
	"the index cannot be read; signerd makes it again where state/index is "
	"not there at its start";

/* --- the beginning ---------------------------------------------------- */

/* The verifier key, for whoever reads the directory. */
static enum sg_err show_vkey(struct scribe *s, const struct note_key *key)
{
	char text[NOTE_VKEY_MAX + 1];
	uint8_t found[NOTE_VKEY_MAX + 1];
	size_t n;
	enum sg_err err;

	note_key_text(key, text);
	n = strlen(text);
	text[n] = '\n';
	text[n + 1] = '\0';
	err = tiles_read_file(s->work.tiles, VKEY, found, sizeof(found), &n);
	if (err == SG_OK && span_is(span_of(found, n), text))
		return SG_OK;
	return tiles_write_file(s->work.tiles, VKEY, span_str(text));
}

/* Open the checkpoint that was found: by the newest key that has signed it. */
static enum sg_err open_checkpoint(struct scribe *s, struct checkpoint *c)
{
	const struct span text = span_of(s->work.text, s->work.text_n);
	enum sg_err err = SG_NOT_FOUND;

	for (size_t i = s->nkeys; err == SG_NOT_FOUND && i > 0; i--) {
		err = checkpoint_open(text, &s->keys[i - 1], c, NULL);
		if (err == SG_OK)
			s->key = s->keys[i - 1];
	}
	return err;
}

/* Errors: SG_BAD_SIGNATURE: there is one, but not by the log's key. */
static enum sg_err read_checkpoint(struct scribe *s)
{
	struct scribe_work *w = &s->work;
	struct checkpoint c;
	enum sg_err err = tiles_read_file(w->tiles, CHECKPOINT, w->text,
					  sizeof(w->text), &w->text_n);

	w->found_size = 0;
	merkle_empty_root(&w->found_root);
	if (err == SG_NOT_FOUND) {
		w->text_n = 0;
		return SG_OK;
	}
	if (err == SG_IO)
		return err;
	if (err == SG_OK)
		err = open_checkpoint(s, &c);
	if (err != SG_OK)
		return SG_BAD_SIGNATURE;
	w->found_size = w->published = c.size;
	w->found_root = c.root;
	return SG_OK;
}

/* Go on with the tree on the disk, or make it again. */
static enum sg_err open_tree(struct scribe *s)
{
	struct scribe_work *w = &s->work;
	enum sg_err err =
		tree_open(w->tiles, w->found_size, &w->found_root, &w->tree);

	w->remaking = err == SG_MALFORMED || err == SG_NOT_FOUND;
	if (!w->remaking)
		return err;
	log_event(LOG_WARNING, "tiles-damaged",
		  "size=%llu reason=\"%s\" text=\"they are made again from the "
		  "journal\"",
		  (unsigned long long)w->found_size, err_text(err));
	return tree_open(w->tiles, 0, &w->found_root, &w->tree);
}

/* Be where tree and index both lack nothing.  Errors: SG_NOT_FOUND: the journal
 * ends before; SG_INTERNAL: the index cannot be read. */
static enum sg_err find_place(struct scribe *s)
{
	struct scribe_work *w = &s->work;
	enum sg_err err = SG_OK;
	uint64_t index;
	uint64_t offset;

	journal_end(s->part.journal, &index, &offset);
	if (w->found_size > index)
		return SG_NOT_FOUND;
	if (tree_size(w->tree) < index) {
		err = journal_reader_find(w->reader, tree_size(w->tree));
		offset = journal_reader_offset(w->reader);
	}
	w->watermark = index_watermark(s->part.index);
	if (err == SG_OK)
		err = scribe_count_decisions(s);
	if (err == SG_OK && w->watermark < offset)
		offset = w->watermark;
	if (err == SG_OK)
		err = journal_reader_seek(w->reader, offset);
	w->upto = offset;
	return err;
}

static enum sg_err open_ledger(struct scribe *s)
{
	struct scribe_work *w = &s->work;
	enum sg_err err = SG_OK;

	if (w->merkle == NULL)
		err = merkle_create(&w->merkle);
	if (err == SG_OK && w->tiles == NULL)
		err = tiles_open(s->ledger_dir, true, &w->tiles);
	if (err == SG_OK && w->tree == NULL) {
		err = read_checkpoint(s);
		if (err == SG_OK)
			err = open_tree(s);
	}
	/* Not before the key is known to be the log's: readers keep it. */
	return err == SG_OK ? show_vkey(s, &s->key) : err;
}

static enum sg_err open_journal(struct scribe *s)
{
	struct scribe_work *w = &s->work;
	enum sg_err err = SG_OK;

	if (w->reader == NULL)
		err = journal_reader_open(s->journal_dir, &w->reader);
	/* That there is one, somewhere else, is no word about its end. */
	if (err != SG_OK)
		return SG_IO;
	return find_place(s);
}

bool scribe_work_begin(struct scribe *s)
{
	enum sg_err err;

	errno = 0;
	err = open_ledger(s);
	if (err == SG_BAD_SIGNATURE) {
		scribe_tell_refusal(s, SCRIBE_BAD_CHECKPOINT);
		return false;
	}
	if (err != SG_OK) {
		scribe_tell_trouble(s, NO_TILES, errno);
		return false;
	}
	err = open_journal(s);
	if (err == SG_NOT_FOUND || err == SG_MALFORMED) {
		scribe_tell_refusal(s, err == SG_NOT_FOUND
					       ? SCRIBE_JOURNAL_SHORT
					       : SCRIBE_JOURNAL_DAMAGED);
		return false;
	}
	if (err != SG_OK) {
		scribe_tell_trouble(
			s, err == SG_INTERNAL ? BAD_INDEX : NO_JOURNAL, errno);
		return false;
	}
	s->work.begun = true;
	scribe_tell_trouble(s, NULL, 0);
	scribe_tell_progress(s, 0, false);
	return true;
}

/* --- following the journal -------------------------------------------- */

/* Put R into the tree, where it is not yet. */
static enum sg_err into_tree(struct scribe *s, const struct record *r)
{
	struct scribe_work *w = &s->work;
	struct merkle_hash root;
	enum sg_err err;

	if (r->index > tree_size(w->tree))
		return SG_MALFORMED;
	if (r->index == tree_size(w->tree)) {
		err = tree_add(w->tree, r->entry);
		if (err != SG_OK)
			return err;
	}
	if (!w->remaking || tree_size(w->tree) != w->found_size)
		return SG_OK;
	/* All that was signed has been made again: is it the same? */
	err = tree_root(w->tree, &root);
	if (err == SG_OK && memcmp(&root, &w->found_root, sizeof(root)) != 0)
		err = SG_BAD_SIGNATURE;
	w->remaking = err != SG_OK;
	return err;
}

static void for_index(struct scribe_work *w, const struct record *r,
		      uint64_t offset)
{
	struct index_item *item;

	if (offset < w->watermark)
		return;
	item = &w->item[w->nitems];
	if (r->uci != NULL)
		memcpy(item->uvci, r->uci, sizeof(item->uvci));
	else if (!scribe_key_of(w, r, item->uvci))
		return;
	item->offset = offset;
	w->nitems++;
}

/* Give the index what was read.  False: it cannot be written now. */
static bool into_index(struct scribe *s)
{
	struct scribe_work *w = &s->work;

	if (w->upto > w->watermark) {
		if (index_put(s->part.index, w->item, w->nitems, w->upto) !=
		    SG_OK)
			return false;
		w->watermark = w->upto;
		scribe_tell_indexed(s, w->upto);
	}
	w->nitems = 0;
	return true;
}

static void refuse_or_stand(struct scribe *s, enum sg_err err)
{
	if (err == SG_MALFORMED || err == SG_TOO_BIG) {
		log_event(LOG_ERROR, "journal-damaged", "offset=%llu",
			  (unsigned long long)s->work.upto);
		scribe_tell_refusal(s, SCRIBE_JOURNAL_DAMAGED);
	} else if (err == SG_BAD_SIGNATURE) {
		scribe_tell_refusal(s, SCRIBE_FORKED);
	} else {
		scribe_tell_trouble(s, err == SG_CLOSED ? NO_JOURNAL : NO_TILES,
				    errno);
	}
}

/* The next record below LIMIT, into the tree and to what the index gets; all or
 * nothing, so that it can be read again.  Errors: SG_NOT_FOUND (there are no
 * more), SG_CLOSED (the journal cannot be read). */
static enum sg_err take_record(struct scribe *s, uint64_t limit)
{
	struct scribe_work *w = &s->work;
	struct record r;
	uint64_t offset;
	enum sg_err err;

	if (w->upto >= limit)
		return SG_NOT_FOUND;
	/* The last one could not be put into the tree. */
	if (journal_reader_offset(w->reader) != w->upto &&
	    journal_reader_seek(w->reader, w->upto) != SG_OK)
		return SG_CLOSED;
	err = journal_reader_next(w->reader, limit, &r, &offset);
	/* What is committed must be there. */
	if (err != SG_OK)
		return err == SG_MALFORMED ? err : SG_CLOSED;
	err = into_tree(s, &r);
	if (err != SG_OK)
		return err;
	for_index(w, &r, offset);
	w->upto = journal_reader_offset(w->reader);
	if (!w->first_known)
		w->first_index = r.index;
	w->first_known = true;
	w->next_index = r.index + 1;
	return SG_OK;
}

static void note_progress(struct scribe *s)
{
	struct scribe_work *w = &s->work;
	const uint64_t now = clock_mono_us();
	const uint64_t size = tree_size(w->tree);
	const bool there =
		w->watermark >= w->target_offset && size >= w->target_index;

	metric_set(METRIC_LEDGER_ENTRIES, size);
	if (w->caught_up || (!there && now - w->progress_us < PROGRESS_US))
		return;
	if (w->progress_us != 0 || there)
		log_event(LOG_INFO, there ? "ledger-read" : "ledger-reading",
			  "leaves=%llu of=%llu journal_bytes=%llu of=%llu",
			  (unsigned long long)size,
			  (unsigned long long)w->target_index,
			  (unsigned long long)w->upto,
			  (unsigned long long)w->target_offset);
	w->progress_us = now;
	w->caught_up = there;
	scribe_tell_progress(s, w->next_index - w->first_index, there);
}

static bool index_down(struct scribe *s)
{
	scribe_tell_index_down(s);
	scribe_tell_trouble(s, NO_INDEX, 0);
	return false;
}

bool scribe_work_follow(struct scribe *s)
{
	struct scribe_work *w = &s->work;
	enum sg_err err = SG_OK;
	uint64_t index;
	uint64_t limit;

	if (w->nitems > 0 && !into_index(s))
		return index_down(s);
	journal_end(s->part.journal, &index, &limit);
	errno = 0;
	for (size_t i = 0; i < SCRIBE_BATCH && err == SG_OK; i++)
		err = take_record(s, limit);
	if (err != SG_OK && err != SG_NOT_FOUND) {
		refuse_or_stand(s, err);
		(void)into_index(s);
		return false;
	}
	if (!into_index(s))
		return index_down(s);
	if (!w->unflushed)
		scribe_tell_trouble(s, NULL, 0);
	note_progress(s);
	return err == SG_OK;
}

/* --- checkpoints ------------------------------------------------------ */

/* Is there a state that nothing was signed for? */
static bool something_new(const struct scribe_work *w)
{
	return w->begun && w->caught_up && !w->awaiting &&
	       (!w->offered_any || tree_size(w->tree) != w->published);
}

uint64_t scribe_work_idle_us(const struct scribe_work *w, uint64_t pause_us,
			     uint64_t now_us)
{
	if (!something_new(w))
		return LONG_US;
	if (now_us - w->offered_us >= pause_us)
		return 0;
	return w->offered_us + pause_us - now_us;
}

void scribe_work_offer(struct scribe *s, uint64_t now_us)
{
	const uint64_t pause_us = (uint64_t)s->part.checkpoint_ms * US_PER_MS;
	struct scribe_work *w = &s->work;
	struct merkle_hash root;

	if (!something_new(w) ||
	    (w->offered_us != 0 && now_us - w->offered_us < pause_us))
		return;
	w->offered_us = now_us;
	errno = 0;
	w->unflushed = tree_flush(w->tree) != SG_OK ||
		       tree_root(w->tree, &root) != SG_OK;
	if (w->unflushed) {
		scribe_tell_trouble(s, NO_TILES, errno);
		return;
	}
	w->offered_any = w->awaiting = true;
	w->offer_size = tree_size(w->tree);
	scribe_tell_offer(s, w->offer_size, &root);
}

/* Have `vkey` name the key that has signed, now that there is a checkpoint for
 * it.  False: it cannot be written now. */
static bool turn_vkey(struct scribe *s)
{
	const struct note_key *key = &s->work.note_key;

	if (memcmp(key->public_key, s->key.public_key,
		   sizeof(key->public_key)) == 0)
		return true;
	if (show_vkey(s, key) != SG_OK)
		return false;
	s->key = *key;
	return true;
}

bool scribe_work_publish(struct scribe *s)
{
	struct scribe_work *w = &s->work;

	if (!w->answered)
		return true;
	if (w->note_n == 0) {
		w->answered = w->awaiting = w->offered_any = false;
		return true;
	}
	errno = 0;
	if (tiles_write_file(w->tiles, CHECKPOINT,
			     span_of(w->note, w->note_n)) != SG_OK ||
	    !turn_vkey(s)) {
		scribe_tell_trouble(s, NO_TILES, errno);
		return false;
	}
	memcpy(w->text, w->note, w->note_n);
	w->text_n = w->note_n;
	w->published = w->offer_size;
	w->answered = w->awaiting = false;
	scribe_tell_published(s, w->published);
	metric_set(METRIC_LEDGER_CHECKPOINT, w->published);
	metric_set(METRIC_LEDGER_CHECKPOINT_TIME, (uint64_t)clock_wall_s());
	return true;
}

/* One that cannot be written now is lost; the next round brings another. */
void scribe_work_cosigned(struct scribe *s, const struct scribe_note *note)
{
	struct scribe_work *w = &s->work;

	if (note->size != w->published || w->text_n == 0 ||
	    tiles_write_file(w->tiles, CHECKPOINT,
			     span_of(note->text, note->n)) != SG_OK)
		return;
	memcpy(w->text, note->text, note->n);
	w->text_n = note->n;
}

void scribe_work_keep(struct scribe *s, const struct scribe_note *note)
{
	if (tiles_write_file(s->work.tiles, COSIGNED,
			     span_of(note->text, note->n)) != SG_OK)
		log_event(LOG_WARNING, "cosigned-unwritten", "reason=\"%s\"",
			  NO_TILES);
}

void scribe_work_end(struct scribe *s)
{
	struct scribe_work *w = &s->work;

	/* What is not in it is read from the journal again. */
	if (index_flush(s->part.index) != SG_OK)
		log_event(LOG_WARNING, "index-unflushed", "reason=\"%s\"",
			  NO_INDEX);
	journal_reader_close(w->reader);
	tree_close(w->tree);
	tiles_close(w->tiles);
	merkle_free(w->merkle);
}
