/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include <jansson.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/hex.h"
#include "issuer.h"
#include "tools/common/printable.h"
#include "tools/common/times.h"

static void set_text(json_t *j, const char *name, const char *text)
{
	json_object_set_new(j, name, json_string(text));
}

static void describe(json_t *j, const struct check *c)
{
	char kid[HEX_TEXT(COSE_KID_BYTES)];
	char kinds[DCC_KINDS + 1] = "";
	size_t n = 0;

	(void)hex_encode(c->key->dsc.kid, COSE_KID_BYTES, kid);
	for (int kind = 0; kind < DCC_KINDS; kind++)
		if ((c->kinds & DCC_KIND_BIT(kind)) != 0)
			kinds[n++] = dcc_kind_letter((enum dcc_kind)kind);
	set_text(j, "kid", kid);
	set_text(j, "alg", cose_alg_name(c->sign1.alg));
	set_text(j, "kinds", kinds);
	if (c->claims.iss.n > 0)
		json_object_set_new(j, "iss",
				    json_stringn((const char *)c->claims.iss.p,
						 c->claims.iss.n));
	if (c->claims.has_iat)
		json_object_set_new(j, "iat", json_integer(c->claims.iat));
	json_object_set_new(j, "exp", json_integer(c->claims.exp));
	if (c->warning[0] != '\0')
		set_text(j, "warning", c->warning);
}

static void print_line(FILE *to, json_t *j)
{
	char *text = printable_json(j, JSON_COMPACT);

	(void)fprintf(to, "%s\n", text != NULL ? text : "{\"ok\":false}");
	free(text);
}

static void print_failure(FILE *to, const char *step, const char *detail,
			  unsigned failures)
{
	json_t *j = json_object();
	json_t *all = json_array();

	json_object_set_new(j, "ok", json_false());
	set_text(j, "failed", step);
	set_text(j, "detail", detail);
	for (int i = 0; i < CHECK_STEPS; i++)
		if ((failures & CHECK_BIT(i)) != 0)
			json_array_append_new(all, json_string(check_step_name((
							   enum check_step)i)));
	json_object_set_new(j, "failures", all);
	print_line(to, j);
	json_decref(j);
}

void batch_print(FILE *to, const struct check *check)
{
	json_t *j;

	if (check->failures != 0) {
		print_failure(to, check_step_name(check->failed),
			      check->detail[check->failed], check->failures);
		return;
	}
	j = json_object();
	json_object_set_new(j, "ok", json_true());
	describe(j, check);
	print_line(to, j);
	json_decref(j);
}

/* The one certificate of a line, in base64. */
static enum sg_err take_dsc(const char *base64, struct keyset *set)
{
	const size_t n = strlen(base64);
	uint8_t *der;
	enum sg_err err;
	size_t len;
	int got;

	if (n == 0 || n > INT32_MAX || n % 4 != 0)
		return SG_MALFORMED;
	der = malloc(n);
	if (der == NULL)
		return SG_NO_MEMORY;
	got = EVP_DecodeBlock(der, (const uint8_t *)base64, (int)n);
	if (got < 0) {
		free(der);
		return SG_MALFORMED;
	}
	len = (size_t)got; /* counts the padding as bytes */
	for (size_t i = n; i > n - 2 && base64[i - 1] == '='; i--)
		len--;
	err = keyset_add(set, span_of(der, len), "dsc");
	free(der);
	return err;
}

static bool take_time(const json_t *j, int64_t otherwise, int64_t *at)
{
	*at = otherwise;
	if (j == NULL)
		return true;
	if (json_is_integer(j)) {
		*at = (int64_t)json_integer_value(j);
		return true;
	}
	return json_is_string(j) &&
	       times_parse(span_of(json_string_value(j), json_string_length(j)),
			   at);
}

/* One line.  What is wrong with its form is said in *BAD. */
static bool verify_line(struct checker *checker, const json_t *line,
			int64_t otherwise, FILE *to, const char **bad)
{
	const json_t *hcert = json_object_get(line, "hcert");
	const json_t *dsc = json_object_get(line, "dsc");
	struct keyset set = {0};
	struct check check;
	int64_t at;
	bool ok;

	*bad = NULL;
	if (line == NULL)
		*bad = "not JSON";
	else if (!json_is_string(hcert))
		*bad = "hcert is missing or not text";
	else if (!json_is_string(dsc) ||
		 take_dsc(json_string_value(dsc), &set) != SG_OK)
		*bad = "dsc is not the base64 of a certificate";
	else if (!take_time(json_object_get(line, "at"), otherwise, &at))
		*bad = "at is not a time";
	if (*bad != NULL) {
		keyset_clear(&set);
		return false;
	}
	ok = checker_run(
		checker,
		span_of(json_string_value(hcert), json_string_length(hcert)),
		&set, at, &check);
	batch_print(to, &check);
	keyset_clear(&set);
	return ok;
}

int batch_verify(struct checker *checker, FILE *from, FILE *to, int64_t at)
{
	int status = EXIT_GOOD;
	char *text = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&text, &cap, from)) > 0) {
		json_t *line = json_loadb(text, (size_t)n,
					  JSON_REJECT_DUPLICATES, NULL);
		const char *bad;

		if (!verify_line(checker, line, at, to, &bad))
			status = EXIT_REFUSED;
		if (bad != NULL)
			print_failure(to, "input", bad, 0);
		json_decref(line);
	}
	free(text);
	return ferror(from) ? EXIT_TROUBLE : status;
}
