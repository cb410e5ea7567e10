/* SPDX-License-Identifier: Apache-2.0 */
/* A smith's tasks on real tokens: keys are made, requested for, destroyed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "forge_fixture.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

static const struct {
	enum cose_alg alg;
	uint32_t bits;
	const char *label;
	size_t sig_bytes;
	int nid; /* of the signature in a CSR */
} KINDS[] = {
	{COSE_ES256, 0, "new-p256", 64, NID_ecdsa_with_SHA256},
	{COSE_PS256, 2048, "new-rsa-2048", 256, NID_rsassaPss},
	{COSE_PS256, 3072, "new-rsa-3072", 384, NID_rsassaPss},
	{COSE_EDDSA, 0, "new-ed25519", 64, NID_ED25519},
};
enum { COUNT = sizeof(KINDS) / sizeof(KINDS[0]) };

static struct span spki[COUNT];

/* --- what is on the token --------------------------------------------------
 */

/* With the module loaded and logged in; objects of CLASS called LABEL. */
static CK_ULONG count(struct forge *f, CK_OBJECT_CLASS class, const char *label,
		      CK_OBJECT_HANDLE *first)
{
	CK_ATTRIBUTE t[] = {{CKA_CLASS, &class, sizeof(class)},
			    {CKA_LABEL, unconst(label), strlen(label)}};
	const CK_FUNCTION_LIST *c = f->session.token->module->f;
	CK_OBJECT_HANDLE found[8];
	CK_ULONG n = 0;

	assert_int_equal(c->C_FindObjectsInit(f->session.handle, t, 2), CKR_OK);
	assert_int_equal(c->C_FindObjects(f->session.handle, found, 8, &n),
			 CKR_OK);
	assert_int_equal(c->C_FindObjectsFinal(f->session.handle), CKR_OK);
	if (n > 0)
		*first = found[0];
	return n;
}

static void open_forge(struct forge *f)
{
	struct forged out = {0};

	assert_int_equal(forge_open(f, &smith_settings, &watch, &out), SG_OK);
}

static void assert_flag(struct forge *f, CK_OBJECT_HANDLE o,
			CK_ATTRIBUTE_TYPE type, bool value)
{
	CK_BBOOL got = 7;
	CK_ATTRIBUTE a = {type, &got, 1};

	assert_int_equal(f->session.token->module->f->C_GetAttributeValue(
				 f->session.handle, o, &a, 1),
			 CKR_OK);
	assert_int_equal(got, value ? CK_TRUE : CK_FALSE);
}

static void assert_attributes(struct forge *f, const char *label)
{
	static const CK_ATTRIBUTE_TYPE on[] = {
		CKA_TOKEN, CKA_PRIVATE,		 CKA_SENSITIVE,
		CKA_SIGN,  CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE,
		CKA_LOCAL};
	static const CK_ATTRIBUTE_TYPE off[] = {
		CKA_EXTRACTABLE,  CKA_DECRYPT,	  CKA_UNWRAP,
		CKA_SIGN_RECOVER, CKA_MODIFIABLE, CKA_DERIVE};
	static const CK_ATTRIBUTE_TYPE off_public[] = {CKA_ENCRYPT, CKA_WRAP,
						       CKA_VERIFY_RECOVER};
	CK_OBJECT_HANDLE o = 0;

	assert_int_equal(count(f, CKO_PRIVATE_KEY, label, &o), 1);
	for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++)
		assert_flag(f, o, on[i], true);
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		assert_flag(f, o, off[i], false);
	assert_int_equal(count(f, CKO_PUBLIC_KEY, label, &o), 1);
	assert_flag(f, o, CKA_VERIFY, true);
	for (size_t i = 0; i < sizeof(off_public) / sizeof(off_public[0]); i++)
		assert_flag(f, o, off_public[i], false);
}

/* --- the tests, in their order ---------------------------------------------
 */

static void test_generates(void **state)
{
	struct forge f;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct cose_key *key;

		spki[i] =
			forge_key(KINDS[i].alg, KINDS[i].bits, KINDS[i].label);
		assert_int_equal(cose_key_from_spki(spki[i], &key), SG_OK);
		assert_int_equal(cose_key_alg(key), KINDS[i].alg);
		assert_int_equal(cose_key_sig_bytes(key), KINDS[i].sig_bytes);
		cose_key_free(key);
	}
	open_forge(&f);
	for (size_t i = 0; i < COUNT; i++)
		assert_attributes(&f, KINDS[i].label);
	forge_close(&f);
}

/* Another program's word for it: OpenSC's. */
static void test_pkcs11_tool_agrees(void **state)
{
	static char text[65536];
	size_t n = 0;
	FILE *p;

	(void)state;
	/* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe) */
	p = popen("pkcs11-tool --module " SOFTHSM_MODULE
		  " --token-label beta --login --pin " SOFTHSM_PIN
		  " --list-objects --type privkey",
		  "r");
	assert_non_null(p);
	n = fread(text, 1, sizeof(text) - 1, p);
	text[n] = '\0';
	if (pclose(p) != 0) {
		print_message("no pkcs11-tool: not checked\n");
		skip();
	}
	for (size_t i = 0; i < COUNT; i++) {
		char label[64];
		const char *at;
		const char *usage;
		const char *access;

		(void)snprintf(label, sizeof(label), "label:      %s\n",
			       KINDS[i].label);
		at = strstr(text, label);
		assert_non_null(at);
		usage = strstr(at, "Usage:");
		access = strstr(at, "Access:");
		assert_true(usage != NULL && access != NULL);
		assert_memory_equal(usage, "Usage:      sign\n", 17);
		assert_memory_equal(access,
				    "Access:     sensitive, always sensitive, "
				    "never extractable, local\n",
				    66);
	}
}

static void test_refuses_a_label_twice(void **state)
{
	const struct wire_forge task =
		task_of(WIRE_TASK_GENERATE, COSE_EDDSA, 0, KINDS[0].label);
	CK_OBJECT_HANDLE o = 0;
	struct forged out;
	struct forge f;

	(void)state;
	assert_int_equal(forge(&task, &out), SG_DUPLICATE_KEY);
	assert_non_null(strstr(out.reason, "has a key of this label"));
	open_forge(&f);
	assert_int_equal(count(&f, CKO_PRIVATE_KEY, KINDS[0].label, &o), 1);
	forge_close(&f);
}

static void test_refuses_what_it_cannot_make(void **state)
{
	static const struct {
		int alg;
		uint32_t bits;
	} bad[] = {{COSE_PS256, 0},
		   {COSE_PS256, 1024},
		   {COSE_PS256, 2049},
		   {COSE_PS256, 8192},
		   {COSE_ES256, 256},
		   {COSE_EDDSA, 255},
		   {0, 0},
		   {-35, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct wire_forge task =
			task_of(WIRE_TASK_GENERATE, (enum cose_alg)bad[i].alg,
				bad[i].bits, "never");
		struct forged out;

		assert_int_equal(forge(&task, &out), SG_BAD_KEY);
	}
}

/* CN=dsc, in DER. */
static const uint8_t SUBJECT[] = {0x30, 0x0e, 0x31, 0x0c, 0x30, 0x0a,
				  0x06, 0x03, 0x55, 0x04, 0x03, 0x0c,
				  0x03, 'd',  's',  'c'};

static void check_csr(struct span der, size_t i, unsigned kinds)
{
	const uint8_t *p = der.p;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.n);
	STACK_OF(X509_EXTENSION) * ext;
	EXTENDED_KEY_USAGE *eku;
	ASN1_BIT_STRING *usage;
	unsigned char *subject = NULL;
	int critical = -7;
	uint8_t *public = NULL;
	int n;

	assert_non_null(req);
	assert_ptr_equal(p, der.p + der.n);
	assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
	assert_int_equal(X509_REQ_get_signature_nid(req), KINDS[i].nid);
	n = i2d_PUBKEY(X509_REQ_get0_pubkey(req), &public);
	assert_true(span_eq(span_of(public, (size_t)n), spki[i]));
	OPENSSL_free(public);
	n = i2d_X509_NAME(X509_REQ_get_subject_name(req), &subject);
	assert_true(span_eq(span_of(subject, (size_t)n),
			    span_of(SUBJECT, sizeof(SUBJECT))));
	OPENSSL_free(subject);
	ext = X509_REQ_get_extensions(req);
	usage = X509V3_get_d2i(ext, NID_key_usage, &critical, NULL);
	assert_non_null(usage);
	assert_int_equal(critical, 1);
	assert_int_equal(usage->length, 1);
	assert_int_equal(usage->data[0], 0x80); /* digitalSignature alone */
	ASN1_BIT_STRING_free(usage);
	eku = X509V3_get_d2i(ext, NID_ext_key_usage, &critical, NULL);
	if (kinds == DCC_ALL_KINDS) {
		assert_null(eku);
	} else {
		char text[80];

		assert_int_equal(critical, 0);
		assert_int_equal(sk_ASN1_OBJECT_num(eku), 2);
		for (int k = 0; k < 2; k++) {
			OBJ_obj2txt(text, sizeof(text),
				    sk_ASN1_OBJECT_value(eku, k), 1);
			assert_string_equal(
				text, k == 0 ? "1.3.6.1.4.1.1847.2021.1.2"
					     : "1.3.6.1.4.1.1847.2021.1.1");
		}
	}
	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
	sk_X509_EXTENSION_pop_free(ext, X509_EXTENSION_free);
	X509_REQ_free(req);
}

static struct wire_forge csr_task(size_t i, unsigned kinds)
{
	struct wire_forge task = task_of(WIRE_TASK_CSR, KINDS[i].alg,
					 KINDS[i].bits, KINDS[i].label);

	task.kinds = (uint8_t)kinds;
	task.subject = span_of(SUBJECT, sizeof(SUBJECT));
	task.spki = spki[i];
	return task;
}

static void test_requests(void **state)
{
	static const unsigned kinds[] = {DCC_ALL_KINDS,
					 DCC_KIND_BIT(DCC_VACCINATION) |
						 DCC_KIND_BIT(DCC_TEST)};

	(void)state;
	for (size_t i = 0; i < COUNT; i++)
		for (size_t k = 0; k < 2; k++) {
			const struct wire_forge task = csr_task(i, kinds[k]);
			struct forged out;

			if (forge(&task, &out) != SG_OK)
				fail_msg("%s: %s", KINDS[i].label, out.reason);
			assert_true(span_eq(out.spki, spki[i]));
			check_csr(out.csr, i, kinds[k]);
			forged_drop(&out);
		}
}

static void refuse_csr(const struct wire_forge *task, enum sg_err e,
		       const char *reason)
{
	struct forged out;

	assert_int_equal(forge(task, &out), e);
	assert_non_null(strstr(out.reason, reason));
	assert_int_equal(out.csr.n, 0);
	forged_drop(&out);
}

static void test_refuses_a_wrong_request(void **state)
{
	struct wire_forge task = csr_task(0, DCC_ALL_KINDS);

	(void)state;
	task.spki = spki[1];
	refuse_csr(&task, SG_BAD_KEY, "is another one");
	task = csr_task(0, 0);
	refuse_csr(&task, SG_MALFORMED, "the subject or the kinds");
	task = csr_task(0, DCC_ALL_KINDS);
	task.subject.n--;
	refuse_csr(&task, SG_MALFORMED, "the subject or the kinds");
	task.subject = SPAN_LIT("\x30\x00");
	refuse_csr(&task, SG_MALFORMED, "the subject or the kinds");
	task = csr_task(0, DCC_ALL_KINDS);
	task.label = SPAN_LIT("nobody");
	refuse_csr(&task, SG_NOT_FOUND, "no such key");
	task = csr_task(0, DCC_ALL_KINDS);
	task.alg = COSE_PS256;
	refuse_csr(&task, SG_BAD_KEY, "cannot be used");
}

static void test_destroys_only_what_is_meant(void **state)
{
	struct wire_forge task =
		task_of(WIRE_TASK_DESTROY, COSE_ES256, 0, KINDS[0].label);
	CK_OBJECT_HANDLE o = 0;
	struct forged out;
	struct forge f;

	(void)state;
	task.spki = spki[3];
	assert_int_equal(forge(&task, &out), SG_BAD_KEY);
	assert_non_null(strstr(out.reason, "is another one"));
	task.spki = span_of(NULL, 0);
	assert_int_equal(forge(&task, &out), SG_MALFORMED);
	open_forge(&f);
	assert_int_equal(count(&f, CKO_PRIVATE_KEY, KINDS[0].label, &o), 1);
	assert_int_equal(count(&f, CKO_PUBLIC_KEY, KINDS[0].label, &o), 1);
	forge_close(&f);
}

static void test_destroys(void **state)
{
	CK_OBJECT_HANDLE o = 0;
	struct forge f;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		forge_destroy(KINDS[i].alg, KINDS[i].label, spki[i]);
		/* Once more: it is gone already. */
		forge_destroy(KINDS[i].alg, KINDS[i].label, spki[i]);
	}
	open_forge(&f);
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(count(&f, CKO_PRIVATE_KEY, KINDS[i].label, &o),
				 0);
		assert_int_equal(count(&f, CKO_PUBLIC_KEY, KINDS[i].label, &o),
				 0);
		OPENSSL_free(unconst(spki[i].p));
	}
	/* Others are as they were. */
	assert_int_equal(count(&f, CKO_PRIVATE_KEY, "ec", &o), 1);
	assert_int_equal(count(&f, CKO_CERTIFICATE, "ec", &o), 1);
	forge_close(&f);
}

/* The public key of the key called LABEL, which has been there before. */
static struct span public_of(const char *label, enum cose_alg alg)
{
	const struct wire_forge task = task_of(WIRE_TASK_CSR, alg, 0, label);
	struct forged out = {0};
	struct forge f;
	struct key key;
	struct span der;

	open_forge(&f);
	assert_int_equal(forge_find(&f, &task, &key, &out), SG_OK);
	der = key.spki;
	key.spki = span_of(NULL, 0);
	key_drop(&key);
	forge_close(&f);
	return der;
}

static void test_destroys_certificates_too(void **state)
{
	const struct span der = public_of("ec", COSE_ES256);
	CK_OBJECT_HANDLE o = 0;
	struct forge f;

	(void)state;
	forge_destroy(COSE_ES256, "ec", der);
	open_forge(&f);
	assert_int_equal(count(&f, CKO_PRIVATE_KEY, "ec", &o), 0);
	assert_int_equal(count(&f, CKO_PUBLIC_KEY, "ec", &o), 0);
	assert_int_equal(count(&f, CKO_CERTIFICATE, "ec", &o), 0);
	assert_int_equal(count(&f, CKO_PRIVATE_KEY, "rsa", &o), 1);
	forge_close(&f);
	OPENSSL_free(unconst(der.p));
}

static void test_says_why_it_cannot_begin(void **state)
{
	const struct wire_forge task =
		task_of(WIRE_TASK_GENERATE, COSE_ES256, 0, "never");
	static struct worker_settings good;
	struct forged out;

	(void)state;
	good = smith_settings;
	(void)snprintf(smith_settings.token, WORKER_PATH_MAX,
		       "pkcs11:token=gamma");
	assert_int_equal(forge(&task, &out), SG_NOT_FOUND);
	assert_non_null(strstr(out.reason, "token for new keys"));
	smith_settings = good;
	(void)snprintf(smith_settings.module, WORKER_PATH_MAX, "/nowhere.so");
	assert_int_equal(forge(&task, &out), SG_CONFIG);
	assert_non_null(strstr(out.reason, "the module cannot be loaded"));
	smith_settings = good;
	(void)snprintf(smith_settings.pin_file, WORKER_PATH_MAX, "%s",
		       hsm.wrong_pin_file);
	assert_int_equal(forge(&task, &out), SG_PIN_REFUSED);
	assert_non_null(strstr(out.reason, "refuses the PIN"));
	smith_settings = good;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generates),
		cmocka_unit_test(test_pkcs11_tool_agrees),
		cmocka_unit_test(test_refuses_a_label_twice),
		cmocka_unit_test(test_refuses_what_it_cannot_make),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_refuses_a_wrong_request),
		cmocka_unit_test(test_destroys_only_what_is_meant),
		cmocka_unit_test(test_destroys),
		cmocka_unit_test(test_destroys_certificates_too),
		cmocka_unit_test(test_says_why_it_cannot_begin),
	};

	return cmocka_run_group_tests(tests, forge_make, cleanup);
}
