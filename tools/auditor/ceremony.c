/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony.h"

#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "ledger/note.h"
#include "ledger/revocation.h"
#include "tools/common/args.h"

enum { DIGITS_MAX = 20 };

/* Cut what stands before the next END off REST. */
static bool cut(struct span *rest, char end, struct span *out)
{
	const uint8_t *at = rest->n > 0 ? memchr(rest->p, end, rest->n) : NULL;

	if (at == NULL)
		return false;
	*out = span_of(rest->p, (size_t)(at - rest->p));
	*rest = span_of(at + 1, rest->n - out->n - 1);
	return true;
}

/* LINE is "WORD SIZE ROOT". */
static bool read_size(struct span line, const char *word, uint64_t *out)
{
	char digits[DIGITS_MAX + 1] = "";
	struct span part;

	if (!cut(&line, ' ', &part) || !span_is(part, word) ||
	    !cut(&line, ' ', &part) || part.n > DIGITS_MAX ||
	    memchr(part.p, '\0', part.n) != NULL)
		return false;
	memcpy(digits, part.p, part.n);
	return args_number(digits, 0, UINT64_MAX, out);
}

bool ceremony_is(enum entry_type type)
{
	return type == ENTRY_CEREMONY || type == ENTRY_REVOCATION;
}

static bool read_revocation(struct span operation, struct ceremony *c)
{
	struct revocation r;
	struct note n;

	if (note_parse(operation, &n) != SG_OK ||
	    revocation_parse(n.text, &r) != SG_OK)
		return false;
	*c = (struct ceremony){.kind = OPERATION_KINDS,
			       .serial = r.serial,
			       .revoked = r.count};
	return true;
}

static void keep_name(struct span name, char out[ROLL_NAME_MAX])
{
	/* operation_decode() has seen to the length. */
	(void)snprintf(out, ROLL_NAME_MAX, "%.*s", (int)name.n,
		       (const char *)name.p);
}

static bool read_operation(const struct entry *e, struct ceremony *c)
{
	static struct operation o; /* large; a tool has one thread for this */
	static struct approved a;
	const char *why;

	if (approved_decode(e->operation, &a) != SG_OK ||
	    operation_decode(a.operation, &o, &why) != SG_OK)
		return false;
	*c = (struct ceremony){
		.kind = o.kind, .claimed = e->refusal.n > 0, .signers = a.n};
	(void)SHA256(a.operation.p, a.operation.n, c->id);
	keep_name(o.key, c->key);
	keep_name(o.proposer, c->proposer);
	for (size_t i = 0; i < a.n; i++) {
		c->signer[i].alg = a.approval[i].alg;
		memcpy(c->signer[i].kid, a.approval[i].kid, ROLL_KID_BYTES);
	}
	return true;
}

bool ceremony_speaks(const struct ceremony *c)
{
	return c->recovery || c->serial > 0 || c->kind != OPERATION_KINDS;
}

struct ceremony ceremony_of(const struct entry *e)
{
	struct ceremony c = {.recovery = true, .kind = OPERATION_KINDS};
	const struct ceremony nothing = {.kind = OPERATION_KINDS};
	struct span operation = e->operation;
	struct span line;

	if (read_revocation(operation, &c) || read_operation(e, &c))
		return c;
	if (!cut(&operation, '\n', &line) ||
	    !span_is(line, "signerd ledger recovery") ||
	    !cut(&operation, '\n', &line) || !cut(&operation, '\n', &line) ||
	    !read_size(line, "disk", &c.disk) || !cut(&operation, '\n', &line))
		return nothing;
	c.is_known = !span_is(line, "known nothing");
	if (c.is_known && !read_size(line, "known", &c.known))
		return nothing;
	return c;
}

static void operation_line(const struct ceremony *c, char out[CEREMONY_TEXT])
{
	char id[HEX_TEXT(ENTRY_HASH_BYTES)];
	int n = snprintf(
		out, CEREMONY_TEXT, "%s%s%s (operation %.*s), %s %s; ",
		operation_kind_name(c->kind), c->key[0] != '\0' ? " " : "",
		c->key, CEREMONY_ID_SHOWN, hex_encode(c->id, sizeof(c->id), id),
		c->claimed ? "proposed in the name of" : "proposed by",
		c->proposer);

	if (c->signers == 0)
		(void)snprintf(out + n, CEREMONY_TEXT - (size_t)n,
			       "signed by nobody");
	for (size_t i = 0; i < c->signers; i++) {
		char kid[HEX_TEXT(ROLL_KID_BYTES)];

		n += snprintf(out + n, CEREMONY_TEXT - (size_t)n, "%s%s (%s)",
			      i > 0	   ? ", "
			      : c->claimed ? "claimed to be signed by "
					   : "signed by ",
			      hex_encode(c->signer[i].kid, ROLL_KID_BYTES, kid),
			      cose_alg_name(c->signer[i].alg));
	}
}

const char *ceremony_text(const struct ceremony *c, char out[CEREMONY_TEXT])
{
	out[0] = '\0';
	if (c->recovery && c->is_known)
		(void)snprintf(out, CEREMONY_TEXT,
			       "ledger recovery: went on with %" PRIu64
			       " entries; another state, of %" PRIu64
			       ", was known",
			       c->disk, c->known);
	else if (c->recovery)
		(void)snprintf(out, CEREMONY_TEXT,
			       "ledger recovery: went on with %" PRIu64
			       " entries; the HSM had no record of any",
			       c->disk);
	else if (c->serial > 0)
		(void)snprintf(out, CEREMONY_TEXT, "revocation %u: %u hash%s",
			       c->serial, c->revoked,
			       c->revoked == 1 ? "" : "es");
	else if (c->kind != OPERATION_KINDS)
		operation_line(c, out);
	return out;
}
