/* SPDX-License-Identifier: Apache-2.0 */
/* A directory with everything that a configuration names. */
#ifndef SG_TEST_FIXTURE_H
#define SG_TEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/faults.h"
#include "base/span.h"

enum { FIXTURE_PATH = 512, FIXTURE_TEXT = 3072 };

struct fixture {
	char dir[64];
	unsigned port;
	unsigned ops_port;
};

static inline const char *fixture_path(const struct fixture *f,
				       const char *name)
{
	static char path[4][FIXTURE_PATH];
	static unsigned next;
	char *p = path[next++ % 4];

	(void)snprintf(p, FIXTURE_PATH, "%s/%s", f->dir, name);
	return p;
}

static inline void fixture_write(const struct fixture *f, const char *name,
				 const char *text, mode_t mode)
{
	const char *path = fixture_path(f, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static inline void fixture_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

/* A self-signed certificate for KEY into NAME. */
static inline void fixture_certificate(const struct fixture *f,
				       const char *name, EVP_PKEY *key,
				       const char *usage)
{
	FILE *file = fopen(fixture_path(f, name), "w");
	X509 *x = X509_new();

	assert_true(x != NULL && file != NULL);
	(void)X509_set_version(x, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), -60);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	(void)X509_NAME_add_entry_by_txt(
		X509_get_subject_name(x), "CN", MBSTRING_ASC,
		(const unsigned char *)"test", -1, -1, 0);
	(void)X509_set_issuer_name(x, X509_get_subject_name(x));
	(void)X509_set_pubkey(x, key);
	if (usage != NULL)
		fixture_extension(x, NID_key_usage, usage);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(file, x), 1);
	assert_int_equal(fclose(file), 0);
	X509_free(x);
}

/* A CRL by NAMED and KEY, with its next update in NEXT_S seconds. */
static inline void fixture_crl(const struct fixture *f, EVP_PKEY *key,
			       const char *named, long next_s)
{
	FILE *file = fopen(fixture_path(f, "crl.pem"), "w");
	X509_CRL *crl = X509_CRL_new();
	X509_NAME *name = X509_NAME_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
	ASN1_TIME *next = X509_gmtime_adj(NULL, next_s);

	assert_true(file != NULL && crl != NULL && name != NULL);
	(void)X509_CRL_set_version(crl, 1);
	(void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					 (const unsigned char *)named, -1, -1,
					 0);
	(void)X509_CRL_set_issuer_name(crl, name);
	(void)X509_CRL_set1_lastUpdate(crl, now);
	(void)X509_CRL_set1_nextUpdate(crl, next);
	assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509_CRL(file, crl), 1);
	assert_int_equal(fclose(file), 0);
	ASN1_TIME_free(now);
	ASN1_TIME_free(next);
	X509_NAME_free(name);
	X509_CRL_free(crl);
}

static inline void fixture_key(const struct fixture *f, const char *name,
			       EVP_PKEY *key)
{
	const char *path = fixture_path(f, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(
		PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* Another CRL of the fixture's CA, or of one that is NAMED otherwise. */
static inline void fixture_new_crl(const struct fixture *f, const char *named,
				   long next_s)
{
	FILE *file = fopen(fixture_path(f, "server.key"), "r");
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);

	assert_non_null(key);
	fixture_crl(f, key, named, next_s);
	EVP_PKEY_free(key);
	assert_int_equal(fclose(file), 0);
}

/* A port that is free now, and most likely still is in a moment. */
static inline unsigned fixture_free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(a);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	(void)close(fd);
	return ntohs(a.sin_port);
}

/* The configuration as text, with a line number for each fault to expect. */
static inline void fixture_config(const struct fixture *f, char *out)
{
	(void)snprintf(out, FIXTURE_TEXT,
		       "version: 1\n"				   /* 1 */
		       "listen:\n"				   /* 2 */
		       "  address: 127.0.0.1\n"			   /* 3 */
		       "  port: %u\n"				   /* 4 */
		       "  fronts: 2\n"				   /* 5 */
		       "ops:\n"					   /* 6 */
		       "  listen: 127.0.0.1:%u\n"		   /* 7 */
		       "tls:\n"					   /* 8 */
		       "  certificate: server.pem\n"		   /* 9 */
		       "  key: server.key\n"			   /* 10 */
		       "  client_ca: ca.pem\n"			   /* 11 */
		       "  crl: crl.pem\n"			   /* 12 */
		       "policy: policy.yaml\n"			   /* 13 */
		       "state: state\n"				   /* 14 */
		       "run: run\n"				   /* 15 */
		       "hsms:\n"				   /* 16 */
		       "  - name: demo\n"			   /* 17 */
		       "    module: module.so\n"		   /* 18 */
		       "    pin: file:pin\n"			   /* 19 */
		       "    processes: 2\n"			   /* 20 */
		       "    sessions: 4\n"			   /* 21 */
		       "    environment:\n"			   /* 22 */
		       "      - SOFTHSM2_CONF=softhsm2.conf\n"	   /* 23 */
		       "      - PLAIN=value\n"			   /* 24 */
		       "keys:\n"				   /* 25 */
		       "  - label: dsc-1\n"			   /* 26 */
		       "    hsm: demo\n"			   /* 27 */
		       "    uri: pkcs11:token=demo;object=dsc-1\n" /* 28 */
		       "    alg: ES256\n"			   /* 29 */
		       "    kinds: [v, t]\n"			   /* 30 */
		       "    country: VN\n"			   /* 31 */
		       "    certificate: dsc.pem\n"		   /* 32 */
		       "limits:\n"				   /* 33 */
		       "  idle: 2m\n"				   /* 34 */
		       "  drain: 5s\n"				   /* 35 */
		       "verify:\n"				   /* 36 */
		       "  ecdsa: all\n"				   /* 37 */
		       "log: debug\n"				   /* 38 */
		       "ledger:\n"				   /* 39 */
		       "  origin: test.example/log\n"		   /* 40 */
		       "  hsm: demo\n"				   /* 41 */
		       "  uri: pkcs11:token=log;object=log\n",	   /* 42 */
		       f->port, f->ops_port);
}

static const char FIXTURE_POLICY[] =
	"version: 1\n"
	"profiles:\n"
	"  - name: full\n"
	"    rules: {unknown-field: error}\n"
	"clients:\n"
	"  - name: issuer\n"
	"    identities: [\"uri:urn:signerd:demo:issuer\"]\n"
	"    operations: [issue]\n"
	"    kinds: [v]\n"
	"    countries: [VN]\n"
	"    issuers: [\"*\"]\n"
	"    profile: full\n"
	"    validity: {v: 365d}\n";

static inline void fixture_make(struct fixture *f)
{
	EVP_PKEY *server = EVP_EC_gen("P-256");
	EVP_PKEY *dsc = EVP_EC_gen("P-256");
	char text[FIXTURE_TEXT];

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/signer-unit-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->port = fixture_free_port();
	f->ops_port = fixture_free_port();
	fixture_config(f, text);
	fixture_write(f, "signerd.yaml", text, 0644);
	fixture_write(f, "policy.yaml", FIXTURE_POLICY, 0644);
	fixture_write(f, "pin", "1234", 0600);
	fixture_write(f, "module.so", "not loaded here", 0644);
	fixture_write(f, "softhsm2.conf", "", 0644);
	fixture_key(f, "server.key", server);
	fixture_key(f, "other.key", dsc);
	fixture_certificate(f, "server.pem", server, NULL);
	fixture_certificate(f, "ca.pem", server, NULL);
	fixture_certificate(f, "dsc.pem", dsc, "digitalSignature");
	fixture_certificate(f, "agreement.pem", dsc, "keyAgreement");
	fixture_crl(f, server, "test", 86400);
	EVP_PKEY_free(server);
	EVP_PKEY_free(dsc);
}

static inline void fixture_remove(const struct fixture *f)
{
	static const char *const names[] = {
		"signerd.yaml", "policy.yaml",	   "pin",
		"module.so",	"softhsm2.conf",   "server.key",
		"other.key",	"server.pem",	   "ca.pem",
		"dsc.pem",	"agreement.pem",   "crl.pem",
		"log",		"run/signerd.pid", "run/ops.sock"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(fixture_path(f, names[i]));
	(void)rmdir(fixture_path(f, "run"));
	(void)rmdir(fixture_path(f, "state/ledger"));
	(void)rmdir(fixture_path(f, "state"));
	(void)rmdir(f->dir);
}

/* TEXT with its one OLD replaced by NEW, to OUT. */
static inline void fixture_edit(const char *text, const char *old,
				const char *new, char *out)
{
	const char *at = strstr(text, old);

	assert_non_null(at);
	(void)snprintf(out, FIXTURE_TEXT, "%.*s%s%s", (int)(at - text), text,
		       new, at + strlen(old));
}

#endif /* SG_TEST_FIXTURE_H */
