/* SPDX-License-Identifier: Apache-2.0 */
#include "key_make.h"

#include <openssl/rand.h>

#include "base/log.h"
#include "ckr.h"
#include "mechanism.h"
#include "object.h"
#include "unconst.h"

enum {
	ID_BYTES = 16,
	ATTRIBUTES_MAX = 16,
	TRIES = 4 /* of templates: two curves, modifiable or not */
};

/* CKA_EC_PARAMS in DER.  Of Ed25519 there are two spellings (PKCS #11 v3.0
 * s. 2.3.5); SoftHSM2 takes the first. */
static const uint8_t P256[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
			       0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t EDWARDS25519[] = {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r',
				       'd',  's',  '2', '5', '5', '1', '9'};
static const uint8_t ED25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};

static const CK_BBOOL YES = CK_TRUE;
static const CK_BBOOL NO = CK_FALSE;

struct pair {
	CK_OBJECT_HANDLE public, private;
};

struct template
{
	CK_ULONG n;
	CK_ATTRIBUTE a[ATTRIBUTES_MAX];
};

static void put(struct template *t, CK_ATTRIBUTE_TYPE type, const void *value,
		size_t n)
{
	t->a[t->n++] = (CK_ATTRIBUTE){type, unconst(value), n};
}

static void put_flag(struct template *t, CK_ATTRIBUTE_TYPE type, bool value)
{
	put(t, type, value ? &YES : &NO, sizeof(CK_BBOOL));
}

/* --- may it be made? ------------------------------------------------------ */

static enum sg_err look_for(struct forge *f, CK_OBJECT_CLASS class,
			    struct span label, struct forged *out)
{
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)},
				   {CKA_TOKEN, &yes, sizeof(yes)},
				   {CKA_LABEL, unconst(label.p), label.n}};
	CK_OBJECT_HANDLE found;
	CK_ULONG n = 1;
	const CK_RV rv =
		object_find(f->session.token->module->f, f->session.handle,
			    template, 3, &found, &n);

	if (rv != CKR_OK)
		return forge_fail_call(out, "C_FindObjects", rv);
	if (n > 0)
		return forge_fail(out, SG_DUPLICATE_KEY,
				  "the token has a key of this label");
	return SG_OK;
}

static enum sg_err check_task(struct forge *f, const struct wire_forge *task,
			      struct forged *out)
{
	const bool rsa = task->alg == COSE_PS256;
	enum sg_err e;

	if (mechanism_of((enum cose_alg)task->alg) == NULL)
		return forge_fail(out, SG_BAD_KEY, "no such algorithm");
	if (rsa ? task->bits != 2048 && task->bits != 3072 && task->bits != 4096
		: task->bits != 0)
		return forge_fail(out, SG_BAD_KEY,
				  "an RSA key has 2048, 3072 or 4096 bits, "
				  "others have none to choose");
	e = look_for(f, CKO_PRIVATE_KEY, task->label, out);
	if (e == SG_OK)
		e = look_for(f, CKO_PUBLIC_KEY, task->label, out);
	return e;
}

/* --- making it ------------------------------------------------------------ */

static CK_MECHANISM generator(enum cose_alg alg)
{
	CK_MECHANISM m = {CKM_EC_KEY_PAIR_GEN, NULL, 0};

	if (alg == COSE_PS256)
		m.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
	if (alg == COSE_EDDSA)
		m.mechanism = CKM_EC_EDWARDS_KEY_PAIR_GEN;
	return m;
}

static void name_both(struct template *a, struct template *b, struct span label,
		      const uint8_t *id)
{
	struct template *const both[] = {a, b};

	for (size_t i = 0; i < 2; i++) {
		put_flag(both[i], CKA_TOKEN, true);
		put(both[i], CKA_LABEL, label.p, label.n);
		put(both[i], CKA_ID, id, ID_BYTES);
	}
}

/* What the private key may do, and must not. */
static void limit_private(struct template *t, bool fixed)
{
	put_flag(t, CKA_PRIVATE, true);
	put_flag(t, CKA_SENSITIVE, true);
	put_flag(t, CKA_EXTRACTABLE, false);
	put_flag(t, CKA_SIGN, true);
	put_flag(t, CKA_SIGN_RECOVER, false);
	put_flag(t, CKA_DECRYPT, false);
	put_flag(t, CKA_UNWRAP, false);
	put_flag(t, CKA_DERIVE, false);
	if (fixed)
		put_flag(t, CKA_MODIFIABLE, false);
}

static void limit_public(struct template *t)
{
	put_flag(t, CKA_PRIVATE, false);
	put_flag(t, CKA_VERIFY, true);
	put_flag(t, CKA_VERIFY_RECOVER, false);
	put_flag(t, CKA_ENCRYPT, false);
	put_flag(t, CKA_WRAP, false);
	put_flag(t, CKA_DERIVE, false);
}

static CK_RV generate(struct forge *f, const struct wire_forge *task,
		      const uint8_t *id, unsigned variant, struct pair *out)
{
	static const uint8_t exponent[] = {0x01, 0x00, 0x01};
	CK_MECHANISM m = generator((enum cose_alg)task->alg);
	struct template public = {0};
	struct template private = {0};
	CK_ULONG bits = task->bits;
	CK_RV rv;

	name_both(&public, &private, task->label, id);
	limit_public(&public);
	limit_private(&private, (variant & 1) == 0);
	if (task->alg == COSE_PS256) {
		put(&public, CKA_MODULUS_BITS, &bits, sizeof(bits));
		put(&public, CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent));
	} else if (task->alg == COSE_ES256) {
		put(&public, CKA_EC_PARAMS, P256, sizeof(P256));
	} else if ((variant & 2) == 0) {
		put(&public, CKA_EC_PARAMS, EDWARDS25519, sizeof(EDWARDS25519));
	} else {
		put(&public, CKA_EC_PARAMS, ED25519, sizeof(ED25519));
	}
	watch_enter(f->watch,
		    task->alg == COSE_PS256 ? FORGE_MAKING_RSA : "making a key",
		    clock_mono_us());
	rv = f->session.token->module->f->C_GenerateKeyPair(
		f->session.handle, &m, public.a, public.n, private.a, private.n,
		&out->public, &out->private);
	watch_leave(f->watch);
	return rv;
}

/* Does RV blame an attribute, so that a template without it may do? */
static bool blames_template(CK_RV rv)
{
	return rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	       rv == CKR_ATTRIBUTE_VALUE_INVALID ||
	       rv == CKR_ATTRIBUTE_READ_ONLY ||
	       rv == CKR_TEMPLATE_INCONSISTENT ||
	       rv == CKR_CURVE_NOT_SUPPORTED ||
	       rv == CKR_DOMAIN_PARAMS_INVALID || rv == CKR_ARGUMENTS_BAD;
}

static enum sg_err make_pair(struct forge *f, const struct wire_forge *task,
			     struct pair *pair, struct forged *out)
{
	uint8_t id[ID_BYTES];
	CK_RV rv = CKR_OK;

	if (RAND_bytes(id, sizeof(id)) != 1)
		return forge_fail(out, SG_INTERNAL, "no random numbers");
	for (unsigned variant = 0; variant < TRIES; variant++) {
		if ((variant & 1) == 0 && f->copies)
			continue; /* they need it modifiable */
		if ((variant & 2) != 0 && task->alg != COSE_EDDSA)
			break;
		rv = generate(f, task, id, variant, pair);
		if (!blames_template(rv))
			break;
	}
	return rv == CKR_OK ? SG_OK
			    : forge_fail_call(out, "C_GenerateKeyPair", rv);
}

/* --- is it what was asked for? -------------------------------------------- */

/* What must be read back, and as what.  ABSENT: what a module does not know it
 * does not let a key do. */
static const struct must {
	CK_ATTRIBUTE_TYPE type;
	bool value;
	bool absent;
	const char *flaw;
} MUST[] = {
	{CKA_TOKEN, true, false, "it is not on the token"},
	{CKA_LOCAL, true, false, "CKA_LOCAL is false: it was not made there"},
	{CKA_PRIVATE, true, false, "CKA_PRIVATE is false"},
	{CKA_SENSITIVE, true, false, "CKA_SENSITIVE is false"},
	{CKA_ALWAYS_SENSITIVE, true, false, "CKA_ALWAYS_SENSITIVE is false"},
	{CKA_EXTRACTABLE, false, false, "CKA_EXTRACTABLE is true"},
	{CKA_NEVER_EXTRACTABLE, true, false, "CKA_NEVER_EXTRACTABLE is false"},
	{CKA_SIGN, true, false, "CKA_SIGN is false"},
	{CKA_SIGN_RECOVER, false, true, "CKA_SIGN_RECOVER is true"},
	{CKA_DECRYPT, false, true, "CKA_DECRYPT is true"},
	{CKA_UNWRAP, false, true, "CKA_UNWRAP is true"},
	{CKA_DERIVE, false, true, "CKA_DERIVE is true"},
};

/* Why the pair must not be used; NULL: it may.  What cannot be read is taken
 * for the worse. */
static const char *flaw(const struct forge *f, CK_OBJECT_HANDLE private)
{
	const CK_FUNCTION_LIST *calls = f->session.token->module->f;

	for (size_t i = 0; i < sizeof(MUST) / sizeof(MUST[0]); i++) {
		const struct must *m = &MUST[i];
		const bool otherwise = m->absent ? m->value : !m->value;

		if (object_bool(calls, f->session.handle, private, m->type,
				otherwise) != m->value)
			return m->flaw;
	}
	return NULL;
}

static enum sg_err check_pair(struct forge *f, const struct wire_forge *task,
			      const struct pair *pair, struct forged *out)
{
	struct key key;
	const char *why;
	enum sg_err e;

	watch_enter(f->watch, "reading a new key", clock_mono_us());
	why = flaw(f, pair->private);
	watch_leave(f->watch);
	if (why != NULL)
		return forge_fail(out, SG_BAD_KEY, "the HSM made a key, but %s",
				  why);
	e = forge_find(f, task, &key, out);
	if (e == SG_OK && task->alg == COSE_PS256 &&
	    key.sig_bytes * 8 != task->bits)
		e = forge_fail(out, SG_BAD_KEY,
			       "the HSM made a key of %zu bits",
			       key.sig_bytes * 8);
	if (e == SG_OK) {
		out->spki = key.spki;
		key.spki = span_of(NULL, 0);
	}
	key_drop(&key);
	return e;
}

/* It was made, and nobody may use it. */
static void unmake(struct forge *f, const struct pair *pair, struct forged *out)
{
	const CK_FUNCTION_LIST *calls = f->session.token->module->f;
	CK_RV private;
	CK_RV public;

	watch_enter(f->watch, "destroying a new key", clock_mono_us());
	private = calls->C_DestroyObject(f->session.handle, pair->private);
	public = calls->C_DestroyObject(f->session.handle, pair->public);
	watch_leave(f->watch);
	if (private == CKR_OK && public == CKR_OK)
		return;
	log_event(LOG_ERROR, "new-key-not-destroyed", "private=%s public=%s",
		  ckr_name(private), ckr_name(public));
	/* Whoever reads the reason must know. */
	{
		char was[FORGE_REASON_MAX];

		memcpy(was, out->reason, sizeof(was));
		(void)forge_fail(
			out, out->err,
			"%.120s; and it is still on the token (%s)", was,
			ckr_name(private != CKR_OK ? private : public));
	}
}

void key_make(struct forge *f, const struct wire_forge *task,
	      struct forged *out)
{
	struct pair pair = {CK_INVALID_HANDLE, CK_INVALID_HANDLE};

	if (check_task(f, task, out) != SG_OK ||
	    make_pair(f, task, &pair, out) != SG_OK)
		return;
	if (check_pair(f, task, &pair, out) != SG_OK)
		unmake(f, &pair, out);
}
