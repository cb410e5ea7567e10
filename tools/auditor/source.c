/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "ledger/tiles.h"
#include "tools/common/https.h"

enum {
	TRIES = 6,
	WAIT_FIRST_MS = 200, /* doubled at each try */
	LEVEL_TILES = 2	     /* kept a level: on a proof's way, and the edge */
};

/* A hash tile that is kept. */
struct held {
	struct tile tile;
	uint64_t used; /* when last; 0: it holds none */
	uint8_t data[TILE_BYTES_MAX];
};

struct source {
	struct tiles *dir;   /* NULL: it is a server's */
	struct https *https; /* NULL: it is a directory */
	const char *below;   /* where the log is on the server */
	char why[SOURCE_WHY_MAX];
	/* Of source_hashes(). */
	struct merkle *m;
	uint64_t size;
	uint64_t uses;
	struct held held[TILE_LEVELS][LEVEL_TILES];
};

__attribute__((format(printf, 3, 4))) static enum sg_err fail(struct source *s,
							      enum sg_err err,
							      const char *fmt,
							      ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	return err;
}

static bool is_url(const char *where)
{
	return strncmp(where, "http://", 7) == 0 ||
	       strncmp(where, "https://", 8) == 0;
}

/* https://host:port alone is a signing server; with a path it is files. */
static bool is_signing_server(const char *where)
{
	const char *host = where + 8;
	const char *slash;

	if (strncmp(where, "https://", 8) != 0)
		return false;
	slash = strchr(host, '/');
	return slash == NULL || slash[1] == '\0';
}

static enum sg_err open_server(struct source *s,
			       const struct source_settings *settings,
			       char *why, size_t cap)
{
	const bool signing = is_signing_server(settings->where);
	const bool tls = settings->where[4] == 's';
	const struct https_settings h = {
		.server = settings->where,
		.cert = tls ? settings->cert : NULL,
		.key = tls ? settings->key : NULL,
		.ca = settings->ca,
		.files = !signing,
	};

	s->below = signing ? "/v1/ledger/" : "/";
	return https_open(&h, &s->https, why, cap);
}

static enum sg_err open_dir(struct source *s, const char *where, char *why,
			    size_t cap)
{
	struct stat st;
	enum sg_err err;

	if (stat(where, &st) != 0 || !S_ISDIR(st.st_mode)) {
		(void)snprintf(why, cap, "%s: neither a directory nor a URL",
			       where);
		return SG_CONFIG;
	}
	err = tiles_open(where, false, &s->dir);
	if (err != SG_OK)
		(void)snprintf(why, cap, "%s: %s", where,
			       err == SG_IO ? strerrordesc_np(errno)
					    : err_text(err));
	return err == SG_IO ? SG_CONFIG : err;
}

enum sg_err source_open(const struct source_settings *settings,
			struct source **out, char *why, size_t cap)
{
	struct source *s = calloc(1, sizeof(*s));
	enum sg_err err;

	if (s == NULL) {
		(void)snprintf(why, cap, "%s", err_text(SG_NO_MEMORY));
		return SG_NO_MEMORY;
	}
	err = is_url(settings->where) ? open_server(s, settings, why, cap)
				      : open_dir(s, settings->where, why, cap);
	if (err != SG_OK) {
		free(s);
		return err;
	}
	*out = s;
	return SG_OK;
}

void source_close(struct source *s)
{
	if (s == NULL)
		return;
	tiles_close(s->dir);
	https_close(s->https);
	free(s);
}

bool source_remote(const struct source *s)
{
	return s->https != NULL;
}

bool source_proves(const struct source *s)
{
	return s->https != NULL && s->below[1] != '\0';
}

const char *source_why(const struct source *s)
{
	return s->why;
}

static void wait_ms(unsigned ms)
{
	const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

	(void)nanosleep(&t, NULL);
}

static bool is_passing(int status)
{
	return status == 408 || status == 429 || status == 500 ||
	       status == 502 || status == 503 || status == 504;
}

static enum sg_err judge(struct source *s, const char *path, int status)
{
	switch (status) {
	case 200: return SG_OK;
	case 404:
	case 410: return fail(s, SG_NOT_FOUND, "%s: the server has none", path);
	case 401:
	case 403:
		return fail(s, SG_FORBIDDEN,
			    "%s: the server does not give it to this client "
			    "(status %d)%s",
			    path, status,
			    strstr(path, "tile/entries/") != NULL
				    ? "; the policy has to allow it to audit"
				    : "");
	default: return fail(s, SG_IO, "%s: status %d", path, status);
	}
}

/* GET PATH, again while it fails for now. */
static enum sg_err fetch(struct source *s, const char *path,
			 struct https_reply *reply)
{
	const struct https_request request = {.path = path, .accept = "*/*"};
	unsigned wait = WAIT_FIRST_MS;
	char why[SOURCE_WHY_MAX - 160];
	enum sg_err err = SG_IO;

	for (int i = 0; i < TRIES; i++, wait *= 2) {
		if (i > 0)
			wait_ms(wait);
		err = https_ask(s->https, &request, reply, why, sizeof(why));
		if (err == SG_OK && !is_passing(reply->status))
			break;
		if (err == SG_OK) {
			err = fail(s, SG_IO, "%s: status %d", path,
				   reply->status);
			free(reply->body);
			continue;
		}
		(void)fail(s, err, "%s: %s", path, why);
		if (err != SG_IO)
			return err;
	}
	if (err != SG_OK)
		return err;
	err = judge(s, path, reply->status);
	if (err != SG_OK)
		free(reply->body);
	return err;
}

static enum sg_err fetch_into(struct source *s, const char *name, uint8_t *buf,
			      size_t cap, size_t *len)
{
	char path[TILE_PATH_MAX + 32];
	struct https_reply reply;
	enum sg_err err;

	(void)snprintf(path, sizeof(path), "%s%s", s->below, name);
	err = fetch(s, path, &reply);
	if (err != SG_OK)
		return err;
	if (reply.n > cap) {
		err = fail(s, SG_TOO_BIG, "%s: %zu bytes are too many", path,
			   reply.n);
	} else {
		memcpy(buf, reply.body, reply.n);
		*len = reply.n;
	}
	free(reply.body);
	return err;
}

/* What LEN bytes of BUF hold of T, and no more: a wider tile may have come. */
static enum sg_err cut(struct source *s, const struct tile *t,
		       const uint8_t *buf, size_t *len)
{
	const size_t hashes = (size_t)t->width * MERKLE_HASH_BYTES;
	struct span rest = span_of(buf, *len);
	struct span entry;

	if (t->level != TILE_ENTRIES) {
		if (*len < hashes)
			return fail(s, SG_MALFORMED, "it is too short");
		*len = hashes;
		return SG_OK;
	}
	for (unsigned i = 0; i < t->width; i++)
		if (tile_next_entry(&rest, &entry) != SG_OK)
			return fail(s, SG_MALFORMED,
				    "it ends at entry %u of %u", i, t->width);
	*len -= rest.n;
	return SG_OK;
}

static enum sg_err read_dir_tile(struct source *s, const struct tile *t,
				 uint8_t *buf, size_t cap, size_t *len)
{
	const enum sg_err err = tiles_read(s->dir, t, buf, cap, len);

	switch (err) {
	case SG_OK: return SG_OK;
	case SG_NOT_FOUND: return fail(s, err, "it is not there");
	case SG_MALFORMED:
		return fail(s, err, "it is too short, or does not add up");
	case SG_IO: return fail(s, err, "%s", strerrordesc_np(errno));
	default: return fail(s, err, "%s", err_text(err));
	}
}

enum sg_err source_tile(struct source *s, const struct tile *t, uint8_t *buf,
			size_t cap, size_t *len)
{
	struct tile full = *t;
	char path[TILE_PATH_MAX];
	enum sg_err err;

	if (s->dir != NULL)
		return read_dir_tile(s, t, buf, cap, len);
	tile_path(t, path);
	err = fetch_into(s, path, buf, cap, len);
	if (err == SG_NOT_FOUND && t->width < TILE_WIDTH) {
		full.width = TILE_WIDTH;
		tile_path(&full, path);
		err = fetch_into(s, path, buf, cap, len);
	}
	return err == SG_OK ? cut(s, t, buf, len) : err;
}

enum sg_err source_file(struct source *s, const char *name, uint8_t *buf,
			size_t cap, size_t *len)
{
	enum sg_err err;

	if (s->dir == NULL)
		return fetch_into(s, name, buf, cap, len);
	err = tiles_read_file(s->dir, name, buf, cap, len);
	if (err != SG_OK)
		return fail(s, err, "%s: %s", name,
			    err == SG_IO ? strerrordesc_np(errno)
					 : err_text(err));
	return SG_OK;
}

/* --- proofs --------------------------------------------------------------- */

/* Tile T among those that are kept, or read in place of the older one. */
static enum sg_err hold(struct source *s, const struct tile *t,
			struct held **out)
{
	struct held *held = s->held[t->level];
	struct held *h = held[0].used <= held[1].used ? &held[0] : &held[1];
	size_t len;
	enum sg_err err;

	for (size_t i = 0; i < LEVEL_TILES; i++) {
		if (held[i].used == 0 || held[i].tile.n != t->n ||
		    held[i].tile.width < t->width)
			continue;
		held[i].used = ++s->uses;
		*out = &held[i];
		return SG_OK;
	}
	h->used = 0;
	h->tile = *t;
	h->tile.width = tile_width(t->level, t->n, s->size);
	if (h->tile.width < t->width)
		return fail(s, SG_NOT_FOUND, "it is beyond the log's size");
	err = source_tile(s, &h->tile, h->data, sizeof(h->data), &len);
	if (err != SG_OK)
		return err;
	h->used = ++s->uses;
	*out = h;
	return SG_OK;
}

static enum sg_err get_hash(void *ctx, unsigned level, uint64_t index,
			    struct merkle_hash *out)
{
	struct source *s = ctx;
	unsigned first;
	unsigned count;
	struct held *h = NULL;
	struct tile t;
	enum sg_err err;

	tile_of(level, index, &t, &first, &count);
	err = hold(s, &t, &h);
	if (err != SG_OK)
		return err;
	return tile_hash(s->m, span_of(h->data, sizeof(h->data)), first, count,
			 out);
}

struct merkle_source source_hashes(struct source *s, struct merkle *m,
				   uint64_t size)
{
	/* What is kept was cut at the size of then. */
	if (s->size != size)
		for (size_t level = 0; level < TILE_LEVELS; level++)
			for (size_t i = 0; i < LEVEL_TILES; i++)
				s->held[level][i].used = 0;
	s->m = m;
	s->size = size;
	return (struct merkle_source){get_hash, s};
}
