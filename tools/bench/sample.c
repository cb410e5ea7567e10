/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of a run's certificates. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "hcert/cbor.h"
#include "sample_state.h"
#include "tools/common/server_keys.h"

enum sg_err sampler_read_keys(const struct sampler *s, struct sample_keys *out,
			      char *why, size_t cap)
{
	struct https *h;
	enum sg_err err = https_open(&s->server, &h, why, cap);

	if (err != SG_OK)
		return err;
	err = server_keys_pem(h, &out->pem, &out->n, why, cap);
	https_close(h);
	return err;
}

enum sg_err sampler_create(const struct https_settings *settings,
			   enum sample_form form, struct sampler **out,
			   char *why, size_t cap)
{
	struct sampler *s = calloc(1, sizeof(*s));
	enum sg_err err;

	if (s == NULL) {
		(void)snprintf(why, cap, "%s", err_text(SG_NO_MEMORY));
		return SG_NO_MEMORY;
	}
	s->form = form;
	s->server = *settings;
	err = sampler_read_keys(s, &s->before, why, cap);
	if (err != SG_OK)
		sampler_free(s);
	else
		*out = s;
	return err;
}

void sampler_free(struct sampler *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->nchunks; i++)
		free(s->chunk[i]);
	free(s->chunk);
	free(s->before.pem);
	free(s->after.pem);
	free(s->print);
	free(s);
}

/* --- the certificate in an answer ------------------------------------------
 */

/* The HC1 text in a JSON answer of the server, in which nothing is escaped. */
static bool find_text(struct span answer, struct span *out)
{
	static const char name[] = "\"hcert\":\"";
	const uint8_t *at = memmem(answer.p, answer.n, name, sizeof(name) - 1);
	const uint8_t *end = answer.p + answer.n;
	const uint8_t *quote;

	if (at == NULL)
		return false;
	at += sizeof(name) - 1;
	quote = memchr(at, '"', (size_t)(end - at));
	if (quote == NULL)
		return false;
	*out = span_of(at, (size_t)(quote - at));
	return true;
}

/* The COSE_Sign1 in a CBOR answer. */
static bool find_cose(struct span answer, struct span *out)
{
	struct cbor_reader r = cbor_read(answer, CBOR_LAX);
	struct cbor_item head;
	struct cbor_item key;
	struct cbor_item value;
	uint64_t taken = 0;

	if (cbor_next(&r, &head) != SG_OK || head.type != CBOR_MAP)
		return false;
	while (cbor_more(&r, &head, &taken)) {
		struct cbor_reader at;

		taken++; /* the value goes with its key */
		if (cbor_next(&r, &key) != SG_OK)
			return false;
		at = r;
		if (key.type == CBOR_TEXT && span_is(key.run, "cose") &&
		    cbor_next(&at, &value) == SG_OK &&
		    value.type == CBOR_BYTES) {
			*out = value.run;
			return true;
		}
		if (cbor_skip(&r, CBOR_DEPTH_MAX, NULL) != SG_OK)
			return false;
	}
	return false;
}

static bool find(enum sample_form form, struct span answer, struct span *out)
{
	*out = answer;
	switch (form) {
	case SAMPLE_JSON: return find_text(answer, out);
	case SAMPLE_CBOR: return find_cose(answer, out);
	case SAMPLE_TEXT: break;
	}
	return true;
}

/* --- keeping it ------------------------------------------------------------
 */

static struct sample_chunk *add_chunk(struct sampler *s)
{
	struct sample_chunk *c;

	if (s->nchunks == s->room) {
		const size_t room = s->room > 0 ? 2 * s->room : 64;
		void *more = realloc(s->chunk, room * sizeof(s->chunk[0]));

		if (more == NULL)
			return NULL;
		s->chunk = more;
		s->room = room;
	}
	c = malloc(sizeof(*c));
	if (c == NULL)
		return NULL;
	c->used = 0;
	c->first = s->kept;
	s->chunk[s->nchunks++] = c;
	return c;
}

bool sampler_keep(void *ctx, struct span answer, struct span uvci)
{
	struct sampler *s = ctx;
	struct sample_kept k = {.at = clock_wall_s(),
				.uvci_n = (uint32_t)uvci.n};
	struct sample_chunk *c =
		s->nchunks > 0 ? s->chunk[s->nchunks - 1] : NULL;
	struct span text;
	size_t n;

	/* What has none is wrong, and will be found to be. */
	if (!find(s->form, answer, &text))
		text = span_of(answer.p, 0);
	k.n = (uint32_t)text.n;
	n = (sizeof(k) + uvci.n + text.n + SAMPLE_ALIGN - 1) &
	    ~(size_t)(SAMPLE_ALIGN - 1);
	if (n > SAMPLE_CHUNK)
		return false;
	if (c == NULL || n > SAMPLE_CHUNK - c->used)
		c = add_chunk(s);
	if (c == NULL)
		return false;
	memcpy(c->bytes + c->used, &k, sizeof(k));
	memcpy(c->bytes + c->used + sizeof(k), uvci.p, uvci.n);
	if (text.n > 0)
		memcpy(c->bytes + c->used + sizeof(k) + uvci.n, text.p, text.n);
	c->used += n;
	s->kept++;
	return true;
}
