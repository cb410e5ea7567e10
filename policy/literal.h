/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_LITERAL_H
#define SG_LITERAL_H

#include <stdbool.h>
#include <stdint.h>

/* literal: the small texts of policy.yaml, each read strictly.  Pure. */
enum {
	LITERAL_NAME_MAX = 64, /* bytes */
	/* Longest duration: longer than any certificate lives, short enough
	 * that no sum of times overflows. */
	LITERAL_DAYS_MAX = 36525, /* 100 years */
	LITERAL_SPKI_BYTES = 32	  /* SHA-256 */
};

/* A name of a client or profile, fit for a log line: 1 to LITERAL_NAME_MAX of
 * A-Z a-z 0-9 . _ - */
bool literal_is_name(const char *text);
/* Seconds of an integer from 1 on and one of s, m, h, d: "365d".  0 if TEXT
 * is something else, or longer than LITERAL_DAYS_MAX. */
int64_t literal_duration_s(const char *text);
/* Is TEXT a decimal integer of 1 to MAX, without a sign or leading zeros?
 * *OUT gets it. */
bool literal_count(const char *text, int64_t max, int64_t *out);
/* An offset from UTC, "+07:00" to the quarter of an hour, at most 14 hours
 * either way, in seconds. */
bool literal_zone(const char *text, int32_t *seconds);
/* Decode TEXT, exactly 64 hexadecimal digits of either case, to its own first
 * LITERAL_SPKI_BYTES bytes.  What they are is undefined on false. */
bool literal_decode_spki(char *text);
/* A scheme and something behind it (RFC 3986 s. 3), in printable ASCII. */
bool literal_is_uri(const char *text);
/* Letters, digits and hyphens in labels (RFC 1123 s. 2.1); no wildcard. */
bool literal_is_dns(const char *text);

#endif /* SG_LITERAL_H */
