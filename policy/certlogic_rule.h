/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CERTLOGIC_RULE_H
#define SG_CERTLOGIC_RULE_H

#include "base/err.h"
#include "certlogic_load.h"
#include "certlogic_value.h"
#include "hcert/dsc.h"
#include "verdict.h"

/*
 * certlogic_rule: a rule in the JSON format of the EU DCC validation rules:
 * a CertLogic expression, what certificates and what time it is for, and what
 * to tell who breaks it.  Immutable once loaded.
 */
enum { CERTLOGIC_RULE_BYTES_MAX = 65536, CERTLOGIC_DETAIL_MAX = 256 };

struct certlogic_rule {
	char *text; /* holds the identifier, "rule:IDENTIFIER", the details */
	const char *identifier;
	struct violation_text violation;
	unsigned kinds; /* DCC_KIND_BIT()s: CertificateType */
	int64_t from_ms, to_ms;
	/* Where in a request of each kind its violation is; n is 0: the entry
	 */
	uint8_t pointer_n[DCC_KINDS];
	char pointer[DCC_KINDS][VERDICT_POINTER_MAX];
	struct certlogic *logic;
};

/*
 * Parse TEXT; LISTENER is told why it is no JSON.
 * Owns: *OUT is the caller's, json_decref(); NULL after an error.
 * Errors: SG_MALFORMED.
 */
SG_MUST_USE enum sg_err certlogic_rule_json(
	struct span text, const struct certlogic_listener *listener,
	struct json_t **out);
/*
 * Read a rule that has been parsed, or JSON text.  LISTENER is told each fault,
 * at a place such as "Logic.if[0]" or "line 3".
 * Owns: OUT holds memory until certlogic_rule_clear().
 * Errors: SG_MALFORMED and SG_TOO_BIG, both told; SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err certlogic_rule_parse(
	struct span json, const struct certlogic_listener *listener,
	struct certlogic_rule *out);
SG_MUST_USE enum sg_err certlogic_rule_load(
	struct json_t *rule, const struct certlogic_listener *listener,
	struct certlogic_rule *out);
void certlogic_rule_clear(struct certlogic_rule *r);

/* Is R for certificates of KIND at NOW (seconds since 1970)? */
bool certlogic_rule_applies(const struct certlogic_rule *r, enum dcc_kind kind,
			    int64_t now);
/* Does it evaluate to true over {"payload": PAYLOAD, "external": EXTERNAL}?
 * *ERROR says why it could not be evaluated; then the answer is no.  SCRATCH
 * has been initialised; of it only the steps that are left are of further use.
 */
bool certlogic_rule_holds(const struct certlogic_rule *r,
			  const struct certlogic_value *payload,
			  const struct certlogic_value *external,
			  struct certlogic_scratch *scratch,
			  enum certlogic_error *error);

#endif /* SG_CERTLOGIC_RULE_H */
