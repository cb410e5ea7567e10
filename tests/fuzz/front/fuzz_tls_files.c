/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the server: its certificate, its key, the client CAs, the CRLs
 * and an OCSP response, a chunk each.  Where one of the first three is empty
 * there is a good one in its place; without a chunk of CRLs, or of a response,
 * there is none.  A response that begins with "ocsp" is made here, as the
 * bytes behind that say: who could guess its signature?
 */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdlib.h>

#include "../../unit/front/pki.h"
#include "../files.h"
#include "front/tls.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum file { CERTIFICATE, KEY, CAS, CRLS, OCSP, FILES };

enum { PEM_BYTES = 4096 };

static struct {
	uint8_t bytes[PEM_BYTES];
	size_t n;
} good[CRLS];

static struct pki_cert ca;
static struct pki_cert own;

static void keep(BIO *from, enum file to)
{
	const int n = BIO_read(from, good[to].bytes, PEM_BYTES);

	assert(n > 0 && n < PEM_BYTES);
	good[to].n = (size_t)n;
	BIO_free(from);
}

static void make_good(void)
{
	BIO *out[CRLS];

	ca = pki_issue(NULL, (struct pki_wish){.cn = "CA", .ca = 1});
	own = pki_issue(&ca, (struct pki_wish){.cn = "own"});
	for (int i = 0; i < CRLS; i++)
		assert((out[i] = BIO_new(BIO_s_mem())) != NULL);
	assert(PEM_write_bio_X509(out[CERTIFICATE], own.x) == 1);
	assert(PEM_write_bio_PrivateKey(out[KEY], own.key, NULL, NULL, 0, NULL,
					NULL) == 1);
	assert(PEM_write_bio_X509(out[CAS], ca.x) == 1);
	for (int i = 0; i < CRLS; i++)
		keep(out[i], (enum file)i);
}

/* What the byte at I of HOW asks for; 0: nothing. */
static unsigned wish(struct span how, size_t i)
{
	return i < how.n ? how.p[i] : 0;
}

/* Bits of its bytes: 0: status, 1: whose, 2: by whom, 3: from when on, 4: how
 * long, in hours. */
static size_t make_response(struct span how, uint8_t out[PEM_BYTES])
{
	const struct pki_cert *by = wish(how, 2) & 1 ? &own : &ca;
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(
		EVP_sha1(), wish(how, 1) & 1 ? ca.x : own.x, ca.x);
	ASN1_TIME *from =
		X509_gmtime_adj(NULL, ((long)wish(how, 3) - 128) * 3600);
	ASN1_TIME *to =
		X509_gmtime_adj(NULL, ((long)wish(how, 4) - 128) * 3600);
	OCSP_RESPONSE *r;
	uint8_t *p = out;
	int n;

	assert(OCSP_basic_add1_status(basic, id, (int)(wish(how, 0) % 3),
				      OCSP_REVOKED_STATUS_NOSTATUS, from, from,
				      wish(how, 1) & 2 ? NULL : to) != NULL);
	assert(OCSP_basic_sign(basic, by->x, by->key, EVP_sha256(), NULL,
			       wish(how, 2) & 2 ? OCSP_NOCERTS : 0) == 1);
	r = OCSP_response_create((int)(wish(how, 0) / 4 % 7), basic);
	n = i2d_OCSP_RESPONSE(r, NULL);
	n = n > 0 && n <= PEM_BYTES ? i2d_OCSP_RESPONSE(r, &p) : 0;
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return (size_t)n;
}

/* CHUNK, or the response that it describes, in MADE. */
static struct span response_of(struct span chunk, uint8_t made[PEM_BYTES])
{
	if (chunk.n < 4 || memcmp(chunk.p, "ocsp", 4) != 0)
		return chunk;
	return span_of(made,
		       make_response(span_of(chunk.p + 4, chunk.n - 4), made));
}

static void put(struct span chunk, enum file i, char path[FRONT_PATH_MAX])
{
	static const char *const name[] = {"certificate", "key", "cas", "crls",
					   "ocsp"};
	char whole[FILES_PATH];

	path[0] = '\0';
	if (chunk.n == 0 && i >= CRLS)
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
	static uint8_t made[PEM_BYTES];
	struct tls_context *ctx;

	if (good[KEY].n == 0)
		make_good();
	files_begin();
	put(files_chunk(&in), CERTIFICATE, s.certificate);
	put(files_chunk(&in), KEY, s.key);
	put(files_chunk(&in), CAS, s.client_ca);
	put(files_chunk(&in), CRLS, s.crl);
	put(response_of(files_chunk(&in), made), OCSP, s.ocsp);
	if (tls_context_create(&s, &ctx, reason) != SG_OK) {
		if (reason[0] == '\0')
			abort();
		return 0;
	}
	/* Without CRLs there can be nothing wrong with them. */
	if (s.crl[0] == '\0' &&
	    (tls_context_crl_expired(ctx) || tls_context_crl_missing(ctx)))
		abort();
	/* A response is stapled, or there is a reason why it is not. */
	if (s.ocsp[0] == '\0' ? tls_context_times(ctx)->ocsp != 0 ||
					tls_context_ocsp_fault(ctx) != NULL
			      : (tls_context_times(ctx)->ocsp == 0) !=
					(tls_context_ocsp_fault(ctx) != NULL))
		abort();
	tls_context_free(ctx);
	return 0;
}
