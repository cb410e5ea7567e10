/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hex.h"
#include "batch.h"
#include "issuer.h"
#include "tools/common/check.h"
#include "tools/common/input.h"
#include "tools/common/printable.h"
#include "tools/common/server_keys.h"
#include "tools/common/times.h"

enum { OPT_DSC = OPT_ONLINE, OPT_KEYS, OPT_AT, OPT_BATCH, NOPTIONS };

static const struct arg_option OPTIONS[NOPTIONS] = {
	COMMON_OPTIONS,
	ONLINE_OPTIONS,
	[OPT_DSC] = {"dsc", "FILE|DIR", NULL,
		     "signer's certificates, PEM or DER"},
	[OPT_KEYS] = {"keys", NULL, NULL,
		      "take them from the server's /v1/keys"},
	[OPT_AT] = {"at", "TIME", NULL,
		    "verify as of then (seconds or RFC 3339)"},
	[OPT_BATCH] = {"batch", NULL, NULL,
		       "verify JSON lines from standard input"},
};

static enum sg_err fetch_keys(const struct args *args, struct keyset *set,
			      char *why, size_t cap)
{
	struct https *h;
	enum sg_err err = online_open(args, &h, why, cap);

	if (err != SG_OK)
		return err;
	err = server_keys(h, set, why, cap);
	https_close(h);
	return err;
}

static enum sg_err load_keys(const struct args *args, struct keyset *set,
			     char *why, size_t cap)
{
	enum sg_err err = SG_OK;

	if (args->value[OPT_DSC] == NULL && args->value[OPT_KEYS] == NULL) {
		(void)snprintf(why, cap, "--dsc or --keys is missing");
		return SG_CONFIG;
	}
	if (args->value[OPT_DSC] != NULL)
		err = keyset_load(set, args->value[OPT_DSC], why, cap);
	if (err == SG_OK && args->value[OPT_KEYS] != NULL)
		err = fetch_keys(args, set, why, cap);
	return err;
}

static void say_steps(const struct check *c)
{
	static const char *const about[] = {
#define X(id, name, about) [CHECK_##id] = (about),
		CHECK_MAP(X)
#undef X
	};

	for (int step = 0; step < CHECK_STEPS; step++) {
		const bool failed = (c->failures & CHECK_BIT(step)) != 0;

		if ((c->unknown & CHECK_BIT(step)) != 0)
			continue;
		printf("%-7s %-12s %s\n", failed ? "FAILED" : "ok",
		       check_step_name((enum check_step)step),
		       failed ? c->detail[step] : about[step]);
		/* What is not a certificate has nothing more to check. */
		if (failed && step <= CHECK_DECODE)
			break;
	}
	if (c->warning[0] != '\0')
		printf("note    %s\n", c->warning);
}

static void say_facts(const struct check *c)
{
	char text[TIMES_TEXT];
	char kid[HEX_TEXT(COSE_KID_BYTES)];

	(void)hex_encode(c->key->dsc.kid, COSE_KID_BYTES, kid);
	printf("signer  ");
	printable_put(stdout, span_str(c->key->name));
	printf(" (kid %s, %s)\n", kid, cose_alg_name(c->sign1.alg));
	if (c->claims.iss.n > 0) {
		printf("issuer  ");
		printable_put(stdout, c->claims.iss);
		putchar('\n');
	}
	if (c->claims.has_iat) {
		times_format(c->claims.iat, text);
		printf("issued  %s\n", text);
	}
	times_format(c->claims.exp, text);
	printf("expires %s\n", text);
}

static int verify_one(struct checker *checker, const struct args *args,
		      const struct keyset *set, int64_t at)
{
	char why[WHY_MAX];
	struct check check;
	char *text;
	bool ok;

	if (input_hc1(args->rest[0], &text, why, sizeof(why)) != SG_OK)
		return trouble(why);
	ok = checker_run(checker, span_str(text), set, at, &check);
	if (args->value[OPT_JSON] != NULL) {
		batch_print(stdout, &check);
	} else {
		say_steps(&check);
		if (ok)
			say_facts(&check);
		puts(ok ? "genuine" : "NOT VALID");
	}
	free(text);
	return ok ? EXIT_GOOD : EXIT_REFUSED;
}

static int run(const struct args *args)
{
	const bool batch = args->value[OPT_BATCH] != NULL;
	struct keyset set = {0};
	struct checker *checker;
	char why[WHY_MAX];
	int64_t at = clock_wall_s();
	int status = EXIT_TROUBLE;

	if (args->n != (batch ? 0 : 1))
		return trouble(batch ? "--batch reads standard input"
				     : "give one HC1 text, file or picture");
	if (args->value[OPT_AT] != NULL &&
	    !times_parse(span_str(args->value[OPT_AT]), &at))
		return trouble("--at: neither seconds since 1970 nor a date "
			       "and time");
	if (!batch && load_keys(args, &set, why, sizeof(why)) != SG_OK)
		trouble(why);
	else if (checker_create(&checker) != SG_OK)
		trouble(err_text(SG_NO_MEMORY));
	else {
		status = batch ? batch_verify(checker, stdin, stdout, at)
			       : verify_one(checker, args, &set, at);
		checker_free(checker);
	}
	keyset_clear(&set);
	return status;
}

const struct command VERIFY_COMMAND = {
	.name = "verify",
	.usage = "[OPTIONS] HC1|FILE",
	.about = "verify a certificate offline",
	.more = "FILE holds the HC1 text or a picture (PNG) of the QR code; "
		"- is standard input.\n"
		"--batch: each line {\"hcert\": text, \"dsc\": base64 of DER, "
		"\"at\"?: time}; an answer\n"
		"{\"ok\": bool, \"failed\"?: step, \"detail\"?: text, "
		"\"failures\"?: [step]} a line,\nin order.\n"
		"The given certificates are trusted: where they came from is "
		"yours to know.\n",
	.options = OPTIONS,
	.noptions = NOPTIONS,
	.run = run,
};
