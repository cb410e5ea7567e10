/* SPDX-License-Identifier: Apache-2.0 */
#include "meaning.h"

#include <stddef.h>
#include <string.h>

/* The codes of policy/README.md, and the problems that a line can have. */
static const struct {
	const char *code;
	const char *text;
} MEANINGS[] = {
	{"missing-field", "a required field is not there"},
	{"unknown-field", "a field that the schema does not know"},
	{"wrong-type", "a value of a type that may not stand there"},
	{"bad-format", "the text does not have the form that is required"},
	{"control-character", "a text has invisible control characters"},
	{"too-long", "the text is longer than is allowed"},
	{"out-of-range", "the number is too small or too large"},
	{"entry-count", "not exactly one of v, t, r with exactly one entry"},
	{"name-missing", "neither fnt nor gnt is there"},
	{"kind-not-allowed", "this client may not issue this kind"},
	{"country-not-allowed", "this client may not issue for this country"},
	{"issuer-not-allowed",
	 "this client may not issue for this issuer, byte for byte"},
	{"uvci-not-allowed", "the UVCI does not begin as this client's must"},
	{"validity-too-long", "exp is later than this client may ask for"},
	{"validity-in-past", "exp is over already"},
	{"beyond-signer-certificate",
	 "it would outlive the certificate of its signer"},
	{"uvci-conflict",
	 "another certificate, or another client, has this UVCI"},
	{"expired", "it was issued, and has run out: renew it"},
	{"not-renewable",
	 "it is on no record, not as it is here, or not due for renewal"},
	{"revoked", "the certificate has been revoked"},
	{"malformed", "the line is no request that can be read"},
	{"too-large", "the line is too long"},
};

const char *meaning_of(const char *code)
{
	for (size_t i = 0; i < sizeof(MEANINGS) / sizeof(MEANINGS[0]); i++)
		if (strcmp(MEANINGS[i].code, code) == 0)
			return MEANINGS[i].text;
	return NULL;
}
