/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/fileio.h"
#include "cosigned.h"
#include "tools/common/args.h"
#include "tools/common/vkey.h"

static enum sg_err add_witness(struct trust *t, struct span line,
			       const char *what, char *why, size_t cap)
{
	enum sg_err err;

	if (t->nwitnesses == TRUST_WITNESSES_MAX) {
		(void)snprintf(why, cap, "%s: more than %d witnesses", what,
			       TRUST_WITNESSES_MAX);
		return SG_CONFIG;
	}
	err = note_key_parse_as(line, NOTE_COSIGNATURE,
				&t->witness[t->nwitnesses]);
	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s: %s", what,
			       err == SG_NO_MEMORY
				       ? err_text(err)
				       : "not a witness's verifier key");
		return err == SG_NO_MEMORY ? err : SG_CONFIG;
	}
	t->nwitnesses++;
	return SG_OK;
}

static enum sg_err load_witnesses(struct trust *t, const char *witnesses,
				  char *why, size_t cap)
{
	char *text;
	char *next;
	enum sg_err err = vkey_text(witnesses, &text, why, cap);

	if (err != SG_OK)
		return err;
	for (char *line = text; line != NULL && err == SG_OK; line = next) {
		struct span s;

		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		s = vkey_trimmed(span_str(line));
		if (s.n > 0 && s.p[0] != '#')
			err = add_witness(t, s, witnesses, why, cap);
	}
	free(text);
	if (err == SG_OK && t->nwitnesses == 0) {
		(void)snprintf(why, cap, "%s: names no witness", witnesses);
		err = SG_CONFIG;
	}
	return err;
}

/* What the log says that its key is. */
static enum sg_err own_key(struct source *s, struct note_key *out, char *why,
			   size_t cap)
{
	uint8_t text[NOTE_VKEY_MAX + 2];
	size_t n;
	enum sg_err err = source_file(s, "vkey", text, sizeof(text), &n);

	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s", source_why(s));
		return err;
	}
	err = note_key_parse_as(span_of(text, n), NOTE_ED25519, out);
	if (err != SG_OK)
		(void)snprintf(why, cap, "vkey: %s",
			       err == SG_NO_MEMORY ? err_text(err)
						   : "not the key of a log");
	return err;
}

/* Is what the log says the given key, if it says anything? */
static enum sg_err compare_key(struct trust *t, struct source *s,
			       struct findings *f, char *why, size_t cap)
{
	char texts[2][NOTE_VKEY_MAX];
	const enum sg_err err = own_key(s, &t->own, why, cap);

	if (err == SG_IO || err == SG_FORBIDDEN || err == SG_NO_MEMORY)
		return err;
	if (err == SG_NOT_FOUND)
		return SG_OK;
	if (err != SG_OK) {
		findings_add(f, FINDING_VKEY_MALFORMED, NULL, "%s", "");
		return SG_OK;
	}
	note_key_text(&t->key, texts[0]);
	note_key_text(&t->own, texts[1]);
	t->differs = strcmp(texts[0], texts[1]) != 0;
	return SG_OK;
}

static enum sg_err load_quorum(struct trust *t, const char *quorum, char *why,
			       size_t cap)
{
	uint64_t n;

	t->quorum = t->nwitnesses;
	if (quorum == NULL)
		return SG_OK;
	if (!args_number(quorum, 0, t->nwitnesses, &n)) {
		(void)snprintf(why, cap,
			       "--quorum: not a number of the %zu witnesses "
			       "that --witness gives",
			       t->nwitnesses);
		return SG_CONFIG;
	}
	t->quorum = (size_t)n;
	return SG_OK;
}

static enum sg_err load_within(struct trust *t, const char *within, char *why,
			       size_t cap)
{
	uint64_t n = COSIGNED_WITHIN_S;

	if (within != NULL && !args_number(within, 1, INT32_MAX, &n)) {
		(void)snprintf(why, cap,
			       "--cosigned-within: not a number of seconds");
		return SG_CONFIG;
	}
	t->cosigned_within_s = (int64_t)n;
	return SG_OK;
}

enum sg_err trust_load(struct trust *t, const struct trust_wanted *wanted,
		       struct source *s, struct findings *f, char *why,
		       size_t cap)
{
	enum sg_err err;

	*t = (struct trust){.given = wanted->vkey != NULL,
			    .follows = wanted->follow,
			    .kept_may_follow = wanted->kept_may_follow};
	if (wanted->vkey == NULL) {
		err = own_key(s, &t->key, why, cap);
		if (err == SG_MALFORMED || err == SG_BAD_KEY)
			findings_add(f, FINDING_VKEY_MALFORMED, NULL, "%s", "");
	} else {
		err = vkey_of_log(wanted->vkey, &t->key, why, cap);
		if (err == SG_OK && s != NULL)
			err = compare_key(t, s, f, why, cap);
	}
	if (err == SG_OK && wanted->witnesses != NULL)
		err = load_witnesses(t, wanted->witnesses, why, cap);
	if (err == SG_OK)
		err = load_within(t, wanted->cosigned_within, why, cap);
	return err == SG_OK ? load_quorum(t, wanted->quorum, why, cap) : err;
}

static void add_own(const struct trust *t, enum finding_id id,
		    struct findings *f)
{
	char text[NOTE_VKEY_MAX];

	note_key_text(&t->own, text);
	findings_add(f, id, NULL, "it is %s", text);
}

void trust_refuse_own(const struct trust *t, const char *why,
		      struct findings *f)
{
	add_own(t, FINDING_VKEY_DIFFERS, f);
	findings_add(f, FINDING_CHECKPOINT_UNSIGNED, NULL, "%s", why);
}

/* Has the log's own key, another one than was given, signed N?  Errors:
 * SG_NO_MEMORY: that is not known. */
static enum sg_err look_own(const struct trust *t, const struct note *n,
			    bool *yes)
{
	enum sg_err err;

	*yes = false;
	if (!t->differs || strcmp(t->own.name, t->key.name) != 0)
		return SG_OK;
	err = note_verify(n, &t->own, NULL);
	*yes = err == SG_OK;
	return err == SG_NO_MEMORY ? err : SG_OK;
}

/* Whose is N, by KEY's signature, of which note_verify() said ERR? */
static enum sg_err judge_signer(const struct trust *t, const struct note *n,
				enum sg_err err, struct trust_checkpoint *out,
				struct findings *f)
{
	bool own;
	const enum sg_err looked = look_own(t, n, &own);

	if (err == SG_NO_MEMORY || looked != SG_OK)
		return SG_NO_MEMORY;
	out->by_own = err == SG_NOT_FOUND && t->follows && own;
	if (out->by_own)
		return SG_OK;
	if (t->differs)
		add_own(t,
			err == SG_OK && own ? FINDING_VKEY_CHANGES
					    : FINDING_VKEY_DIFFERS,
			f);
	if (err == SG_OK)
		return SG_OK;
	findings_add(f,
		     err == SG_NOT_FOUND ? FINDING_CHECKPOINT_UNSIGNED
					 : FINDING_CHECKPOINT_FORGED,
		     NULL, "%s", "");
	return SG_NOT_FOUND;
}

/* Judge the bytes in OUT->note.  SG_OK: it is signed by the key of T, and
 * OUT->c is set, whatever its witnesses did.  Errors: SG_NOT_FOUND (what is
 * wrong is in F), SG_NO_MEMORY. */
static enum sg_err open_checkpoint(const struct trust *t,
				   struct trust_checkpoint *out,
				   struct findings *f)
{
	struct note n;
	enum sg_err err = note_parse(span_of(out->note, out->n), &n);

	if (err == SG_OK)
		err = checkpoint_parse(n.text, &out->c);
	if (err != SG_OK) {
		findings_add(f, FINDING_CHECKPOINT_MALFORMED, NULL, "%s", "");
		return SG_NOT_FOUND;
	}
	if (!span_is(out->c.origin, t->key.name)) {
		findings_add(f, FINDING_CHECKPOINT_ORIGIN, NULL,
			     "the key is that of %s", t->key.name);
		return SG_NOT_FOUND;
	}
	return judge_signer(t, &n, note_verify(&n, &t->key, NULL), out, f);
}

static enum sg_err read_checkpoint(const struct trust *t, struct source *s,
				   struct trust_checkpoint *out)
{
	enum sg_err err;

	cosigned_fetch(t, s, &out->older);
	err = source_file(s, "checkpoint", out->note, sizeof(out->note),
			  &out->n);
	/* From a cache, perhaps, or of one of several servers. */
	if (err == SG_OK && source_remote(s) &&
	    cosigned_is_newer(&out->older, span_of(out->note, out->n)))
		err = source_file(s, "checkpoint", out->note, sizeof(out->note),
				  &out->n);
	return err;
}

enum sg_err trust_fetch(const struct trust *t, struct source *s,
			struct trust_checkpoint *out, struct findings *f,
			char *why, size_t cap)
{
	enum sg_err err = read_checkpoint(t, s, out);

	if (err == SG_NOT_FOUND || err == SG_TOO_BIG) {
		findings_add(f,
			     err == SG_TOO_BIG ? FINDING_CHECKPOINT_MALFORMED
					       : FINDING_CHECKPOINT_MISSING,
			     NULL, "%s", source_why(s));
		return SG_NOT_FOUND;
	}
	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s", source_why(s));
		return err;
	}
	err = open_checkpoint(t, out, f);
	if (err == SG_NO_MEMORY)
		(void)snprintf(why, cap, "%s", err_text(err));
	return err == SG_OK ? cosigned_check(t, s, out, f, why, cap) : err;
}

/* When the file PATH was written, which is there. */
static int64_t written_s(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_mtim.tv_sec : 0;
}

enum sg_err trust_kept(const struct trust *t, const char *path,
		       struct trust_checkpoint *out, char *why, size_t cap)
{
	uint8_t *bytes;
	enum sg_err err = fileio_read(path, sizeof(out->note), &bytes, &out->n);

	if (err != SG_OK) {
		const bool absent = err == SG_IO && errno == ENOENT;

		(void)snprintf(
			why, cap, "%s: %s%s", path,
			err == SG_IO ? strerrordesc_np(errno) : err_text(err),
			absent ? " (--keep alone writes a first one)" : "");
		return absent ? SG_NOT_FOUND : SG_CONFIG;
	}
	memcpy(out->note, bytes, out->n);
	free(bytes);
	out->kept_s = written_s(path);
	err = checkpoint_open(span_of(out->note, out->n), &t->key, &out->c,
			      NULL);
	if (err == SG_NOT_FOUND && t->kept_may_follow && t->differs)
		err = checkpoint_open(span_of(out->note, out->n), &t->own,
				      &out->c, NULL);
	if (err == SG_OK)
		return SG_OK;
	if (err == SG_NO_MEMORY) {
		(void)snprintf(why, cap, "%s: %s", path, err_text(err));
		return err;
	}
	(void)snprintf(why, cap,
		       "%s: not a checkpoint that the log's key has signed%s",
		       path,
		       err == SG_NOT_FOUND
			       ? "; if another key had when it was kept, and "
				 "officers have changed it since, give that "
				 "one once, but never one that was stolen"
			       : "");
	return SG_CONFIG;
}

void trust_hash_text(const struct merkle_hash *hash, char out[TRUST_HASH_TEXT])
{
	out[base64_encode(span_of(hash->b, sizeof(hash->b)), BASE64_STANDARD,
			  out)] = '\0';
}
