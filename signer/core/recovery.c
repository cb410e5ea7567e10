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
	char known[96] = "nothing";
	int n;

	(void)state_text(disk, sizeof(disk), f->disk_size, &f->disk_root);
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

/* Officers that have signed N; each counts once. */
static unsigned approvals_of(const struct note *n,
			     const struct core_ledger_settings *settings)
{
	struct note_key key;
	unsigned count = 0;

	for (size_t i = 0; i < settings->nofficers; i++) {
		if (note_key_parse(span_str(settings->officer[i]), &key) ==
			    SG_OK &&
		    key.type == NOTE_ED25519 &&
		    note_verify(n, &key, NULL) == SG_OK)
			count++;
	}
	return count;
}

enum sg_err recovery_find(const char *dir, const struct recovery_facts *f,
			  const struct core_ledger_settings *settings,
			  uint8_t *note, size_t cap, size_t *len)
{
	char name[PATH_BYTES];
	uint8_t text[RECOVERY_TEXT_MAX];
	uint8_t *file = NULL;
	struct note n;
	size_t text_n = 0;
	size_t file_n = 0;
	enum sg_err err;

	path(name, dir, STATEMENT);
	err = fileio_read(name, cap, &file, &file_n);
	if (err != SG_OK)
		return err == SG_IO && errno == ENOENT ? SG_NOT_FOUND : err;
	memcpy(note, file, file_n);
	free(file);
	*len = file_n;
	err = recovery_text(f, text, sizeof(text), &text_n);
	if (err != SG_OK)
		return err;
	if (note_parse(span_of(note, *len), &n) != SG_OK ||
	    !span_eq(n.text, span_of(text, text_n)))
		return SG_MALFORMED;
	return settings->approvals > 0 &&
			       approvals_of(&n, settings) >= settings->approvals
		       ? SG_OK
		       : SG_BAD_SIGNATURE;
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
