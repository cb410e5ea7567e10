/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the log on the disk is what the HSM, and others, know of it. */
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "ledger/tiles.h"
#include "notary_state.h"
#include "recovery.h"

/* STATEMENT is to be recorded: once, whoever has found it. */
static void tell(struct notary *n, struct span statement)
{
	if (!n->told)
		n->part.recovered(n->part.ctx, statement);
	n->told = true;
}

void notary_contest(struct notary *n, const struct checkpoint *known,
		    const char *fmt, ...)
{
	struct recovery_facts facts = {.origin = n->part.settings->origin,
				       .disk_size = n->size,
				       .disk_root = n->root,
				       .known = known != NULL};
	uint8_t statement[RECOVERY_NOTE_MAX];
	size_t len = 0;
	enum sg_err err;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(n->reason, sizeof(n->reason), fmt, args);
	va_end(args);
	if (known != NULL) {
		facts.known_size = known->size;
		facts.known_root = known->root;
	}
	err = recovery_find(n->part.state_dir, &facts, n->part.settings,
			    statement, sizeof(statement), &len);
	if (err == SG_OK) {
		log_event(LOG_WARNING, "ledger-recovered",
			  "reason=\"%s\" text=\"officers have signed that it "
			  "goes on\"",
			  n->reason);
		n->proved = n->recovered = true;
		tell(n, span_of(statement, len));
		notary_sign(n);
		return;
	}
	if (err != SG_NOT_FOUND)
		log_event(LOG_ERROR, "recovery-refused", "reason=\"%s\"",
			  err == SG_MALFORMED
				  ? "it is no signed statement, or about "
				    "another state"
			  : err == SG_BAD_SIGNATURE
				  ? "too few officers have signed it"
				  : err_text(err));
	if (recovery_ask(n->part.state_dir, &facts) != SG_OK)
		log_event(LOG_WARNING, "recovery-request-unwritten",
			  "reason=\"the state directory cannot be written\"");
	n->state = NOTARY_REFUSED;
	n->busy = false;
}

/* --- the anchor against the disk -------------------------------------- */

/* The root of the first SIZE leaves on the disk, as the tree in hand has them.
 */
static enum sg_err read_root(const struct notary *n, uint64_t size,
			     struct merkle_hash *root)
{
	struct merkle *m = NULL;
	struct tiles *tiles = NULL;
	struct merkle_source source;
	enum sg_err err = merkle_create(&m);

	if (err == SG_OK)
		err = tiles_open(n->part.ledger_dir, false, &tiles);
	if (err == SG_OK) {
		source = tiles_source(tiles, m, n->size);
		err = merkle_prefix(m, &source, size, root, n->size, &n->root);
	}
	tiles_close(tiles);
	merkle_free(m);
	return err;
}

/* Is the log what the checkpoint KNOWN, by WHO, says that it was?  False: it is
 * refused, or that cannot be said now. */
static bool hold_against(struct notary *n, const struct checkpoint *known,
			 const char *who)
{
	struct merkle_hash root;
	enum sg_err err;

	if (known->size > n->size) {
		notary_contest(
			n, known,
			"the ledger on disk has %llu entries and %s knows of "
			"%llu: it was rolled back, or its end is gone",
			(unsigned long long)n->size, who,
			(unsigned long long)known->size);
		return false;
	}
	err = read_root(n, known->size, &root);
	if (err != SG_OK) {
		notary_give_up(
			n,
			"comparison with the HSM's record, by the files in "
			"ledger/tile",
			err);
		return false;
	}
	if (memcmp(&root, &known->root, sizeof(root)) == 0)
		return true;
	notary_contest(
		n, known,
		"the first %llu entries of the ledger on disk are not those "
		"that %s knows of: it is a fork",
		(unsigned long long)known->size, who);
	return false;
}

static void read_anchor(struct notary *n);

/* Is there no record where one must be?  There is one beside the key that
 * signs, and while the key is changed beside the old one: the new one's comes
 * with the first checkpoint of both. */
static bool lacks_anchor(const struct notary *n, struct span value)
{
	return value.n == 0 && n->size > 0 && n->at == 0;
}

/* Does VALUE, a record of the HSM, allow to go on? */
static bool check_anchor(struct notary *n, struct span value)
{
	struct checkpoint known;
	uint8_t statement[RECOVERY_NOTE_MAX];
	size_t len = 0;
	enum sg_err err =
		checkpoint_open(value, &n->key[n->at].note, &known, NULL);

	if (err == SG_NO_MEMORY) {
		notary_give_up(n, "verifying the HSM's record", err);
		return false;
	}
	if (err != SG_OK) {
		notary_contest(n, NULL,
			       "what the HSM has on record is no checkpoint "
			       "of this ledger");
		return false;
	}
	if (!hold_against(n, &known, "the HSM"))
		return false;
	err = recovery_find_used(n->part.state_dir, &known, n->part.settings,
				 statement, sizeof(statement), &len);
	if (err == SG_NO_MEMORY) {
		notary_give_up(n, "verifying the officers' recovery", err);
		return false;
	}
	if (err == SG_OK)
		tell(n, span_of(statement, len));
	return true;
}

static void on_anchor_read(void *ctx, enum sg_err err, struct span value)
{
	struct notary *n = ctx;

	if (err != SG_OK) {
		notary_give_up(n, "reading the anchor", err);
		return;
	}
	if (lacks_anchor(n, value)) {
		notary_contest(
			n, NULL,
			"the ledger on disk has %llu entries and the HSM knows "
			"of no such ledger: another token, or its data object "
			"was removed",
			(unsigned long long)n->size);
		return;
	}
	if (value.n > 0 && !check_anchor(n, value))
		return;
	if (++n->at < n->nkeys) {
		read_anchor(n);
		return;
	}
	n->proved = true;
	notary_sign(n);
}

static void read_anchor(struct notary *n)
{
	const enum sg_err err =
		hsm_pool_anchor(n->part.pool, n->key[n->at].key,
				span_of(NULL, 0), on_anchor_read, n);

	if (err != SG_OK)
		notary_give_up(n, "reading the anchor", err);
}

void notary_prove(struct notary *n)
{
	n->at = 0;
	read_anchor(n);
}
