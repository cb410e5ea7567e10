/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fileio.h"
#include "config_read.h"
#include "config_values.h"
#include "front/tls.h"
#include "hcert/dsc.h"
#include "pkcs11/pin.h"

enum { PEM_FILE_MAX = 4 << 20 }; /* bytes; a CRL can be long */

/* A whole file as an OpenSSL source, or NULL with a fault at AT. */
struct source {
	BIO *bio;
	uint8_t *text;
	size_t n;
};

static bool source_open(const struct yaml_at *at, const char *path,
			struct source *s)
{
	const enum sg_err e = fileio_read(path, PEM_FILE_MAX, &s->text, &s->n);

	if (e != SG_OK) {
		yaml_fault(at, "%s: %s", path,
			   e == SG_IO	     ? strerrordesc_np(errno)
			   : e == SG_TOO_BIG ? "is too large"
					     : err_text(e));
		return false;
	}
	s->bio = BIO_new_mem_buf(s->text, (int)s->n);
	if (s->bio == NULL) {
		yaml_fault(at, "%s: %s", path, err_text(SG_NO_MEMORY));
		fileio_wipe(s->text, s->n);
		free(s->text);
		return false;
	}
	return true;
}

static void source_close(struct source *s)
{
	BIO_free(s->bio);
	fileio_wipe(s->text, s->n); /* it may be a private key */
	free(s->text);
	ERR_clear_error();
}

/* No passphrase is ever asked for on a terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *u)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)u;
	return -1;
}

static X509 *read_certificate(const struct yaml_at *at, const char *path)
{
	struct source s;
	X509 *x;

	if (!source_open(at, path, &s))
		return NULL;
	x = PEM_read_bio_X509(s.bio, NULL, no_passphrase, NULL);
	if (x == NULL)
		yaml_fault(at, "%s: has no certificate in PEM", path);
	source_close(&s);
	return x;
}

static EVP_PKEY *read_key(const struct yaml_at *at, const char *path)
{
	struct source s;
	struct stat st;
	EVP_PKEY *key;

	if (!source_open(at, path, &s))
		return NULL;
	if (stat(path, &st) == 0 && (st.st_mode & S_IRWXO) != 0)
		yaml_fault(at, "%s: a private key that everybody may read",
			   path);
	key = PEM_read_bio_PrivateKey(s.bio, NULL, no_passphrase, NULL);
	if (key == NULL)
		yaml_fault(at,
			   "%s: has no private key in PEM without a "
			   "passphrase",
			   path);
	source_close(&s);
	return key;
}

static void check_server(const struct yaml_at *tls,
			 const struct front_settings *front)
{
	const struct yaml_at at_cert = yaml_child(tls, "certificate");
	const struct yaml_at at_key = yaml_child(tls, "key");
	X509 *x = NULL;
	EVP_PKEY *key = NULL;

	if (front->certificate[0] != '\0')
		x = read_certificate(&at_cert, front->certificate);
	if (front->key[0] != '\0')
		key = read_key(&at_key, front->key);
	if (x != NULL && key != NULL && X509_check_private_key(x, key) != 1)
		yaml_fault(&at_key, "does not fit the certificate %s",
			   front->certificate);
	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
}

static void check_crl(const struct yaml_at *at, const char *path)
{
	struct source s;
	X509_CRL *crl;

	if (!source_open(at, path, &s))
		return;
	crl = PEM_read_bio_X509_CRL(s.bio, NULL, no_passphrase, NULL);
	if (crl == NULL)
		yaml_fault(at, "%s: has no revocation list in PEM", path);
	X509_CRL_free(crl);
	source_close(&s);
}

void config_note(const struct yaml_at *at, char notes[CONFIG_NOTE_BYTES],
		 const char *text)
{
	struct faults *faults = at->tree->faults;
	const size_t n = strlen(notes);
	struct faults one = {0};

	at->tree->faults = &one;
	yaml_fault(at, "%s", text);
	at->tree->faults = faults;
	(void)snprintf(notes + n, CONFIG_NOTE_BYTES - n, "%s", one.text);
}

static void check_times(const struct yaml_at *tls, const struct tls_context *t,
			struct config *c)
{
	const struct yaml_at certificate = yaml_child(tls, "certificate");
	const struct yaml_at crl = yaml_child(tls, "crl");
	const struct yaml_at ocsp = yaml_child(tls, "ocsp_response");

	if (tls_context_ocsp_fault(t) != NULL)
		config_note(&ocsp, c->doubts, tls_context_ocsp_fault(t));
	if (tls_context_times(t)->own < clock_wall_s())
		config_note(&certificate, c->outdated, "has expired");
	if (tls_context_crl_expired(t))
		config_note(
			&crl, c->outdated,
			"is past its next update: all clients of its CA are "
			"refused");
	if (tls_context_times(t)->own_from > clock_wall_s())
		config_note(&certificate, c->outdated, "is not valid yet");
	if (tls_context_times(t)->crl_from > clock_wall_s())
		config_note(&crl, c->outdated,
			    "is not valid yet: all clients of its CA are "
			    "refused");
	if (tls_context_crl_missing(t))
		config_note(
			&crl, c->doubts,
			"is of none of the CAs in tls.client_ca: their clients "
			"are refused");
}

/* The files together, just as the fronts will read them: what only they would
 * find leaves the service without a door. */
static void check_as_front(const struct yaml_at *tls, struct config *c)
{
	const struct front_settings *front = &c->front;
	char reason[TLS_REASON_BYTES];
	struct tls_context *t;

	if (front->certificate[0] == '\0' || front->client_ca[0] == '\0' ||
	    (front->key[0] == '\0' && front->key_alg == COSE_NONE))
		return;
	if (tls_context_create(front, &t, reason) == SG_OK) {
		check_times(tls, t, c);
		tls_context_free(t);
	} else {
		yaml_fault(tls, "%s", reason);
	}
	ERR_clear_error();
}

static void check_tls(const struct yaml_at *root, struct config *c)
{
	const struct front_settings *front = &c->front;
	const size_t before = root->tree->faults->n;
	const struct yaml_at tls = yaml_child(root, "tls");
	const struct yaml_at ca = yaml_child(&tls, "client_ca");
	const struct yaml_at crl = yaml_child(&tls, "crl");

	check_server(&tls, front);
	if (front->client_ca[0] != '\0')
		X509_free(read_certificate(&ca, front->client_ca));
	if (front->crl[0] != '\0')
		check_crl(&crl, front->crl);
	if (root->tree->faults->n == before)
		check_as_front(&tls, c);
}

/* --- HSMs and keys ------------------------------------------------------- */

static bool check_file(const struct yaml_at *at, const char *path,
		       struct stat *st)
{
	const char *why = NULL;

	if (stat(path, st) != 0 || access(path, R_OK) != 0)
		why = strerrordesc_np(errno);
	else if (!S_ISREG(st->st_mode))
		why = "is not a file";
	if (why != NULL)
		yaml_fault(at, "%s: %s", path, why);
	return why == NULL;
}

/* The PIN itself is not read here: only the hsm process ever does. */
static void check_pin(const struct yaml_at *at, const char *path)
{
	struct stat st;

	if (!check_file(at, path, &st))
		return;
	if (pin_is_shared(path, &st))
		yaml_fault(at,
			   "%s: others than its owner have rights to it "
			   "(chmod 600)",
			   path);
	if (st.st_size == 0)
		yaml_fault(at, "%s: is empty", path);
}

static void check_hsms(const struct yaml_at *root, const struct config *c)
{
	const struct yaml_at hsms = yaml_child(root, "hsms");

	for (size_t i = 0; i < c->nhsms; i++) {
		const struct worker_settings *w = &c->hsm[i].worker;
		const struct yaml_at hsm = yaml_item(&hsms, i);
		const struct yaml_at module = yaml_child(&hsm, "module");
		const struct yaml_at pin = yaml_child(&hsm, "pin");
		struct stat st;

		if (w->module[0] != '\0')
			(void)check_file(&module, w->module, &st);
		if (w->pin_file[0] != '\0')
			check_pin(&pin, w->pin_file);
	}
}

/* In DER, from PEM or DER.  free() it. */
static bool read_dsc(const struct yaml_at *at, const char *path, uint8_t **der,
		     size_t *n)
{
	struct source s;
	unsigned char *p = NULL;
	X509 *x;
	int len;

	if (!source_open(at, path, &s))
		return false;
	x = PEM_read_bio_X509(s.bio, NULL, no_passphrase, NULL);
	if (x == NULL) {
		const unsigned char *in = s.text;

		x = d2i_X509(NULL, &in, (long)s.n);
	}
	len = x != NULL ? i2d_X509(x, &p) : -1;
	if (len <= 0)
		yaml_fault(at, "%s: has no certificate in PEM or DER", path);
	*der = p;
	*n = len > 0 ? (size_t)len : 0;
	X509_free(x);
	source_close(&s);
	return len > 0;
}

static void check_dsc(const struct yaml_at *at,
		      const struct core_key_settings *key)
{
	struct dsc dsc;
	uint8_t *der;
	size_t n;

	if (!read_dsc(at, key->certificate, &der, &n))
		return;
	if (dsc_read(span_of(der, n), &dsc) != SG_OK) {
		yaml_fault(at, "%s: is no usable signer certificate",
			   key->certificate);
	} else {
		if (key->alg != COSE_NONE && dsc.alg != key->alg)
			yaml_fault(at, "%s: its key is not for %s",
				   key->certificate, cose_alg_name(key->alg));
		if (!dsc.digital_signature)
			yaml_fault(at,
				   "%s: its key usage has no "
				   "digitalSignature",
				   key->certificate);
		if ((key->kinds & ~dsc.kinds) != 0)
			yaml_fault(at,
				   "%s: its extended key usage does not "
				   "allow all of the key's kinds",
				   key->certificate);
	}
	OPENSSL_free(der);
}

static void check_keys(const struct yaml_at *root, const struct config *c)
{
	const struct yaml_at keys = yaml_child(root, "keys");

	for (size_t i = 0; i < c->core.nkeys; i++) {
		const struct yaml_at key = yaml_item(&keys, i);
		const struct yaml_at dsc = yaml_child(&key, "certificate");

		/* The server's is no DSC. */
		if (c->core.key[i].certificate[0] != '\0' &&
		    !c->core.key[i].tls)
			check_dsc(&dsc, &c->core.key[i]);
	}
}

/* Whoever reaches the port makes its HSM sign. */
static void doubt_tls_hsm(const struct yaml_at *root, struct config *c)
{
	const struct yaml_at tls = yaml_child(root, "tls");
	const struct yaml_at key = yaml_child(&tls, "hsm_key");
	const struct yaml_at hsm = yaml_child(&key, "hsm");
	const struct core_key_settings *own = config_tls_key(c);

	for (size_t i = 0; own != NULL && i < c->core.nkeys; i++)
		if (c->core.key[i].kinds != 0 &&
		    strcmp(c->core.key[i].hsm, own->hsm) == 0) {
			config_note(&hsm, c->doubts,
				    "has keys of certificates as well: "
				    "handshakes of strangers take its time");
			return;
		}
}

static void check_ledger(const struct yaml_at *root, const struct config *c)
{
	const struct yaml_at ledger = yaml_child(root, "ledger");
	const struct yaml_at ca = yaml_child(&ledger, "witness_ca");

	if (c->witness.ca[0] != '\0')
		X509_free(read_certificate(&ca, c->witness.ca));
}

/* Who issues the certificates that officers import. */
static void check_csca(const struct yaml_at *root, const struct config *c)
{
	const struct yaml_at at = yaml_child(root, "csca");

	if (c->core.csca[0] != '\0')
		X509_free(read_certificate(&at, c->core.csca));
}

/* --- directories and the policy ------------------------------------------ */

/* The supervisor makes the last directory of PATH where it is missing. */
static void check_directory(const struct yaml_at *root, const char *key,
			    const char *path)
{
	const struct yaml_at at = yaml_child(root, key);
	struct stat st;

	if (path[0] == '\0')
		return;
	if (stat(path, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			yaml_fault(&at, "%s: is not a directory", path);
		else if (access(path, W_OK | X_OK) != 0)
			yaml_fault(&at, "%s: %s", path, strerrordesc_np(errno));
	} else if (errno != ENOENT) {
		yaml_fault(&at, "%s: %s", path, strerrordesc_np(errno));
	}
}

static enum sg_err check_policy(struct yaml_tree *t, const char *path,
				struct span *out)
{
	const struct yaml_at root = yaml_root(t);
	const struct yaml_at at = yaml_child(&root, "policy");
	const char *slash = strrchr(path, '/');
	struct policy *policy;
	struct source s;
	enum sg_err e;

	if (path[0] == '\0' || !source_open(&at, path, &s))
		return SG_CONFIG;
	e = policy_load(span_of(s.text, s.n), slash != NULL ? slash + 1 : path,
			&policy, t->faults);
	if (e != SG_OK) {
		source_close(&s);
		return e;
	}
	policy_unref(policy);
	if (out == NULL) {
		source_close(&s);
		return SG_OK;
	}
	BIO_free(s.bio);
	*out = span_of(s.text, s.n);
	return SG_OK;
}

enum sg_err config_check(struct yaml_tree *t, struct config *c,
			 struct span *policy)
{
	const size_t before = t->faults->n;
	const struct yaml_at root = yaml_root(t);
	enum sg_err e;

	check_tls(&root, c);
	check_hsms(&root, c);
	check_keys(&root, c);
	doubt_tls_hsm(&root, c);
	check_csca(&root, c);
	check_ledger(&root, c);
	config_check_sandbox(&root, c);
	check_directory(&root, "state", c->core.state);
	check_directory(&root, "state", c->front.ledger);
	check_directory(&root, "run", c->run);
	e = check_policy(t, c->policy, policy);
	if (e == SG_NO_MEMORY)
		return e;
	return e != SG_OK || t->faults->n > before ? SG_CONFIG : SG_OK;
}
