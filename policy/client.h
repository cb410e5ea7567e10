/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CLIENT_H
#define SG_CLIENT_H

#include "hcert/dsc.h"
#include "policy.h"
#include "rule.h"
#include "verifiers.h"

/*
 * client: who asks, and what it may: the policy's own view of struct client.
 * What is not granted is refused: a client of zeroes may do nothing.
 */
enum {
	CLIENT_LETTERS = 26,
	CLIENT_COUNTRIES = CLIENT_LETTERS * CLIENT_LETTERS
};

/* Texts in bytewise order. */
struct text_set {
	size_t n;
	struct span *text;
};

struct gateway;

struct client {
	const char *name;
	unsigned operations; /* 1U << enum client_operation */
	unsigned kinds;	     /* DCC_KIND_BIT()s */
	bool any_country, any_issuer, any_uvci;
	uint8_t country[(CLIENT_COUNTRIES + 7) / 8]; /* a bit for AA to ZZ */
	struct text_set issuers;
	struct text_set prefixes;	    /* none begins with another one */
	const struct rule_profile *profile; /* never NULL */
	int64_t validity_s[DCC_KINDS];	    /* 0: kind not granted */
	/* Whose attestations of identity count; the policy file's. */
	size_t ngateways;
	const struct gateway **gateway;
	bool must_attest; /* not without one; then there is a gateway */
	/* That it signs its requests with; the policy file's. */
	struct verifiers keys;
	int64_t signature_age_s;  /* at most; 0 without a key */
	bool must_sign;		  /* each request; then there is a key */
	int64_t renewal_window_s; /* before expiry */
	struct client_limits limits;
};

/* "issue", "validate", ...; static. */
const char *client_operation_name(enum client_operation op);

/* Sort S and drop what is there twice.  Returns false if something was. */
bool text_set_sort(struct text_set *s);
/* Of texts that begin alike, keep the shortest; S is sorted. */
void text_set_cover(struct text_set *s);

/* Number of a country code, 0 for AA to 675 for ZZ; -1: not two capitals. */
int client_country(struct span code);
void client_grant_country(struct client *c, int country);

bool client_may_kind(const struct client *c, enum dcc_kind kind);
bool client_may_country(const struct client *c, struct span code);
bool client_may_issuer(const struct client *c, struct span issuer);
bool client_may_uvci(const struct client *c, struct span uvci);

#endif /* SG_CLIENT_H */
