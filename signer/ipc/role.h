/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ROLE_H
#define SG_ROLE_H

#include "channel.h"

/*
 * role: what every role process has in common: the descriptors that the
 * supervisor gives it at exec, and the control channel.
 *
 * The supervisor execs "signerd --role ROLE --slot N" with what follows, and
 * with "--mute" an hsm that comes in the place of others which have died: what
 * is wrong has been said, and it logs nothing before it has been up for a
 * while.
 */
enum { ROLE_STEADY_MS = 3000 };
enum { ROLE_HSM_NICE = 5 }; /* more than the supervisor's; 19 at most */
enum {
	ROLE_FD_CONTROL = 3, /* SEQPACKET to the supervisor */
	ROLE_FD_CONFIG = 4,  /* sealed memfd: signerd.yaml as accepted; its
				first line is "# base: DIR" for relative paths */
	ROLE_FD_METRICS = 5, /* memfd: this slot's metrics page */
	ROLE_FD_POLICY = 6,  /* core: sealed memfd with the policy file */
	ROLE_FD_LISTEN = 6,  /* front: TCP listener for TLS */
	ROLE_FD_OPS = 7,     /* front: listener for /livez, /readyz, /metrics */
	ROLE_FD_OFFICERS = 7, /* core: listener of the administration socket;
				 not given where there is none */
	ROLE_FD_PUBLIC = 8, /* front: listener for anybody who reads the ledger;
			       not given where the configuration has none */
	ROLE_FD_JOURNAL = 9, /* takes lines for systemd's journal; not given
				where standard error is something else */
	ROLE_FD_LAST = ROLE_FD_JOURNAL
};

/* Exit statuses of a role. */
enum {
	ROLE_EXIT_DRAINED = 0,
	ROLE_EXIT_FAILED = 1, /* to be replaced */
	/* The token refused the PIN: a further try may lock it, so no hsm
	 * process of that HSM starts before the next reload (SIGHUP). */
	ROLE_EXIT_PIN_REFUSED = 3,
	/* The ledger on the disk is not what it was (rolled back, forked):
	 * nothing may be signed before an officer has looked at it. */
	ROLE_EXIT_LEDGER_REFUSED = 4
};

/*
 * The life of a role:  WIRE_LINK and WIRE_PAGE come at any time, also before
 * WIRE_UP.  The role sends WIRE_UP once it serves (front: listening; core:
 * links are taken; hsm: logged in, keys found).  On WIRE_DRAIN it takes
 * nothing new, finishes what is in flight and exits 0; the supervisor kills
 * it when the drain time is over.  When the control channel ends the
 * supervisor is gone, and the role exits at once.
 */

/* To be called first in a role process: PR_SET_PDEATHSIG SIGKILL, core dumps
 * off (PR_SET_DUMPABLE 0, RLIMIT_CORE 0), log role name, SIGPIPE, SIGHUP,
 * SIGINT and SIGTERM ignored (the supervisor decides), metrics page mapped; an
 * hsm is nice to those who bring it work, where it may be.
 * Errors: SG_IO. */
SG_MUST_USE enum sg_err role_begin(enum wire_role role, unsigned slot);

/* What this process holds in memory stays there: no core file, no tracing by
 * its own user.  Part of role_begin().  Errors: SG_IO with errno. */
SG_MUST_USE enum sg_err role_hide_memory(void);

const char *role_name(enum wire_role role);
/* The slot that role_begin() was called with; 0 before it. */
unsigned role_slot(void);

#endif /* SG_ROLE_H */
