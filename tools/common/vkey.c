/* SPDX-License-Identifier: Apache-2.0 */
#include "vkey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fileio.h"

enum { FILE_MAX = 65536 };

struct span vkey_trimmed(struct span text)
{
	while (text.n > 0 &&
	       (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r' ||
		text.p[text.n - 1] == ' '))
		text.n--;
	return text;
}

enum sg_err vkey_text(const char *arg, char **out, char *why, size_t cap)
{
	struct note_key key;
	uint8_t *bytes;
	size_t n;
	enum sg_err err = note_key_parse(span_str(arg), &key);

	if (err == SG_OK) {
		*out = strdup(arg);
		if (*out != NULL)
			return SG_OK;
		err = SG_NO_MEMORY;
	}
	if (err == SG_NO_MEMORY) {
		(void)snprintf(why, cap, "%s", err_text(err));
		return err;
	}
	err = fileio_read(arg, FILE_MAX, &bytes, &n);
	if (err != SG_OK) {
		(void)snprintf(why, cap,
			       "%s: neither a verifier key nor a file with one "
			       "(%s)",
			       arg,
			       err == SG_IO ? strerrordesc_np(errno)
					    : err_text(err));
		return SG_CONFIG;
	}
	*out = (char *)bytes;
	return SG_OK;
}

enum sg_err vkey_of_log(const char *arg, struct note_key *out, char *why,
			size_t cap)
{
	char *text;
	enum sg_err err = vkey_text(arg, &text, why, cap);

	if (err != SG_OK)
		return err;
	err = note_key_parse_as(vkey_trimmed(span_str(text)), NOTE_ED25519,
				out);
	free(text);
	if (err == SG_OK)
		return SG_OK;
	(void)snprintf(why, cap, "%s: %s", arg,
		       err == SG_NO_MEMORY ? err_text(err)
					   : "not the verifier key of a log");
	return err == SG_NO_MEMORY ? err : SG_CONFIG;
}
