/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "hcert/cbor.h"
#include "hcert/hc1.h"
#include "tools/common/check.h"
#include "tools/common/payload.h"
#include "tools/common/server_keys.h"

struct sampler {
	enum sample_form form;
	struct checker *checker;
	struct keyset keys;
	/* For answers that hold a bare COSE_Sign1: the checker reads HC1. */
	struct deflate *deflate;
	char text[HC1_TEXT_MAX];
	char fault[CHECK_DETAIL_MAX];
};

static enum sg_err fetch_keys(const struct https_settings *settings,
			      struct keyset *keys, char *why, size_t cap)
{
	struct https *h;
	enum sg_err err = https_open(settings, &h, why, cap);

	if (err != SG_OK)
		return err;
	err = server_keys(h, keys, why, cap);
	https_close(h);
	return err;
}

enum sg_err sampler_create(const struct https_settings *settings,
			   enum sample_form form, struct sampler **out,
			   char *why, size_t cap)
{
	struct sampler *s = calloc(1, sizeof(*s));
	enum sg_err err = SG_NO_MEMORY;

	if (s == NULL || checker_create(&s->checker) != SG_OK ||
	    (form == SAMPLE_CBOR && deflate_create(&s->deflate) != SG_OK)) {
		(void)snprintf(why, cap, "%s", err_text(err));
		sampler_free(s);
		return err;
	}
	s->form = form;
	err = fetch_keys(settings, &s->keys, why, cap);
	if (err != SG_OK) {
		sampler_free(s);
		return err;
	}
	*out = s;
	return SG_OK;
}

void sampler_free(struct sampler *s)
{
	if (s == NULL)
		return;
	keyset_clear(&s->keys);
	checker_free(s->checker);
	deflate_free(s->deflate);
	free(s);
}

const char *sampler_fault(const struct sampler *s)
{
	return s->fault;
}

static bool wrong(struct sampler *s, const char *what, const char *detail)
{
	if (s->fault[0] == '\0')
		(void)snprintf(s->fault, sizeof(s->fault), "%s: %s", what,
			       detail);
	return false;
}

/* Is UVCI the "ci" of the payload's one entry? */
static bool has_uvci(struct span dcc, struct span uvci)
{
	static const char *const kinds[] = {"v", "t", "r"};
	bool found = false;
	json_t *payload;

	if (payload_json(dcc, &payload) != SG_OK)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const json_t *entries = json_object_get(payload, kinds[i]);
		const json_t *ci =
			json_object_get(json_array_get(entries, 0), "ci");

		if (json_is_string(ci) &&
		    span_eq(span_of(json_string_value(ci),
				    json_string_length(ci)),
			    uvci))
			found = true;
	}
	json_decref(payload);
	return found;
}

static bool check_text(struct sampler *s, struct span text, struct span uvci)
{
	struct check check;

	/* A second of grace: the core's clock may be read just before ours. */
	if (!checker_run(s->checker, text, &s->keys, clock_wall_s() + 1,
			 &check))
		return wrong(s, check_step_name(check.failed),
			     check.detail[check.failed]);
	if (!has_uvci(check.claims.dcc, uvci))
		return wrong(s, "payload", "it is another request's");
	return true;
}

/* The "cose" of a CBOR answer, as HC1 text. */
static bool check_cbor(struct sampler *s, struct span answer, struct span uvci)
{
	struct cbor_reader r = cbor_read(answer, CBOR_LAX);
	struct cbor_item head;
	struct cbor_item key;
	struct cbor_item value;
	uint64_t taken = 0;
	size_t n;

	if (cbor_next(&r, &head) != SG_OK || head.type != CBOR_MAP)
		return wrong(s, "answer", "no map");
	while (cbor_more(&r, &head, &taken)) {
		struct cbor_reader at;

		taken++; /* the value goes with its key */
		if (cbor_next(&r, &key) != SG_OK)
			break;
		at = r;
		if (key.type == CBOR_TEXT && span_is(key.run, "cose") &&
		    cbor_next(&at, &value) == SG_OK &&
		    value.type == CBOR_BYTES &&
		    hc1_encode(s->deflate, value.run, s->text, sizeof(s->text),
			       &n) == SG_OK)
			return check_text(s, span_of(s->text, n), uvci);
		if (cbor_skip(&r, CBOR_DEPTH_MAX, NULL) != SG_OK)
			break;
	}
	return wrong(s, "answer", "no certificate in it");
}

bool sampler_check(void *ctx, struct span answer, struct span uvci)
{
	struct sampler *s = ctx;
	const json_t *hcert;
	json_t *j;
	bool ok;

	if (s->form == SAMPLE_TEXT)
		return check_text(s, answer, uvci);
	if (s->form == SAMPLE_CBOR)
		return check_cbor(s, answer, uvci);
	j = json_loadb((const char *)answer.p, answer.n, 0, NULL);
	hcert = json_object_get(j, "hcert");
	if (json_is_string(hcert))
		ok = check_text(s,
				span_of(json_string_value(hcert),
					json_string_length(hcert)),
				uvci);
	else
		ok = wrong(s, "answer", "no certificate in it");
	json_decref(j);
	return ok;
}
