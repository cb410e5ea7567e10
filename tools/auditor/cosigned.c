/* SPDX-License-Identifier: Apache-2.0 */
#include "cosigned.h"

#include <inttypes.h>
#include <stdio.h>

#include "audit.h"
#include "base/clock.h"

/* --- who ------------------------------------------------------------------ */

struct cosigners {
	size_t n;
	int64_t oldest_s; /* of their cosignatures */
	char missing[FINDING_DETAIL_MAX];
};

/* Who of T has cosigned N, since SINCE_S?  F may be NULL.
 * Errors: SG_NO_MEMORY. */
static enum sg_err count(const struct trust *t, const struct note *n,
			 int64_t since_s, struct cosigners *out,
			 struct findings *f)
{
	size_t at = 0;

	*out = (struct cosigners){.oldest_s = INT64_MAX};
	for (size_t i = 0; i < t->nwitnesses; i++) {
		const struct note_key *key = &t->witness[i];
		int64_t time_s = 0;
		const enum sg_err err = note_verify(n, key, &time_s);

		if (err == SG_OK && time_s >= since_s) {
			out->n++;
			if (time_s < out->oldest_s)
				out->oldest_s = time_s;
			continue;
		}
		if (err == SG_NO_MEMORY)
			return err;
		if (err == SG_BAD_SIGNATURE && f != NULL)
			findings_add(f, FINDING_WITNESS_FORGED, NULL, "%s",
				     key->name);
		if (at < sizeof(out->missing))
			at += (size_t)snprintf(
				out->missing + at, sizeof(out->missing) - at,
				"%s%s", at > 0 ? ", " : "", key->name);
	}
	return SG_OK;
}

bool cosigned_enough(const struct trust *t, struct span note)
{
	struct cosigners by;
	struct note n;

	return note_parse(note, &n) == SG_OK &&
	       count(t, &n, 0, &by, NULL) == SG_OK && by.n >= t->quorum;
}

/* --- an older state ------------------------------------------------------- */

void cosigned_fetch(const struct trust *t, struct source *s,
		    struct trust_cosigned *out)
{
	*out = (struct trust_cosigned){.err = SG_NOT_FOUND};
	if (t->quorum == 0)
		return;
	out->err = source_file(s, "checkpoint.cosigned", out->note,
			       sizeof(out->note), &out->n);
	if (out->err != SG_OK) {
		out->n = 0;
		(void)snprintf(out->why, sizeof(out->why), "%s", source_why(s));
	}
	/* Some file servers forbid what is not there. */
	if (out->err == SG_TOO_BIG || out->err == SG_FORBIDDEN ||
	    out->err == SG_MALFORMED)
		out->err = SG_NOT_FOUND;
}

static bool parse(struct span bytes, struct note *n, struct checkpoint *c)
{
	return bytes.n > 0 && note_parse(bytes, n) == SG_OK &&
	       checkpoint_parse(n->text, c) == SG_OK;
}

bool cosigned_is_newer(const struct trust_cosigned *older, struct span note)
{
	struct checkpoint c[2];
	struct note n;

	return parse(span_of(older->note, older->n), &n, &c[0]) &&
	       parse(note, &n, &c[1]) && c[0].size > c[1].size;
}

/* Errors: SG_NO_MEMORY. */
static enum sg_err look_by_log(const struct trust *t, const struct note *n,
			       bool *yes)
{
	enum sg_err err = note_verify(n, &t->key, NULL);

	if (err == SG_NOT_FOUND && t->differs)
		err = note_verify(n, &t->own, NULL);
	*yes = err == SG_OK;
	return err == SG_NO_MEMORY ? err : SG_OK;
}

/* Have enough of them cosigned OLDER, of S, and lately where S is a server?
 * SG_NOT_FOUND: no.  Errors: SG_NO_MEMORY. */
static enum sg_err judge(const struct trust *t, const struct source *s,
			 struct trust_cosigned *older, struct cosigners *by,
			 struct findings *f)
{
	const int64_t since_s =
		source_remote(s) ? clock_wall_s() - t->cosigned_within_s : 0;
	struct note n;
	enum sg_err err;

	if (!parse(span_of(older->note, older->n), &n, &older->c) ||
	    older->c.size == 0 || !span_is(older->c.origin, t->key.name))
		return SG_NOT_FOUND;
	err = count(t, &n, since_s, by, f);
	if (err == SG_OK)
		err = look_by_log(t, &n, &older->by_log);
	if (err != SG_OK)
		return err;
	older->there = by->n >= t->quorum;
	older->time_s = by->oldest_s;
	return older->there ? SG_OK : SG_NOT_FOUND;
}

/* What contradicts the log is told as that only where the log's key has signed
 * both; else witnesses, or who wrote the directory, may be to blame. */
static void tell_contradiction(const struct source *s,
			       const struct trust_checkpoint *out,
			       const struct findings *found, struct findings *f)
{
	const struct trust_cosigned *older = &out->older;

	if (!source_remote(s) && older->c.size > out->c.size)
		findings_add(f, FINDING_WITNESS_MISSING, NULL,
			     "checkpoint.cosigned has %" PRIu64
			     " entries, the checkpoint %" PRIu64
			     ": copied in another order, or rolled back",
			     older->c.size, out->c.size);
	else if (!older->by_log)
		findings_add(f, FINDING_WITNESS_MISSING, NULL,
			     "what they have cosigned is not how the log "
			     "begins, and its key has not signed that");
	else
		for (size_t i = 0; i < findings_n(found); i++)
			findings_add(f, findings_at(found, i)->id, NULL, "%s",
				     findings_at(found, i)->detail);
}

/* The checkpoint in OUT must begin with OUT->older. */
static enum sg_err hold_against(struct source *s, struct trust_checkpoint *out,
				struct findings *f, char *why, size_t cap)
{
	const struct trust_cosigned *older = &out->older;
	struct findings *found;
	enum sg_err err = findings_create(&found);

	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s", err_text(err));
		return err;
	}
	err = audit_consistent(s, &older->c, &out->c, found, why, cap);
	if (err == SG_OK && findings_errors(found) > 0) {
		tell_contradiction(s, out, found, f);
	} else if (err == SG_OK && older->c.size < out->c.size) {
		findings_add(f, FINDING_UNWITNESSED, NULL,
			     "%" PRIu64 " to %" PRIu64, older->c.size,
			     out->c.size - 1);
	} else if (err == SG_BAD_SIGNATURE) {
		findings_add(f, FINDING_WITNESS_MISSING, NULL,
			     "whether it begins with what they have cosigned "
			     "cannot be told: its tiles are damaged");
		err = SG_OK;
	}
	findings_free(found);
	return err;
}

static void tell_missing(const struct trust *t, const struct source *s,
			 const struct cosigners *by, size_t before,
			 struct findings *f)
{
	findings_add(f, FINDING_WITNESS_MISSING, NULL,
		     "%zu of %zu cosigned, and %zu a checkpoint.cosigned%s; "
		     "not: %s",
		     by->n, t->nwitnesses, before,
		     source_remote(s) ? " lately" : "", by->missing);
}

enum sg_err cosigned_check(const struct trust *t, struct source *s,
			   struct trust_checkpoint *out, struct findings *f,
			   char *why, size_t cap)
{
	struct trust_cosigned *older = &out->older;
	struct cosigners before = {0};
	struct cosigners by = {0};
	struct note n;
	/* It was parsed before. */
	enum sg_err err = note_parse(span_of(out->note, out->n), &n);

	if (err == SG_OK)
		err = count(t, &n, 0, &by, f);
	out->cosigned = by.n;
	if (err == SG_OK && by.n >= t->quorum)
		return SG_OK;
	if (err == SG_OK)
		err = older->err;
	if (err == SG_OK)
		err = judge(t, s, older, &before, f);
	if (err == SG_OK) {
		out->cosigned = before.n;
		return hold_against(s, out, f, why, cap);
	}
	if (err == SG_NOT_FOUND) {
		tell_missing(t, s, &by, before.n, f);
		return SG_OK;
	}
	(void)snprintf(why, cap, "%s",
		       err == older->err ? older->why : err_text(err));
	return err;
}

void cosigned_reaches(const struct trust *t, const struct source *s,
		      const struct trust_checkpoint *kept,
		      const struct trust_checkpoint *new, struct findings *f)
{
	const struct trust_cosigned *older = &new->older;

	if (!older->there || !source_remote(s) ||
	    older->c.size >= kept->c.size ||
	    clock_wall_s() - kept->kept_s <= t->cosigned_within_s)
		return;
	findings_add(f, FINDING_WITNESS_MISSING, NULL,
		     "they have cosigned %" PRIu64 " entries, of the %" PRIu64
		     " that were kept more than %" PRId64 " s ago",
		     older->c.size, kept->c.size, t->cosigned_within_s);
}
