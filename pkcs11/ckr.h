/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CKR_H
#define SG_CKR_H

#include <p11-kit/pkcs11.h>

/*
 * ckr: what a module's return values mean to us, in one table in ckr.c.
 * Thread-safe; pure but for ckr_note().
 */
enum ckr_fault {
	CKR_FAULT_NONE,	   /* success */
	CKR_FAULT_JOB,	   /* this job's or key's own: the session is good, a
			      second try would say the same */
	CKR_FAULT_RETRY,   /* may pass: once more on a new session, then the job
			      fails */
	CKR_FAULT_SESSION, /* session, login, handle or token lost: once more on
			      a new session, then the process ends */
	CKR_FAULT_PROCESS  /* nothing in this process can mend it */
};

/* The policy for RV; what the table does not name is CKR_FAULT_RETRY. */
enum ckr_fault ckr_fault(CK_RV rv);
/* "CKR_DEVICE_ERROR"; "CKR_VENDOR_DEFINED" for any vendor's own value;
 * "unknown" else.  Static. */
const char *ckr_name(CK_RV rv);

/* RV is what is wrong with the HSM, as far as is known: METRIC_LAST_ERROR, by
 * which the supervisor knows it when this process has died. */
void ckr_note(CK_RV rv);

/* For log lines: log_event(..., CKR_FMT, CKR_ARGS(rv)); rv=CKR_X(0x30). */
#define CKR_FMT "rv=%s(0x%lx)"
#define CKR_ARGS(rv) ckr_name(rv), (unsigned long)(rv)

#endif /* SG_CKR_H */
