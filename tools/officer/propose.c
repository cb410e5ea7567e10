/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "approving.h"
#include "base/clock.h"
#include "document.h"
#include "members.h"
#include "policy/literal.h"
#include "signer.h"
#include "tools/common/https.h"
#include "tools/common/input.h"

enum {
	OPT_OUT = OPT_MEMBERS,
	OPT_PROPOSER,
	OPT_REASON,
	OPT_EXPIRES,
	OPT_LEDGER,
	OPT_ROLL,
	OPT_SIGN,
	OPT_MODULE,
	OPT_PIN_FILE,
	OPT_COUNT
};

static const struct arg_option OPTIONS[OPT_COUNT] = {
	COMMON_OPTIONS,
	DAEMON_OPTIONS,
	MEMBER_OPTIONS,
	[OPT_OUT] = {"out", "FILE.op", NULL, "where it goes, a new file"},
	[OPT_PROPOSER] = {"proposer", "NAME", NULL,
			  "the officer who proposes it"},
	[OPT_REASON] = {"reason", "TEXT", NULL, "why, in a line"},
	[OPT_EXPIRES] = {"expires", "TIME", NULL,
			 "it can be applied for so long, 7d at most (24h)"},
	[OPT_LEDGER] = {"ledger", "DIR", NULL,
			"a ledger's directory or URL, instead of signerd"},
	[OPT_ROLL] = {"roll", "FILE", NULL,
		      "officers: the operation that those in force come from, "
		      "instead of signerd's word"},
	[OPT_SIGN] = {"sign", "KEY", NULL,
		      "the proposer's key, a PEM file or a pkcs11: URI: sign "
		      "it, too"},
	[OPT_MODULE] = {"module", "PATH", NULL,
			"of a card: its PKCS #11 module"},
	[OPT_PIN_FILE] = {"pin-file", "FILE", NULL,
			  "of a card: the PIN, instead of asking for it"}};

/* --- the checkpoint ------------------------------------------------------- */

/* Where it comes from; one of both is set. */
struct origin {
	enum operation_kind kind;
	json_t *document;
	uint8_t *note;
	struct in_force now;
};

static enum sg_err fetch_note(const char *url, uint8_t **out, size_t *n,
			      char *why, size_t cap)
{
	const struct https_settings settings = {.server = url, .files = true};
	const struct https_request r = {.path = "/checkpoint", .accept = "*/*"};
	struct https_reply reply;
	struct https *h;
	enum sg_err err = https_open(&settings, &h, why, cap);

	if (err != SG_OK)
		return err;
	err = https_ask(h, &r, &reply, why, cap);
	https_close(h);
	if (err != SG_OK)
		return err;
	*out = reply.body;
	*n = reply.n;
	if (reply.status == 200)
		return SG_OK;
	(void)snprintf(why, cap, "%s: no checkpoint (HTTP status %d)", url,
		       reply.status);
	return SG_IO;
}

static enum sg_err read_note(const char *ledger, uint8_t **out, size_t *n,
			     char *why, size_t cap)
{
	char path[4096];

	if (strstr(ledger, "://") != NULL)
		return fetch_note(ledger, out, n, why, cap);
	if (snprintf(path, sizeof(path), "%s/checkpoint", ledger) >=
	    (int)sizeof(path))
		return SG_TOO_BIG;
	return input_bytes(path, out, n, why, cap);
}

/* The ledger's newest.  Whether it is one of the log's, signerd sees. */
static enum sg_err find_checkpoint(const struct args *args, struct origin *from,
				   struct checkpoint *out, char *why,
				   size_t cap)
{
	struct note note;
	size_t n;
	enum sg_err err;

	if (args->value[OPT_LEDGER] == NULL) {
		err = daemon_look(args, &from->document, why, cap);
		if (err == SG_OK)
			err = proposal_checkpoint(from->document, out);
	} else {
		err = read_note(args->value[OPT_LEDGER], &from->note, &n, why,
				cap);
		if (err == SG_OK)
			err = note_parse(span_of(from->note, n), &note);
		if (err == SG_OK)
			err = checkpoint_parse(note.text, out);
	}
	if (err != SG_OK && why[0] == '\0')
		(void)snprintf(why, cap, "the ledger's checkpoint: %s",
			       err_text(err));
	return err;
}

/* Who is in force: by --roll, or by the daemon that was asked. */
static enum sg_err find_roll(const struct args *args, struct origin *from,
			     char *why, size_t cap)
{
	if (args->value[OPT_ROLL] != NULL)
		return in_force_read(args->value[OPT_ROLL], &from->now, why,
				     cap);
	return from->document != NULL
		       ? in_force_told(from->document, &from->now, why, cap)
		       : SG_OK;
}

/* --- the operation -------------------------------------------------------- */

struct made {
	size_t n;
	uint8_t bytes[APPROVED_BYTES_MAX];
};

/* O is to have a public key, and has none. */
static bool lacks_public(const struct operation *o)
{
	return (operation_members(o->kind) & OP_SPKI) != 0 && o->spki.n == 0;
}

static enum sg_err refused(char *why, size_t cap, const char *text)
{
	(void)snprintf(why, cap, "%s", text);
	return SG_CONFIG;
}

static enum sg_err make(const struct args *args, const struct origin *from,
			const struct checkpoint *at, struct made *out,
			char *why, size_t cap)
{
	const char *expires = args->value[OPT_EXPIRES];
	const struct proposal_common common = {
		.kind = from->kind,
		.checkpoint = *at,
		.proposer = args->value[OPT_PROPOSER],
		.reason = args->value[OPT_REASON],
		.now = clock_wall_s(),
		.lifetime_s = expires != NULL ? literal_duration_s(expires)
					      : PROPOSAL_LIFETIME_S};
	static struct proposal p;
	struct members m;
	enum sg_err err;

	if (common.lifetime_s == 0)
		return refused(why, cap,
			       "--expires: a whole number and one of s, m, h, "
			       "d, such as 24h; 7d at most");
	if (common.lifetime_s > PROPOSAL_LIFETIME_MAX_S)
		return refused(why, cap, "--expires: 7d at most");
	err = proposal_begin(&common, &p);
	if (err != SG_OK)
		return err;
	err = members_read(args, &from->now, &p.operation, &m, why, cap);
	if (err == SG_OK && lacks_public(&p.operation) &&
	    !members_take_public(from->document, &p.operation, &m))
		err = refused(why, cap,
			      "signerd tells of no such Ed25519 key: give "
			      "--public");
	if (err == SG_OK)
		err = proposal_encode(&p, out->bytes, &out->n, why, cap);
	members_free(&m);
	return err;
}

static enum sg_err read_back(const struct made *made, struct opfile *out)
{
	const char *fault;
	enum sg_err err;

	*out = (struct opfile){.n = made->n};
	err = approved_decode(span_of(made->bytes, made->n), &out->approved);
	if (err == SG_OK)
		err = operation_decode(out->approved.operation, &out->operation,
				       &fault);
	return err;
}

/* The proposer's own signature, as he gives one. */
static enum sg_err sign(const struct args *args, const struct opfile *f,
			const struct in_force *now, struct made *made,
			char *why, size_t cap)
{
	const struct signer_wanted wanted = {.key = args->value[OPT_SIGN],
					     .name = args->value[OPT_PROPOSER],
					     .module = args->value[OPT_MODULE],
					     .pin_file =
						     args->value[OPT_PIN_FILE]};
	const struct opfile_known known = {.now = now};
	struct approving out = {0};
	struct signer s;
	enum sg_err err = signer_open(&wanted, &s, why, cap);

	if (err != SG_OK)
		return err;
	if (!approving_may(f, &known, &s.officer, why, cap))
		err = SG_REFUSED;
	if (err == SG_OK)
		err = approving_sign(f, &s, &out, why, cap);
	signer_close(&s);
	if (err != SG_OK)
		return err;
	memcpy(made->bytes, out.p, out.n);
	made->n = out.n;
	free(out.p);
	return SG_OK;
}

/* Nobody is to learn that from a refusal. */
static void tell_unsigned(const struct opfile *f, const struct in_force *now)
{
	const enum operation_kind kind = f->operation.kind;

	if (f->approved.n == 0 && now->roll.n > 0 &&
	    !now->roll.proposer_may_approve && kind != OPERATION_GENESIS &&
	    kind != OPERATION_STOP)
		(void)fputs("\nIts proposer has to sign it, too, and is not "
			    "counted: approve.\n",
			    stderr);
}

static int report(const struct args *args, const struct opfile *f,
		  const struct origin *from)
{
	const struct opfile_known known = {.now = &from->now,
					   .document = from->document};

	if (args->value[OPT_JSON] != NULL)
		return opfile_print_json(f, &known, JSON_INDENT(2))
			       ? EXIT_GOOD
			       : officer_trouble(err_text(SG_NO_MEMORY));
	if (opfile_show(f, &known, stderr) != SG_OK)
		return officer_trouble("it cannot be shown");
	tell_unsigned(f, &from->now);
	return EXIT_GOOD;
}

static enum sg_err write_down(const struct args *args, struct origin *from,
			      struct opfile *f, char *why, size_t cap)
{
	static struct made made;
	struct checkpoint at;
	enum sg_err err = find_checkpoint(args, from, &at, why, cap);

	if (err == SG_OK)
		err = find_roll(args, from, why, cap);
	if (err == SG_OK)
		err = make(args, from, &at, &made, why, cap);
	if (err == SG_OK)
		err = read_back(&made, f);
	if (err == SG_OK && args->value[OPT_SIGN] != NULL) {
		err = sign(args, f, &from->now, &made, why, cap);
		if (err == SG_OK)
			err = read_back(&made, f);
	}
	if (err == SG_OK)
		err = approving_create(args->value[OPT_OUT],
				       span_of(made.bytes, made.n), why, cap);
	return err;
}

static int propose(const struct args *args, enum operation_kind kind)
{
	static struct opfile f;
	static struct origin from;
	char why[WHY_MAX] = "";
	enum sg_err err;
	int status;

	from = (struct origin){.kind = kind};
	err = write_down(args, &from, &f, why, sizeof(why));
	status = err == SG_OK ? report(args, &f, &from)
			      : daemon_trouble(err, why);
	json_decref(from.document);
	free(from.note);
	return status;
}

static int run(const struct args *args)
{
	enum operation_kind kind = OPERATION_KINDS;

	if (args->n == 1)
		kind = operation_kind_of(span_str(args->rest[0]));
	if (kind == OPERATION_KINDS)
		return officer_trouble(
			"propose takes one of genesis, officers, policy, "
			"generate, csr, import, publish, activate, retire, "
			"destroy, stop, start, compromise and log-key");
	if (args->value[OPT_OUT] == NULL || args->value[OPT_PROPOSER] == NULL)
		return officer_trouble("propose takes --out and --proposer");
	return propose(args, kind);
}

const struct command PROPOSE_COMMAND = {
	.name = "propose",
	.usage = "OP --out FILE.op --proposer NAME [--sign KEY] [OPTIONS]",
	.about = "write down an operation for officers to sign",
	.more = "OP is genesis or officers (who decides), policy, or what is "
		"to "
		"be done with a key:\ngenerate, csr, import, publish, "
		"activate, "
		"retire, destroy, stop, start, compromise, log-key.\nThe "
		"ledger's name "
		"and its newest checkpoint are signerd's to tell, or the "
		"--ledger's.\nThe proposer signs it by --sign, or by approve "
		"as all others do.\n",
	.options = OPTIONS,
	.noptions = OPT_COUNT,
	.run = run};
