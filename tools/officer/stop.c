/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "approving.h"
#include "base/clock.h"
#include "document.h"
#include "proposal.h"

enum {
	OPT_OFFICER_KEY = OPT_DAEMON,
	OPT_NAME,
	OPT_REASON,
	OPT_OUT,
	OPT_MODULE,
	OPT_PIN_FILE,
	OPT_COUNT
};

static const struct arg_option OPTIONS[OPT_COUNT] = {
	COMMON_OPTIONS,
	DAEMON_OPTIONS,
	[OPT_OFFICER_KEY] = {"key", "KEY", NULL,
			     "your key: a PEM file, or a pkcs11: URI"},
	[OPT_NAME] = {"name", "NAME", NULL, "your name, as the roll has it"},
	[OPT_REASON] = {"reason", "TEXT", NULL, "why, in a line"},
	[OPT_OUT] = {"out", "FILE.op", NULL, "keep the signed operation"},
	[OPT_MODULE] = {"module", "PATH", NULL,
			"of a card: its PKCS #11 module"},
	[OPT_PIN_FILE] = {"pin-file", "FILE", NULL,
			  "of a card: the PIN, instead of asking for it"}};

/* Make, sign, apply. */
static enum sg_err make(const struct args *args, const json_t *document,
			struct opfile *out, uint8_t *bytes, char *why,
			size_t cap)
{
	struct proposal_common common = {.kind = OPERATION_STOP,
					 .proposer = args->value[OPT_NAME],
					 .reason = args->value[OPT_REASON],
					 .now = clock_wall_s(),
					 .lifetime_s = PROPOSAL_LIFETIME_S};
	static struct proposal p;
	const char *fault;
	size_t n = 0;
	enum sg_err err = proposal_checkpoint(document, &common.checkpoint);

	if (err == SG_OK)
		err = proposal_begin(&common, &p);
	if (err != SG_OK)
		return err;
	p.operation.key = span_str(args->rest[0]);
	err = proposal_encode(&p, bytes, &n, why, cap);
	*out = (struct opfile){.bytes = bytes, .n = n};
	if (err == SG_OK)
		err = approved_decode(span_of(bytes, n), &out->approved);
	if (err == SG_OK)
		err = operation_decode(span_of(bytes, n), &out->operation,
				       &fault);
	return err;
}

/* Is KID the officer's whom ENTRY of the roll names? */
static bool has_kid(const json_t *entry, const uint8_t kid[ROLL_KID_BYTES])
{
	struct span has;
	bool is;

	if (!document_bytes(entry, "kid", &has))
		return false;
	is = span_eq(has, span_of(kid, ROLL_KID_BYTES));
	free((void *)(uintptr_t)has.p); /* NOLINT(performance-no-int-to-ptr) */
	return is;
}

/* Has signerd the key of O under O's name?  A stop is on record under the name
 * that it says.  Who is not known at all is signerd's to refuse.  False, with
 * WHY. */
static bool is_own_name(const json_t *document, const struct officer *o,
			char *why, size_t cap)
{
	const json_t *officers =
		json_object_get(json_object_get(document, "roll"), "officers");

	for (size_t i = 0; i < json_array_size(officers); i++) {
		const json_t *entry = json_array_get(officers, i);
		const char *name = document_text(entry, "name");

		if (!has_kid(entry, o->kid) || strcmp(name, o->name) == 0)
			continue;
		(void)snprintf(why, cap, "the roll has this key as %s's", name);
		return false;
	}
	return true;
}

static enum sg_err sign(const struct args *args, const struct opfile *f,
			const json_t *document, struct approving *out,
			char *why, size_t cap)
{
	const struct signer_wanted wanted = {
		.key = args->value[OPT_OFFICER_KEY],
		.name = args->value[OPT_NAME],
		.module = args->value[OPT_MODULE],
		.pin_file = args->value[OPT_PIN_FILE]};
	struct signer s;
	enum sg_err err = signer_open(&wanted, &s, why, cap);

	if (err != SG_OK)
		return err;
	if (is_own_name(document, &s.officer, why, cap))
		err = approving_sign(f, &s, out, why, cap);
	else
		err = SG_FORBIDDEN;
	signer_close(&s);
	/* A file that cannot be written holds no stop up. */
	if (err == SG_OK && args->value[OPT_OUT] != NULL &&
	    approving_create(args->value[OPT_OUT], span_of(out->p, out->n), why,
			     cap) != SG_OK) {
		(void)officer_trouble(why);
		why[0] = '\0';
	}
	return err;
}

static int stop(const struct args *args, struct daemon *d)
{
	static uint8_t bytes[OPERATION_BYTES_MAX];
	char why[WHY_MAX] = "";
	static struct opfile f;
	struct approving done = {0};
	json_t *document;
	int status;
	enum sg_err err = daemon_document(d, &document, why, sizeof(why));

	if (err == SG_OK)
		err = make(args, document, &f, bytes, why, sizeof(why));
	if (err == SG_OK)
		err = sign(args, &f, document, &done, why, sizeof(why));
	if (err == SG_OK) {
		f.bytes = done.p;
		f.n = done.n;
		status = apply_operation(d, &f, NULL,
					 args->value[OPT_JSON] != NULL);
	} else {
		status = daemon_trouble(err, why);
	}
	free(done.p);
	json_decref(document);
	return status;
}

static int run(const struct args *args)
{
	char why[WHY_MAX] = "";
	struct daemon *d = NULL;
	enum sg_err err;
	int status;

	if (args->n != 1 || args->value[OPT_OFFICER_KEY] == NULL ||
	    args->value[OPT_NAME] == NULL)
		return officer_trouble("stop takes the label of one key, --key "
				       "and --name");
	err = daemon_open(args, &d, why, sizeof(why));
	status = err == SG_OK ? stop(args, d) : daemon_trouble(err, why);
	daemon_close(d);
	return status;
}

const struct command STOP_COMMAND = {
	.name = "stop",
	.usage = "LABEL --key KEY --name NAME [--reason TEXT]",
	.about = "stop signing with a key, at once, by one officer",
	.more = "Proposes it, signs it and applies it.  To start again takes "
		"as many officers as\nany operation: propose start.\n",
	.options = OPTIONS,
	.noptions = OPT_COUNT,
	.run = run};
