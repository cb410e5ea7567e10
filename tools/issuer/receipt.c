/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/common/receipt.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "issuer.h"
#include "tools/common/input.h"
#include "tools/common/vkey.h"

enum { OPT_VKEY = OPT_ONLINE, OPT_INDEX, OPT_PROOF, OPT_OUT, NOPTIONS };

static const struct arg_option OPTIONS[NOPTIONS] = {
	COMMON_OPTIONS,
	ONLINE_OPTIONS,
	[OPT_VKEY] = {"vkey", "KEY|FILE", NULL, "the log's verifier key"},
	[OPT_INDEX] = {"index", "N", NULL,
		       "the certificate's entry (the answer's)"},
	[OPT_PROOF] = {"proof", "FILE", NULL,
		       "check this proof, and ask nobody"},
	[OPT_OUT] = {"out", "FILE", NULL, "write the proof there"},
};

enum {
	/* An entry waits for the next checkpoint. */
	TRIES = 15,
	NOT_YET = 503
};

struct job {
	const struct args *args;
	struct https *server; /* NULL: offline */
	struct note_key key;
	struct receipt_asked asked;
	uint8_t *proof;
	size_t n;
	char why[WHY_MAX];
};

static void pause_s(void)
{
	const struct timespec second = {1, 0};

	(void)nanosleep(&second, NULL);
}

/* GET PATH.  Owns: *BODY is the caller's; free(). */
static enum sg_err get(struct job *j, const char *path, uint8_t **body,
		       size_t *n)
{
	const struct https_request request = {.path = path, .accept = "*/*"};
	struct https_reply reply;

	for (int i = 0; i < TRIES; i++) {
		const enum sg_err err = https_ask(j->server, &request, &reply,
						  j->why, sizeof(j->why));

		if (err != SG_OK)
			return err;
		if (reply.status != NOT_YET)
			break;
		if (i == TRIES - 1)
			break;
		free(reply.body);
		pause_s();
	}
	if (reply.status == 200) {
		*body = reply.body;
		*n = reply.n;
		return SG_OK;
	}
	free(reply.body);
	(void)snprintf(
		j->why, sizeof(j->why), "%s: status %d%s", path, reply.status,
		reply.status == 404 ? ": the log has no such entry" : "");
	https_add_request(reply.request, j->why, sizeof(j->why));
	return reply.status == 404 ? SG_NOT_FOUND : SG_IO;
}

/* The given key, else what the server says it is. */
static enum sg_err load_key(struct job *j)
{
	const char *vkey = j->args->value[OPT_VKEY];
	uint8_t *text;
	size_t n;
	enum sg_err err;

	if (vkey != NULL)
		return vkey_of_log(vkey, &j->key, j->why, sizeof(j->why));
	err = get(j, "/v1/ledger/vkey", &text, &n);
	if (err != SG_OK)
		return err;
	err = note_key_parse_as(vkey_trimmed(span_of(text, n)), NOTE_ED25519,
				&j->key);
	free(text);
	if (err != SG_OK) {
		(void)snprintf(j->why, sizeof(j->why), "/v1/ledger/vkey: %s",
			       err == SG_NO_MEMORY ? err_text(err)
						   : "not the key of a log");
		return err == SG_NO_MEMORY ? err : SG_IO;
	}
	(void)fputs("signer-issuer: no --vkey was given: the key is the one "
		    "that the server names\n",
		    stderr);
	return SG_OK;
}

static enum sg_err load_proof(struct job *j)
{
	const char *file = j->args->value[OPT_PROOF];
	char path[64];

	if (file != NULL)
		return input_bytes(file, &j->proof, &j->n, j->why,
				   sizeof(j->why));
	(void)snprintf(path, sizeof(path), "/v1/ledger/proof?index=%" PRIu64,
		       j->asked.index);
	return get(j, path, &j->proof, &j->n);
}

static int check(struct job *j)
{
	const struct receipt_case c = {
		.asked = &j->asked,
		.proof = span_of(j->proof, j->n),
		.key = &j->key,
		.key_given = j->args->value[OPT_VKEY] != NULL,
		.json = j->args->value[OPT_JSON] != NULL,
		.keep = j->args->value[OPT_OUT],
	};
	bool good;

	if (receipt_conclude(&c, &good, j->why, sizeof(j->why)) != SG_OK)
		return trouble(j->why);
	return good ? EXIT_GOOD : EXIT_REFUSED;
}

static int run_job(struct job *j)
{
	const bool offline = j->args->value[OPT_PROOF] != NULL;
	enum sg_err err;

	if (offline && j->args->value[OPT_VKEY] == NULL)
		return trouble("--proof needs --vkey");
	err = receipt_asked(j->args->rest[0], j->args->value[OPT_INDEX],
			    !offline, &j->asked, j->why, sizeof(j->why));
	if (err == SG_OK && !offline)
		err = online_open(j->args, &j->server, j->why, sizeof(j->why));
	if (err == SG_OK)
		err = load_key(j);
	if (err != SG_OK)
		return trouble(j->why);
	err = load_proof(j);
	if (err != SG_OK) {
		trouble(j->why);
		return err == SG_NOT_FOUND ? EXIT_REFUSED : EXIT_TROUBLE;
	}
	return check(j);
}

static int run(const struct args *args)
{
	struct job j = {.args = args};
	int status;

	if (args->n != 1)
		return trouble("give one HC1 text, or a file with one or with "
			       "the server's answer");
	status = run_job(&j);
	free(j.proof);
	free(j.asked.hc1);
	https_close(j.server);
	return status;
}

const struct command RECEIPT_COMMAND = {
	.name = "receipt",
	.usage = "[OPTIONS] HC1|FILE",
	.about = "prove that a certificate is on record",
	.more = "FILE holds the server's answer, which tells the --index, the "
		"HC1 text or a picture\n(PNG) of the QR code; - is standard "
		"input. The proof (C2SP tlog-proof) can be kept\nand checked "
		"offline.\n",
	.options = OPTIONS,
	.noptions = NOPTIONS,
	.run = run,
};
