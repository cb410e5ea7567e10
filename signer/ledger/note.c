/* SPDX-License-Identifier: Apache-2.0 */
#include "note.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/memory.h"
#include "hcert/cbor.h"
#include "hcert/utf8.h"

enum {
	HASH_BYTES = 4, /* of a key, before the signature */
	TIME_BYTES = 8, /* of a cosignature, after the hash */
	COSIGNATURE_BYTES = TIME_BYTES + NOTE_SIGNATURE_BYTES,
	SIGNATURE_MAX = HASH_BYTES + COSIGNATURE_BYTES,
	KEY_BYTES = 1 + NOTE_PUBLIC_BYTES, /* its type first */
	TEXT_HASH_DIGITS = 8,
	SHA256_BYTES = 32,
	COSIGNED_HEAD_MAX = 64, /* two lines before what is cosigned */
	CHUNK = 1024		/* characters decoded at a time */
};

/* An em dash, U+2014, and a space begin a signature line. */
static const char DASH[] = "\xe2\x80\x94 ";

static void put_be(uint8_t *p, uint64_t v, size_t bytes)
{
	for (size_t i = bytes; i > 0; i--, v >>= 8)
		p[i - 1] = (uint8_t)v;
}

static uint64_t get_be(const uint8_t *p, size_t bytes)
{
	uint64_t v = 0;

	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

/* Take what comes before the first C from *REST, and C. */
static bool cut(struct span *rest, char c, struct span *out)
{
	const uint8_t *p = rest->n == 0 ? NULL : memchr(rest->p, c, rest->n);
	size_t n;

	if (p == NULL)
		return false;
	n = (size_t)(p - rest->p);
	*out = span_of(rest->p, n);
	*rest = span_of(p + 1, rest->n - n - 1);
	return true;
}

/* --- keys ----------------------------------------------------------------- */

/* Unicode's White_Space. */
static bool is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 ||
	       c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
	       c == 0x3000;
}

/* Is S the name of a key? */
static bool is_name(struct span s)
{
	struct span rest = s;

	if (s.n == 0 || !utf8_valid(s))
		return false;
	while (rest.n > 0) {
		const uint32_t c = utf8_next(&rest);

		if (c < 0x20 || c == '+' || is_space(c))
			return false;
	}
	return true;
}

/* First 4 bytes of SHA-256(name || \n || type || public key). */
static enum sg_err key_hash(struct span name, const uint8_t key[KEY_BYTES],
			    uint32_t *out)
{
	uint8_t buf[NOTE_NAME_MAX + 1 + KEY_BYTES];
	uint8_t hash[SHA256_BYTES];

	memcpy(buf, name.p, name.n);
	buf[name.n] = '\n';
	memcpy(buf + name.n + 1, key, KEY_BYTES);
	if (EVP_Digest(buf, name.n + 1 + KEY_BYTES, hash, NULL, EVP_sha256(),
		       NULL) != 1)
		return SG_NO_MEMORY;
	*out = (uint32_t)get_be(hash, HASH_BYTES);
	return SG_OK;
}

enum sg_err note_key_make(struct span name, uint8_t type,
			  const uint8_t public_key[NOTE_PUBLIC_BYTES],
			  struct note_key *out)
{
	struct note_key k = {.type = type};
	uint8_t typed[KEY_BYTES] = {type};
	enum sg_err err;

	if (name.n > NOTE_NAME_MAX || !is_name(name))
		return SG_MALFORMED;
	memcpy(k.name, name.p, name.n);
	memcpy(k.public_key, public_key, NOTE_PUBLIC_BYTES);
	memcpy(typed + 1, public_key, NOTE_PUBLIC_BYTES);
	err = key_hash(name, typed, &k.hash);
	if (err == SG_OK)
		*out = k;
	return err;
}

/* TEXT_HASH_DIGITS lower case hexadecimal digits. */
static bool parse_hash(struct span s, uint32_t *out)
{
	*out = 0;
	if (s.n != TEXT_HASH_DIGITS)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		const uint8_t c = s.p[i];

		if (c >= '0' && c <= '9')
			*out = *out << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*out = *out << 4 | (uint32_t)(c - 'a' + 10);
		else
			return false;
	}
	return true;
}

/* Decode strict base64 of any length; the first CAP bytes go to OUT.  *LEN:
 * bytes in all. */
static bool decode(struct span s, uint8_t *out, size_t cap, size_t *len)
{
	uint8_t buf[CHUNK / 4 * 3];

	*len = 0;
	while (s.n > 0) {
		const size_t n = s.n < CHUNK ? s.n : CHUNK;
		size_t got;

		/* Padding is for the end alone. */
		if (!base64_decode(span_of(s.p, n), buf, &got) ||
		    (n < s.n && got < sizeof(buf)))
			return false;
		if (*len < cap)
			memcpy(out + *len, buf,
			       got < cap - *len ? got : cap - *len);
		*len += got;
		s = span_of(s.p + n, s.n - n);
	}
	return true;
}

enum sg_err note_key_parse(struct span line, struct note_key *out)
{
	uint8_t typed[KEY_BYTES];
	struct note_key k;
	struct span name;
	struct span hash;
	uint32_t said;
	size_t n;
	enum sg_err err;

	if (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	if (!cut(&line, '+', &name) || !cut(&line, '+', &hash) ||
	    !parse_hash(hash, &said) ||
	    !decode(line, typed, sizeof(typed), &n) || n == 0)
		return SG_MALFORMED;
	if (typed[0] != NOTE_ED25519 && typed[0] != NOTE_COSIGNATURE)
		return SG_BAD_KEY;
	if (n != sizeof(typed))
		return SG_MALFORMED;
	err = note_key_make(name, typed[0], typed + 1, &k);
	if (err != SG_OK)
		return err;
	if (k.hash != said)
		return SG_MALFORMED;
	*out = k;
	return SG_OK;
}

enum sg_err note_key_parse_as(struct span line, uint8_t type,
			      struct note_key *out)
{
	const enum sg_err err = note_key_parse(line, out);

	return err == SG_OK && out->type != type ? SG_BAD_KEY : err;
}

void note_key_text(const struct note_key *key, char out[NOTE_VKEY_MAX])
{
	char base64[(KEY_BYTES + 2) / 3 * 4];
	uint8_t typed[KEY_BYTES] = {key->type};
	size_t n;

	memcpy(typed + 1, key->public_key, NOTE_PUBLIC_BYTES);
	n = base64_encode(span_of(typed, sizeof(typed)), BASE64_STANDARD,
			  base64);
	(void)snprintf(out, NOTE_VKEY_MAX, "%s+%08x+%.*s", key->name, key->hash,
		       (int)n, base64);
}

/* --- reading -------------------------------------------------------------- */

/* UTF-8, without control characters but for line ends. */
static bool is_clean(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 && s.p[i] != '\n')
			return false;
	return utf8_valid(s);
}

/* The text, to the last empty line, and the signature lines. */
static bool divide(struct span in, struct span *text, struct span *lines)
{
	size_t i = in.n;

	while (i > 1 && !(in.p[i - 1] == '\n' && in.p[i - 2] == '\n'))
		i--;
	if (i < 2)
		return false;
	*text = span_of(in.p, i - 1);
	*lines = span_of(in.p + i, in.n - i);
	return lines->n > 0 && in.p[in.n - 1] == '\n';
}

/* Read one line into the next place of N; one beyond the places is judged only.
 */
static bool read_line(struct span line, struct note *n)
{
	const size_t dash = sizeof(DASH) - 1;
	uint8_t start[HASH_BYTES];
	struct span rest = line;
	struct span name;
	size_t bytes;

	if (line.n <= dash || memcmp(line.p, DASH, dash) != 0)
		return false;
	rest = span_of(line.p + dash, line.n - dash - 1);
	if (!cut(&rest, ' ', &name) || !is_name(name) ||
	    !decode(rest, start, sizeof(start), &bytes) || bytes <= HASH_BYTES)
		return false;
	if (n->n == NOTE_SIGNATURES_MAX)
		return true;
	n->signature[n->n].name = name;
	n->signature[n->n].hash = (uint32_t)get_be(start, HASH_BYTES);
	n->signature[n->n].line = line;
	n->signature[n->n].signature = rest;
	n->n++;
	return true;
}

enum sg_err note_parse(struct span in, struct note *out)
{
	struct span lines;
	struct span line;

	memset(out, 0, sizeof(*out));
	if (in.n > NOTE_BYTES_MAX || !is_clean(in) ||
	    !divide(in, &out->text, &lines))
		return SG_MALFORMED;
	while (cut(&lines, '\n', &line)) {
		line.n++; /* with its end */
		if (!read_line(line, out))
			return SG_MALFORMED;
	}
	return SG_OK;
}

/* --- verifying ------------------------------------------------------------ */

static enum sg_err ed25519(const uint8_t public_key[NOTE_PUBLIC_BYTES],
			   struct span message,
			   const uint8_t signature[NOTE_SIGNATURE_BYTES])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(
		EVP_PKEY_ED25519, NULL, public_key, NOTE_PUBLIC_BYTES);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const uint64_t refused = memory_refused();
	enum sg_err err = SG_NO_MEMORY;

	if (key != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1)
		err = EVP_DigestVerify(ctx, signature, NOTE_SIGNATURE_BYTES,
				       message.p, message.n) == 1
			      ? SG_OK
			      : SG_BAD_SIGNATURE;
	if (err == SG_BAD_SIGNATURE && memory_refused() != refused)
		err = SG_NO_MEMORY; /* OpenSSL could not find out */
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return err;
}

static enum sg_err cosignature(struct span text, const struct note_key *key,
			       const uint8_t raw[COSIGNATURE_BYTES],
			       int64_t *time)
{
	const uint64_t seconds = get_be(raw, TIME_BYTES);
	const size_t cap = COSIGNED_HEAD_MAX + text.n;
	uint8_t *message;
	size_t n;
	enum sg_err err;

	if (seconds > INT64_MAX)
		return SG_BAD_SIGNATURE;
	message = malloc(cap);
	if (message == NULL)
		return SG_NO_MEMORY;
	err = note_cosigned_message(text, (int64_t)seconds, message, cap, &n);
	if (err == SG_OK)
		err = ed25519(key->public_key, span_of(message, n),
			      raw + TIME_BYTES);
	free(message);
	if (err == SG_OK && (int64_t)seconds > *time)
		*time = (int64_t)seconds;
	return err;
}

static enum sg_err verify_one(struct span text, struct span base64,
			      const struct note_key *key, int64_t *time)
{
	uint8_t raw[SIGNATURE_MAX];
	size_t n;

	if (!decode(base64, raw, sizeof(raw), &n))
		return SG_BAD_SIGNATURE;
	if (key->type == NOTE_ED25519 && n == HASH_BYTES + NOTE_SIGNATURE_BYTES)
		return ed25519(key->public_key, text, raw + HASH_BYTES);
	if (key->type == NOTE_COSIGNATURE && n == SIGNATURE_MAX)
		return cosignature(text, key, raw + HASH_BYTES, time);
	return SG_BAD_SIGNATURE;
}

enum sg_err note_verify(const struct note *n, const struct note_key *key,
			int64_t *time)
{
	enum sg_err err = SG_NOT_FOUND;
	int64_t newest = 0;

	/* Where there are several of a key, all must verify. */
	for (size_t i = 0; i < n->n; i++) {
		if (n->signature[i].hash != key->hash ||
		    !span_is(n->signature[i].name, key->name))
			continue;
		err = verify_one(n->text, n->signature[i].signature, key,
				 &newest);
		if (err != SG_OK)
			return err;
	}
	if (err == SG_OK && time != NULL)
		*time = newest;
	return err;
}

/* --- writing -------------------------------------------------------------- */

enum sg_err note_signature_line(const struct note_key *key, int64_t time,
				const uint8_t signature[NOTE_SIGNATURE_BYTES],
				uint8_t *out, size_t cap, size_t *len)
{
	/* A counting writer of bytes; nothing here is CBOR. */
	struct cbor_writer w = cbor_write(out, cap);
	char base64[(SIGNATURE_MAX + 2) / 3 * 4];
	uint8_t raw[SIGNATURE_MAX];
	size_t n = HASH_BYTES;

	put_be(raw, key->hash, HASH_BYTES);
	if (key->type == NOTE_COSIGNATURE) {
		put_be(raw + n, (uint64_t)time, TIME_BYTES);
		n += TIME_BYTES;
	}
	memcpy(raw + n, signature, NOTE_SIGNATURE_BYTES);
	n = base64_encode(span_of(raw, n + NOTE_SIGNATURE_BYTES),
			  BASE64_STANDARD, base64);
	cbor_put_raw(&w, span_str(DASH));
	cbor_put_raw(&w, span_str(key->name));
	cbor_put_raw(&w, SPAN_LIT(" "));
	cbor_put_raw(&w, span_of(base64, n));
	cbor_put_raw(&w, SPAN_LIT("\n"));
	return cbor_done(&w, len);
}

enum sg_err note_cosigned_message(struct span text, int64_t time, uint8_t *out,
				  size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);
	char head[COSIGNED_HEAD_MAX];
	const int n = snprintf(head, sizeof(head),
			       "cosignature/v1\ntime %lld\n", (long long)time);

	cbor_put_raw(&w, span_of(head, (size_t)n));
	cbor_put_raw(&w, text);
	return cbor_done(&w, len);
}

enum sg_err note_join(struct span text, struct span lines, uint8_t *out,
		      size_t cap, size_t *len)
{
	struct cbor_writer w = cbor_write(out, cap);

	cbor_put_raw(&w, text);
	cbor_put_raw(&w, SPAN_LIT("\n"));
	cbor_put_raw(&w, lines);
	return cbor_done(&w, len);
}
