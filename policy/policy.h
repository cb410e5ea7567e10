/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_POLICY_H
#define SG_POLICY_H

#include "base/err.h"
#include "base/faults.h"
#include "base/identity.h"
#include "base/span.h"
#include "document.h"
#include "verdict.h"

/*
 * policy: the law of the place, loaded from policy.yaml, immutable and shared
 * from then on.  A decision is a pure function of the policy, the request's
 * bytes, the client, the clock it is told and the signing keys' bounds: no
 * I/O, no allocation, but inside of OpenSSL where it verifies an attestation.
 * Thread-safe after policy_load(), but for policy_decide(): of one policy, one
 * thread at a time.
 */
struct policy; /* opaque, reference-counted (not atomic: one thread) */
struct client; /* opaque; lives as long as its policy */

/*
 * Parse and check the policy file's TEXT; NAME is its name in the faults.
 * Owns: *OUT has one reference; policy_unref().
 * Errors: SG_CONFIG with FAULTS filled; SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err policy_load(struct span text, const char *name,
				    struct policy **out, struct faults *faults);
struct policy *policy_ref(struct policy *p);
void policy_unref(struct policy *p); /* NULL is allowed */

/* SHA-256 of the file's text. */
const uint8_t *policy_hash(const struct policy *p);

/* The client that IDENTITY is, NULL if it is none.  An SPKI entry wins over
 * a URI, a URI over a DNS name; at load no identity may belong to two. */
const struct client *policy_client(const struct policy *p,
				   const struct identity *identity);
/* The client of that NAME, NULL if there is none. */
const struct client *policy_client_named(const struct policy *p,
					 struct span name);
const char *client_name(const struct client *c);

/* How much a client may have signed; 0: no limit. */
struct client_limits {
	uint32_t per_second, burst; /* requests: a bucket of BURST tokens */
	uint64_t per_day;	    /* certificates; the day is the policy's */
	/* More than ALARM_FACTOR times its usual hour, or ALARM_MINIMUM where
	 * that is more, raises an alarm; ALARM_STOP: and stops it. */
	uint32_t alarm_factor, alarm_minimum;
	bool alarm_stop;
};
const struct client_limits *client_limits(const struct client *c);
/* Seconds by which the policy's day begins before UTC's. */
int32_t policy_zone_s(const struct policy *p);
/* All clients, by number, below policy_clients(). */
size_t policy_clients(const struct policy *p);
const struct client *policy_client_at(const struct policy *p, size_t i);
/* Seconds: the longest validity that any client may have of any kind. */
int64_t policy_longest_validity(const struct policy *p);

enum client_operation {
	CLIENT_ISSUE,
	CLIENT_VALIDATE,
	CLIENT_RENEW,
	CLIENT_AUDIT,
	CLIENT_OFFICER,
	CLIENT_OPERATION_COUNT
};
bool client_may(const struct client *c, enum client_operation op);
/* Is each certificate of C to come with an attestation of identity? */
bool client_must_attest(const struct client *c);
/* How long before it runs out a certificate of C may be renewed, seconds. */
int64_t client_renewal_window_s(const struct client *c);

/* The signing certificates' bounds that apply to a kind now. */
struct policy_bounds {
	bool present;		       /* a key is active for the kind */
	int64_t not_before, not_after; /* of the DSC, seconds since 1970 */
};

struct decision {
	struct verdict verdict; /* verdict.errors == 0: accepted */
	struct document document;
	int64_t iat, exp; /* to be signed, when accepted */
	/* Verified, when accepted, and to go on record; n is 0: there is none
	 * that was looked at. */
	struct span attestation;
};

/* What is to be judged. */
struct policy_question {
	const struct client *client;
	/* What it asks for, which it may.  The same rules hold for each, but
	 * that a renewal may come without an attestation: who asks has to look
	 * whether what is renewed has one on record. */
	enum client_operation operation;
	struct span request; /* deterministic CBOR */
	/* The client's own signature over it, see signed_request.h; empty
	 * without one.  Looked at by client_signature_judge() alone. */
	struct span signature;
	struct span audience; /* for which it must be: the ledger's origin */
	int64_t now;	      /* seconds since 1970: iat */
	const struct policy_bounds *bounds; /* DCC_KINDS of them */
};

/*
 * Judge Q: all violations at once.  An attestation to verify costs what
 * gateway_verify() says beside the rest.
 * Errors: SG_MALFORMED, SG_DUPLICATE_KEY: the request is not what a front may
 * send; SG_TOO_BIG: it has more items than are judged; SG_NO_MEMORY,
 * SG_INTERNAL: ours, and nobody knows.  OUT is not set then.
 * SG_OK says that OUT->verdict holds the judgement.
 */
SG_MUST_USE enum sg_err policy_decide(const struct policy *p,
				      const struct policy_question *q,
				      struct decision *out);

/* What is left of a client's quota, and until when (seconds since 1970). */
struct policy_usage {
	uint64_t left;
	int64_t ends;
};

/*
 * What applies to C, for GET /v1/policy, as deterministic CBOR: {"client",
 * "hash" (hex text), "operations", "kinds", "countries", "issuers",
 * "uvci_prefixes", "profile": {rule: level}, "validity": {kind: seconds},
 * "gateways" (names), "require", "request_keys" (ids, hex text),
 * "request_age"?: seconds, "renewal_window": seconds, "rate"?: {"burst",
 * "per_second"}, "quota"?: {"left"?, "ends"?, "per_day"}}; of the quota, what
 * USAGE says (NULL: it is not known). *LEN is the bytes needed, also on
 * SG_TOO_BIG.
 */
SG_MUST_USE enum sg_err policy_describe(const struct policy *p,
					const struct client *c,
					const struct policy_usage *usage,
					uint8_t *out, size_t cap, size_t *len);

#endif /* SG_POLICY_H */
