/* SPDX-License-Identifier: Apache-2.0 */
/* The module: its function list, and the calls that it has a hand in. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sessions.h"
#include "shim.h"
#include "software.h"

#define NS_PER_S 1000000000U

struct shim shim;

/* --- begin and end ----------------------------------------------------- */

static CK_RV refuse(const char *why)
{
	(void)fprintf(stderr, "pkcs11-shim: SIGNER_SHIM: %s\n", why);
	return CKR_FUNCTION_FAILED;
}

/* The real module stays mapped: modules leave threads and exit handlers. */
static CK_RV load_real(const char *path, const CK_FUNCTION_LIST **out)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	union { /* ISO C has no cast from object to function pointer */
		void *object;
		CK_C_GetFunctionList function;
	} symbol = {.object = NULL};
	CK_FUNCTION_LIST *list = NULL;

	if (handle != NULL)
		symbol.object = dlsym(handle, "C_GetFunctionList");
	if (symbol.object == NULL)
		return refuse("module cannot be loaded");
	if (symbol.function(&list) != CKR_OK || list == NULL)
		return refuse("module has no function list");
	*out = list;
	return CKR_OK;
}

static CK_RV open_shared(void)
{
	switch (shared_open(&shim.shared, shim.spec.state)) {
	case SG_OK: return CKR_OK;
	case SG_CONFIG: return refuse("state: the file is something else");
	case SG_BUSY: return refuse("state: too many processes");
	default: return refuse("state: the file cannot be used");
	}
}

static CK_RV initialize(void *args)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): once, at the start */
	const char *text = getenv("SIGNER_SHIM");
	const CK_FUNCTION_LIST *real = NULL;
	char why[SPEC_WHY_MAX];
	CK_RV rv;

	if (shim.real != NULL)
		return CKR_CRYPTOKI_ALREADY_INITIALIZED;
	if (spec_parse(text != NULL ? text : "", &shim.spec, why) != SG_OK)
		return refuse(why);
	rv = load_real(shim.spec.module, &real);
	if (rv != CKR_OK)
		return rv;
	if (software_load(&shim.spec, why) != SG_OK)
		return refuse(why);
	rv = open_shared();
	if (rv != CKR_OK)
		goto fail_shared;
	rv = real->C_Initialize(args);
	if (rv != CKR_OK)
		goto fail_real;
	gate_begin();
	shim.real = real;
	return CKR_OK;

fail_real:
	shared_close(&shim.shared);
fail_shared:
	software_unload();
	return rv;
}

static CK_RV finalize(void *reserved)
{
	CK_SLOT_ID slot;
	CK_RV rv;

	if (shim.real == NULL)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	rv = shim.real->C_Finalize(reserved);
	if (rv != CKR_OK)
		return rv;
	shim.real = NULL;
	while (sessions_any(&slot))
		(void)sessions_remove_slot(slot);
	shared_close(&shim.shared);
	software_unload();
	return CKR_OK;
}

/* --- slots ------------------------------------------------------------- */

static CK_RV get_info(CK_INFO *info)
{
	CK_RV rv = gate_enter(CALL_C_GetInfo);

	if (rv != CKR_OK)
		return rv;
	rv = shim.real->C_GetInfo(info);
	gate_leave();
	return rv;
}

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *count)
{
	CK_RV rv = gate_enter(CALL_C_GetSlotList);

	if (rv != CKR_OK)
		return rv;
	if (present != CK_FALSE && count != NULL && gate_lost())
		*count = 0;
	else
		rv = shim.real->C_GetSlotList(present, list, count);
	gate_leave();
	return rv;
}

static CK_RV get_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	CK_RV rv = gate_enter(CALL_C_GetSlotInfo);

	if (rv != CKR_OK)
		return rv;
	rv = shim.real->C_GetSlotInfo(slot, info);
	if (rv == CKR_OK && gate_lost())
		info->flags &= ~(CK_FLAGS)CKF_TOKEN_PRESENT;
	gate_leave();
	return rv;
}

/* It may wait for ever: without the lock. */
static CK_RV wait_for_slot_event(CK_FLAGS flags, CK_SLOT_ID *slot, void *res)
{
	const CK_RV rv = gate_enter(CALL_C_WaitForSlotEvent);

	if (rv != CKR_OK)
		return rv;
	gate_leave();
	return shim.real->C_WaitForSlotEvent(flags, slot, res);
}

/* --- sessions ---------------------------------------------------------- */

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *app,
			  CK_NOTIFY notify, CK_SESSION_HANDLE *s)
{
	const uint32_t cap =
		shim.spec.sessions > 0 ? shim.spec.sessions : UINT32_MAX;
	CK_RV rv = gate_enter_token(CALL_C_OpenSession);

	if (rv != CKR_OK)
		return rv;
	gate_alone();
	if (!shared_session_add(&shim.shared, cap)) {
		gate_leave();
		return CKR_SESSION_COUNT;
	}
	rv = shim.real->C_OpenSession(slot, flags, app, notify, s);
	if (rv == CKR_OK && sessions_add(*s, slot) != SG_OK) {
		(void)shim.real->C_CloseSession(*s);
		rv = CKR_HOST_MEMORY;
	}
	if (rv != CKR_OK)
		shared_session_drop(&shim.shared, 1);
	gate_leave();
	return rv;
}

static CK_RV close_session(CK_SESSION_HANDLE s)
{
	CK_RV rv = gate_enter_session(CALL_C_CloseSession);

	if (rv != CKR_OK)
		return rv;
	gate_alone();
	rv = shim.real->C_CloseSession(s);
	if (rv == CKR_OK) {
		shared_session_drop(&shim.shared, sessions_remove(s));
		/* Its session objects are gone, with the last one the login. */
		atomic_fetch_add(&shim.generation, 1);
	}
	gate_leave();
	return rv;
}

static CK_RV close_all_sessions(CK_SLOT_ID slot)
{
	CK_RV rv = gate_enter_token(CALL_C_CloseAllSessions);

	if (rv != CKR_OK)
		return rv;
	gate_alone();
	rv = shim.real->C_CloseAllSessions(slot);
	if (rv == CKR_OK) {
		shared_session_drop(&shim.shared, sessions_remove_slot(slot));
		atomic_fetch_add(&shim.generation, 1);
	}
	gate_leave();
	return rv;
}

static CK_RV login(CK_SESSION_HANDLE s, CK_USER_TYPE user, CK_BYTE *pin,
		   CK_ULONG n)
{
	CK_RV rv = gate_enter_session(CALL_C_Login);

	if (rv != CKR_OK)
		return rv;
	rv = shim.real->C_Login(s, user, pin, n);
	atomic_fetch_add(&shim.generation, 1);
	gate_leave();
	return rv;
}

static CK_RV logout(CK_SESSION_HANDLE s)
{
	CK_RV rv = gate_enter_session(CALL_C_Logout);

	if (rv != CKR_OK)
		return rv;
	rv = shim.real->C_Logout(s);
	atomic_fetch_add(&shim.generation, 1);
	gate_leave();
	return rv;
}

/* --- objects ----------------------------------------------------------- */

static CK_RV copy_object(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE from,
			 CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *to)
{
	CK_RV rv = gate_enter_session(CALL_C_CopyObject);

	if (rv != CKR_OK)
		return rv;
	rv = shim.spec.copy_refused
		     ? CKR_FUNCTION_NOT_SUPPORTED
		     : shim.real->C_CopyObject(s, from, t, n, to);
	gate_leave();
	return rv;
}

static CK_RV destroy_object(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE object)
{
	CK_RV rv = gate_enter_session(CALL_C_DestroyObject);

	if (rv != CKR_OK)
		return rv;
	rv = shim.real->C_DestroyObject(s, object);
	atomic_fetch_add(&shim.generation, 1);
	gate_leave();
	return rv;
}

static bool is_lie(CK_ATTRIBUTE_TYPE type)
{
	for (size_t i = 0; i < shim.spec.nlies; i++)
		if (shim.spec.lie[i] == type)
			return true;
	return false;
}

static CK_RV get_attributes(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE object,
			    CK_ATTRIBUTE *t, CK_ULONG n)
{
	CK_RV rv = gate_enter_session(CALL_C_GetAttributeValue);

	if (rv != CKR_OK)
		return rv;
	rv = shim.real->C_GetAttributeValue(s, object, t, n);
	gate_leave();
	for (CK_ULONG i = 0; rv == CKR_OK && i < n; i++)
		if (is_lie(t[i].type) && t[i].pValue != NULL &&
		    t[i].ulValueLen == sizeof(CK_BBOOL))
			*(CK_BBOOL *)t[i].pValue ^= 1;
	return rv;
}

/* --- signing ----------------------------------------------------------- */

static CK_RV sign_init(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE k)
{
	CK_RV rv = gate_enter_session(CALL_C_SignInit);
	struct session *session;

	if (rv != CKR_OK)
		return rv;
	session = shim.spec.software ? sessions_find(s) : NULL;
	if (!shim.spec.software)
		rv = shim.real->C_SignInit(s, m, k);
	else if (session == NULL)
		rv = CKR_SESSION_HANDLE_INVALID;
	else
		rv = software_sign_init(shim.real, session, m, k,
					atomic_load(&shim.generation));
	gate_leave();
	return rv;
}

/* Until the signature that came at BEGIN_NS has had its turn at the HSM, and
 * its way there and back. */
static void pace(uint64_t begin_ns)
{
	uint64_t due_ns = begin_ns;
	struct timespec due;

	if (shim.spec.interval_ns > 0)
		due_ns = shared_slot(&shim.shared, begin_ns,
				     shim.spec.interval_ns);
	due_ns += shim.spec.latency_ns;
	if (due_ns == begin_ns || due_ns <= shared_now_ns())
		return;
	due.tv_sec = (time_t)(due_ns / NS_PER_S);
	due.tv_nsec = (long)(due_ns % NS_PER_S);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) ==
	       EINTR)
		;
}

static CK_RV sign(CK_SESSION_HANDLE s, CK_BYTE *data, CK_ULONG n, CK_BYTE *out,
		  CK_ULONG *nout)
{
	const uint64_t begin_ns = shared_now_ns();
	CK_RV rv = gate_enter_session(CALL_C_Sign);
	struct session *session;

	if (rv != CKR_OK)
		return rv;
	session = shim.spec.software ? sessions_find(s) : NULL;
	if (!shim.spec.software)
		rv = shim.real->C_Sign(s, data, n, out, nout);
	else if (session == NULL)
		rv = CKR_SESSION_HANDLE_INVALID;
	else
		rv = software_sign(session, span_of(data, n), out, nout);
	if (rv == CKR_OK && out != NULL && gate_forges())
		out[*nout / 2] ^= 1;
	gate_leave();
	if (rv == CKR_OK && out != NULL)
		pace(begin_ns);
	return rv;
}

/* --- the function list ------------------------------------------------- */

/* NOLINTBEGIN(readability-identifier-naming): the standard's own names */
__attribute__((visibility("default"))) CK_RV C_GetFunctionList(
	CK_FUNCTION_LIST **list);
CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	static CK_FUNCTION_LIST calls = {
		.version = {2, 40},
		.C_Initialize = initialize,
		.C_Finalize = finalize,
		.C_GetInfo = get_info,
		.C_GetFunctionList = C_GetFunctionList,
		.C_GetSlotList = get_slot_list,
		.C_GetSlotInfo = get_slot_info,
		.C_WaitForSlotEvent = wait_for_slot_event,
		.C_OpenSession = open_session,
		.C_CloseSession = close_session,
		.C_CloseAllSessions = close_all_sessions,
		.C_Login = login,
		.C_Logout = logout,
		.C_CopyObject = copy_object,
		.C_DestroyObject = destroy_object,
		.C_GetAttributeValue = get_attributes,
		.C_SignInit = sign_init,
		.C_Sign = sign,
	};

	if (list == NULL)
		return CKR_ARGUMENTS_BAD;
	forward_fill(&calls);
	*list = &calls;
	return CKR_OK;
}
/* NOLINTEND(readability-identifier-naming) */
