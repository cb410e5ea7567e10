/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

/*
 * spki[32], count (1 byte), then each name: type (1 byte), length (2 bytes,
 * little-endian), text.
 */
enum { SPKI_BYTES = 32, HEAD_BYTES = SPKI_BYTES + 1, NAME_HEAD_BYTES = 3 };

_Static_assert(sizeof(((struct identity *)0)->spki) == SPKI_BYTES,
	       "the encoding carries the whole hash");

enum sg_err identity_encode(const struct identity *id, uint8_t *out, size_t cap,
			    size_t *len)
{
	const size_t room = cap < IDENTITY_BYTES_MAX ? cap : IDENTITY_BYTES_MAX;
	size_t at = HEAD_BYTES;

	if (id->n > IDENTITY_NAMES_MAX || room < HEAD_BYTES)
		return SG_TOO_BIG;
	memcpy(out, id->spki, SPKI_BYTES);
	out[SPKI_BYTES] = (uint8_t)id->n;
	for (size_t i = 0; i < id->n; i++) {
		const struct identity_name *name = &id->name[i];

		if (room - at < NAME_HEAD_BYTES ||
		    room - at - NAME_HEAD_BYTES < name->text.n)
			return SG_TOO_BIG;
		out[at] = (uint8_t)name->type;
		out[at + 1] = (uint8_t)name->text.n;
		out[at + 2] = (uint8_t)(name->text.n >> 8);
		at += NAME_HEAD_BYTES;
		if (name->text.n > 0)
			memcpy(out + at, name->text.p, name->text.n);
		at += name->text.n;
	}
	*len = at;
	return SG_OK;
}

enum sg_err identity_decode(struct span in, struct identity *out)
{
	size_t at = HEAD_BYTES;

	if (in.n < HEAD_BYTES || in.n > IDENTITY_BYTES_MAX ||
	    in.p[SPKI_BYTES] > IDENTITY_NAMES_MAX)
		return SG_MALFORMED;
	memcpy(out->spki, in.p, SPKI_BYTES);
	out->n = in.p[SPKI_BYTES];
	for (size_t i = 0; i < out->n; i++) {
		struct identity_name *name = &out->name[i];
		size_t n;

		if (in.n - at < NAME_HEAD_BYTES ||
		    in.p[at] >= IDENTITY_TYPE_COUNT)
			return SG_MALFORMED;
		name->type = (enum identity_name_type)in.p[at];
		n = (size_t)in.p[at + 1] | (size_t)in.p[at + 2] << 8;
		at += NAME_HEAD_BYTES;
		if (in.n - at < n)
			return SG_MALFORMED;
		name->text = span_of(in.p + at, n);
		at += n;
	}
	return at == in.n ? SG_OK : SG_MALFORMED;
}
