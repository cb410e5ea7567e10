/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_NOTE_H
#define SG_NOTE_H

#include "base/err.h"
#include "base/span.h"

/*
 * note: signed notes (C2SP signed-note), their verifier keys, and the
 * cosignatures of witnesses (C2SP tlog-cosignature).  Signing is somebody
 * else's: a key in an HSM.  Pure.
 */
enum {
	NOTE_ED25519 = 0x01,	 /* signature type: Ed25519 over the text */
	NOTE_COSIGNATURE = 0x04, /* Ed25519 over a timestamped message */
	NOTE_NAME_MAX = 200,	 /* bytes of a key name, without the NUL */
	NOTE_PUBLIC_BYTES = 32,	 /* of an Ed25519 public key */
	NOTE_SIGNATURE_BYTES = 64,
	NOTE_VKEY_MAX = NOTE_NAME_MAX + 64,
	NOTE_LINE_MAX = NOTE_NAME_MAX + 128, /* a signature line with its \n */
	NOTE_BYTES_MAX = 65536,
	NOTE_SIGNATURES_MAX = 32 /* lines looked at; the rest is passed over */
};

/* A verifier key: "NAME+HASH+BASE64(type || public key)". */
struct note_key {
	uint32_t hash; /* key id: first 4 bytes of the SHA-256, big-endian */
	char name[NOTE_NAME_MAX + 1];
	uint8_t type; /* NOTE_ED25519, NOTE_COSIGNATURE */
	uint8_t public_key[NOTE_PUBLIC_BYTES];
};

/* Make the key of NAME with an Ed25519 PUBLIC_KEY.  Errors: SG_MALFORMED (a
 * name that is empty, has white space or a plus sign, is too long, or not
 * UTF-8), SG_NO_MEMORY. */
SG_MUST_USE enum sg_err note_key_make(
	struct span name, uint8_t type,
	const uint8_t public_key[NOTE_PUBLIC_BYTES], struct note_key *out);
/* From one line of text; a line end is passed over.  Errors: SG_MALFORMED (also
 * a hash that is not the key's), SG_BAD_KEY (another type), SG_NO_MEMORY. */
SG_MUST_USE enum sg_err note_key_parse(struct span line, struct note_key *out);
/* The same of a key that must be of TYPE.  Errors: as above. */
SG_MUST_USE enum sg_err note_key_parse_as(struct span line, uint8_t type,
					  struct note_key *out);
/* As text without a line end, with a NUL.  Always fits. */
void note_key_text(const struct note_key *key, char out[NOTE_VKEY_MAX]);

/* A note taken apart; all spans lie in it. */
struct note {
	struct span text; /* with its last line end: what is signed */
	size_t n;
	struct {
		struct span name;
		uint32_t hash;
		struct span line;      /* whole, with its line end */
		struct span signature; /* BASE64 of it, hash included */
	} signature[NOTE_SIGNATURES_MAX];
};
/* Errors: SG_MALFORMED. */
SG_MUST_USE enum sg_err note_parse(struct span in, struct note *out);

/* Has KEY signed N?  Where there are several signatures of it, all must verify.
 * *TIME (may be NULL) gets the time of a cosignature, the newest, in seconds
 * since 1970, else 0.  Errors: SG_NOT_FOUND (no signature of that name
 * and hash), SG_BAD_SIGNATURE, SG_NO_MEMORY (nobody knows). */
SG_MUST_USE enum sg_err note_verify(const struct note *n,
				    const struct note_key *key, int64_t *time);

/* The line of SIGNATURE (raw) by KEY; NOTE_COSIGNATURE: made at TIME.  *LEN: as
 * cbor_done().  Errors: SG_TOO_BIG. */
SG_MUST_USE enum sg_err note_signature_line(
	const struct note_key *key, int64_t time,
	const uint8_t signature[NOTE_SIGNATURE_BYTES], uint8_t *out, size_t cap,
	size_t *len);
/* What a witness signs: "cosignature/v1\ntime TIME\n" and TEXT. */
SG_MUST_USE enum sg_err note_cosigned_message(struct span text, int64_t time,
					      uint8_t *out, size_t cap,
					      size_t *len);
/* TEXT, an empty line, LINES (signature lines).  Errors: SG_TOO_BIG. */
SG_MUST_USE enum sg_err note_join(struct span text, struct span lines,
				  uint8_t *out, size_t cap, size_t *len);

#endif /* SG_NOTE_H */
