/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint.h"

#include <stdio.h>

#include "base/base64.h"
#include "hcert/cbor.h"

enum {
	HASH_CHARS = (MERKLE_HASH_BYTES + 2) / 3 * 4,
	NUMBER_DIGITS_MAX = 19, /* of INT64_MAX */
	NUMBER_SIZE = 24
};

enum { EXTRA_PIECE = 48 /* bytes: whole groups of base64 */ };

static const char PROOF_HEAD[] = "c2sp.org/tlog-proof@v1";
static const char PROOF_EXTRA[] = "extra ";
static const char PROOF_INDEX[] = "index ";

/* --- lines ---------------------------------------------------------------- */

/* Take a line, its end cut off, from *REST. */
static bool next_line(struct span *rest, struct span *line)
{
	const uint8_t *p = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
	size_t n;

	if (p == NULL)
		return false;
	n = (size_t)(p - rest->p);
	*line = span_of(rest->p, n);
	*rest = span_of(p + 1, rest->n - n - 1);
	return true;
}

static bool take(struct span *s, const char *literal)
{
	const size_t n = strlen(literal);

	if (s->n < n || memcmp(s->p, literal, n) != 0)
		return false;
	*s = span_of(s->p + n, s->n - n);
	return true;
}

/* A decimal number without leading zeros, at most INT64_MAX: a size that any
 * reader can count with. */
static bool parse_number(struct span s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > NUMBER_DIGITS_MAX || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	*out = v;
	return v <= INT64_MAX;
}

static bool parse_hash(struct span s, struct merkle_hash *out)
{
	uint8_t buf[HASH_CHARS / 4 * 3];
	size_t n;

	if (s.n != HASH_CHARS || !base64_decode(s, buf, &n) ||
	    n != sizeof(out->b))
		return false;
	memcpy(out->b, buf, n);
	return true;
}

/* The writer counts bytes; nothing here is CBOR. */
static void put_number(struct cbor_writer *w, uint64_t v)
{
	char text[NUMBER_SIZE];
	const int n =
		snprintf(text, sizeof(text), "%llu\n", (unsigned long long)v);

	cbor_put_raw(w, span_of(text, (size_t)n));
}

static void put_hash(struct cbor_writer *w, const struct merkle_hash *h)
{
	char text[HASH_CHARS + 1];
	const size_t n = base64_encode(span_of(h->b, sizeof(h->b)),
				       BASE64_STANDARD, text);

	text[n] = '\n';
	cbor_put_raw(w, span_of(text, n + 1));
}

/* --- checkpoints ---------------------------------------------------------- */

enum sg_err checkpoint_text(const struct checkpoint *c, uint8_t *out,
			    size_t cap, size_t *len)
{
	static const uint8_t no_key[NOTE_PUBLIC_BYTES];
	struct cbor_writer w = cbor_write(out, cap);
	struct note_key key;
	enum sg_err err;

	*len = 0;
	/* The rules for names are those of keys. */
	err = note_key_make(c->origin, NOTE_ED25519, no_key, &key);
	if (err != SG_OK)
		return err;
	if (c->size > INT64_MAX)
		return SG_MALFORMED;
	cbor_put_raw(&w, c->origin);
	cbor_put_raw(&w, SPAN_LIT("\n"));
	put_number(&w, c->size);
	put_hash(&w, &c->root);
	return cbor_done(&w, len);
}

enum sg_err checkpoint_parse(struct span text, struct checkpoint *out)
{
	struct span rest = text;
	struct checkpoint c;
	struct span line;

	if (!next_line(&rest, &c.origin) || c.origin.n == 0 ||
	    !next_line(&rest, &line) || !parse_number(line, &c.size) ||
	    !next_line(&rest, &line) || !parse_hash(line, &c.root))
		return SG_MALFORMED;
	while (next_line(&rest, &line))
		if (line.n == 0)
			return SG_MALFORMED;
	if (rest.n > 0) /* a line without its end */
		return SG_MALFORMED;
	*out = c;
	return SG_OK;
}

enum sg_err checkpoint_open(struct span in, const struct note_key *key,
			    struct checkpoint *out, struct note *n)
{
	struct checkpoint c;
	struct note parts;
	enum sg_err err;

	err = note_parse(in, &parts);
	if (err == SG_OK)
		err = note_verify(&parts, key, NULL);
	if (err == SG_OK)
		err = checkpoint_parse(parts.text, &c);
	if (err == SG_OK && !span_is(c.origin, key->name))
		err = SG_MALFORMED;
	if (err != SG_OK)
		return err;
	*out = c;
	if (n != NULL)
		*n = parts;
	return SG_OK;
}

/* --- proofs --------------------------------------------------------------- */

/* In pieces: it may be long. */
static void put_extra(struct cbor_writer *w, struct span extra)
{
	char text[EXTRA_PIECE / 3 * 4];

	cbor_put_raw(w, span_str(PROOF_EXTRA));
	for (size_t at = 0; at < extra.n; at += EXTRA_PIECE) {
		const size_t n =
			extra.n - at < EXTRA_PIECE ? extra.n - at : EXTRA_PIECE;

		cbor_put_raw(
			w, span_of(text, base64_encode(span_of(extra.p + at, n),
						       BASE64_STANDARD, text)));
	}
	cbor_put_raw(w, SPAN_LIT("\n"));
}

/* NOLINTNEXTLINE(readability-function-size): what a proof is made of */
enum sg_err checkpoint_proof_text(uint64_t index, const struct merkle_proof *p,
				  struct span checkpoint, struct span extra,
				  uint8_t *out, size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);

	cbor_put_raw(&w, span_str(PROOF_HEAD));
	cbor_put_raw(&w, SPAN_LIT("\n"));
	if (extra.n > 0)
		put_extra(&w, extra);
	cbor_put_raw(&w, span_str(PROOF_INDEX));
	put_number(&w, index);
	for (size_t i = 0; i < p->n; i++)
		put_hash(&w, &p->hash[i]);
	cbor_put_raw(&w, SPAN_LIT("\n"));
	cbor_put_raw(&w, checkpoint);
	return cbor_done(&w, len);
}

/* Decode a line of base64, its first CAP bytes to OUT: in groups, since what
 * nobody wants needs no room. */
static bool decode_extra(struct span s, uint8_t *out, size_t cap, size_t *len)
{
	uint8_t group[3];
	size_t n;

	*len = 0;
	for (size_t i = 0; i < s.n; i += 4) {
		const size_t left = s.n - i;

		if (left < 4 ||
		    !base64_decode(span_of(s.p + i, 4), group, &n) ||
		    (left > 4 && n < sizeof(group)))
			return false;
		if (out != NULL && *len <= cap && cap - *len >= n)
			memcpy(out + *len, group, n);
		*len += n;
	}
	return s.n > 0;
}

/* NOLINTNEXTLINE(readability-function-size): and what it gives */
enum sg_err checkpoint_proof_parse(struct span in, uint64_t *index,
				   struct merkle_proof *p,
				   struct span *checkpoint, uint8_t *extra,
				   size_t cap, size_t *extra_n)
{
	struct span rest = in;
	struct span line;
	size_t n = 0;

	p->n = 0;
	if (!next_line(&rest, &line) || !span_is(line, PROOF_HEAD) ||
	    !next_line(&rest, &line))
		return SG_MALFORMED;
	if (take(&line, PROOF_EXTRA) &&
	    (!decode_extra(line, extra, extra == NULL ? 0 : cap, &n) ||
	     !next_line(&rest, &line)))
		return SG_MALFORMED;
	if (!take(&line, PROOF_INDEX) || !parse_number(line, index))
		return SG_MALFORMED;
	for (;;) {
		if (!next_line(&rest, &line))
			return SG_MALFORMED;
		if (line.n == 0)
			break;
		if (p->n == MERKLE_PROOF_MAX ||
		    !parse_hash(line, &p->hash[p->n]))
			return SG_MALFORMED;
		p->n++;
	}
	if (rest.n == 0)
		return SG_MALFORMED;
	*checkpoint = rest;
	if (extra == NULL)
		return SG_OK;
	*extra_n = n;
	return n <= cap ? SG_OK : SG_TOO_BIG;
}
