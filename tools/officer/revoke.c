/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "hashes.h"
#include "signing.h"
#include "tools/common/input.h"

enum {
	OPT_NAME = OPT_COMMON,
	OPT_OFFICER_KEY,
	OPT_LIST,
	OPT_OUT,
	OPT_SERIAL,
	OPT_KIND,
	OPT_ORIGIN,
	OPT_REASON,
	OPT_COUNT
};

static const struct arg_option OPTIONS[OPT_COUNT] = {
	COMMON_OPTIONS,
	[OPT_NAME] = {"name", "NAME", NULL,
		      "the officer's name, as in ledger.officers"},
	[OPT_OFFICER_KEY] = {"key", "FILE", NULL,
			     "the officer's own key, Ed25519, PEM"},
	[OPT_LIST] = {"list", "FILE", NULL,
		      "the list: written with --serial, else checked"},
	[OPT_OUT] = {"out", "FILE", NULL,
		     "where the signed statement goes (standard output)"},
	[OPT_SERIAL] = {"serial", "N", NULL,
			"of a new statement: 1, or one more than the last"},
	[OPT_KIND] = {"kind", "KIND", NULL, "signature, uci or countrycodeuci"},
	[OPT_ORIGIN] = {"origin", "NAME", NULL,
			"of the ledger, as in signerd.yaml"},
	[OPT_REASON] = {"reason", "TEXT", NULL, "why, in a line"}};

static int refused(const char *why)
{
	(void)fprintf(stderr, "signer-officer: %s\n", why);
	return EXIT_REFUSED;
}

static bool sum(struct span list, uint8_t out[DIGEST_BYTES])
{
	struct digest *d;
	bool good;

	if (digest_create(&d) != SG_OK)
		return false;
	good = digest_sum(d, list, span_of(NULL, 0), out) == SG_OK;
	digest_free(d);
	return good;
}

/* Sign N beside LINES, once it is shown. */
static int sign(const struct args *args, const struct officer_key *key,
		const struct note *n, struct span lines)
{
	const struct signing to = {.key = key,
				   .out = args->value[OPT_OUT],
				   .place = "state/revocations, as the "
					    "serial's eight digits and .note, "
					    "its list beside it as .list",
				   .json = args->value[OPT_JSON] != NULL};

	(void)fputs("You sign that these certificates are revoked:\n\n",
		    stderr);
	signing_show(n->text);
	(void)fputs("\nThey are not given out and not renewed any more, for "
		    "good.\n",
		    stderr);
	return signing_add(&to, n, lines);
}

/* --- a new statement ------------------------------------------------------ */

static enum sg_err read_hashes(const struct args *args,
			       enum revocation_kind kind, struct hashes *h,
			       char *why)
{
	char what[WHY_MAX / 2];
	enum sg_err err = SG_OK;

	for (size_t i = 0; err == SG_OK && i < args->n; i++) {
		uint8_t *file = NULL;
		size_t n = 0;

		err = input_bytes(args->rest[i], &file, &n, why, WHY_MAX);
		if (err != SG_OK)
			return err;
		err = hashes_add(h, span_of(file, n), kind, what, sizeof(what));
		if (err != SG_OK)
			(void)snprintf(why, WHY_MAX, "%.*s: %s", WHY_MAX / 3,
				       args->rest[i], what);
		free(file);
	}
	hashes_sort(h);
	if (err == SG_OK && h->n == 0) {
		(void)snprintf(why, WHY_MAX, "there is no hash to revoke");
		return SG_MALFORMED;
	}
	return err;
}

/* What the options say; false, and WHY, when they do not make a statement. */
static bool read_options(const struct args *args, struct revocation *r,
			 char *why)
{
	uint64_t serial = 0;

	if (args->value[OPT_KIND] == NULL || args->value[OPT_ORIGIN] == NULL ||
	    args->value[OPT_REASON] == NULL) {
		(void)snprintf(why, WHY_MAX,
			       "a new statement takes --serial, --kind, "
			       "--origin and --reason");
		return false;
	}
	r->origin = span_str(args->value[OPT_ORIGIN]);
	r->reason = span_str(args->value[OPT_REASON]);
	r->kind = revocation_kind_of(span_str(args->value[OPT_KIND]));
	if (!args_number(args->value[OPT_SERIAL], 1, REVOCATION_SERIAL_MAX,
			 &serial)) {
		(void)snprintf(why, WHY_MAX, "--serial: 1 to %d",
			       REVOCATION_SERIAL_MAX);
		return false;
	}
	r->serial = (unsigned)serial;
	if (r->kind == REVOCATION_KINDS) {
		(void)snprintf(why, WHY_MAX,
			       "--kind: signature, uci or countrycodeuci");
		return false;
	}
	return true;
}

static int make(const struct args *args, const struct officer_key *key)
{
	struct revocation r = {.serial = 0};
	struct hashes h = {.n = 0};
	char text[REVOCATION_TEXT_MAX];
	char why[WHY_MAX] = "";
	struct note n = {.n = 0};
	size_t text_n = 0;
	enum sg_err err;

	if (!read_options(args, &r, why))
		return officer_trouble(why);
	err = read_hashes(args, r.kind, &h, why);
	r.count = (unsigned)h.n;
	if (err == SG_OK &&
	    !sum(span_of(h.p, h.n * REVOCATION_HASH_BYTES), r.list))
		err = SG_INTERNAL;
	if (err == SG_OK) {
		err = revocation_text(&r, text, sizeof(text), &text_n);
		if (err != SG_OK)
			(void)snprintf(why, WHY_MAX,
				       "--origin and --reason: a line of at "
				       "most %d bytes each",
				       REVOCATION_REASON_MAX);
	}
	if (err == SG_OK)
		err = output_bytes(args->value[OPT_LIST], h.p,
				   h.n * REVOCATION_HASH_BYTES, why, WHY_MAX);
	hashes_clear(&h);
	if (err != SG_OK)
		return officer_trouble(why[0] != '\0' ? why : err_text(err));
	n.text = span_of(text, text_n);
	return sign(args, key, &n, span_of(NULL, 0));
}

/* --- one that there is ---------------------------------------------------- */

/* Is the list at PATH the one that R binds? */
static bool is_list(const char *path, const struct revocation *r, char *why)
{
	struct digest *d = NULL;
	uint8_t *list = NULL;
	size_t n = 0;
	enum sg_err err;

	if (input_bytes(path, &list, &n, why, WHY_MAX) != SG_OK)
		return false;
	err = digest_create(&d);
	if (err == SG_OK)
		err = revocation_binds(r, span_of(list, n), d);
	digest_free(d);
	free(list);
	if (err != SG_OK)
		(void)snprintf(why, WHY_MAX, "%s",
			       err == SG_MALFORMED
				       ? "the list is not the one that the "
					 "statement names"
				       : err_text(err));
	return err == SG_OK;
}

static int add(const struct args *args, const struct officer_key *key,
	       struct span in)
{
	char why[WHY_MAX] = "";
	struct revocation r;
	struct span lines;
	struct note n;

	signing_take_apart(in, &n, &lines);
	if (revocation_parse(n.text, &r) != SG_OK)
		return refused("this is no statement of revocation; a new one "
			       "needs --serial");
	if (lines.n > 0 && note_verify(&n, &key->note, NULL) == SG_OK)
		return refused("you have signed it already");
	if (!is_list(args->value[OPT_LIST], &r, why))
		return refused(why);
	return sign(args, key, &n, lines);
}

/* --- the command ---------------------------------------------------------- */

static int run_with(const struct args *args, const struct officer_key *key)
{
	char why[WHY_MAX] = "";
	uint8_t *in = NULL;
	size_t n = 0;
	int status;

	if (args->value[OPT_SERIAL] != NULL)
		return make(args, key);
	if (args->n != 1)
		return officer_trouble("give one statement; a new one needs "
				       "--serial");
	if (input_bytes(args->rest[0], &in, &n, why, sizeof(why)) != SG_OK)
		return officer_trouble(why);
	status = add(args, key, span_of(in, n));
	free(in);
	return status;
}

static int run(const struct args *args)
{
	char why[WHY_MAX] = "";
	struct officer_key key;
	int status;

	if (args->n == 0 || args->value[OPT_NAME] == NULL ||
	    args->value[OPT_OFFICER_KEY] == NULL ||
	    args->value[OPT_LIST] == NULL)
		return officer_trouble("revoke takes hashes or a statement, "
				       "--list, --key and --name");
	if (officer_key_read(args->value[OPT_OFFICER_KEY],
			     args->value[OPT_NAME], &key, why,
			     sizeof(why)) != SG_OK)
		return officer_trouble(why);
	status = run_with(args, &key);
	EVP_PKEY_free(key.pkey);
	return status;
}

const struct command REVOKE_COMMAND = {
	.name = "revoke",
	.usage = "FILE... --list LIST --key KEY.pem --name NAME [--out FILE]",
	.about = "make or sign a statement that certificates are revoked",
	.more = "With --serial, --kind, --origin and --reason FILE... are "
		"hashes, one a line or as\nsigner-auditor revocations makes "
		"them: LIST and the statement are written.  Without\nthem FILE "
		"is a statement that others have signed, and LIST is held "
		"against it.\nWith enough signatures both go to "
		"state/revocations, and signerd takes them at SIGHUP;\nsee "
		"REVOCATIONS in signerd(8).\n",
	.options = OPTIONS,
	.noptions = OPT_COUNT,
	.run = run};
