/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/log.h"

enum { PATH_BYTES = CORE_PATH_MAX + 32, ROOT_TEXT = 48 };

static const char REQUEST[] = "recovery.request";
static const char STATEMENT[] = "recovery";
static const char USED[] = "recovery.used";
static const char NOTHING[] = "nothing";

static void path(char out[PATH_BYTES], const char *dir, const char *name)
{
	(void)snprintf(out, PATH_BYTES, "%s/%s", dir, name);
}

/* "SIZE ROOT", the root in base64. */
static int state_text(char *out, size_t cap, uint64_t size,
		      const struct merkle_hash *root)
{
	unsigned char text[ROOT_TEXT];

	(void)EVP_EncodeBlock(text, root->b, sizeof(root->b));
	return snprintf(out, cap, "%llu %s", (unsigned long long)size,
			(const char *)text);
}

enum sg_err recovery_text(const struct recovery_facts *f, uint8_t *out,
			  size_t cap, size_t *len)
{
	char disk[96];
	char known[96];
	int n;

	(void)state_text(disk, sizeof(disk), f->disk_size, &f->disk_root);
	(void)snprintf(known, sizeof(known), "%s", NOTHING);
	if (f->known)
		(void)state_text(known, sizeof(known), f->known_size,
				 &f->known_root);
	n = snprintf((char *)out, cap,
		     "signerd ledger recovery\n%s\ndisk %s\nknown %s\n",
		     f->origin, disk, known);
	*len = n > 0 ? (size_t)n : 0;
	return n > 0 && (size_t)n < cap ? SG_OK : SG_TOO_BIG;
}

enum sg_err recovery_ask(const char *dir, const struct recovery_facts *f)
{
	char name[PATH_BYTES];
	uint8_t text[RECOVERY_TEXT_MAX];
	size_t n = 0;
	const enum sg_err err = recovery_text(f, text, sizeof(text), &n);

	path(name, dir, REQUEST);
	return err == SG_OK ? fileio_replace(name, span_of(text, n), 0644)
			    : err;
}

/* Is OFFICER's signature in N?  Errors: SG_NO_MEMORY: that is not known. */
static enum sg_err has_signed(const struct note *n, const char *officer,
			      struct note_key *key, bool *yes)
{
	enum sg_err err =
		note_key_parse_as(span_str(officer), NOTE_ED25519, key);

	*yes = false;
	if (err == SG_NO_MEMORY)
		return err;
	/* The configuration has been read with it: it has its form. */
	if (err != SG_OK)
		return SG_OK;
	err = note_verify(n, key, NULL);
	*yes = err == SG_OK;
	return err == SG_NO_MEMORY ? err : SG_OK;
}

enum sg_err recovery_approvals(const struct note *n,
			       const struct core_ledger_settings *settings,
			       unsigned *out)
{
	struct note_key signer[CORE_OFFICERS_MAX];
	unsigned count = 0;

	for (size_t i = 0; i < settings->nofficers; i++) {
		struct note_key *key = &signer[count];
		bool known = false;
		bool yes;
		const enum sg_err err =
			has_signed(n, settings->officer[i], key, &yes);

		if (err != SG_OK)
			return err;
		if (!yes)
			continue;
		for (unsigned k = 0; k < count && !known; k++)
			known = memcmp(signer[k].public_key, key->public_key,
				       sizeof(key->public_key)) == 0;
		count += known ? 0 : 1;
	}
	*out = count;
	return SG_OK;
}

/* The file at DIR. */
static enum sg_err read_statement(const char *dir, uint8_t *note, size_t cap,
				  size_t *len)
{
	char name[PATH_BYTES];
	uint8_t *file = NULL;
	size_t n = 0;
	enum sg_err err;

	path(name, dir, STATEMENT);
	err = fileio_read(name, cap, &file, &n);
	if (err != SG_OK)
		return err == SG_IO && errno == ENOENT ? SG_NOT_FOUND : err;
	memcpy(note, file, n);
	free(file);
	*len = n;
	return SG_OK;
}

/* Does the text of NOTE begin with BEGINS (WHOLE: and end there), and have
 * enough officers signed it? */
static enum sg_err judge(struct span note, struct span begins, bool whole,
			 const struct core_ledger_settings *settings)
{
	struct note n;
	unsigned approvals;
	enum sg_err err;

	if (note_parse(note, &n) != SG_OK || n.text.n < begins.n ||
	    (whole && n.text.n > begins.n) ||
	    memcmp(n.text.p, begins.p, begins.n) != 0)
		return SG_MALFORMED;
	if (settings->approvals == 0)
		return SG_BAD_SIGNATURE;
	err = recovery_approvals(&n, settings, &approvals);
	if (err == SG_OK && approvals < settings->approvals)
		err = SG_BAD_SIGNATURE;
	return err;
}

enum sg_err recovery_find(const char *dir, const struct recovery_facts *f,
			  const struct core_ledger_settings *settings,
			  uint8_t *note, size_t cap, size_t *len)
{
	uint8_t text[RECOVERY_TEXT_MAX];
	size_t n = 0;
	enum sg_err err = recovery_text(f, text, sizeof(text), &n);

	*len = 0;
	if (err == SG_OK)
		err = read_statement(dir, note, cap, len);
	if (err != SG_OK)
		return err;
	return judge(span_of(note, *len), span_of(text, n), true, settings);
}

enum sg_err recovery_find_used(const char *dir, const struct checkpoint *at,
			       const struct core_ledger_settings *settings,
			       uint8_t *note, size_t cap, size_t *len)
{
	const struct recovery_facts f = {.origin = settings->origin,
					 .disk_size = at->size,
					 .disk_root = at->root};
	uint8_t text[RECOVERY_TEXT_MAX];
	size_t n = 0;
	enum sg_err err = recovery_text(&f, text, sizeof(text), &n);

	*len = 0;
	if (err == SG_OK)
		err = read_statement(dir, note, cap, len);
	if (err != SG_OK)
		return err;
	/* Whatever was known then. */
	n -= strlen(NOTHING) + 1;
	return judge(span_of(note, *len), span_of(text, n), false, settings);
}

void recovery_used(const char *dir)
{
	char from[PATH_BYTES];
	char to[PATH_BYTES];

	path(from, dir, STATEMENT);
	path(to, dir, USED);
	if (rename(from, to) != 0)
		log_event(LOG_WARNING, "recovery-kept", "errno=%d", errno);
	path(from, dir, REQUEST);
	(void)unlink(from);
}
