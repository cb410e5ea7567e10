/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "auditor.h"
#include "base/fileio.h"
#include "outcome.h"
#include "partials.h"
#include "verify_journal.h"

enum {
	OPT_VKEY = OPT_LOG,
	OPT_WITNESS,
	OPT_QUORUM,
	OPT_WITHIN,
	OPT_SINCE,
	OPT_KEEP,
	OPT_JOURNAL,
	OPT_JOBS,
	OPT_QUIET,
	NOPTIONS
};

static const struct arg_option OPTIONS[NOPTIONS] = {
	COMMON_OPTIONS,
	LOG_OPTIONS,
	[OPT_VKEY] = {"vkey", "KEY|FILE", NULL, "the log's verifier key"},
	[OPT_WITNESS] = {"witness", "KEY|FILE", NULL,
			 "verifier keys of witnesses, one a line"},
	[OPT_QUORUM] = {"quorum", "N", NULL,
			"so many of them must have cosigned (all)"},
	[OPT_WITHIN] = {"cosigned-within", "SECONDS", NULL,
			"of a server that grows, an older state (3600)"},
	[OPT_SINCE] = {"since", "FILE", NULL,
		       "only what is new since that kept checkpoint"},
	[OPT_KEEP] = {"keep", "FILE", NULL,
		      "keep the checkpoint there if all is good"},
	[OPT_JOURNAL] = {"journal", "DIR", NULL,
			 "compare with this journal, too"},
	[OPT_JOBS] = {"jobs", "N", NULL, "threads (one a processor)"},
	[OPT_QUIET] = {"quiet", NULL, NULL, "no progress"},
};

/* All of one run. */
struct verify {
	const struct args *args;
	struct source_settings where;
	struct source *source;
	struct outcome o;
	struct approvals *approvals; /* NULL: they are not looked at */
	uint64_t jobs;
	char why[WHY_MAX];
};

/* A checkpoint, held against the kept one.  Errors: as outcome_look(). */
static enum sg_err look_at_checkpoint(struct verify *v)
{
	struct outcome *o = &v->o;
	const char *since = v->args->value[OPT_SINCE];
	const struct trust_wanted wanted = {
		.vkey = v->args->value[OPT_VKEY],
		.witnesses = v->args->value[OPT_WITNESS],
		.quorum = v->args->value[OPT_QUORUM],
		.cosigned_within = v->args->value[OPT_WITHIN],
		.follow = since != NULL,
	};
	enum sg_err err = trust_load(&o->trust, &wanted, v->source, o->findings,
				     v->why, sizeof(v->why));

	if (err == SG_MALFORMED || err == SG_BAD_KEY)
		return SG_OK;
	if (err == SG_OK && since != NULL)
		err = trust_kept(&o->trust, since, &o->kept, v->why,
				 sizeof(v->why));
	if (err != SG_OK)
		return SG_CONFIG;
	o->has_kept = since != NULL;
	return outcome_look(o, v->source, v->why, sizeof(v->why));
}

static bool is_broken_off(const struct findings *f)
{
	return findings_has(f, FINDING_FORKED) ||
	       findings_has(f, FINDING_ROLLED_BACK);
}

static enum sg_err look_at_entries(struct verify *v)
{
	struct outcome *o = &v->o;
	struct audit_settings settings = outcome_audit(o, &v->where);
	const char *journal = v->args->value[OPT_JOURNAL];
	enum sg_err err;

	/* From the log's first entry on, or who the officers are is not known.
	 */
	if (settings.from == 0) {
		err = approvals_create(&v->approvals);
		if (err != SG_OK) {
			(void)snprintf(v->why, sizeof(v->why), "%s",
				       err_text(err));
			return err;
		}
	}
	settings.approvals = v->approvals;
	settings.jobs = (unsigned)v->jobs;
	settings.quiet = v->args->value[OPT_QUIET] != NULL;
	err = audit_run(&settings, o->findings, &o->result, v->why,
			sizeof(v->why));
	o->audited = err == SG_OK;
	if (err == SG_OK && v->approvals != NULL)
		err = outcome_judge(o, v->approvals, v->why, sizeof(v->why));
	if (err == SG_OK && !source_remote(v->source) && !o->has_kept)
		err = partials_check(v->where.where, settings.size, o->findings,
				     v->why, sizeof(v->why));
	if (err == SG_OK && journal != NULL)
		err = verify_journal(v->source, journal, &settings, o, v->why,
				     sizeof(v->why));
	return err;
}

static int verify(struct verify *v)
{
	struct outcome *o = &v->o;
	const char *keep = v->args->value[OPT_KEEP];
	enum sg_err err = look_at_checkpoint(v);
	int status;

	if (err == SG_OK && o->has_checkpoint && !is_broken_off(o->findings))
		err = look_at_entries(v);
	else if (err == SG_OK && o->has_checkpoint && o->checkpoint.by_own)
		trust_refuse_own(&o->trust, "", o->findings);
	if (err != SG_OK)
		return auditor_trouble(v->why);
	status = outcome_print(o, v->args->value[OPT_JSON] != NULL);
	if (status == EXIT_GOOD && keep != NULL &&
	    fileio_replace(keep, span_of(o->checkpoint.note, o->checkpoint.n),
			   0644) != SG_OK)
		return auditor_trouble("--keep: cannot write the checkpoint");
	return status;
}

static int run(const struct args *args)
{
	struct verify *v = calloc(1, sizeof(*v));
	int status = EXIT_TROUBLE;

	if (v == NULL)
		return auditor_trouble(err_text(SG_NO_MEMORY));
	v->args = args;
	if (args->n != 1) {
		auditor_trouble("give one directory or URL");
	} else if (args->value[OPT_JOBS] != NULL &&
		   !args_number(args->value[OPT_JOBS], 1, AUDIT_JOBS_MAX,
				&v->jobs)) {
		auditor_trouble("--jobs: not a number from 1 to 64");
	} else {
		v->where = auditor_source(args, args->rest[0]);
		v->o.where = args->rest[0];
		if (source_open(&v->where, &v->source, v->why,
				sizeof(v->why)) != SG_OK)
			auditor_trouble(v->why);
		else if (findings_create(&v->o.findings) != SG_OK)
			auditor_trouble(err_text(SG_NO_MEMORY));
		else
			status = verify(v);
	}
	approvals_free(v->approvals);
	findings_free(v->o.findings);
	source_close(v->source);
	free(v);
	return status;
}

const struct command AUDIT_VERIFY_COMMAND = {
	.name = "verify",
	.usage = "[OPTIONS] DIR|URL",
	.about = "check a log: every entry, every hash, the signature",
	.more = "Without --vkey the key is the one that the log names: good "
		"then means only that it\nagrees with itself.\n"
		"Where officers have changed the log's key, --since a "
		"checkpoint that the old\none has signed leads from it to the "
		"new one.\n"
		"--since and --keep may be the same file.\n",
	.options = OPTIONS,
	.noptions = NOPTIONS,
	.run = run,
};
