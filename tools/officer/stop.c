/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "apply.h"
#include "approving.h"
#include "base/clock.h"
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

static enum sg_err sign(const struct args *args, const struct opfile *f,
			struct approving *out, char *why, size_t cap)
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
	err = approving_sign(f, &s, out, why, cap);
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
		err = sign(args, &f, &done, why, sizeof(why));
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
