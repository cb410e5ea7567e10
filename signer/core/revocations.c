/* SPDX-License-Identifier: Apache-2.0 */
#include "revocations.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/fileio.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/metrics.h"

enum {
	PATH_BYTES = CORE_PATH_MAX + 64,
	HASH_HEX = 2 * DIGEST_BYTES,
	LINE_MAX_BYTES = 8 + 1 + HASH_HEX + 1, /* of `applied` */
	LIST_BYTES_MAX = REVOCATION_LIST_MAX * REVOCATION_HASH_BYTES
};

struct revocations {
	char dir[CORE_PATH_MAX + 16];
	struct core_ledger_settings settings;
	struct diary *diary;
	struct digest *digest;
	struct revoked *set;
	unsigned loaded;  /* serial of the last one in force */
	unsigned applied; /* of the last one that is on record */
	bool recording;	  /* the diary has the one after `applied` */
	uint8_t (*note)[DIGEST_BYTES]; /* hashes of the notes in force */
};

/* --- files ---------------------------------------------------------------- */

static void path(const struct revocations *r, unsigned serial,
		 const char *suffix, char out[PATH_BYTES])
{
	(void)snprintf(out, PATH_BYTES, "%s/%08u.%s", r->dir, serial, suffix);
}

static enum sg_err read_part(const struct revocations *r, unsigned serial,
			     const char *suffix, size_t max, uint8_t **out,
			     size_t *n)
{
	char name[PATH_BYTES];

	path(r, serial, suffix, name);
	return fileio_read(name, max, out, n);
}

/* --- one statement -------------------------------------------------------- */

/* Why one is refused. */
struct refusal {
	enum sg_err err;
	const char *why; /* static; NULL: err's text */
};

static enum sg_err refuse(struct refusal *f, enum sg_err err, const char *why)
{
	*f = (struct refusal){.err = err, .why = why};
	return err;
}

/* Is NOTE the statement of SERIAL, and, unless it is on record with the hash
 * that it has, signed by enough officers? */
static enum sg_err check_note(const struct revocations *r, struct span note,
			      unsigned serial, struct revocation *out,
			      struct refusal *f)
{
	struct note n;
	unsigned approvals;
	enum sg_err err;

	if (note_parse(note, &n) != SG_OK ||
	    revocation_parse(n.text, out) != SG_OK)
		return refuse(f, SG_MALFORMED, "it is no statement");
	if (!span_is(out->origin, r->settings.origin))
		return refuse(f, SG_MALFORMED, "it is of another ledger");
	if (out->serial != serial)
		return refuse(f, SG_MALFORMED, "it has another serial");
	if (serial <= r->applied)
		return SG_OK;
	if (r->settings.nofficers == 0 || r->settings.approvals == 0)
		return refuse(f, SG_BAD_SIGNATURE,
			      "ledger.officers names nobody who may revoke");
	err = recovery_approvals(&n, &r->settings, &approvals);
	if (err != SG_OK)
		return refuse(f, err, NULL);
	if (approvals < r->settings.approvals)
		return refuse(f, SG_BAD_SIGNATURE,
			      "not enough officers have signed it");
	return SG_OK;
}

static enum sg_err take_list(struct revocations *r, const struct revocation *v,
			     struct refusal *f)
{
	const char *why = NULL;
	uint8_t *list = NULL;
	size_t n = 0;
	enum sg_err err =
		read_part(r, v->serial, "list", LIST_BYTES_MAX, &list, &n);

	if (err != SG_OK)
		return refuse(f, err, "its list cannot be read");
	err = revocation_binds(v, span_of(list, n), r->digest);
	if (err == SG_MALFORMED)
		why = "the list beside it is not the one that it names";
	if (err == SG_OK)
		err = revoked_add(r->set, span_of(list, n));
	free(list);
	return err == SG_OK ? SG_OK : refuse(f, err, why);
}

static enum sg_err take_note(struct revocations *r, unsigned serial,
			     struct span note, struct refusal *f)
{
	struct revocation v;
	uint8_t hash[DIGEST_BYTES];
	enum sg_err err;

	if (digest_sum(r->digest, note, span_of(NULL, 0), hash) != SG_OK)
		return refuse(f, SG_NO_MEMORY, NULL);
	if (serial <= r->applied &&
	    memcmp(hash, r->note[serial - 1], sizeof(hash)) != 0)
		return refuse(f, SG_MALFORMED, "it is not the one on record");
	err = check_note(r, note, serial, &v, f);
	if (err == SG_OK)
		err = take_list(r, &v, f);
	if (err != SG_OK)
		return err;
	memcpy(r->note[serial - 1], hash, sizeof(hash));
	r->loaded = serial;
	metric_set(METRIC_REVOKED, revoked_count(r->set));
	if (serial > r->applied)
		log_event(LOG_INFO, "revoked", "serial=%u kind=%s hashes=%u",
			  serial, revocation_kind_name(v.kind), v.count);
	return SG_OK;
}

/* Errors: SG_NOT_FOUND (there is none), others with F. */
static enum sg_err take(struct revocations *r, unsigned serial,
			struct refusal *f)
{
	uint8_t *note = NULL;
	size_t n = 0;
	enum sg_err err =
		read_part(r, serial, "note", RECOVERY_NOTE_MAX, &note, &n);

	if (err == SG_IO && errno == ENOENT)
		return SG_NOT_FOUND;
	if (err != SG_OK)
		return refuse(f, err, "it cannot be read");
	err = take_note(r, serial, span_of(note, n), f);
	free(note);
	return err;
}

/* The serial that a note's file NAME gives; 0: it is none. */
static unsigned serial_of(const char *name)
{
	unsigned serial = 0;
	int end = 0;

	/* NOLINTNEXTLINE(cert-err34-c): eight digits fit */
	if (sscanf(name, "%8u.note%n", &serial, &end) != 1 || end != 13 ||
	    name[end] != '\0')
		return 0;
	return serial;
}

/* There is none after those in force.  One that lies there all the same waits
 * behind a gap: whoever has put it there believes that it counts. */
static void tell_gap(const struct revocations *r)
{
	unsigned waiting = 0;
	const struct dirent *entry;
	DIR *dir = opendir(r->dir);

	if (dir == NULL)
		return;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a DIR of our own */
	while ((entry = readdir(dir)) != NULL) {
		const unsigned serial = serial_of(entry->d_name);

		if (serial > r->loaded && (waiting == 0 || serial < waiting))
			waiting = serial;
	}
	(void)closedir(dir);
	if (waiting > 0)
		log_event(LOG_WARNING, "revocation-waiting",
			  "serial=%u missing=%u text=\"it counts when those "
			  "before it are there\"",
			  waiting, r->loaded + 1);
}

void revocations_look(struct revocations *r)
{
	struct refusal f = {.err = SG_OK};
	enum sg_err err = SG_OK;

	while (err == SG_OK && r->loaded < REVOCATION_SERIAL_MAX)
		err = take(r, r->loaded + 1, &f);
	if (err == SG_NOT_FOUND)
		tell_gap(r);
	if (err == SG_OK || err == SG_NOT_FOUND)
		return;
	metric_add(METRIC_REVOCATIONS_REFUSED, 1);
	log_event(LOG_ERROR, "revocation-refused",
		  "serial=%u reason=\"%s\" text=\"nothing has changed\"",
		  r->loaded + 1, f.why != NULL ? f.why : err_text(f.err));
}

/* --- the record ----------------------------------------------------------- */

static enum sg_err write_applied(const struct revocations *r)
{
	char name[PATH_BYTES];
	char hex[HEX_TEXT(DIGEST_BYTES)];
	char *text = malloc((size_t)r->applied * LINE_MAX_BYTES + 1);
	size_t n = 0;
	enum sg_err err;

	if (text == NULL)
		return SG_NO_MEMORY;
	for (unsigned i = 0; i < r->applied; i++)
		n += (size_t)snprintf(
			text + n, LINE_MAX_BYTES + 1, "%08u %s\n", i + 1,
			hex_encode(r->note[i], DIGEST_BYTES, hex));
	(void)snprintf(name, sizeof(name), "%s/applied", r->dir);
	err = fileio_replace(name, span_of(text, n), 0644);
	free(text);
	return err;
}

/* The one after `applied` is on record. */
static void on_record(struct revocations *r)
{
	r->applied++;
	if (write_applied(r) == SG_OK) {
		r->recording = false;
		return;
	}
	r->applied--; /* tried again, at the next tick */
	log_event(LOG_WARNING, "revocations-unwritten", "errno=%d", errno);
}

void revocations_tick(struct revocations *r)
{
	uint8_t hash[DIGEST_BYTES];
	uint8_t *note = NULL;
	size_t n = 0;

	if (r->recording && diary_revoked(r->diary))
		on_record(r);
	if (r->recording || r->applied == r->loaded)
		return;
	/* Once more from the file: what is recorded is what is in force. */
	if (read_part(r, r->applied + 1, "note", RECOVERY_NOTE_MAX, &note,
		      &n) == SG_OK &&
	    digest_sum(r->digest, span_of(note, n), span_of(NULL, 0), hash) ==
		    SG_OK &&
	    memcmp(hash, r->note[r->applied], sizeof(hash)) == 0) {
		diary_revocation(r->diary, span_of(note, n));
		r->recording = true;
	}
	free(note);
}

/* --- the start ------------------------------------------------------------ */

/* Read `applied`: lines of one length, in order. */
static enum sg_err read_applied(struct revocations *r)
{
	char name[PATH_BYTES];
	char serial[16];
	uint8_t *text = NULL;
	size_t n = 0;
	enum sg_err err;

	(void)snprintf(name, sizeof(name), "%s/applied", r->dir);
	err = fileio_read(name, (size_t)REVOCATION_SERIAL_MAX * LINE_MAX_BYTES,
			  &text, &n);
	if (err != SG_OK)
		return err == SG_IO && errno == ENOENT ? SG_OK : err;
	if (n % LINE_MAX_BYTES != 0)
		err = SG_MALFORMED;
	for (size_t at = 0; err == SG_OK && at < n; at += LINE_MAX_BYTES) {
		const char *line = (const char *)text + at;

		(void)snprintf(serial, sizeof(serial), "%08u ", r->applied + 1);
		if (memcmp(line, serial, 9) != 0 ||
		    !hex_decode(line + 9, r->note[r->applied], DIGEST_BYTES) ||
		    line[LINE_MAX_BYTES - 1] != '\n')
			err = SG_MALFORMED;
		else
			r->applied++;
	}
	free(text);
	return err;
}

static enum sg_err load(struct revocations *r)
{
	struct refusal f = {.err = SG_OK};
	enum sg_err err = read_applied(r);

	if (err != SG_OK)
		f.why = "the file \"applied\" cannot be read";
	while (err == SG_OK && r->loaded < r->applied)
		err = take(r, r->loaded + 1, &f);
	if (err == SG_OK)
		return SG_OK;
	if (err == SG_NOT_FOUND)
		f.why = "it is gone";
	log_event(LOG_ERROR, "revocations-damaged",
		  "serial=%u reason=\"%s\" text=\"put back what is on "
		  "record\"",
		  r->loaded + 1, f.why != NULL ? f.why : err_text(err));
	return err == SG_NO_MEMORY ? err : SG_IO;
}

enum sg_err revocations_create(const struct revocations_parts *parts,
			       struct revocations **out)
{
	struct revocations *r = calloc(1, sizeof(*r));
	enum sg_err err = SG_NO_MEMORY;

	*out = NULL;
	if (r == NULL)
		return SG_NO_MEMORY;
	r->settings = *parts->settings;
	r->diary = parts->diary;
	(void)snprintf(r->dir, sizeof(r->dir), "%s/revocations",
		       parts->state_dir);
	r->note = calloc(REVOCATION_SERIAL_MAX, sizeof(r->note[0]));
	if (r->note != NULL)
		err = digest_create(&r->digest);
	if (err == SG_OK)
		err = revoked_create(&r->set);
	if (err == SG_OK && mkdir(r->dir, 0755) != 0 && errno != EEXIST)
		err = SG_IO;
	if (err == SG_OK)
		err = load(r);
	if (err != SG_OK) {
		revocations_free(r);
		return err;
	}
	metric_set(METRIC_REVOKED, revoked_count(r->set));
	revocations_look(r);
	*out = r;
	return SG_OK;
}

const struct revoked *revocations_set(const struct revocations *r)
{
	return r->set;
}

void revocations_free(struct revocations *r)
{
	if (r == NULL)
		return;
	revoked_free(r->set);
	digest_free(r->digest);
	free(r->note);
	free(r);
}
