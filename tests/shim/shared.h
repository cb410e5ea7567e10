/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SHIM_SHARED_H
#define SG_SHIM_SHARED_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/err.h"
#include "fault.h"

/*
 * shared: what all processes of the HSM have in common, in the mapped file
 * state=FILE: the next free place for a signature, the sessions of each
 * process, how often each function was called, whether the tokens are lost,
 * and the faults of the control file.  What a process held goes with it:
 * each has a lock on a byte of the file, which the kernel releases.
 * Thread-safe.
 */
enum { SHARED_PROCESSES_MAX = 64, SHARED_BOOT_BYTES = 40 };

/* The file.  Another layout needs another SHARED_MAGIC. */
struct shared_page {
	char magic[8];
	char boot[SHARED_BOOT_BYTES]; /* the times below count from it */
	_Atomic uint64_t next_ns;     /* when a signature may begin */
	_Atomic uint64_t lost_until_ns;
	_Atomic uint64_t losses; /* each makes all sessions before it invalid */
	_Atomic uint64_t control_id; /* of the file that faults come from */
	_Atomic uint32_t nfaults;
	_Atomic uint32_t sessions[SHARED_PROCESSES_MAX];
	_Atomic uint64_t calls[CALL_COUNT];
	/* Under the lock: */
	uint64_t calls_then[CALL_COUNT]; /* when the control file was read */
	struct fault_set faults;	 /* of that file */
};

struct shared {
	struct shared_page *page;
	int fd; /* -1: memory of this process alone */
	unsigned place;
	pthread_mutex_t mutex;
};

/*
 * Map PATH, which is made if it is missing, and take a place in it.  With
 * PATH "" memory of this process alone.
 * Owns: S is the caller's memory; shared_close().
 * Errors: SG_IO, SG_CONFIG (a file that is not ours), SG_BUSY (too many
 * processes).
 */
SG_MUST_USE enum sg_err shared_open(struct shared *s, const char *path);
void shared_close(struct shared *s);

/* Alone among all threads of all processes, for a moment. */
void shared_lock(struct shared *s);
void shared_unlock(struct shared *s);

/*
 * The time at which a signature that arrives at NOW_NS begins, when one begins
 * every INTERVAL_NS.  What nobody used in the last SHARED_CATCH_UP_NS may be
 * made up for, since a sleeper wakes up late.
 */
#define SHARED_CATCH_UP_NS UINT64_C(5000000)
uint64_t shared_slot(struct shared *s, uint64_t now_ns, uint64_t interval_ns);

/* One more session of this process, if all living ones have less than CAP. */
bool shared_session_add(struct shared *s, uint32_t cap);
void shared_session_drop(struct shared *s, uint32_t n);

/* CLOCK_MONOTONIC. */
uint64_t shared_now_ns(void);

#endif /* SG_SHIM_SHARED_H */
