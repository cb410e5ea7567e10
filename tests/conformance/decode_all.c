/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_all DIR...: reads every NAME.hc1.txt of the directories, verifies it
 * with NAME.dsc.der and compares what is inside with NAME.cose and
 * NAME.dcc.json, where they are, as far as bytes go.  Says what failed and,
 * last, "N passed, N failed"; exits 0 when some passed and none failed.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fileio.h"
#include "hcert/cose.h"
#include "hcert/cwt.h"
#include "hcert/deflate.h"
#include "hcert/dsc.h"
#include "hcert/hc1.h"

enum { PATH_SIZE = 4096, FILE_MAX = 1 << 20 };

static const char SUFFIX[] = ".hc1.txt";

static uint8_t cose[HC1_COSE_MAX];
static uint8_t tbs[HC1_COSE_MAX + 64];

/* Read STEM with another SUFFIX; *OUT is NULL when there is no such file. */
static struct span read_beside(const char *stem, const char *suffix,
			       uint8_t **out)
{
	char path[PATH_SIZE];
	size_t n = 0;

	*out = NULL;
	if (snprintf(path, sizeof(path), "%s%s", stem, suffix) >=
	    (int)sizeof(path))
		return span_of(NULL, 0);
	if (fileio_read(path, FILE_MAX, out, &n) != SG_OK)
		return span_of(NULL, 0);
	return span_of(*out, n);
}

/* The step that failed, NULL if none did. */
static const char *verify(const struct cose_sign1 *s, struct span der)
{
	struct cose_key *key;
	struct dsc dsc;
	size_t n;
	enum sg_err e;

	if (dsc_read(der, &dsc) != SG_OK)
		return "dsc_read";
	if (dsc.alg == COSE_NONE || dsc.alg != s->alg)
		return "algorithm of the certificate";
	if (cose_key_from_certificate(der, &key) != SG_OK)
		return "cose_key_from_certificate";
	e = cose_sig_structure(s->prot, span_of(NULL, 0), s->payload, tbs,
			       sizeof(tbs), &n);
	if (e == SG_OK)
		e = cose_key_verify(key, s->alg, span_of(tbs, n), s->signature);
	cose_key_free(key);
	return e == SG_OK ? NULL : "signature";
}

static const char *check_text(struct deflate *d, struct span text,
			      struct span der, struct span want)
{
	struct cwt_claims claims;
	struct cose_sign1 s;
	size_t n;

	if (hc1_decode(d, text, cose, sizeof(cose), &n) != SG_OK)
		return "hc1_decode";
	if (want.p != NULL && !span_eq(span_of(cose, n), want))
		return "the COSE file has other bytes";
	if (cose_sign1_decode(span_of(cose, n), &s) != SG_OK || s.detached)
		return "cose_sign1_decode";
	if (cwt_decode(s.payload, &claims) != SG_OK)
		return "cwt_decode";
	if (!claims.has_exp || claims.dcc.n == 0)
		return "claims are missing";
	return verify(&s, der);
}

static bool check_stem(struct deflate *d, const char *stem)
{
	const char *failed = "unreadable";
	uint8_t *text_file;
	uint8_t *der_file;
	uint8_t *cose_file;
	const struct span text = read_beside(stem, SUFFIX, &text_file);
	const struct span der = read_beside(stem, ".dsc.der", &der_file);
	const struct span want = read_beside(stem, ".cose", &cose_file);

	if (text_file != NULL && der_file != NULL)
		failed = check_text(d, text, der, want);
	if (failed != NULL)
		printf("%s: %s\n", stem, failed);
	free(text_file);
	free(der_file);
	free(cose_file);
	return failed == NULL;
}

static bool check_directory(struct deflate *d, const char *path,
			    unsigned *passed, unsigned *failed)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char stem[PATH_SIZE];

	if (dir == NULL) {
		perror(path);
		return false;
	}
	while ((entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-*) */
		const char *end = strstr(entry->d_name, SUFFIX);

		if (end == NULL || end[sizeof(SUFFIX) - 1] != '\0')
			continue;
		(void)snprintf(stem, sizeof(stem), "%s/%.*s", path,
			       (int)(end - entry->d_name), entry->d_name);
		if (check_stem(d, stem))
			(*passed)++;
		else
			(*failed)++;
	}
	(void)closedir(dir);
	return true;
}

int main(int argc, char **argv)
{
	unsigned passed = 0;
	unsigned failed = 0;
	struct deflate *d;

	if (argc < 2) {
		(void)fprintf(stderr, "usage: %s DIR...\n", argv[0]);
		return 2;
	}
	if (deflate_create(&d) != SG_OK)
		return 2;
	for (int i = 1; i < argc; i++)
		if (!check_directory(d, argv[i], &passed, &failed))
			failed++;
	deflate_free(d);
	printf("%u passed, %u failed\n", passed, failed);
	return passed > 0 && failed == 0 ? 0 : 1;
}
