/* SPDX-License-Identifier: Apache-2.0 */
#include "in_force.h"

#include <stdio.h>
#include <stdlib.h>

#include "document.h"
#include "opfile.h"
#include "pkcs11/unconst.h"

enum sg_err in_force_read(const char *path, struct in_force *out, char *why,
			  size_t cap)
{
	static struct opfile f;
	enum sg_err err = opfile_read(path, &f, why, cap);

	memset(out, 0, sizeof(*out));
	if (err != SG_OK)
		return err;
	if (f.operation.roll.n > 0) {
		out->roll = f.operation.roll;
		out->has_keys = true;
	} else {
		(void)snprintf(why, cap,
			       "--roll: a genesis, or an operation "
			       "\"officers\"");
		err = SG_CONFIG;
	}
	free(f.bytes);
	f.bytes = NULL;
	return err;
}

/* --- what signerd tells --------------------------------------------------- */

static bool take_officer(const json_t *j, struct officer *o)
{
	const struct span name = span_str(document_text(j, "name"));
	struct span kid;
	bool good;

	o->alg = cose_alg_of(span_str(document_text(j, "alg")));
	if (!roll_is_name(name) || !document_bytes(j, "kid", &kid))
		return false;
	memcpy(o->name, name.p, name.n);
	good = kid.n == sizeof(o->kid);
	if (good)
		memcpy(o->kid, kid.p, sizeof(o->kid));
	free(unconst(kid.p));
	return good;
}

static bool take_seconds(const json_t *j, const char *member, uint32_t *out)
{
	const int64_t s = document_int(j, member);

	*out = (uint32_t)s;
	return s >= 0 && s <= UINT32_MAX;
}

static bool take_roll(const json_t *j, struct roll *r)
{
	const json_t *officers = json_object_get(j, "officers");
	uint32_t threshold;

	if (json_array_size(officers) > ROLL_OFFICERS_MAX ||
	    !take_seconds(j, "threshold", &threshold) ||
	    !take_seconds(j, "lead", &r->lead_s) ||
	    !take_seconds(j, "stale", &r->stale_s))
		return false;
	r->threshold = threshold;
	r->proposer_may_approve =
		json_is_true(json_object_get(j, "proposer-approves"));
	r->policy_approval =
		json_is_true(json_object_get(j, "policy-approval"));
	for (; r->n < json_array_size(officers); r->n++)
		if (!take_officer(json_array_get(officers, r->n),
				  &r->officer[r->n]))
			return false;
	return roll_fault(r) == NULL;
}

enum sg_err in_force_told(const json_t *document, struct in_force *out,
			  char *why, size_t cap)
{
	const json_t *j = json_object_get(document, "roll");

	memset(out, 0, sizeof(*out));
	if (j == NULL || take_roll(j, &out->roll))
		return SG_OK;
	memset(out, 0, sizeof(*out));
	(void)snprintf(why, cap, "signerd tells of no officers that can be");
	return SG_MALFORMED;
}
