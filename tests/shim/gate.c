/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fileio.h"
#include "sessions.h"
#include "shim.h"

enum { CONTROL_BYTES_MAX = 4096 };

static pthread_rwlock_t lock =
	PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static _Atomic uint64_t losses_seen;
static _Thread_local bool forging; /* the call that this thread is in */

/* --- the control file -------------------------------------------------- */

/* Which file it is, and which state of it; 0: there is none. */
static uint64_t control_id(void)
{
	struct stat st;
	uint64_t id;

	if (shim.spec.control[0] == '\0' || stat(shim.spec.control, &st) != 0)
		return 0;
	id = (uint64_t)st.st_ino * UINT64_C(0x9e3779b97f4a7c15);
	id ^= (uint64_t)st.st_mtim.tv_sec * UINT64_C(1000000007);
	id ^= (uint64_t)st.st_mtim.tv_nsec << 20 ^ (uint64_t)st.st_size;
	return id | 1;
}

/* Faults that have a file's counts begin anew; without faults all is well. */
static void read_control(struct shared_page *page)
{
	char why[SPEC_WHY_MAX] = "it cannot be read";
	struct fault_set faults = {0};
	uint8_t *text = NULL;
	size_t n = 0;

	if (fileio_read(shim.spec.control, CONTROL_BYTES_MAX, &text, &n) !=
		    SG_OK ||
	    spec_parse_control(span_of(text, n), &faults, why) != SG_OK) {
		(void)fprintf(stderr, "pkcs11-shim: control: %s\n", why);
		faults = (struct fault_set){0};
	}
	free(text);
	page->faults = faults;
	for (int i = 0; i < CALL_COUNT; i++)
		page->calls_then[i] = atomic_load(&page->calls[i]);
	atomic_store(&page->lost_until_ns, 0);
}

/* The first process that sees another file reads it for all. */
static void follow_control(void)
{
	struct shared_page *page = shim.shared.page;
	const uint64_t seen = control_id();
	uint64_t id;

	if (seen == atomic_load(&page->control_id))
		return;
	shared_lock(&shim.shared);
	id = control_id();
	if (id != atomic_load(&page->control_id)) {
		if (id != 0) {
			read_control(page);
		} else {
			page->faults = (struct fault_set){0};
			atomic_store(&page->lost_until_ns, 0);
		}
		atomic_store(&page->nfaults, page->faults.n);
		atomic_store(&page->control_id, id);
	}
	shared_unlock(&shim.shared);
}

/* --- faults ------------------------------------------------------------ */

/* For ever; or until the HSM comes back, where the control file says so. */
static void hang(bool by_control)
{
	const struct timespec step = {.tv_nsec = 10000000};
	const uint64_t id = control_id();

	while (!by_control || control_id() == id)
		(void)nanosleep(&step, NULL);
}

/* Not from inside of any lock: the process may die here, and others live. */
static CK_RV suffer(const struct fault *f, bool by_control)
{
	switch (f->kind) {
	case FAULT_HANG: hang(by_control); return CKR_OK;
	case FAULT_CRASH: (void)signal(SIGABRT, SIG_DFL); abort();
	case FAULT_LOSE:
		atomic_store(&shim.shared.page->lost_until_ns,
			     shared_now_ns() + f->ns);
		atomic_fetch_add(&shim.shared.page->losses, 1);
		return CKR_OK;
	case FAULT_FORGE: forging = true; return CKR_OK;
	case FAULT_FAIL: break;
	}
	return f->rv;
}

/* The fault that the control file has for call number N, copied to *OUT. */
static bool control_fault(enum call call, uint64_t n, struct fault *out)
{
	struct shared_page *page = shim.shared.page;
	const struct fault *f = NULL;

	if (atomic_load(&page->nfaults) == 0)
		return false;
	shared_lock(&shim.shared);
	/* A call that was counted before the file was read is none of its. */
	if (n > page->calls_then[call])
		f = fault_find(&page->faults, call, n - page->calls_then[call]);
	if (f != NULL)
		*out = *f;
	shared_unlock(&shim.shared);
	return f != NULL;
}

static CK_RV meet_faults(enum call call)
{
	const struct fault *f;
	struct fault from_control;
	uint64_t n;

	if (shim.spec.faults.n == 0 && shim.spec.control[0] == '\0')
		return CKR_OK;
	if (shim.spec.control[0] != '\0')
		follow_control();
	n = 1 + atomic_fetch_add(&shim.shared.page->calls[call], 1);
	f = fault_find(&shim.spec.faults, call, n);
	if (f == NULL && control_fault(call, n, &from_control)) {
		/* So that a test knows that it has been met. */
		(void)fprintf(stderr, "pkcs11-shim: fault at %s\n",
			      call_name(call));
		f = &from_control;
	}
	return f != NULL ? suffer(f, f == &from_control) : CKR_OK;
}

/* --- a lost token ------------------------------------------------------ */

bool gate_lost(void)
{
	const uint64_t until = atomic_load(&shim.shared.page->lost_until_ns);

	return until != 0 && shared_now_ns() < until;
}

/* With the token go the sessions, and with the last of them the login. */
static void lose_sessions(void)
{
	CK_SLOT_ID slot;
	uint64_t losses;

	pthread_rwlock_wrlock(&lock);
	losses = atomic_load(&shim.shared.page->losses);
	/* Another thread may have been here first, and a third one have opened
	 * a session on what is there again. */
	while (losses_seen != losses && sessions_any(&slot)) {
		(void)shim.real->C_CloseAllSessions(slot);
		shared_session_drop(&shim.shared, sessions_remove_slot(slot));
	}
	losses_seen = losses;
	atomic_fetch_add(&shim.generation, 1);
	pthread_rwlock_unlock(&lock);
}

/* --- the gate ---------------------------------------------------------- */

void gate_begin(void)
{
	losses_seen = atomic_load(&shim.shared.page->losses);
}

bool gate_forges(void)
{
	return forging;
}

void gate_leave(void)
{
	pthread_rwlock_unlock(&lock);
}

void gate_alone(void)
{
	pthread_rwlock_unlock(&lock);
	pthread_rwlock_wrlock(&lock);
}

CK_RV gate_enter(enum call call)
{
	CK_RV rv;

	if (shim.real == NULL)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	forging = false;
	rv = meet_faults(call);
	if (rv != CKR_OK)
		return rv;
	if (losses_seen != atomic_load(&shim.shared.page->losses))
		lose_sessions();
	pthread_rwlock_rdlock(&lock);
	return CKR_OK;
}

CK_RV gate_enter_token(enum call call)
{
	const CK_RV rv = gate_enter(call);

	if (rv != CKR_OK || !gate_lost())
		return rv;
	gate_leave();
	return CKR_TOKEN_NOT_PRESENT;
}

CK_RV gate_enter_session(enum call call)
{
	const CK_RV rv = gate_enter(call);

	if (rv != CKR_OK || !gate_lost())
		return rv;
	gate_leave();
	return CKR_DEVICE_REMOVED;
}
