/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/hex.h"
#include "issuer.h"
#include "sealing.h"
#include "tools/common/input.h"
#include "tools/common/request.h"
#include "tools/common/times.h"

enum {
	OPT_GATEWAY_KEY = OPT_COMMON,
	OPT_HMAC_KEY,
	OPT_NATIONAL_ID,
	OPT_TIME,
	OPT_REFUTE,
	OPT_CBOR,
	OPT_REQUEST,
	OPT_OUTPUT,
	NOPTIONS
};

static const struct arg_option OPTIONS[NOPTIONS] = {
	COMMON_OPTIONS,
	[OPT_GATEWAY_KEY] = {"gateway-key", "FILE", NULL,
			     "the gateway's private key, PEM"},
	[OPT_HMAC_KEY] = {"hmac-key", "FILE", NULL,
			  "the key of the references, 16 bytes or more"},
	[OPT_NATIONAL_ID] = {"national-id", "FILE", NULL,
			     "where the person's national ID stands, or -"},
	[OPT_TIME] = {"time", "TIME", NULL,
		      "when it was looked up, if not now (seconds or RFC "
		      "3339)"},
	[OPT_REFUTE] = {"refute", NULL, NULL,
			"attest that the person is not known so"},
	[OPT_CBOR] = {"cbor", NULL, NULL, "write the COSE_Sign1's bytes"},
	[OPT_REQUEST] = {"request", NULL, NULL,
			 "write the request with the attestation in it"},
	[OPT_OUTPUT] = {"output", "FILE", NULL,
			"write there, not to standard output"},
};

enum { TEXT_MAX = 2 * ATTESTATION_BYTES_MAX };

/* An attestation, and how it comes to be. */
struct attest {
	const struct args *args;
	uint8_t *file; /* the record */
	size_t file_n;
	json_t *root;
	uint8_t nonce[ATTESTATION_NONCE_MIN];
	uint8_t person[ATTESTATION_PERSON_BYTES];
	uint8_t reference[SEALING_REFERENCE_BYTES];
	struct attestation_claims claims;
	uint8_t kid[ATTESTATION_KID_BYTES];
	uint8_t bytes[ATTESTATION_BYTES_MAX];
	size_t n;
	char text[TEXT_MAX]; /* the same in base64 */
};

static enum sg_err wrong(char *why, const char *what)
{
	(void)snprintf(why, WHY_MAX, "%s", what);
	return SG_CONFIG;
}

static struct span text_of(const json_t *j)
{
	return span_of(json_string_value(j), json_string_length(j));
}

/* The one entry of the payload DCC. */
static const json_t *entry_of(const json_t *dcc)
{
	static const char *const kind[] = {"v", "t", "r"};
	const json_t *list = NULL;

	for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++)
		if (json_object_get(dcc, kind[i]) != NULL) {
			if (list != NULL)
				return NULL;
			list = json_object_get(dcc, kind[i]);
		}
	return json_array_size(list) == 1 ? json_array_get(list, 0) : NULL;
}

/* What the record says: who, and under which UVCI. */
static enum sg_err read_record(struct attest *a,
			       struct attestation_person *person, char *why)
{
	const json_t *dcc;
	const json_t *nam;
	const json_t *fnt;
	const json_t *gnt;
	const json_t *dob;
	const json_t *ci;
	enum sg_err err;

	err = input_bytes(a->args->rest[0], &a->file, &a->file_n, why, WHY_MAX);
	if (err != SG_OK)
		return err;
	a->root = json_loadb((const char *)a->file, a->file_n,
			     JSON_REJECT_DUPLICATES, NULL);
	dcc = json_object_get(a->root, "dcc");
	if (dcc == NULL)
		dcc = a->root;
	nam = json_object_get(dcc, "nam");
	fnt = json_object_get(nam, "fnt");
	gnt = json_object_get(nam, "gnt");
	dob = json_object_get(dcc, "dob");
	ci = json_object_get(entry_of(dcc), "ci");
	if (!json_is_string(ci) || !json_is_string(dob) ||
	    (fnt != NULL && !json_is_string(fnt)) ||
	    (gnt != NULL && !json_is_string(gnt)) ||
	    (fnt == NULL && gnt == NULL))
		return wrong(why, "the record must be a request or payload "
				  "with dob, nam.fnt or nam.gnt, and one "
				  "entry with ci");
	*person = (struct attestation_person){.has_fnt = fnt != NULL,
					      .has_gnt = gnt != NULL,
					      .fnt = text_of(fnt),
					      .gnt = text_of(gnt),
					      .dob = text_of(dob)};
	a->claims.uvci = text_of(ci);
	return SG_OK;
}

static enum sg_err hash_person(struct attest *a,
			       const struct attestation_person *person,
			       char *why)
{
	struct digest *d;
	enum sg_err err = digest_create(&d);

	if (err == SG_OK && RAND_bytes(a->nonce, sizeof(a->nonce)) != 1)
		err = SG_INTERNAL;
	if (err == SG_OK)
		err = attestation_person_hash(
			d, span_of(a->nonce, sizeof(a->nonce)), person,
			a->person);
	if (err != SG_OK)
		(void)snprintf(why, WHY_MAX, "the names: %s", err_text(err));
	digest_free(d);
	return err;
}

/* The file of a secret, which is wiped by forget(). */
static enum sg_err read_secret(const struct attest *a, unsigned option,
			       uint8_t **out, size_t *n, char *why)
{
	if (a->args->value[option] == NULL) {
		(void)snprintf(why, WHY_MAX, "--%s is missing",
			       OPTIONS[option].name);
		return SG_CONFIG;
	}
	return input_bytes(a->args->value[option], out, n, why, WHY_MAX);
}

static void forget(uint8_t *secret, size_t n)
{
	if (secret != NULL)
		OPENSSL_cleanse(secret, n);
	free(secret);
}

/* The reference of the national ID: the first line of its file. */
static enum sg_err make_reference(struct attest *a, char *why)
{
	uint8_t *key = NULL;
	uint8_t *id = NULL;
	size_t key_n = 0;
	size_t id_n = 0;
	size_t n = 0;
	enum sg_err err;

	err = read_secret(a, OPT_HMAC_KEY, &key, &key_n, why);
	if (err == SG_OK)
		err = read_secret(a, OPT_NATIONAL_ID, &id, &id_n, why);
	if (err != SG_OK)
		goto done;
	while (n < id_n && id[n] != '\n' && id[n] != '\r')
		n++;
	if (n == 0) {
		err = wrong(why, "--national-id: the first line is empty");
		goto done;
	}
	err = sealing_reference(span_of(key, key_n), span_of(id, n),
				a->reference);
	if (err != SG_OK)
		(void)snprintf(why, WHY_MAX,
			       "--hmac-key: %d bytes at the least",
			       SEALING_HMAC_KEY_MIN);
done:
	forget(key, key_n);
	forget(id, id_n);
	return err;
}

static enum sg_err seal(struct attest *a, char *why)
{
	struct signing_key *key = NULL;
	uint8_t *pem = NULL;
	size_t pem_n = 0;
	enum sg_err err;

	err = read_secret(a, OPT_GATEWAY_KEY, &pem, &pem_n, why);
	if (err != SG_OK)
		return err;
	err = signing_key_read(span_of(pem, pem_n), &key);
	forget(pem, pem_n);
	if (err != SG_OK)
		return wrong(why, "--gateway-key: not a private key in PEM "
				  "without a passphrase on P-256, of RSA with "
				  "2048 to 4096 bits, or Ed25519");
	memcpy(a->kid, signing_key_kid(key), sizeof(a->kid));
	err = sealing_seal(key, &a->claims, a->bytes, &a->n);
	signing_key_free(key);
	if (err != SG_OK) {
		(void)snprintf(why, WHY_MAX, "the attestation: %s",
			       err_text(err));
		return err;
	}
	a->text[base64_encode(span_of(a->bytes, a->n), BASE64_STANDARD,
			      a->text)] = '\0';
	return SG_OK;
}

static enum sg_err make(struct attest *a, char *why)
{
	const char *when = a->args->value[OPT_TIME];
	struct attestation_person person;
	enum sg_err err = read_record(a, &person, why);

	if (err == SG_OK)
		err = hash_person(a, &person, why);
	if (err == SG_OK)
		err = make_reference(a, why);
	if (err != SG_OK)
		return err;
	a->claims.time = time(NULL);
	if (when != NULL && !times_parse(span_str(when), &a->claims.time))
		return wrong(why, "--time: neither seconds since 1970 nor a "
				  "date and time");
	a->claims.person = span_of(a->person, sizeof(a->person));
	a->claims.nonce = span_of(a->nonce, sizeof(a->nonce));
	a->claims.reference = span_of(a->reference, sizeof(a->reference));
	a->claims.verdict = a->args->value[OPT_REFUTE] == NULL;
	return seal(a, why);
}

/* --- what is written ------------------------------------------------------ */

/* JSON or a line of text; free(). */
static enum sg_err compose(const struct attest *a, char **out, size_t *n,
			   char *why)
{
	const struct request_extra extra = {.attestation = a->text};
	char kid[HEX_TEXT(ATTESTATION_KID_BYTES)];
	json_t *j;

	if (a->args->value[OPT_REQUEST] != NULL)
		return request_build(span_of(a->file, a->file_n), &extra, out,
				     n, why, WHY_MAX);
	if (a->args->value[OPT_JSON] != NULL) {
		j = json_pack("{s:s,s:s,s:I,s:b}", "attestation", a->text,
			      "kid", hex_encode(a->kid, sizeof(a->kid), kid),
			      "time", (json_int_t)a->claims.time, "verdict",
			      (int)a->claims.verdict);
		*out = json_dumps(j, JSON_COMPACT);
		json_decref(j);
	} else {
		*out = strdup(a->text);
	}
	if (*out == NULL) {
		(void)snprintf(why, WHY_MAX, "%s", err_text(SG_NO_MEMORY));
		return SG_NO_MEMORY;
	}
	*n = strlen(*out);
	return SG_OK;
}

static enum sg_err put(const struct attest *a, char *why)
{
	const char *output = a->args->value[OPT_OUTPUT];
	char *text = NULL;
	size_t n = 0;
	enum sg_err err;

	if (a->args->value[OPT_CBOR] != NULL)
		return output_bytes(output, a->bytes, a->n, why, WHY_MAX);
	err = compose(a, &text, &n, why);
	if (err != SG_OK)
		return err;
	err = output_bytes(output, text, n, why, WHY_MAX);
	if (err == SG_OK && output == NULL)
		(void)putchar('\n');
	free(text);
	return err;
}

static const char *check_usage(const struct args *args)
{
	const char *id = args->value[OPT_NATIONAL_ID];
	const bool cbor = args->value[OPT_CBOR] != NULL;
	const bool request = args->value[OPT_REQUEST] != NULL;
	const bool json = args->value[OPT_JSON] != NULL;

	if (args->n != 1)
		return "give one file with the record, or -";
	if ((cbor ? 1 : 0) + (request ? 1 : 0) + (json ? 1 : 0) > 1)
		return "--cbor, --request and --json ask for different things";
	if (id != NULL && strcmp(id, "-") == 0 &&
	    strcmp(args->rest[0], "-") == 0)
		return "the record and --national-id cannot both be -";
	if (cbor && args->value[OPT_OUTPUT] == NULL && isatty(STDOUT_FILENO))
		return "--output is missing: this form is binary";
	return NULL;
}

static int run(const struct args *args)
{
	const char *usage = check_usage(args);
	struct attest a = {.args = args};
	char why[WHY_MAX] = "";
	enum sg_err err;

	if (usage != NULL)
		return trouble(usage);
	err = make(&a, why);
	if (err == SG_OK)
		err = put(&a, why);
	json_decref(a.root);
	free(a.file);
	return err == SG_OK ? EXIT_GOOD : trouble(why);
}

const struct command ATTEST_COMMAND = {
	.name = "attest",
	.usage = "[OPTIONS] FILE.json",
	.about = "sign what a population database's gateway attests",
	.more = "FILE.json holds a request {\"dcc\": ...} or the bare payload; "
		"- is standard input.\n"
		"For tests, and for the author of a gateway to imitate: "
		"nobody is looked up.\n"
		"Of --national-id the first line is taken; it is used for "
		"the reference alone.\n",
	.options = OPTIONS,
	.noptions = NOPTIONS,
	.run = run,
};
