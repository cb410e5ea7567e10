/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CHILD_H
#define SG_CHILD_H

#include <uv.h>

#include "base/metrics.h"
#include "ipc/role.h"
#include "restart.h"

/*
 * child: one role process in the supervisor: its start, its control channel,
 * its end, and when it may start again.  Loop thread only.
 */
struct child;
struct child_log;

/* Each is called from the loop. */
struct child_events {
	/* It serves. */
	void (*up)(void *ctx, struct child *c);
	/* What became of a WIRE_RELOAD. */
	void (*reloaded)(void *ctx, struct child *c,
			 const struct wire_reloaded *m);
	/* Its token refused the PIN to this hsm or smith; its process is
	 * gone. */
	void (*pin_refused)(void *ctx, struct child *c);
	/* It refuses the ledger that it found; its process is gone. */
	void (*ledger_refused)(void *ctx);
	/* It cannot work with the process at the other end of a link. */
	void (*peer_bad)(void *ctx, struct child *c,
			 const struct wire_peer_bad *m);
	/* Its process is gone, or its wait is over: look at it again. */
	void (*changed)(void *ctx, struct child *c);
};

struct child {
	enum wire_role role;
	unsigned slot;
	const struct child_events *events;
	void *ctx;
	const char *exe;       /* what to execute; the owner sets it */
	int metrics_fd;	       /* -1: none */
	struct child_log *log; /* what it says; NULL: to standard error */
	struct metrics_page *page;
	uv_timer_t timer;	 /* to be up, to be restarted, to be gone */
	uv_process_t *process;	 /* NULL: not running */
	struct channel *control; /* NULL: not running, or it hung up */
	bool up;
	bool was_up;	    /* this process ever was */
	bool waiting;	    /* for its next start */
	bool held;	    /* not to be started before a reload */
	bool killed;	    /* by us: its death is no riddle */
	uint64_t samples;   /* of its metrics page, as last seen to change */
	uint64_t lively_us; /* when that was, or when it last worked */
	uint64_t cpu_ns;    /* that it had used, as last seen */
	/* Of an hsm: nothing is logged of this process, since others before it
	 * have died for the same reason. */
	bool muted;
	bool away;	     /* its whole HSM is: that has a line of its own */
	uint64_t told_us;    /* when a death was last logged */
	uint64_t up_us;	     /* since when it is up */
	bool died;	     /* the last one did, and was not told to end */
	uint64_t last_error; /* of the module, of the last one that died */
	struct restart restart;
	/* The supervisor's own notes about this process. */
	uint32_t generation; /* of the configuration that it has */
	bool reloading;	     /* a WIRE_RELOAD is not yet answered */
	bool draining;	     /* WIRE_DRAIN has been sent */
	bool left;	     /* it has closed its link to the core */
	unsigned accuser;    /* front slot + 1 that accused it; 0: none */
	/* When fronts last had one replaced here; 0: never. */
	uint64_t accused_us;
};

/* Set up C for ROLE and SLOT with a metrics page.  Errors: SG_IO. */
SG_MUST_USE enum sg_err child_init(struct child *c, uv_loop_t *loop,
				   enum wire_role role, unsigned slot,
				   const struct child_events *events,
				   void *ctx);

/* The descriptors of role.h that differ by role; -1: none. */
struct child_fds {
	int config;
	int policy_or_listen; /* ROLE_FD_POLICY, ROLE_FD_LISTEN */
	int ops_or_officers;  /* ROLE_FD_OPS, ROLE_FD_OFFICERS */
	int public;
};

/* C is up: log it, if that was left out. */
void child_tell_up(struct child *c);

/* Start its process now.  A failure is logged and counts as a death. */
void child_start(struct child *c, const struct child_fds *fds);
/* Running, or about to be reaped. */
static inline bool child_alive(const struct child *c)
{
	return c->process != NULL;
}
/* Running, and it can be talked to. */
static inline bool child_listens(const struct child *c)
{
	return c->process != NULL && c->control != NULL;
}
/* Not running, and nothing says to wait. */
static inline bool child_due(const struct child *c)
{
	return c->process == NULL && !c->waiting && !c->held;
}

/* Send one message, with N descriptors that are closed in any case.  A failure
 * needs no care: the child is about to be gone. */
void child_send(struct child *c, const struct wire_packet *w, const int *fds,
		size_t n);
/* A second has passed, NOW_US.  A process that is up and has not touched its
 * page for CHILD_SILENT_MS is stopped or stuck: it is killed.  So is one that
 * is not up, and has neither done that nor used the CPU for CHILD_STILL_MS. */
enum { CHILD_SILENT_MS = 5000, CHILD_STILL_MS = 30000 };
void child_look(struct child *c, uint64_t now_us);
/* Whatever it did not do by NOW_US is forgiven: we did not look either. */
void child_forgive(struct child *c, uint64_t now_us);
/* Its link to the core has ended, that there was at LINKED_US.  If it is still
 * the same process, it should be about to end; one that is not is killed. */
void child_left(struct child *c, uint64_t linked_us);
/* Send WIRE_DRAIN, once. */
void child_drain(struct child *c);
/* SIGKILL, because of REASON (for the log). */
void child_kill(struct child *c, const char *reason);
/* Do not wait for a restart any more. */
void child_forget(struct child *c);
/* Let go of everything but the process, which must be gone. */
void child_close(struct child *c);

#endif /* SG_CHILD_H */
