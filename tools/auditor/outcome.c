/* SPDX-License-Identifier: Apache-2.0 */
#include "outcome.h"

#include <inttypes.h>
#include <stdlib.h>

#include "auditor.h"
#include "cosigned.h"
#include "tools/common/number.h"
#include "tools/common/printable.h"
#include "tools/common/times.h"

enum sg_err outcome_look(struct outcome *o, struct source *s, char *why,
			 size_t cap)
{
	enum sg_err err = trust_fetch(&o->trust, s, &o->checkpoint, o->findings,
				      why, cap);

	o->has_checkpoint = err == SG_OK;
	if (err != SG_OK || !o->has_kept)
		return err == SG_NOT_FOUND ? SG_OK : err;
	cosigned_reaches(&o->trust, s, &o->kept, &o->checkpoint, o->findings);
	err = audit_consistent(s, &o->kept.c, &o->checkpoint.c, o->findings,
			       why, cap);
	o->unproved = err == SG_BAD_SIGNATURE;
	return o->unproved ? SG_OK : err;
}

struct audit_settings outcome_audit(const struct outcome *o,
				    const struct source_settings *where)
{
	return (struct audit_settings){
		.where = *where,
		/* Whom to follow, the log tells from its beginning on. */
		.from = o->has_kept && (!o->checkpoint.by_own || o->followed)
				? o->kept.c.size
				: 0,
		.size = o->checkpoint.c.size,
		.root = o->checkpoint.c.root,
		.unproved = o->unproved,
	};
}

/* The log's key is another one than was given: do its officers say so? */
static void follow(struct outcome *o, const struct approvals *a)
{
	const char *why = "";

	o->followed = findings_errors(o->findings) == 0 &&
		      approvals_follow(a, o->kept.c.size, &o->trust.own,
				       &o->entry, &why);
	if (!o->followed)
		trust_refuse_own(&o->trust, why, o->findings);
}

enum sg_err outcome_judge(struct outcome *o, struct approvals *a, char *why,
			  size_t cap)
{
	const enum sg_err err =
		approvals_judge(a, o->checkpoint.c.origin, o->findings);

	if (err != SG_OK)
		(void)snprintf(why, cap, "%s", err_text(err));
	else if (o->checkpoint.by_own)
		follow(o, a);
	return err;
}

static double rate(const struct outcome *o)
{
	return o->result.seconds > 0
		       ? (double)o->result.entries / o->result.seconds
		       : 0;
}

static json_t *checkpoint_json(const struct trust_checkpoint *c)
{
	char root[TRUST_HASH_TEXT];

	trust_hash_text(&c->c.root, root);
	return json_pack("{s:I, s:s, s:s%}", "size", (json_int_t)c->c.size,
			 "root", root, "note", (const char *)c->note, c->n);
}

static json_t *to_json(const struct outcome *o)
{
	const uint64_t errors = findings_errors(o->findings);
	char key[NOTE_VKEY_MAX];
	json_t *j = json_pack("{s:b, s:s}", "ok", errors == 0, "log", o->where);
	int bad = j == NULL;

	if (o->trust.key.name[0] != '\0') {
		note_key_text(&o->trust.key, key);
		bad |= json_object_set_new(j, "origin",
					   json_string(o->trust.key.name));
		bad |= json_object_set_new(j, "vkey", json_string(key));
	}
	bad |= json_object_set_new(j, "vkey_given",
				   json_boolean(o->trust.given));
	if (o->has_checkpoint) {
		bad |= json_object_set_new(j, "checkpoint",
					   checkpoint_json(&o->checkpoint));
		bad |= json_object_set_new(
			j, "cosigned",
			json_integer((json_int_t)o->checkpoint.cosigned));
	}
	if (o->checkpoint.older.there)
		bad |= json_object_set_new(
			j, "cosigned_checkpoint",
			json_pack(
				"{s:I, s:I, s:s%}", "size",
				(json_int_t)o->checkpoint.older.c.size, "time",
				(json_int_t)o->checkpoint.older.time_s, "note",
				(const char *)o->checkpoint.older.note,
				o->checkpoint.older.n));
	if (o->has_kept)
		bad |= json_object_set_new(j, "kept",
					   checkpoint_json(&o->kept));
	if (o->audited)
		bad |= json_object_update_new(
			j, json_pack("{s:I, s:I, s:i, s:f, s:f}", "entries",
				     (json_int_t)o->result.entries, "reused",
				     (json_int_t)o->result.reused, "jobs",
				     (int)o->result.jobs, "seconds",
				     o->result.seconds, "rate", rate(o)));
	if (o->followed) {
		note_key_text(&o->trust.own, key);
		bad |= json_object_set_new(j, "followed",
					   json_pack("{s:s, s:I}", "vkey", key,
						     "entry",
						     (json_int_t)o->entry));
	}
	if (o->has_journal)
		bad |= json_object_set_new(
			j, "journal", json_integer((json_int_t)o->journal));
	bad |= json_object_set_new(j, "errors",
				   json_integer((json_int_t)errors));
	bad |= json_object_set_new(j, "findings",
				   findings_json(o->findings, false));
	bad |= json_object_set_new(j, "warnings",
				   findings_json(o->findings, true));
	if (!bad)
		return j;
	json_decref(j);
	return NULL;
}

static void print_json(const struct outcome *o)
{
	json_t *j = to_json(o);
	char *text = j != NULL ? printable_json(j, JSON_COMPACT) : NULL;

	if (text != NULL)
		puts(text);
	else
		auditor_trouble(err_text(SG_NO_MEMORY));
	free(text);
	json_decref(j);
}

static void print_named(const char *name, const char *text)
{
	printf("%-10s", name);
	printable_put(stdout, span_str(text));
	putchar('\n');
}

static void print_witnesses(const struct outcome *o)
{
	const struct trust_cosigned *older = &o->checkpoint.older;
	char since[TIMES_TEXT];
	char n[32];

	printf("witnesses %zu of %zu cosigned", o->checkpoint.cosigned,
	       o->trust.nwitnesses);
	if (older->there) {
		times_format(older->time_s, since);
		printf(" the first %s entries, at %s",
		       number_text(older->c.size, n), since);
	}
	putchar('\n');
}

static void print_text(const struct outcome *o)
{
	char n[2][32];
	char key[NOTE_VKEY_MAX];
	char root[TRUST_HASH_TEXT];

	if (o->trust.key.name[0] != '\0') {
		note_key_text(&o->trust.key, key);
		print_named("log", o->trust.key.name);
		print_named("key", key);
	}
	if (o->has_checkpoint) {
		trust_hash_text(&o->checkpoint.c.root, root);
		printf("size      %s\nroot      %s\n",
		       number_text(o->checkpoint.c.size, n[0]), root);
	}
	if (o->has_kept)
		printf("kept      %s\n", number_text(o->kept.c.size, n[0]));
	if (o->followed) {
		note_key_text(&o->trust.own, key);
		print_named("new key", key);
		printf("          officers have said so in entry %s: give it "
		       "as --vkey from now on\n",
		       number_text(o->entry, n[0]));
	}
	if (o->trust.nwitnesses > 0)
		print_witnesses(o);
	if (o->audited)
		printf("checked   %s entries in %.2f s, %s/s\n",
		       number_text(o->result.entries, n[0]), o->result.seconds,
		       number_text((uint64_t)rate(o), n[1]));
	if (o->has_journal)
		printf("journal   %s entries as in the log\n",
		       number_text(o->journal, n[0]));
	findings_print(o->findings, stdout);
}

static void put_lines(FILE *to, struct span text)
{
	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		const size_t n = end != NULL ? (size_t)(end - text.p) : text.n;

		printable_put(to, span_of(text.p, n));
		(void)fputc('\n', to);
		text = end != NULL ? span_of(end + 1, text.n - n - 1)
				   : span_of(NULL, 0);
	}
}

static void say_note(const char *what, const uint8_t *note, size_t n)
{
	(void)fputs(what, stderr);
	put_lines(stderr, span_of(note, n));
}

/* Two signed checkpoints that contradict each other are the proof of it. */
static void say_evidence(const struct outcome *o)
{
	const struct trust_cosigned *older = &o->checkpoint.older;

	if (!o->has_checkpoint || (!o->has_kept && !older->there) ||
	    (!findings_has(o->findings, FINDING_FORKED) &&
	     !findings_has(o->findings, FINDING_ROLLED_BACK)))
		return;
	(void)fputs("\n*** THE LOG CONTRADICTS ITSELF: IT WAS REWRITTEN OR "
		    "ROLLED BACK ***\n"
		    "Keep its signed checkpoints, the proof of that. ",
		    stderr);
	if (o->has_kept)
		say_note("What was kept:\n\n", o->kept.note, o->kept.n);
	if (older->there)
		say_note(o->has_kept ? "\nWhat witnesses have cosigned:\n\n"
				     : "What witnesses have cosigned:\n\n",
			 older->note, older->n);
	say_note("\nWhat it says now:\n\n", o->checkpoint.note,
		 o->checkpoint.n);
}

int outcome_print(const struct outcome *o, bool json)
{
	const bool good = findings_errors(o->findings) == 0;

	findings_sort(o->findings);
	if (json)
		print_json(o);
	else
		print_text(o);
	say_evidence(o);
	if (!o->trust.given && o->has_checkpoint)
		(void)fputs("signer-auditor: no --vkey was given: this only "
			    "shows that the log agrees with ITSELF, not whose "
			    "it is\n",
			    stderr);
	if (!json)
		puts(good ? "good" : "NOT GOOD");
	return good ? EXIT_GOOD : EXIT_REFUSED;
}
