/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_ANCHOR_FIXTURE_H
#define SG_TEST_ANCHOR_FIXTURE_H

/*
 * anchor_fixture: a vault with a ledger's key, whose module fails at will, and
 * a look past it at the objects on the token.
 */
#include "vault_fixture.h"

static struct {
	CK_FUNCTION_LIST calls; /* the true ones */
	CK_FUNCTION_LIST *list; /* the module's, patched in place */
	unsigned finds_fail, sets_fail, creates_fail, destroys_fail;
	CK_RV rv;
	unsigned tear; /* so many writes leave half of the value behind */
	bool in_place; /* C_SetAttributeValue changes data objects */
	bool forgets;  /* C_SetAttributeValue says yes and does nothing */
	unsigned writes, creates, destroys, read_write;
	size_t fewest, most; /* whole objects, as seen between the calls */
	struct vault *vault;
} fake;

enum { KEY_LEDGER, KEY_RSA, KEY_PLAIN, KEYS };

/* --- what is on the token ------------------------------------------------- */

static inline CK_SESSION_HANDLE own_session(void)
{
	const struct key *key = vault_key(fake.vault, KEY_LEDGER);
	CK_SESSION_HANDLE s;

	assert_int_equal(
		fake.calls.C_OpenSession(key->token->slot,
					 CKF_SERIAL_SESSION | CKF_RW_SESSION,
					 NULL, NULL, &s),
		CKR_OK);
	return s;
}

/* The data objects of LABEL. */
static inline size_t objects(CK_SESSION_HANDLE s, const char *label,
			     CK_OBJECT_HANDLE out[16])
{
	static const CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE t[] = {softhsm_attr(CKA_CLASS, &class, sizeof(class)),
			    softhsm_attr(CKA_LABEL, label, strlen(label))};
	CK_ULONG n = 0;

	assert_int_equal(fake.calls.C_FindObjectsInit(s, t, 2), CKR_OK);
	assert_int_equal(fake.calls.C_FindObjects(s, out, 16, &n), CKR_OK);
	assert_int_equal(fake.calls.C_FindObjectsFinal(s), CKR_OK);
	return n;
}

static inline size_t count_objects(const char *label)
{
	const CK_SESSION_HANDLE s = own_session();
	CK_OBJECT_HANDLE found[16];
	const size_t n = objects(s, label, found);

	assert_int_equal(fake.calls.C_CloseSession(s), CKR_OK);
	return n;
}

static inline size_t read_object(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
				 uint8_t out[2048])
{
	CK_ATTRIBUTE a = {CKA_VALUE, out, 2048};

	assert_int_equal(fake.calls.C_GetAttributeValue(s, o, &a, 1), CKR_OK);
	return a.ulValueLen;
}

/* How many of our objects hold as much as an anchor does. */
static inline void census(void)
{
	const CK_SESSION_HANDLE s = own_session();
	CK_OBJECT_HANDLE found[16];
	const size_t n = objects(s, "ed", found);
	uint8_t value[2048];
	size_t whole = 0;

	for (size_t i = 0; i < n; i++)
		whole += read_object(s, found[i], value) > 82;
	assert_int_equal(fake.calls.C_CloseSession(s), CKR_OK);
	if (whole < fake.fewest)
		fake.fewest = whole;
	if (n > fake.most)
		fake.most = n;
}

static inline void make_object(CK_SESSION_HANDLE s, const char *application,
			       const char *label, struct span value)
{
	static const CK_OBJECT_CLASS class = CKO_DATA;
	static const CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE t[] = {
		softhsm_attr(CKA_CLASS, &class, sizeof(class)),
		softhsm_attr(CKA_TOKEN, &yes, 1),
		softhsm_attr(CKA_PRIVATE, &yes, 1),
		softhsm_attr(CKA_APPLICATION, application, strlen(application)),
		softhsm_attr(CKA_LABEL, label, strlen(label)),
		softhsm_attr(CKA_VALUE, value.p, value.n)};
	CK_OBJECT_HANDLE o;

	assert_int_equal(fake.calls.C_CreateObject(s, t, 6, &o), CKR_OK);
}

/* Another object on the token, under APPLICATION and LABEL. */
static inline void stranger(const char *application, const char *label)
{
	const CK_SESSION_HANDLE s = own_session();

	make_object(s, application, label, SPAN_LIT("not ours"));
	assert_int_equal(fake.calls.C_CloseSession(s), CKR_OK);
}

/* Change the value of O, one of ours, as SoftHSM2 never does. */
static inline void overwrite(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
			     struct span value)
{
	assert_int_equal(fake.calls.C_DestroyObject(s, o), CKR_OK);
	make_object(s, "signerd", "ed", value);
}

/* Flip a byte of the object whose first line has NUMBER (0: of each). */
static inline void damage(unsigned number)
{
	const CK_SESSION_HANDLE s = own_session();
	CK_OBJECT_HANDLE found[16];
	const size_t n = objects(s, "ed", found);
	uint8_t value[2048];
	char head[32];

	(void)snprintf(head, sizeof(head), "%016x ", number);
	for (size_t i = 0; i < n; i++) {
		const size_t bytes = read_object(s, found[i], value);

		if (number != 0 && memcmp(value, head, 17) != 0)
			continue;
		value[bytes - 1] ^= 1;
		overwrite(s, found[i], span_of(value, bytes));
	}
	assert_int_equal(fake.calls.C_CloseSession(s), CKR_OK);
}

/* --- the module that fails ------------------------------------------------ */

static inline bool fails(unsigned *left)
{
	if (*left == 0)
		return false;
	--*left;
	return true;
}

static inline CK_RV fake_find(CK_SESSION_HANDLE s, CK_ATTRIBUTE *t, CK_ULONG n)
{
	return fails(&fake.finds_fail) ? fake.rv
				       : fake.calls.C_FindObjectsInit(s, t, n);
}

static inline CK_RV fake_set(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o,
			     CK_ATTRIBUTE *t, CK_ULONG n)
{
	fake.writes++;
	census();
	if (fails(&fake.sets_fail))
		return fake.rv;
	if (fake.forgets)
		return CKR_OK;
	if (!fake.in_place)
		return fake.calls.C_SetAttributeValue(s, o, t, n);
	if (fails(&fake.tear)) {
		overwrite(s, o, span_of(t->pValue, t->ulValueLen / 2));
		census();
		return CKR_DEVICE_REMOVED;
	}
	overwrite(s, o, span_of(t->pValue, t->ulValueLen));
	census();
	return CKR_OK;
}

static inline CK_RV fake_create(CK_SESSION_HANDLE s, CK_ATTRIBUTE *t,
				CK_ULONG n, CK_OBJECT_HANDLE *o)
{
	CK_RV rv;

	fake.creates++;
	if (fails(&fake.creates_fail))
		return fake.rv;
	rv = fake.calls.C_CreateObject(s, t, n, o);
	census();
	return rv;
}

static inline CK_RV fake_destroy(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o)
{
	CK_RV rv;

	fake.destroys++;
	if (fails(&fake.destroys_fail))
		return fake.rv;
	rv = fake.calls.C_DestroyObject(s, o);
	census();
	return rv;
}

static inline CK_RV fake_open(CK_SLOT_ID slot, CK_FLAGS flags, void *app,
			      CK_NOTIFY notify, CK_SESSION_HANDLE *s)
{
	fake.read_write += (flags & CKF_RW_SESSION) != 0;
	return fake.calls.C_OpenSession(slot, flags, app, notify, s);
}

static inline int begin(void **state)
{
	static struct worker_key_settings keys[KEYS];

	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.fewest = 99;
	fake.in_place = true;
	fake.list = softhsm_calls();
	fake.calls = *fake.list;
	fake.list->C_FindObjectsInit = fake_find;
	fake.list->C_SetAttributeValue = fake_set;
	fake.list->C_CreateObject = fake_create;
	fake.list->C_DestroyObject = fake_destroy;
	fake.list->C_OpenSession = fake_open;
	keys[KEY_LEDGER] =
		wanted("ledger", "pkcs11:token=alpha;object=ed", COSE_EDDSA);
	keys[KEY_LEDGER].ledger = true;
	keys[KEY_RSA] =
		wanted("rsa", "pkcs11:token=beta;object=rsa", COSE_PS256);
	keys[KEY_RSA].ledger = false;
	keys[KEY_PLAIN] =
		wanted("plain", "pkcs11:token=beta;object=ec", COSE_ES256);
	keys[KEY_PLAIN].ledger = false;
	assert_int_equal(open_with(hsm.pin_file, 1, keys, KEYS, &fake.vault),
			 SG_OK);
	return 0;
}

static inline int end(void **state)
{
	CK_OBJECT_HANDLE found[16];
	const CK_SESSION_HANDLE s = own_session();
	const size_t n = objects(s, "ed", found);

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(fake.calls.C_DestroyObject(s, found[i]),
				 CKR_OK);
	vault_close(fake.vault, &watch);
	*fake.list = fake.calls;
	return 0;
}

#endif /* SG_TEST_ANCHOR_FIXTURE_H */
