/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signerd.yaml with the files that it names, as signerd --check and a reload
 * read them: the input has the configuration, the server's certificate, the
 * client CAs, the CRLs, a signer's certificate, the CSCA and the policy, a
 * chunk each; an empty one is a good one.  What is taken goes out to the roles,
 * also together with the one before it, and is the same there.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../unit/core/pki.h"
#include "../../unit/front/pki.h"
#include "../files.h"
#include "base/log.h"
#include "config.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum file { CONFIG, CERTIFICATE, CAS, CRLS, DSC, CSCA, POLICY, FILES };

enum { FILE_BYTES = 4096, NAMES_BYTES = 256 };

static const char CONFIG_TEXT[] =
	"version: 1\n"
	"listen: {address: 127.0.0.1, port: 8443, fronts: 1}\n"
	"ops: {listen: 127.0.0.1:9443}\n"
	"tls: {certificate: server.pem, key: server.key, client_ca: ca.pem,\n"
	"  crl: crl.pem}\n"
	"policy: policy.yaml\n"
	"state: state\n"
	"run: run\n"
	"csca: csca.pem\n"
	"hsms:\n"
	"  - {name: h, module: module.so, pin: file:pin, processes: 1,\n"
	"     sessions: 1, token: \"pkcs11:token=demo\",\n"
	"     access: {read: [.], write: [state], network: true}}\n"
	"  - {name: l, module: module.so, pin: file:pin, processes: 1,\n"
	"     sessions: 1}\n"
	"keys:\n"
	"  - {label: dsc-1, hsm: h, uri: \"pkcs11:token=demo;object=dsc-1\",\n"
	"     alg: ES256, kinds: [v, t, r], country: VN, certificate: "
	"dsc.pem}\n"
	"ledger: {origin: log.example, hsm: l,\n"
	"  uri: \"pkcs11:token=ledger;object=ledger\"}\n"
	"sandbox: {users: {front: nobody, core: root},\n"
	"  off: {hsm: [files], core: [memory]}}\n";

static const char POLICY_TEXT[] =
	"version: 1\nclients:\n"
	"  - {name: a, identities: [\"uri:urn:a\"], operations: [audit]}\n";

static const char *const NAME[FILES] = {
	"signerd.yaml", "server.pem", "ca.pem",	    "crl.pem",
	"dsc.pem",	"csca.pem",   "policy.yaml"};

static struct {
	uint8_t bytes[FILE_BYTES];
	size_t n;
} good[FILES], key;

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void keep(BIO *from, uint8_t bytes[FILE_BYTES], size_t *n)
{
	const int got = BIO_read(from, bytes, FILE_BYTES);

	must(got > 0 && got < FILE_BYTES);
	*n = (size_t)got;
	BIO_free(from);
}

static void keep_certificate(X509 *x, enum file to)
{
	BIO *out = BIO_new(BIO_s_mem());

	must(out != NULL && PEM_write_bio_X509(out, x) == 1);
	keep(out, good[to].bytes, &good[to].n);
}

static void keep_text(const char *text, enum file to)
{
	good[to].n = strlen(text);
	memcpy(good[to].bytes, text, good[to].n);
}

static void make_good(void)
{
	struct pki_cert ca =
		pki_issue(NULL, (struct pki_wish){.cn = "CA", .ca = 1});
	struct pki_cert own = pki_issue(&ca, (struct pki_wish){.cn = "own"});
	struct signer signer = signer_usual(COSE_ES256);
	const uint8_t *der = signer.der;
	X509 *dsc = d2i_X509(NULL, &der, signer.der_n);
	X509_CRL *crl = pki_crl(&ca, NULL, -1, 9);
	BIO *out = BIO_new(BIO_s_mem());

	log_limit((enum log_level) - 1);
	must(out != NULL && PEM_write_bio_PrivateKey(out, own.key, NULL, NULL,
						     0, NULL, NULL) == 1);
	keep(out, key.bytes, &key.n);
	out = BIO_new(BIO_s_mem());
	must(out != NULL && PEM_write_bio_X509_CRL(out, crl) == 1);
	keep(out, good[CRLS].bytes, &good[CRLS].n);
	keep_certificate(own.x, CERTIFICATE);
	keep_certificate(ca.x, CAS);
	keep_certificate(ca.x, CSCA);
	keep_certificate(dsc, DSC);
	keep_text(CONFIG_TEXT, CONFIG);
	keep_text(POLICY_TEXT, POLICY);
	X509_CRL_free(crl);
	X509_free(dsc);
	signer_free(&signer);
	pki_free(&own);
	pki_free(&ca);
}

/* The other files that CONFIG_TEXT names. */
static void put_others(void)
{
	files_folder("state");
	files_folder("run");
	files_put("server.key", span_of(key.bytes, key.n));
	files_put("pin", SPAN_LIT("1234\n"));
	files_put("module.so", SPAN_LIT("a module"));
}

/* Does it name what is none of ours to open, or what nobody can read to its
 * end? */
static bool is_strange(struct span text)
{
	return text.n > 0 && (memmem(text.p, text.n, "/dev", 4) != NULL ||
			      memmem(text.p, text.n, "/proc", 5) != NULL ||
			      memmem(text.p, text.n, "\\", 1) != NULL);
}

/* As a role gets TEXT: it comes to the same. */
static void read_as_role(struct span text, const struct config *c)
{
	static struct faults faults;
	const int fd = memfd_create("config", MFD_CLOEXEC);
	char names[NAMES_BYTES];
	struct config *role;

	faults = (struct faults){0};
	must(fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n);
	must(config_from_fd(fd, &role, &faults) == SG_OK && faults.n == 0);
	config_keep_fixed(c, role, names, sizeof(names));
	must(names[0] == '\0');
	must(strcmp(role->policy, c->policy) == 0);
	config_free(role);
	(void)close(fd);
}

static void reload(struct span text, const struct config *c)
{
	struct span joined;

	must(config_join(text, text, &joined) == SG_OK);
	read_as_role(joined, c);
	config_text_free(&joined);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct faults faults;
	struct span in = span_of(data, size);
	char path[FILES_PATH];
	struct config *c;
	struct span text;
	struct span policy;

	if (key.n == 0)
		make_good();
	files_begin();
	put_others();
	for (int i = 0; i < FILES; i++) {
		const struct span chunk = files_chunk(&in);

		if (i == CONFIG && is_strange(chunk))
			return 0;
		files_put(NAME[i], chunk.n > 0
					   ? chunk
					   : span_of(good[i].bytes, good[i].n));
	}
	faults = (struct faults){0};
	if (config_load(files_path("signerd.yaml", path), &c, &faults, &text,
			&policy) != SG_OK) {
		must(faults.n > 0);
		return 0;
	}
	must(faults.n == 0 && policy.n > 0);
	read_as_role(text, c);
	reload(text, c);
	config_text_free(&text);
	config_text_free(&policy);
	config_free(c);
	return 0;
}
