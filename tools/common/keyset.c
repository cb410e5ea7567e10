/* SPDX-License-Identifier: Apache-2.0 */
#include "keyset.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/fileio.h"

enum { FILE_MAX_BYTES = 4 << 20 };

static struct keyset_key *grow(struct keyset *set)
{
	if (set->n == set->cap) {
		const size_t cap = set->cap == 0 ? 4 : set->cap * 2;
		struct keyset_key *key =
			realloc(set->key, cap * sizeof(set->key[0]));

		if (key == NULL)
			return NULL;
		set->key = key;
		set->cap = cap;
	}
	return &set->key[set->n];
}

static enum sg_err add_der(struct keyset *set, struct span der,
			   const char *name)
{
	struct keyset_key *k;
	enum sg_err err;

	if (set->n == KEYSET_MAX)
		return SG_TOO_BIG;
	k = grow(set);
	if (k == NULL)
		return SG_NO_MEMORY;
	err = dsc_read(der, &k->dsc);
	if (err != SG_OK)
		return err;
	k->key = NULL;
	err = cose_key_from_certificate(der, &k->key);
	/* A key that we cannot use is said when something is signed by it. */
	if (err != SG_OK && err != SG_BAD_KEY)
		return err;
	(void)snprintf(k->name, sizeof(k->name), "%s", name);
	set->n++;
	return SG_OK;
}

static enum sg_err add_pem(struct keyset *set, struct span bytes,
			   const char *name)
{
	enum sg_err err = SG_OK;
	size_t found = 0;
	BIO *bio;

	if (bytes.n > FILE_MAX_BYTES)
		return SG_TOO_BIG;
	bio = BIO_new_mem_buf(bytes.p, (int)bytes.n);
	if (bio == NULL)
		return SG_NO_MEMORY;
	while (err == SG_OK) {
		char *type = NULL;
		char *header = NULL;
		unsigned char *der = NULL;
		long n = 0;

		if (PEM_read_bio(bio, &type, &header, &der, &n) != 1)
			break;
		if (strcmp(type, PEM_STRING_X509) == 0 && n > 0) {
			err = add_der(set, span_of(der, (size_t)n), name);
			found++;
		}
		OPENSSL_free(type);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	ERR_clear_error(); /* "no start line" ends every file */
	BIO_free(bio);
	if (err == SG_OK && found == 0)
		return SG_MALFORMED;
	return err;
}

enum sg_err keyset_add(struct keyset *set, struct span bytes, const char *name)
{
	/* DER of a certificate begins with a SEQUENCE, PEM with text. */
	if (bytes.n > 0 && bytes.p[0] == 0x30)
		return add_der(set, bytes, name);
	return add_pem(set, bytes, name);
}

static enum sg_err load_file(struct keyset *set, const char *path, char *why,
			     size_t cap)
{
	uint8_t *bytes;
	size_t n;
	enum sg_err err = fileio_read(path, FILE_MAX_BYTES, &bytes, &n);

	if (err == SG_IO) {
		(void)snprintf(why, cap, "%s: %s", path,
			       strerrordesc_np(errno));
		return err;
	}
	if (err == SG_OK) {
		err = keyset_add(set, span_of(bytes, n), path);
		free(bytes);
	}
	if (err == SG_MALFORMED)
		(void)snprintf(why, cap, "%s: not a certificate in PEM or DER",
			       path);
	else if (err != SG_OK)
		(void)snprintf(why, cap, "%s: %s", path, err_text(err));
	return err;
}

static int is_certificate_name(const struct dirent *e)
{
	static const char *const endings[] = {".pem", ".crt", ".cer", ".der"};
	const char *dot = strrchr(e->d_name, '.');

	for (size_t i = 0; dot != NULL && dot != e->d_name &&
			   i < sizeof(endings) / sizeof(endings[0]);
	     i++)
		if (strcmp(dot, endings[i]) == 0)
			return 1;
	return 0;
}

static enum sg_err load_directory(struct keyset *set, const char *path,
				  char *why, size_t cap)
{
	struct dirent **entry;
	enum sg_err err = SG_OK;
	const int n = scandir(path, &entry, is_certificate_name, alphasort);

	if (n < 0) {
		(void)snprintf(why, cap, "%s: %s", path,
			       strerrordesc_np(errno));
		return SG_IO;
	}
	for (int i = 0; i < n; i++) {
		char file[4096];

		(void)snprintf(file, sizeof(file), "%s/%s", path,
			       entry[i]->d_name);
		if (err == SG_OK)
			err = load_file(set, file, why, cap);
		free(entry[i]);
	}
	free(entry);
	if (n == 0) {
		(void)snprintf(why, cap, "%s: no certificate in this directory",
			       path);
		return SG_NOT_FOUND;
	}
	return err;
}

enum sg_err keyset_load(struct keyset *set, const char *path, char *why,
			size_t cap)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return load_directory(set, path, why, cap);
	return load_file(set, path, why, cap);
}

void keyset_clear(struct keyset *set)
{
	for (size_t i = 0; i < set->n; i++)
		cose_key_free(set->key[i].key);
	free(set->key);
	*set = (struct keyset){0};
}
