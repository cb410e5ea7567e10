/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "auditor.h"
#include "ledger/tiles.h"
#include "mirror_notes.h"
#include "outcome.h"

enum {
	OPT_VKEY = OPT_LOG,
	OPT_WITNESS,
	OPT_QUORUM,
	OPT_WITHIN,
	OPT_EVERY,
	OPT_JOBS,
	OPT_QUIET,
	NOPTIONS
};

static const struct arg_option OPTIONS[NOPTIONS] = {
	COMMON_OPTIONS,
	LOG_OPTIONS,
	[OPT_VKEY] = {"vkey", "KEY|FILE", NULL,
		      "the log's verifier key (the copy's)"},
	[OPT_WITNESS] = {"witness", "KEY|FILE", NULL,
			 "verifier keys of witnesses, one a line"},
	[OPT_QUORUM] = {"quorum", "N", NULL,
			"so many of them must have cosigned (all)"},
	[OPT_WITHIN] = {"cosigned-within", "SECONDS", NULL,
			"of a server that grows, an older state (3600)"},
	[OPT_EVERY] = {"every", "SECONDS", NULL,
		       "again and again, until SIGTERM"},
	[OPT_JOBS] = {"jobs", "N", NULL,
		      "threads, each with one request in flight"},
	[OPT_QUIET] = {"quiet", NULL, NULL, "no progress"},
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

struct mirror {
	const struct args *args;
	const char *to;
	struct source_settings where;
	uint64_t jobs, every_s;
	bool moved; /* the copy's key has followed on the given one */
	/* Of one round: */
	struct source *source;
	struct tiles *copy;

	struct outcome o;
	char why[WHY_MAX];
};

static bool in_copy(const struct mirror *m, const char *name,
		    char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%s/%s", m->to, name) < PATH_MAX &&
	       access(out, F_OK) == 0;
}

/* The key that was given, else the one that the copy has. */
static enum sg_err load_trust(struct mirror *m)
{
	const char *vkey = m->args->value[OPT_VKEY];
	struct trust_wanted wanted = {
		.witnesses = m->args->value[OPT_WITNESS],
		.quorum = m->args->value[OPT_QUORUM],
		.cosigned_within = m->args->value[OPT_WITHIN],
	};
	char path[PATH_MAX];

	/* Whose successor a copy's checkpoint can prove. */
	wanted.follow = in_copy(m, "checkpoint", path);
	if ((vkey == NULL || m->moved) && in_copy(m, "vkey", path)) {
		vkey = path;
		wanted.kept_may_follow = true;
	}
	wanted.vkey = vkey;
	return trust_load(&m->o.trust, &wanted, m->source, m->o.findings,
			  m->why, sizeof(m->why));
}

/* What the copy holds, by its own tiles, must be what its checkpoint says. */
static enum sg_err check_copy(struct mirror *m)
{
	const struct checkpoint *kept = &m->o.kept.c;
	struct merkle_source hashes;
	struct merkle_hash root;
	struct merkle *merkle;
	enum sg_err err = merkle_create(&merkle);

	if (err != SG_OK) {
		(void)snprintf(m->why, sizeof(m->why), "%s", err_text(err));
		return err;
	}
	hashes = tiles_source(m->copy, merkle, kept->size);
	err = merkle_root_of(merkle, &hashes, kept->size, &root);
	merkle_free(merkle);
	if (err == SG_OK && memcmp(root.b, kept->root.b, sizeof(root.b)) == 0)
		return SG_OK;
	(void)snprintf(m->why, sizeof(m->why),
		       "the copy in %s is damaged: its tiles do not have the "
		       "root of its checkpoint; nothing was changed",
		       m->to);
	return SG_CONFIG;
}

/* What the copy has.  SG_OK also where it has nothing yet. */
static enum sg_err load_kept(struct mirror *m)
{
	char path[PATH_MAX];
	enum sg_err err;

	if (!in_copy(m, "checkpoint", path))
		return SG_OK;
	err = trust_kept(&m->o.trust, path, &m->o.kept, m->why, sizeof(m->why));
	if (err != SG_OK)
		return err;
	m->o.has_kept = true;
	return check_copy(m);
}

static enum sg_err look(struct mirror *m)
{
	enum sg_err err = load_trust(m);

	if (err == SG_MALFORMED || err == SG_BAD_KEY)
		return SG_OK;
	if (err == SG_OK)
		err = load_kept(m);
	if (err != SG_OK)
		return SG_CONFIG;
	err = outcome_look(&m->o, m->source, m->why, sizeof(m->why));
	if (err == SG_OK && m->o.has_checkpoint)
		mirror_cosigned_goes_on(m->copy, &m->o);
	return err;
}

/* The partial tiles of the copy's old end that are full by now. */
static void drop_partials(struct mirror *m)
{
	for (int level = TILE_ENTRIES; level < TILE_LEVELS; level++) {
		const unsigned shift =
			TILE_HEIGHT * (unsigned)(level < 0 ? 1 : level + 1);
		const struct tile t = {
			level, shift < 64 ? m->o.kept.c.size >> shift : 0,
			TILE_WIDTH};

		if (tile_width(level, t.n, m->o.checkpoint.c.size) ==
		    TILE_WIDTH)
			tiles_drop_partial(m->copy, &t);
	}
}

static enum sg_err write_vkey(struct mirror *m, const struct note_key *key)
{
	char vkey[NOTE_VKEY_MAX + 1];
	size_t n;

	note_key_text(key, vkey);
	n = strlen(vkey);
	vkey[n++] = '\n';
	return tiles_write_file(m->copy, "vkey", span_of(vkey, n));
}

static enum sg_err publish(struct mirror *m, struct span note)
{
	enum sg_err err = tiles_sync(m->copy);

	if (err == SG_OK && !m->o.has_kept)
		err = write_vkey(m, &m->o.trust.key);
	if (err == SG_OK)
		err = mirror_cosigned_before(m->copy, &m->o);
	if (err == SG_OK)
		err = tiles_write_file(m->copy, "checkpoint", note);
	if (err == SG_OK)
		err = mirror_cosigned_after(m->copy, &m->o);
	/* After it: with the older key the next run follows once more, while
	 * the newer key would not have signed an older checkpoint. */
	if (err == SG_OK && m->o.followed) {
		err = write_vkey(m, &m->o.trust.own);
		m->moved = err == SG_OK;
	}
	if (err != SG_OK)
		(void)snprintf(m->why, sizeof(m->why), "%s: cannot be written",
			       m->to);
	else if (m->o.has_kept)
		drop_partials(m);
	return err;
}

/* Audit as outcome_audit() has it, into the directory COPY or nowhere. */
static enum sg_err audit(struct mirror *m, const char *copy,
			 struct approvals *approvals)
{
	struct outcome *o = &m->o;
	struct audit_settings settings = outcome_audit(o, &m->where);
	enum sg_err err;

	settings.jobs = (unsigned)m->jobs;
	settings.copy = copy;
	settings.approvals = approvals;
	settings.quiet = m->args->value[OPT_QUIET] != NULL;
	settings.stop = &stop;
	err = audit_run(&settings, o->findings, &o->result, m->why,
			sizeof(m->why));
	o->audited = err == SG_OK;
	return err;
}

/* The log's key is another one than the copy's: does it follow?  All of the log
 * is read for it, and nothing written: until then it is a stranger's. */
static enum sg_err prove_own(struct mirror *m)
{
	struct approvals *approvals;
	enum sg_err err = approvals_create(&approvals);

	if (err != SG_OK) {
		(void)snprintf(m->why, sizeof(m->why), "%s", err_text(err));
		return err;
	}
	err = audit(m, NULL, approvals);
	if (err == SG_OK)
		err = outcome_judge(&m->o, approvals, m->why, sizeof(m->why));
	approvals_free(approvals);
	return err;
}

static enum sg_err copy_new(struct mirror *m)
{
	struct outcome *o = &m->o;
	uint8_t note[CHECKPOINT_NOTE_MAX];
	enum sg_err err = o->checkpoint.by_own ? prove_own(m) : SG_OK;
	size_t n;

	if (err != SG_OK || findings_errors(o->findings) > 0)
		return err;
	if (o->has_kept && o->kept.c.size == o->checkpoint.c.size) {
		n = mirror_merge(o, note);
		return n > 0 ? publish(m, span_of(note, n)) : SG_OK;
	}
	err = audit(m, m->to, NULL);
	if (err != SG_OK || findings_errors(o->findings) > 0)
		return err;
	return publish(m, span_of(o->checkpoint.note, o->checkpoint.n));
}

static enum sg_err open_all(struct mirror *m)
{
	enum sg_err err =
		source_open(&m->where, &m->source, m->why, sizeof(m->why));

	if (err != SG_OK)
		return err;
	err = findings_create(&m->o.findings);
	if (err == SG_OK)
		err = tiles_open(m->to, true, &m->copy);
	if (err != SG_OK)
		(void)snprintf(m->why, sizeof(m->why), "%s: %s", m->to,
			       err == SG_IO ? strerrordesc_np(errno)
					    : err_text(err));
	return err;
}

static void close_all(struct mirror *m)
{
	tiles_close(m->copy);
	findings_free(m->o.findings);
	source_close(m->source);
	m->copy = NULL;
	m->source = NULL;
	m->o.findings = NULL;
}

static int report(struct mirror *m)
{
	const bool json = m->args->value[OPT_JSON] != NULL;
	const bool changed = !m->o.has_kept || m->o.followed ||
			     m->o.kept.c.size != m->o.checkpoint.c.size;

	/* A watch says what changes, and no more. */
	if (m->every_s > 0 && !changed && findings_n(m->o.findings) == 0)
		return EXIT_GOOD;
	return outcome_print(&m->o, json);
}

/* Bring the copy up to date once; returns the exit status. */
static int round_once(struct mirror *m)
{
	enum sg_err err;
	int status = EXIT_TROUBLE;

	m->o = (struct outcome){.where = m->where.where};
	err = open_all(m);
	if (err == SG_OK)
		err = look(m);
	if (err == SG_OK && m->o.has_checkpoint &&
	    findings_errors(m->o.findings) == 0)
		err = copy_new(m);
	else if (err == SG_OK && m->o.has_checkpoint && m->o.checkpoint.by_own)
		trust_refuse_own(&m->o.trust, "", m->o.findings);
	if (err == SG_OK) {
		status = report(m);
		if (status != EXIT_GOOD)
			(void)fprintf(stderr,
				      "signer-auditor: the copy in %s was left "
				      "as it was\n",
				      m->to);
	} else if (err != SG_CLOSED) {
		auditor_trouble(m->why);
	}
	close_all(m);
	return err == SG_CLOSED ? EXIT_TROUBLE : status;
}

static void pause_s(uint64_t seconds)
{
	const struct timespec second = {1, 0};

	for (uint64_t i = 0; i < seconds && stop == 0; i++)
		(void)nanosleep(&second, NULL);
}

static int mirror(struct mirror *m)
{
	int status = round_once(m);

	/* What has no connection now may have one later; what is wrong with a
	 * log does not mend itself. */
	while (m->every_s > 0 && stop == 0 && status != EXIT_REFUSED) {
		(void)fflush(stdout);
		pause_s(m->every_s);
		if (stop == 0)
			status = round_once(m);
	}
	if (stop != 0 && status != EXIT_REFUSED)
		return m->every_s > 0 ? EXIT_GOOD : EXIT_TROUBLE;
	return status;
}

/* One at a time on a copy.  Returns a descriptor that holds it, or -1. */
static int lock_copy(struct mirror *m)
{
	struct tiles *made;
	int fd;

	if (tiles_open(m->to, true, &made) != SG_OK) {
		(void)snprintf(m->why, sizeof(m->why), "%s: %s", m->to,
			       strerrordesc_np(errno));
		return -1;
	}
	tiles_close(made);
	fd = open(m->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	(void)snprintf(m->why, sizeof(m->why), "%s: %s", m->to,
		       errno == EWOULDBLOCK ? "another mirror is at work"
					    : strerrordesc_np(errno));
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static bool read_numbers(struct mirror *m)
{
	const char *jobs = m->args->value[OPT_JOBS];
	const char *every = m->args->value[OPT_EVERY];

	if (jobs != NULL && !args_number(jobs, 1, AUDIT_JOBS_MAX, &m->jobs)) {
		auditor_trouble("--jobs: not a number from 1 to 64");
		return false;
	}
	if (every != NULL && !args_number(every, 1, 86400, &m->every_s)) {
		auditor_trouble("--every: not a number from 1 to 86400");
		return false;
	}
	return true;
}

static int run(const struct args *args)
{
	const struct sigaction action = {.sa_handler = on_signal};
	struct mirror *m = calloc(1, sizeof(*m));
	int status = EXIT_TROUBLE;
	int lock = -1;

	if (m == NULL)
		return auditor_trouble(err_text(SG_NO_MEMORY));
	m->args = args;
	if (args->n != 2) {
		auditor_trouble("give the log and the directory of the copy");
	} else if (read_numbers(m)) {
		m->to = args->rest[1];
		m->where = auditor_source(args, args->rest[0]);
		(void)sigaction(SIGTERM, &action, NULL);
		(void)sigaction(SIGINT, &action, NULL);
		lock = lock_copy(m);
		status = lock < 0 ? auditor_trouble(m->why) : mirror(m);
	}
	if (lock >= 0)
		(void)close(lock);
	free(m);
	return status;
}

const struct command AUDIT_MIRROR_COMMAND = {
	.name = "mirror",
	.usage = "[OPTIONS] DIR|URL TO",
	.about = "keep a verified copy of a log in the directory TO",
	.more = "Each file is written once it is known to belong to the signed "
		"checkpoint, and the\ncheckpoint last. A log that was rolled "
		"back or rewritten leaves the copy as it was:\nexit status 1.\n"
		"Without --vkey the key is the one that the copy has. Where "
		"officers have changed it,\nthe copy follows: all of the log "
		"is read once for it.\n",
	.options = OPTIONS,
	.noptions = NOPTIONS,
	.run = run,
};
