/* SPDX-License-Identifier: Apache-2.0 */
#include "csr.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon.h"
#include "document.h"
#include "pkcs11/unconst.h"
#include "tools/common/input.h"

enum { OPT_OUT = OPT_DAEMON, OPT_COUNT };

static const struct arg_option OPTIONS[OPT_COUNT] = {
	COMMON_OPTIONS, DAEMON_OPTIONS,
	[OPT_OUT] = {"out", "FILE", NULL, "where it goes (standard output)"}};

static enum sg_err write_pem(struct span der, const char *path, char *why,
			     size_t cap)
{
	BIO *bio = BIO_new(BIO_s_mem());
	enum sg_err err = SG_NO_MEMORY;
	char *text = NULL;
	long n;

	if (bio != NULL && PEM_write_bio(bio, PEM_STRING_X509_REQ, "", der.p,
					 (long)der.n) > 0) {
		n = BIO_get_mem_data(bio, &text);
		err = output_bytes(path, text, n > 0 ? (size_t)n : 0, why, cap);
	}
	BIO_free(bio);
	return err;
}

enum sg_err csr_write(const json_t *document, const char *label,
		      const char *path, char *why, size_t cap)
{
	const json_t *key = document_key(document, label);
	struct span der;
	enum sg_err err;

	if (key == NULL || !document_bytes(key, "csr", &der)) {
		(void)snprintf(why, cap, "%s",
			       key == NULL ? "there is no such key"
					   : "the key has no "
					     "certificate request "
					     "yet");
		return SG_NOT_FOUND;
	}
	err = write_pem(der, path, why, cap);
	free(unconst(der.p));
	return err;
}

static int run(const struct args *args)
{
	char why[WHY_MAX] = "";
	json_t *document;
	enum sg_err err;

	if (args->n != 1)
		return officer_trouble("csr takes the label of one key");
	err = daemon_look(args, &document, why, sizeof(why));
	if (err != SG_OK)
		return daemon_trouble(err, why);
	err = csr_write(document, args->rest[0], args->value[OPT_OUT], why,
			sizeof(why));
	json_decref(document);
	return err == SG_OK
		       ? EXIT_GOOD
		       : daemon_trouble(err == SG_NOT_FOUND ? SG_REFUSED : err,
					why);
}

const struct command CSR_COMMAND = {
	.name = "csr",
	.usage = "LABEL [--out FILE]",
	.about = "print a key's certificate request (PKCS #10, PEM)",
	.options = OPTIONS,
	.noptions = OPT_COUNT,
	.run = run};
