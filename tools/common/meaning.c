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
	{"not-in-value-set",
	 "the code is not in the list of its field's codes"},
	{"inconsistent-vaccine",
	 "mp, ma and vp are known, but belong to different vaccines"},
	{"name-transliteration",
	 "fnt is not how ICAO Doc 9303 writes fn, or gnt not how it writes gn"},
	{"untrimmed", "the text begins or ends with white space"},
	{"empty-field", "the text is there, and empty"},
	{"uvci-format", "the UVCI is not URN:UVCI:01:CC: and A-Z 0-9 / :"},
	{"uvci-country", "the UVCI has another country than co"},
	{"uvci-checksum", "what is behind the UVCI's # is not its checksum"},
	{"date-impossible", "there is no such date or time"},
	{"date-in-future", "the date or time is still to come"},
	{"date-too-early", "there were no vaccinations or tests yet"},
	{"date-order", "du is not after df"},
	{"birth-after-event", "the date of birth is not before the event"},
	{"dose-exceeds-series", "dn is more than sd"},
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
	{"attestation-missing", "no identity attestation was sent along"},
	{"attestation-invalid",
	 "the attestation is not one by a gateway that the policy knows"},
	{"attestation-stale", "the attestation is too old, or from the future"},
	{"attestation-mismatch",
	 "the attestation is for another person, or says no"},
	{"attestation-replayed", "the attestation was given for another UVCI"},
	{"signature-missing",
	 "this client must sign its requests: --sign-with, --audience"},
	{"signature-invalid", "it is not signed by a key of this client, or "
			      "for another server or operation"},
	{"signature-stale",
	 "it was signed too long ago, or by a clock that is ahead"},
	{"expired", "it was issued, and has run out: renew it"},
	{"not-renewable",
	 "it is on no record, not as it is here, or not due for renewal"},
	{"revoked", "the certificate has been revoked"},
	{"quota-exceeded", "the client's certificates of the day are used up"},
	{"client-stopped",
	 "the client was stopped by its alarm: ask an officer"},
	{"rate-exceeded", "the client sends faster than it may"},
	{"rule", "a CertLogic rule of the policy; its detail says more"},
	{"malformed", "the line is no request that can be read"},
	{"too-large", "the line is too long"},
};

const char *meaning_of(const char *code)
{
	/* Behind it stands the rule's own identifier. */
	if (strncmp(code, "rule:", sizeof("rule:") - 1) == 0)
		code = "rule";
	for (size_t i = 0; i < sizeof(MEANINGS) / sizeof(MEANINGS[0]); i++)
		if (strcmp(MEANINGS[i].code, code) == 0)
			return MEANINGS[i].text;
	return NULL;
}
