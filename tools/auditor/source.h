/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_SOURCE_H
#define SG_TOOLS_SOURCE_H

#include <stdbool.h>

#include "ledger/tile.h"

/*
 * source: the files of a log, from where they are: a directory; a signing
 * server, "https://host:port", whose log is below /v1/ledger and asks for a
 * client certificate; or any file server that has them below a base URL with
 * a path, "https://host/ledger" or "http://...".  Nothing that it gives is
 * verified.  Blocking; one thread at a time for each.
 */
struct source_settings {
	const char *where;
	const char *cert, *key; /* PEM files, for a server; or NULL */
	const char *ca;		/* PEM file; NULL: the system's */
};

enum { SOURCE_WHY_MAX = 320 };

struct source; /* opaque */

/* Errors: SG_CONFIG (no directory there, an incomplete or wrong setting),
 * SG_NO_MEMORY; WHY (CAP bytes) says what.
 * Owns: *OUT is the caller's; source_close(). */
SG_MUST_USE enum sg_err source_open(const struct source_settings *settings,
				    struct source **out, char *why, size_t cap);
void source_close(struct source *s); /* NULL is allowed */
/* Is it reached over a network? */
bool source_remote(const struct source *s);
/* Does it answer source_file() of "proof?index=N" with a proof: is it a signing
 * server? */
bool source_proves(const struct source *s);

/*
 * Read tile T, or the small file NAME ("checkpoint", "vkey"), into BUF of CAP
 * bytes.  A partial tile that is gone is cut from the full one.  What a server
 * refuses for now is asked for again.
 * Errors: SG_NOT_FOUND; SG_MALFORMED (too short, a bundle that does not add
 * up); SG_TOO_BIG; SG_FORBIDDEN (the server does not give it to this client);
 * SG_IO.  source_why() says more.
 */
SG_MUST_USE enum sg_err source_tile(struct source *s, const struct tile *t,
				    uint8_t *buf, size_t cap, size_t *len);
SG_MUST_USE enum sg_err source_file(struct source *s, const char *name,
				    uint8_t *buf, size_t cap, size_t *len);
/* Why the last call failed.  Lives until the next. */
const char *source_why(const struct source *s);

/* The hashes of the first SIZE leaves, as merkle_prove() wants them; tiles are
 * kept.  It lives in S, until the next call of this.  Errors of its get():
 * those of source_tile(). */
struct merkle_source source_hashes(struct source *s, struct merkle *m,
				   uint64_t size);

#endif /* SG_TOOLS_SOURCE_H */
