/* SPDX-License-Identifier: Apache-2.0 */
#include "uvcis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common/bytes.h"
#include "tools/common/input.h"

enum { WHOLE = 32 /* bytes of SHA-256 */, WORD_MAX = 2 * WHOLE };

enum sg_err uvcis_add(struct uvcis *u, const uint8_t *hash)
{
	if (u->n == u->cap) {
		const size_t cap = u->cap == 0 ? 16 : 2 * u->cap;
		struct uvcis_one *grown =
			realloc(u->one, cap * sizeof(*u->one));

		if (grown == NULL)
			return SG_NO_MEMORY;
		u->one = grown;
		u->cap = cap;
	}
	memcpy(u->one[u->n].hash, hash, sizeof(u->one->hash));
	u->one[u->n++].found = false;
	return SG_OK;
}

static enum sg_err add_word(struct uvcis *u, const char *word, size_t n)
{
	uint8_t hash[WHOLE];
	char text[WORD_MAX + 1];

	if (n > WORD_MAX)
		return SG_CONFIG;
	memcpy(text, word, n);
	text[n] = '\0';
	if (!bytes_parse(text, hash, WHOLE) &&
	    !bytes_parse(text, hash, sizeof(u->one->hash)))
		return SG_CONFIG;
	return uvcis_add(u, hash);
}

static int compare(const void *a, const void *b)
{
	const struct uvcis_one *x = a;
	const struct uvcis_one *y = b;

	return memcmp(x->hash, y->hash, sizeof(x->hash));
}

void uvcis_sort(struct uvcis *u)
{
	size_t n = 0;

	if (u->n == 0)
		return;
	qsort(u->one, u->n, sizeof(*u->one), compare);
	for (size_t i = 1; i < u->n; i++)
		if (compare(&u->one[n], &u->one[i]) != 0)
			u->one[++n] = u->one[i];
	u->n = n + 1;
}

static enum sg_err add_all(struct uvcis *u, const char *text,
			   const char *between)
{
	for (const char *p = text + strspn(text, between); *p != '\0';
	     p += strspn(p, between)) {
		const size_t len = strcspn(p, between);
		const enum sg_err err = add_word(u, p, len);

		if (err != SG_OK)
			return err;
		p += len;
	}
	uvcis_sort(u);
	return u->n > 0 ? SG_OK : SG_CONFIG;
}

enum sg_err uvcis_read(const char *text, struct uvcis *out, char *why,
		       size_t cap)
{
	uint8_t *bytes;
	size_t n;
	enum sg_err err;

	memset(out, 0, sizeof(*out));
	if (text[0] == '@') {
		err = input_bytes(text + 1, &bytes, &n, why, cap);
		if (err != SG_OK)
			return err;
		err = add_all(out, (const char *)bytes, ", \t\r\n");
		free(bytes);
	} else {
		err = add_all(out, text, ",");
	}
	if (err == SG_OK)
		return SG_OK;
	/* What was given may be a UVCI: it is not repeated. */
	(void)snprintf(why, cap, "%s",
		       err == SG_CONFIG
			       ? "--uvci-hash: not SHA-256 hashes, or their "
				 "first 16 bytes, in hex or base64"
			       : err_text(err));
	uvcis_clear(out);
	return err;
}

void uvcis_clear(struct uvcis *u)
{
	free(u->one);
	memset(u, 0, sizeof(*u));
}

bool uvcis_find(struct uvcis *u, const uint8_t *hash)
{
	struct uvcis_one wanted;
	struct uvcis_one *one;

	memcpy(wanted.hash, hash, sizeof(wanted.hash));
	one = u->n > 0 ? bsearch(&wanted, u->one, u->n, sizeof(wanted), compare)
		       : NULL;
	if (one == NULL)
		return false;
	one->found = true;
	return true;
}

size_t uvcis_missing(const struct uvcis *u)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n; i++)
		n += !u->one[i].found;
	return n;
}
