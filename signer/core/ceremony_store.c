/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony_store_state.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/hex.h"
#include "base/log.h"
#include "ceremony/approval.h"
#include "ceremony_done.h"

enum {
	NUMBER_DIGITS = 8,
	HASH_HEX = 2 * STORE_HASH_BYTES,
	LEAF_DIGITS = 20,
	/* "NUMBER SHA-256 LEAF\n" */
	LINE_BYTES = NUMBER_DIGITS + 1 + HASH_HEX + 1 + LEAF_DIGITS + 1,
	DIR_MODE = 0700
};

static const char DIR_NAME[] = "operations";

static bool hash_of(struct span in, uint8_t out[STORE_HASH_BYTES])
{
	return EVP_Digest(in.p, in.n, out, NULL, EVP_sha256(), NULL) == 1;
}

void ceremony_store_part(const char *state, unsigned number, const char *suffix,
			 char out[STORE_PATH_BYTES])
{
	(void)snprintf(out, STORE_PATH_BYTES, "%s/%s/%0*u.%s", state, DIR_NAME,
		       NUMBER_DIGITS, number, suffix);
}

static void path(const struct ceremony_store *s, unsigned number,
		 const char *suffix, char out[STORE_PATH_BYTES])
{
	ceremony_store_part(s->state, number, suffix, out);
}

void ceremony_store_damaged(unsigned number, const char *why)
{
	char files[64] = "";

	if (number > 0)
		(void)snprintf(files, sizeof(files),
			       " as %0*u.cose and %0*u.done", NUMBER_DIGITS,
			       number, NUMBER_DIGITS, number);
	log_event(LOG_ERROR, "operations-damaged",
		  "number=%u reason=\"%s\" text=\"nothing is signed; put back "
		  "what was there%s\"",
		  number, why, files);
}

static enum sg_err damaged(unsigned number, const char *why)
{
	ceremony_store_damaged(number, why);
	return SG_MALFORMED;
}

/* --- operations ----------------------------------------------------------- */

unsigned ceremony_store_last(const struct ceremony_store *s)
{
	return s->last;
}

static void forget_read(struct ceremony_store *s)
{
	free(s->approved);
	free(s->done);
	s->approved = s->done = NULL;
}

enum sg_err ceremony_store_read(struct ceremony_store *s, unsigned number,
				struct store_item *out)
{
	char name[STORE_PATH_BYTES];
	uint8_t hash[STORE_HASH_BYTES];
	size_t approved_n = 0;
	size_t done_n = 0;
	enum sg_err err;

	forget_read(s);
	path(s, number, "cose", name);
	err = fileio_read(name, APPROVED_BYTES_MAX, &s->approved, &approved_n);
	if (err == SG_OK) {
		path(s, number, "done", name);
		err = fileio_read(name, CEREMONY_DONE_BYTES_MAX, &s->done,
				  &done_n);
	}
	if (err == SG_NO_MEMORY)
		return err;
	if (err != SG_OK) {
		(void)damaged(number, "it cannot be read");
		return SG_IO;
	}
	out->approved = span_of(s->approved, approved_n);
	if (!hash_of(out->approved, hash) ||
	    !hash_of(span_of(s->done, done_n), out->done))
		return SG_INTERNAL;
	if (ceremony_done_decode(span_of(s->done, done_n), hash, out) != SG_OK)
		return damaged(number, "its outcome is not one, or of "
				       "another operation");
	return SG_OK;
}

static bool is_gone(const char *name)
{
	return unlink(name) == 0 || errno == ENOENT;
}

/* NUMBER, the next one, was not accepted.  False: a power cut may bring it
 * back, which has been logged. */
static bool take_back(struct ceremony_store *s, unsigned number)
{
	char cose[STORE_PATH_BYTES];
	char done[STORE_PATH_BYTES];

	path(s, number, "cose", cose);
	path(s, number, "done", done);
	/* In this order: without its outcome it is unfinished, and without the
	 * rest of it damaged. */
	s->unsure = !is_gone(done) || !is_gone(cose) ||
		    !fileio_sync_directory(cose);
	if (s->unsure)
		log_event(LOG_ERROR, "operation-unsure",
			  "number=%u errno=%d text=\"it was not accepted, and "
			  "may be in force after a power cut, for the state "
			  "directory takes nothing: no other is accepted until "
			  "it is gone\"",
			  number, errno);
	return !s->unsure;
}

bool ceremony_store_unsure(const struct ceremony_store *s)
{
	return s->unsure;
}

enum sg_err ceremony_store_add(struct ceremony_store *s,
			       struct store_item *item)
{
	const unsigned number = s->last + 1;
	uint8_t hash[STORE_HASH_BYTES];
	char cose[STORE_PATH_BYTES];
	char name[STORE_PATH_BYTES];
	uint8_t *done;
	bool failed = false;
	size_t n = 0;
	enum sg_err err;

	if (number > STORE_NUMBER_MAX)
		return SG_TOO_BIG;
	/* What builds on them must not be read without them: a key that was
	 * retired would sign again. */
	if (s->events_unwritten && !store_write_events(s))
		return SG_IO;
	if (s->unsure && !take_back(s, number))
		return SG_IO;
	if (!hash_of(item->approved, hash))
		return SG_INTERNAL;
	done = malloc(CEREMONY_DONE_BYTES_MAX);
	if (done == NULL)
		return SG_NO_MEMORY;
	err = ceremony_done_encode(item, hash, done, CEREMONY_DONE_BYTES_MAX,
				   &n);
	if (err == SG_OK && !hash_of(span_of(done, n), item->done))
		err = SG_INTERNAL;
	path(s, number, "cose", cose);
	path(s, number, "done", name);
	if (err == SG_OK)
		err = fileio_replace(cose, item->approved, STORE_FILE_MODE);
	if (err == SG_OK) {
		err = fileio_replace(name, span_of(done, n), STORE_FILE_MODE);
		failed = err != SG_OK;
	}
	free(done);
	if (err == SG_OK)
		s->last = number;
	else
		log_event(LOG_ERROR, "operation-unkept",
			  "number=%u errno=%d reason=\"%s\"", number, errno,
			  err_text(err));
	/* It may be in its place, and not durable. */
	if (failed)
		(void)take_back(s, number);
	return err;
}

void ceremony_store_drop(struct ceremony_store *s)
{
	(void)take_back(s, s->last);
	s->last--;
}

/* --- the record ----------------------------------------------------------- */

unsigned ceremony_store_recorded(const struct ceremony_store *s)
{
	return s->recorded;
}

bool ceremony_store_leaf(const struct ceremony_store *s, unsigned number,
			 struct span approved, uint64_t *leaf)
{
	uint8_t hash[STORE_HASH_BYTES];

	if (number == 0 || number > s->recorded || !hash_of(approved, hash) ||
	    memcmp(hash, s->line[number - 1].hash, sizeof(hash)) != 0)
		return false;
	*leaf = s->line[number - 1].leaf;
	return true;
}

/* Room for one more. */
static bool grow(struct ceremony_store *s)
{
	struct on_record *more;
	const size_t room = s->room > 0 ? 2 * s->room : 16;

	if (s->recorded < s->room)
		return true;
	more = realloc(s->line, room * sizeof(*more));
	if (more == NULL)
		return false;
	s->line = more;
	s->room = room;
	return true;
}

static enum sg_err write_recorded(const struct ceremony_store *s)
{
	char name[STORE_PATH_BYTES];
	char hex[HEX_TEXT(STORE_HASH_BYTES)];
	char *text = malloc((size_t)s->recorded * LINE_BYTES + 1);
	size_t n = 0;
	enum sg_err err;

	if (text == NULL)
		return SG_NO_MEMORY;
	for (unsigned i = 0; i < s->recorded; i++)
		n += (size_t)snprintf(
			text + n, LINE_BYTES + 1, "%0*u %s %0*" PRIu64 "\n",
			NUMBER_DIGITS, i + 1,
			hex_encode(s->line[i].hash, STORE_HASH_BYTES, hex),
			LEAF_DIGITS, s->line[i].leaf);
	store_path(s, "recorded", name);
	err = fileio_replace(name, span_of(text, n), STORE_FILE_MODE);
	free(text);
	return err;
}

void ceremony_store_note(struct ceremony_store *s, unsigned number,
			 struct span approved, uint64_t leaf)
{
	if (number != s->recorded + 1 || !grow(s) ||
	    !hash_of(approved, s->line[s->recorded].hash))
		return;
	s->line[s->recorded++].leaf = leaf;
	if (write_recorded(s) != SG_OK) /* but the next one brings it along */
		store_unwritten("recorded");
}

void ceremony_store_forget(struct ceremony_store *s, unsigned number)
{
	if (number <= s->recorded)
		s->recorded = number - 1;
}

/* Lines of one length, in order. */
static enum sg_err read_recorded(struct ceremony_store *s)
{
	char name[STORE_PATH_BYTES];
	char number[NUMBER_DIGITS + 2];
	uint8_t *text = NULL;
	size_t n = 0;
	enum sg_err err;

	store_path(s, "recorded", name);
	err = fileio_read(name, (size_t)STORE_NUMBER_MAX * LINE_BYTES, &text,
			  &n);
	if (err != SG_OK)
		return err == SG_IO && errno == ENOENT ? SG_OK : err;
	if (n % LINE_BYTES != 0)
		err = SG_MALFORMED;
	for (size_t at = 0; err == SG_OK && at < n; at += LINE_BYTES) {
		const char *line = (const char *)text + at;
		const char *hex = line + NUMBER_DIGITS + 1;

		(void)snprintf(number, sizeof(number), "%0*u ", NUMBER_DIGITS,
			       s->recorded + 1);
		if (!grow(s))
			err = SG_NO_MEMORY;
		else if (memcmp(line, number, NUMBER_DIGITS + 1) != 0 ||
			 !hex_decode(hex, s->line[s->recorded].hash,
				     STORE_HASH_BYTES) ||
			 line[LINE_BYTES - 1] != '\n')
			err = SG_MALFORMED;
		else
			s->line[s->recorded++].leaf =
				strtoull(hex + HASH_HEX + 1, NULL, 10);
	}
	free(text);
	return err;
}

/* --- life ----------------------------------------------------------------- */

/* The highest number of a file that is there; 0: none is. */
static enum sg_err highest(const char *dir, const char *suffix, unsigned *most)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	enum sg_err err;

	*most = 0;
	if (d == NULL)
		return SG_IO;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone */
	while (errno = 0, (e = readdir(d)) != NULL) {
		char *end;
		const unsigned long n = strtoul(e->d_name, &end, 10);

		if (end == e->d_name + NUMBER_DIGITS && *end == '.' &&
		    strcmp(end + 1, suffix) == 0 && n <= STORE_NUMBER_MAX &&
		    n > *most)
			*most = (unsigned)n;
	}
	err = errno == 0 ? SG_OK : SG_IO;
	(void)closedir(d);
	return err;
}

/* One whose outcome was not written has not been accepted: nobody was told.
 * What is gone by now, by this process or the one before, must not come back
 * with a power cut. */
static enum sg_err drop_unfinished(const struct ceremony_store *s)
{
	const unsigned number = s->last + 1;
	char name[STORE_PATH_BYTES];

	path(s, number, "done", name);
	if (access(name, F_OK) == 0 || errno != ENOENT)
		return damaged(number, "its outcome cannot be read");
	path(s, number, "cose", name);
	if (unlink(name) == 0)
		log_event(LOG_WARNING, "operation-unfinished",
			  "number=%u text=\"it was not accepted when the core "
			  "ended; send it again\"",
			  number);
	if (fileio_sync_directory(name))
		return SG_OK;
	(void)damaged(0, "the directory cannot be made durable");
	return SG_IO;
}

static enum sg_err look(struct ceremony_store *s)
{
	char name[STORE_PATH_BYTES];
	unsigned cose = 0;
	enum sg_err err = highest(s->dir, "cose", &cose);

	if (err == SG_OK)
		err = highest(s->dir, "done", &s->last);
	if (err != SG_OK) {
		(void)damaged(0, "the directory cannot be read");
		return err;
	}
	if (cose > s->last + 1)
		return damaged(s->last + 1, "it is gone, and later ones are "
					    "there");
	for (unsigned i = 1; i <= s->last; i++) {
		path(s, i, "cose", name);
		if (access(name, F_OK) != 0)
			return damaged(i, "it is gone");
		path(s, i, "done", name);
		if (access(name, F_OK) != 0)
			return damaged(i, "its outcome is gone");
	}
	err = read_recorded(s);
	if (err == SG_OK && s->recorded > s->last)
		return damaged(s->last + 1, "it is on record, and gone");
	if (err != SG_OK)
		return damaged(0, "the file \"recorded\" cannot be read");
	err = store_read_events(s);
	return err == SG_OK ? drop_unfinished(s) : err;
}

enum sg_err ceremony_store_open(const char *state, struct ceremony_store **out)
{
	struct ceremony_store *s = calloc(1, sizeof(*s));
	enum sg_err err = SG_OK;

	*out = NULL;
	if (s == NULL)
		return SG_NO_MEMORY;
	(void)snprintf(s->state, sizeof(s->state), "%s", state);
	(void)snprintf(s->dir, sizeof(s->dir), "%s/%s", state, DIR_NAME);
	if (mkdir(s->dir, DIR_MODE) != 0 && errno != EEXIST)
		err = SG_IO;
	if (err == SG_OK)
		err = look(s);
	if (err != SG_OK) {
		ceremony_store_close(s);
		return err;
	}
	*out = s;
	return SG_OK;
}

void ceremony_store_close(struct ceremony_store *s)
{
	if (s == NULL)
		return;
	forget_read(s);
	free(s->line);
	free(s);
}
