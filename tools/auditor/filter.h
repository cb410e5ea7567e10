/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_FILTER_H
#define SG_TOOLS_FILTER_H

#include "base/hex.h"
#include "ledger/entry.h"
#include "ranges.h"
#include "tools/common/args.h"

/* filter: which entries of a ledger a command is about. */

/* The options of it, at these places behind the first. */
enum filter_option {
	FILTER_CLIENT,
	FILTER_KID,
	FILTER_ALG,
	FILTER_KIND,
	FILTER_FROM,
	FILTER_TO,
	FILTER_POLICY,
	FILTER_TYPE,
	FILTER_INDEX,
	FILTER_OPTION_COUNT
};

/* clang-format off */
#define FILTER_PERIOD_OPTIONS(first)                                           \
	[(first) + FILTER_FROM] = {"from", "TIME", NULL,                       \
		"not before this: RFC 3339, a date, or seconds since 1970"},   \
	[(first) + FILTER_TO] = {"to", "TIME", NULL, "before this"},           \
	[(first) + FILTER_INDEX] = {"index", "LIST", NULL,                     \
		"only these entries: 5,100..199,1000.. or @FILE"}
#define FILTER_OPTIONS(first)                                                  \
	[(first) + FILTER_CLIENT] = {"client", "NAME", NULL,                   \
		"of this client of the policy"},                               \
	[(first) + FILTER_KID] = {"kid", "KID", NULL,                          \
		"by this signing key: its kid in hex or base64"},              \
	[(first) + FILTER_ALG] = {"alg", "ALG", NULL,                          \
		"by this algorithm: ES256, PS256 or EdDSA"},                   \
	[(first) + FILTER_KIND] = {"kind", "KINDS", NULL,                      \
		"of these kinds: v,t,r"},                                      \
	FILTER_PERIOD_OPTIONS(first),                                          \
	[(first) + FILTER_POLICY] = {"policy", "HASH", NULL,                   \
		"under the policy whose hash begins so (hex)"},                \
	[(first) + FILTER_TYPE] = {"type", "TYPES", NULL,                      \
		"of these types: issued,renewed,refused, ..."}
/* clang-format on */

struct filter {
	const char *client; /* NULL, 0, COSE_NONE: whichever */
	bool by_kid;
	uint8_t kid[COSE_KID_BYTES];
	enum cose_alg alg;
	unsigned kinds;				 /* DCC_KIND_BIT()s */
	unsigned types;				 /* bit 1 << enum entry_type */
	int64_t from_ms, to_ms;			 /* the end is not part of it */
	char policy[HEX_TEXT(ENTRY_HASH_BYTES)]; /* beginning, lower case */
	struct ranges index;
};

/*
 * Read the options at FIRST of ARGS.  Strings of OUT lie in ARGS.
 * Owns: *OUT is the caller's; filter_clear(), also after an error.
 * Errors: SG_CONFIG, SG_IO, SG_NO_MEMORY, with WHY.
 */
SG_MUST_USE enum sg_err filter_read(const struct args *args, size_t first,
				    struct filter *out, char *why, size_t cap);
void filter_clear(struct filter *f);
/* Is E one of them?  Its index is for ranges_has(). */
bool filter_match(const struct filter *f, const struct entry *e);

/* "issued"; "unknown" for what is none.  Static. */
const char *filter_type_name(enum entry_type type);

#endif /* SG_TOOLS_FILTER_H */
