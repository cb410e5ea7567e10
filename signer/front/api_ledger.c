/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/ledger/...: the log's files, and proofs that the core makes. */
#include <stdlib.h>

#include "api.h"
#include "base/clock.h"
#include "ledger_files.h"

enum {
	US_PER_S = 1000000,
	/* Bundles of entries that wait for their readers, all together. */
	BUNDLES_BYTES_MAX = 64 << 20,
	/* A proof costs the core some 100 us of hashing, which is there to
	 * sign: so many at a time, and without a client's name fewer, and so
	 * many a second. */
	PROOFS_MAX = 64,
	PUBLIC_PROOFS_MAX = 16,
	PUBLIC_PROOFS_S = 50
};

static const char PLAIN[] = "text/plain; charset=utf-8";
/* What a name stands for never changes, or (partial tiles) goes when it is
 * not needed any more. */
static const char FOREVER[] = "public, max-age=31536000, immutable";
static const char FOREVER_PRIVATE[] = "private, max-age=31536000, immutable";
static const char SHORT[] = "public, max-age=60";
static const char SHORT_PRIVATE[] = "private, max-age=60";
static const char NEVER[] = "no-cache";

/* --- what all have in common ---------------------------------------------- */

static void reply(struct api_call *c, const char *type, const char *cache,
		  struct span body)
{
	const struct http_reply r = {
		.status = 200,
		.content_type = type,
		.nheaders = 1,
		.header = {{"cache-control", span_str(cache)}},
		.body = body,
	};

	exchange_reply(c->x, &r);
}

/* What a reader cannot help is no fault of its request. */
static void fail_read(struct api_call *c, enum sg_err err)
{
	if (err != SG_NOT_FOUND && err != SG_NO_MEMORY)
		err = SG_INTERNAL;
	api_fail(c, err, NULL);
}

/* Is there a ledger, and an accepted form to give it in?  Else answered. */
static bool begin(struct api_call *c, enum media form)
{
	struct front *f = c->x->front;

	if (f->settings.ledger[0] == '\0') {
		api_fail(c, SG_NOT_FOUND, NULL);
		return false;
	}
	if (!api_choose_form(c, &form, 1))
		return false;
	if (f->ledger < 0) /* it was not there before */
		ledger_files_open(&f->ledger, f->settings.ledger);
	return true;
}

static void on_admitted(void *asker, const struct wire_msg *m, enum sg_err err)
{
	struct api_call *c = (struct api_call *)asker;
	struct span nothing;

	if (api_take_document(c, m, err, &nothing))
		c->serve(c);
}

/* SERVE C, if the core answers QUESTION with yes.  Anybody may come in by the
 * public door. */
static void admit(struct api_call *c, enum wire_question question,
		  void (*serve)(struct api_call *c))
{
	c->serve = serve;
	if (c->x->door == DOOR_PUBLIC)
		serve(c);
	else
		api_ask(c, question, 0, on_admitted);
}

/* --- checkpoint and key --------------------------------------------------- */

static void serve_text(struct api_call *c, const char *name, size_t max,
		       const char *cache)
{
	uint8_t *text;
	size_t n;
	const enum sg_err err =
		ledger_files_read(c->x->front->ledger, name, max, &text, &n);

	if (err != SG_OK) {
		fail_read(c, err);
		return;
	}
	reply(c, PLAIN, cache, span_of(text, n));
	free(text);
}

static void serve_checkpoint(struct api_call *c)
{
	serve_text(c, "checkpoint", LEDGER_CHECKPOINT_MAX, NEVER);
}

static void serve_cosigned(struct api_call *c)
{
	serve_text(c, "checkpoint.cosigned", LEDGER_CHECKPOINT_MAX, NEVER);
}

static void serve_vkey(struct api_call *c)
{
	serve_text(c, "vkey", LEDGER_VKEY_MAX, FOREVER);
}

void api_checkpoint_open(struct api_call *c)
{
	if (begin(c, MEDIA_TEXT))
		admit(c, WIRE_ASK_CLIENT, serve_checkpoint);
}

void api_cosigned_open(struct api_call *c)
{
	if (begin(c, MEDIA_TEXT))
		admit(c, WIRE_ASK_CLIENT, serve_cosigned);
}

void api_vkey_open(struct api_call *c)
{
	if (begin(c, MEDIA_TEXT))
		admit(c, WIRE_ASK_CLIENT, serve_vkey);
}

/* --- tiles ---------------------------------------------------------------- */

static bool is_bundle(const struct api_call *c)
{
	return c->tile.level == LEDGER_PATH_ENTRIES;
}

static const char *tile_cache(const struct api_call *c)
{
	const bool full = c->tile.width == LEDGER_PATH_WIDTH;

	if (is_bundle(c))
		return full ? FOREVER_PRIVATE : SHORT_PRIVATE;
	return full ? FOREVER : SHORT;
}

/* False: so much is on its way that N bytes more must wait. */
static bool take_bundle_room(struct api_call *c, size_t n)
{
	struct api *a = c->api;

	if (!is_bundle(c))
		return true;
	if (n > BUNDLES_BYTES_MAX - a->bundles)
		return false;
	a->bundles += n;
	c->bundle_n = n;
	return true;
}

static void serve_tile(struct api_call *c)
{
	uint8_t *data;
	size_t n;
	const enum sg_err err =
		ledger_files_tile(c->x->front->ledger, &c->tile, &data, &n);

	if (err != SG_OK) {
		fail_read(c, err);
		return;
	}
	if (take_bundle_room(c, n))
		reply(c, media_text(MEDIA_OCTETS), tile_cache(c),
		      span_of(data, n));
	else
		api_fail(c, SG_BUSY, NULL);
	free(data);
}

static bool read_tile(struct api_call *c)
{
	const struct span path = c->x->request.path;
	const size_t n = sizeof(API_TILES) - 1;

	if (ledger_path_parse(span_of(path.p + n, path.n - n), &c->tile) ==
	    SG_OK)
		return true;
	api_fail(c, SG_NOT_FOUND, NULL);
	return false;
}

void api_tile_open(struct api_call *c)
{
	if (!read_tile(c))
		return;
	if (is_bundle(c)) /* by a door that it does not leave by */
		api_fail(c, SG_NOT_FOUND, NULL);
	else if (begin(c, MEDIA_OCTETS))
		admit(c, WIRE_ASK_CLIENT, serve_tile);
}

void api_entries_open(struct api_call *c)
{
	if (read_tile(c) && begin(c, MEDIA_OCTETS))
		admit(c, WIRE_ASK_AUDIT, serve_tile);
}

/* --- proofs --------------------------------------------------------------- */

/* "index=N", plain decimal digits. */
static bool read_index(struct span query, uint64_t *index)
{
	static const char key[] = "index=";
	const size_t n = sizeof(key) - 1;

	*index = 0;
	if (query.n <= n || memcmp(query.p, key, n) != 0 ||
	    (query.p[n] == '0' && query.n > n + 1))
		return false;
	for (size_t i = n; i < query.n; i++) {
		const unsigned digit = (unsigned)query.p[i] - '0';

		if (digit > 9 || *index > (UINT64_MAX - digit) / 10)
			return false;
		*index = *index * 10 + digit;
	}
	return true;
}

/* False: enough for who brings no name. */
static bool take_public_proof(const struct api_call *c)
{
	const uint16_t nobody = shares_index(span_of(NULL, 0));
	const uint64_t now = clock_mono_us() / US_PER_S;
	struct api *a = c->api;

	if (a->public_s != now)
		a->public_proofs = 0;
	a->public_s = now;
	if (a->public_proofs == PUBLIC_PROOFS_S ||
	    core_link_owed(c->x->front->link, nobody) >= PUBLIC_PROOFS_MAX)
		return false;
	a->public_proofs++;
	return true;
}

static void end_proof(struct api_call *c)
{
	c->api->proofs -= c->proof ? 1 : 0;
	c->proof = false;
}

static void on_proof(void *asker, const struct wire_msg *m, enum sg_err err)
{
	struct api_call *c = (struct api_call *)asker;
	struct span text;

	end_proof(c);
	if (!api_take_document(c, m, err, &text))
		return;
	if (text.n == 0)
		api_fail(c, SG_INTERNAL, NULL);
	else
		reply(c, PLAIN, NEVER, text);
}

static void ask_proof(struct api_call *c, uint64_t index)
{
	api_ask(c, WIRE_ASK_PROOF, index, on_proof);
	if (!c->asked)
		return;
	c->proof = true;
	c->api->proofs++;
}

void api_proof_open(struct api_call *c)
{
	uint64_t index;

	if (!begin(c, MEDIA_TEXT))
		return;
	if (!read_index(c->x->request.query, &index))
		api_fail(c, SG_MALFORMED,
			 "the query must be index=N, the number of an entry");
	else if (c->api->proofs == PROOFS_MAX ||
		 (c->x->door == DOOR_PUBLIC && !take_public_proof(c)))
		api_fail(c, SG_BUSY, NULL);
	else
		ask_proof(c, index);
}

void api_ledger_gone(struct api_call *c)
{
	end_proof(c);
	c->api->bundles -= c->bundle_n;
	c->bundle_n = 0;
}
