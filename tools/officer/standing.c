/* SPDX-License-Identifier: Apache-2.0 */
#include "standing.h"

#include <string.h>

#include "base/hex.h"
#include "document.h"

/* --- officers and terms --------------------------------------------------- */

static void put_officer(const char *what, const struct officer *o, FILE *to)
{
	char kid[HEX_TEXT(ROLL_KID_BYTES)];

	(void)fprintf(to, "  officer %s: %s, %s, kid %s\n", what, o->name,
		      cose_alg_name(o->alg),
		      hex_encode(o->kid, ROLL_KID_BYTES, kid));
}

static size_t put_officers(const struct roll *old, const struct roll *r,
			   FILE *to)
{
	size_t changes = 0;

	for (size_t i = 0; i < old->n; i++) {
		const struct officer *o = roll_find(r, old->officer[i].kid);

		if (o != NULL && strcmp(o->name, old->officer[i].name) == 0)
			continue;
		put_officer("goes", &old->officer[i], to);
		changes++;
	}
	for (size_t i = 0; i < r->n; i++) {
		const struct officer *o = roll_find(old, r->officer[i].kid);

		if (o != NULL && strcmp(o->name, r->officer[i].name) == 0)
			continue;
		put_officer("comes", &r->officer[i], to);
		changes++;
	}
	return changes;
}

static size_t put_number(const char *what, uint32_t old, uint32_t new,
			 const char *unit, FILE *to)
{
	if (old == new)
		return 0;
	(void)fprintf(to, "  %s: %u%s -> %u%s\n", what, old, unit, new, unit);
	return 1;
}

static size_t put_answer(const char *what, bool old, bool new, FILE *to)
{
	if (old == new)
		return 0;
	(void)fprintf(to, "  %s: %s -> %s\n", what, old ? "yes" : "no",
		      new ? "yes" : "no");
	return 1;
}

static void put_roll(const struct roll *old, const struct roll *r, FILE *to)
{
	size_t changes;

	(void)fputs("\nwhat it changes:\n", to);
	changes = put_officers(old, r, to);
	changes += put_number("approvals needed", old->threshold, r->threshold,
			      "", to);
	changes += put_number("from publication to use of a key", old->lead_s,
			      r->lead_s, " s", to);
	changes += put_number("an operation's checkpoint may be as old as",
			      old->stale_s, r->stale_s, " s", to);
	changes += put_answer("the proposer's own approval counts",
			      old->proposer_may_approve,
			      r->proposer_may_approve, to);
	changes += put_answer("a policy needs approval", old->policy_approval,
			      r->policy_approval, to);
	if (changes == 0)
		(void)fputs("  nothing\n", to);
}

/* --- what nothing signs --------------------------------------------------- */

static bool ends(enum operation_kind kind)
{
	return kind == OPERATION_STOP || kind == OPERATION_RETIRE ||
	       kind == OPERATION_COMPROMISE;
}

static bool is_active(const json_t *key)
{
	return document_is_in(key, "active");
}

/* Does a key of DOCUMENT but KEY sign KIND now? */
static bool is_signed(const json_t *document, const json_t *key, char kind)
{
	const json_t *keys = json_object_get(document, "keys");

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *other = json_array_get(keys, i);

		if (other != key && is_active(other) &&
		    strchr(document_text(other, "kinds"), kind) != NULL)
			return true;
	}
	return false;
}

static void put_gap(const struct opfile *f, const json_t *document, FILE *to)
{
	char label[ROLL_NAME_MAX];
	const char *kinds;
	const json_t *key;
	bool any = false;

	(void)snprintf(label, sizeof(label), "%.*s", (int)f->operation.key.n,
		       (const char *)f->operation.key.p);
	key = document_key(document, label);
	if (key == NULL || !is_active(key))
		return;
	kinds = document_text(key, "kinds");
	for (const char *k = "vtr"; *k != '\0'; k++) {
		if (strchr(kinds, *k) == NULL || is_signed(document, key, *k))
			continue;
		(void)fprintf(to, "%s%c",
			      any ? ", " : "\nNO OTHER KEY SIGNS NOW: ", *k);
		any = true;
	}
	if (any)
		(void)fputc('\n', to);
}

void standing_changes(const struct opfile *f, const struct opfile_known *known,
		      FILE *to)
{
	if (f->operation.kind == OPERATION_OFFICERS && known->now != NULL &&
	    known->now->roll.n > 0)
		put_roll(&known->now->roll, &f->operation.roll, to);
	if (ends(f->operation.kind) && known->document != NULL)
		put_gap(f, known->document, to);
}

/* --- approvals ------------------------------------------------------------ */

enum sg_err standing_show(const struct opfile *f,
			  const struct opfile_known *known, FILE *to)
{
	const struct roll *r = opfile_roll(f, known);
	struct approval_count count;
	unsigned needed;
	enum sg_err err;

	if (r == NULL)
		return SG_OK;
	err = approval_judge(r, &f->approved, &f->operation, &count);
	if (err != SG_OK)
		return err;
	needed = approval_needed(r, f->operation.kind);
	(void)fprintf(to, "approvals:     %u of %u", count.officers, needed);
	if (count.officers < needed)
		(void)fprintf(to, ", %u missing", needed - count.officers);
	if (count.lacks_proposer)
		(void)fprintf(to, "; its proposer, %.*s, has to sign it, too",
			      (int)f->operation.proposer.n,
			      (const char *)f->operation.proposer.p);
	(void)fputc('\n', to);
	if (count.fault != NULL && !count.lacks_proposer)
		(void)fprintf(to, "               REFUSED AS IT IS: %s\n",
			      count.fault);
	return SG_OK;
}

json_t *standing_json(const struct opfile *f, const struct opfile_known *known)
{
	const struct roll *r = opfile_roll(f, known);
	struct approval_count count;
	unsigned needed;

	if (r == NULL ||
	    approval_judge(r, &f->approved, &f->operation, &count) != SG_OK)
		return NULL;
	needed = approval_needed(r, f->operation.kind);
	if (count.fault == NULL && count.officers < needed)
		count.fault = "it has too few approvals";
	return json_pack("{s:i, s:i, s:s*}", "approvals", (int)count.officers,
			 "needed", (int)needed, "fault", count.fault);
}
