/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "issuer.h"
#include "tools/common/check.h"
#include "tools/common/input.h"
#include "tools/common/payload.h"
#include "tools/common/printable.h"
#include "tools/common/times.h"

static const struct arg_option OPTIONS[OPT_COMMON] = {COMMON_OPTIONS};

static int put_json(const json_t *j, bool newline)
{
	char *text = printable_json(j, JSON_INDENT(2) | JSON_ENCODE_ANY);

	if (text == NULL)
		return trouble(err_text(SG_NO_MEMORY));
	(void)fputs(text, stdout);
	if (newline)
		putchar('\n');
	free(text);
	return EXIT_GOOD;
}

static json_t *decoded(struct span cbor)
{
	json_t *j;

	if (cbor.n == 0)
		return json_object();
	return payload_json(cbor, &j) == SG_OK ? j : NULL;
}

static void say_time(const char *label, bool has, int64_t t)
{
	char text[TIMES_TEXT];

	if (!has)
		return;
	times_format(t, text);
	printf("%-12s%s (%lld)\n", label, text, (long long)t);
}

static void say_text(const char *label, struct span text)
{
	printf("%-12s", label);
	printable_put(stdout, text);
	putchar('\n');
}

static int say(const struct cose_sign1 *s, const struct cwt_claims *c)
{
	json_t *payload = decoded(c->dcc);
	char *kid = malloc(2 * s->kid.n + 1);
	int status;

	if (payload == NULL || kid == NULL) {
		free(kid);
		json_decref(payload);
		return trouble("the payload is not well-formed CBOR");
	}
	(void)hex_encode(s->kid.p, s->kid.n, kid);
	printf("%-12s%s\n", "algorithm", cose_alg_name(s->alg));
	printf("%-12s%s\n", "key id", s->has_kid ? kid : "none");
	if (c->iss.n > 0)
		say_text("issuer", c->iss);
	say_time("issued", c->has_iat, c->iat);
	say_time("expires", c->has_exp, c->exp);
	printf("%-12s%zu bytes\n", "signature", s->signature.n);
	puts("payload, not verified:");
	status = put_json(payload, true);
	free(kid);
	json_decref(payload);
	return status;
}

/* Everything as it stands in the COSE_Sign1. */
static int say_json(const struct cose_sign1 *s)
{
	json_t *j = json_object();
	char *signature = malloc(2 * s->signature.n + 1);
	json_t *claims = decoded(s->payload);
	int status;

	if (j == NULL || signature == NULL || claims == NULL) {
		free(signature);
		json_decref(claims);
		json_decref(j);
		return trouble("the claims are not well-formed CBOR");
	}
	(void)hex_encode(s->signature.p, s->signature.n, signature);
	json_object_set_new(j, "protected", decoded(s->prot));
	json_object_set_new(j, "unprotected", decoded(s->unprotected));
	json_object_set_new(j, "claims", claims);
	json_object_set_new(j, "signature", json_string(signature));
	json_object_set_new(j, "verified", json_false());
	status = put_json(j, true);
	free(signature);
	json_decref(j);
	return status;
}

static int show(struct checker *checker, struct span text, bool json)
{
	struct cwt_claims claims;
	struct check check;

	if (!checker_decode(checker, text, &check)) {
		(void)fprintf(stderr, "signer-issuer: %s: %s\n",
			      check_step_name(check.failed),
			      check.detail[check.failed]);
		return EXIT_REFUSED;
	}
	if (json)
		return say_json(&check.sign1);
	if (cwt_decode(check.sign1.payload, &claims) != SG_OK) {
		(void)fputs("signer-issuer: claims: not a well-formed CWT\n",
			    stderr);
		return EXIT_REFUSED;
	}
	return say(&check.sign1, &claims);
}

static int run(const struct args *args)
{
	struct checker *checker;
	char why[WHY_MAX];
	char *text;
	int status;

	if (args->n != 1)
		return trouble("give one HC1 text, file or picture");
	if (input_hc1(args->rest[0], &text, why, sizeof(why)) != SG_OK)
		return trouble(why);
	if (checker_create(&checker) != SG_OK) {
		free(text);
		return trouble(err_text(SG_NO_MEMORY));
	}
	status = show(checker, span_str(text), args->value[OPT_JSON] != NULL);
	checker_free(checker);
	free(text);
	return status;
}

const struct command SHOW_COMMAND = {
	.name = "show",
	.usage = "[OPTIONS] HC1|FILE",
	.about = "decode a certificate without verifying it",
	.more = "FILE holds the HC1 text or a picture (PNG) of the QR code; "
		"- is standard input.\n",
	.options = OPTIONS,
	.noptions = OPT_COMMON,
	.run = run,
};
