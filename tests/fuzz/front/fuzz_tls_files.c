/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PEM files of the server: its certificate, its key, the client CAs and
 * the CRLs, a chunk each.  Where one of the first three is empty there is a
 * good one in its place; without a chunk of CRLs there are none.
 */
#include <openssl/err.h>
#include <stdlib.h>

#include "../../unit/front/pki.h"
#include "../files.h"
#include "front/tls.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum file { CERTIFICATE, KEY, CAS, CRLS, FILES };

enum { PEM_BYTES = 4096 };

static struct {
	uint8_t bytes[PEM_BYTES];
	size_t n;
} good[CRLS];

static void keep(BIO *from, enum file to)
{
	const int n = BIO_read(from, good[to].bytes, PEM_BYTES);

	assert(n > 0 && n < PEM_BYTES);
	good[to].n = (size_t)n;
	BIO_free(from);
}

static void make_good(void)
{
	struct pki_cert ca =
		pki_issue(NULL, (struct pki_wish){.cn = "CA", .ca = 1});
	struct pki_cert own = pki_issue(&ca, (struct pki_wish){.cn = "own"});
	BIO *out[CRLS];

	for (int i = 0; i < CRLS; i++)
		assert((out[i] = BIO_new(BIO_s_mem())) != NULL);
	assert(PEM_write_bio_X509(out[CERTIFICATE], own.x) == 1);
	assert(PEM_write_bio_PrivateKey(out[KEY], own.key, NULL, NULL, 0, NULL,
					NULL) == 1);
	assert(PEM_write_bio_X509(out[CAS], ca.x) == 1);
	for (int i = 0; i < CRLS; i++)
		keep(out[i], (enum file)i);
	pki_free(&own);
	pki_free(&ca);
}

static void put(struct span chunk, enum file i, char path[FRONT_PATH_MAX])
{
	static const char *const name[] = {"certificate", "key", "cas", "crls"};
	char whole[FILES_PATH];

	path[0] = '\0';
	if (chunk.n == 0 && i == CRLS)
		return;
	files_put(name[i],
		  chunk.n == 0 ? span_of(good[i].bytes, good[i].n) : chunk);
	(void)snprintf(path, FRONT_PATH_MAX, "%s", files_path(name[i], whole));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct front_settings s;
	struct span in = span_of(data, size);
	char reason[TLS_REASON_BYTES];
	struct tls_context *ctx;

	if (good[KEY].n == 0)
		make_good();
	files_begin();
	put(files_chunk(&in), CERTIFICATE, s.certificate);
	put(files_chunk(&in), KEY, s.key);
	put(files_chunk(&in), CAS, s.client_ca);
	put(files_chunk(&in), CRLS, s.crl);
	if (tls_context_create(&s, &ctx, reason) != SG_OK) {
		if (reason[0] == '\0')
			abort();
		return 0;
	}
	/* Without CRLs there can be nothing wrong with them. */
	if (s.crl[0] == '\0' &&
	    (tls_context_crl_expired(ctx) || tls_context_crl_missing(ctx)))
		abort();
	if (tls_context_times(ctx)->ocsp != 0 ||
	    tls_context_ocsp_fault(ctx) != NULL)
		abort();
	tls_context_free(ctx);
	return 0;
}
