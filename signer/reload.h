/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_RELOAD_H
#define SG_RELOAD_H

#include "roster.h"
#include "tls_files.h"

/*
 * reload: the configuration in force, and how a new one comes into force:
 * checked here, then taken by the core, then by the fronts.  A fault, or the
 * core's refusal, leaves everything as it was.  Files of tls that change are
 * taken by the fronts without that, under the configuration in force.  Loop
 * thread only.
 */
struct reload {
	const char *path; /* of signerd.yaml */
	struct roster *roster;
	struct config *config; /* in force */
	struct span began;     /* the text at start: for the fixed sections */
	int config_fd;	       /* sealed memfds for the roles */
	int policy_fd;
	uint32_t generation; /* of the configuration in force; counts up */
	/* A new one that the core is asked about; NULL: none. */
	struct config *candidate;
	int candidate_config_fd;
	int candidate_policy_fd;
	bool wanted;  /* SIGHUP came: as soon as the core can be asked */
	bool running; /* not all have answered yet */
	bool refused; /* what was in force stays */
	struct tls_files files;
	bool files_wanted;  /* they have changed: as soon as none is running */
	bool files_running; /* it is them alone that the fronts take */
	bool front_refused; /* one of them, what is in force */
	bool announce; /* systemd knows that we were ready: tell it of reloads
			*/
	uv_timer_t timer; /* for answers that do not come */
};

/* Read the configuration for the first time.  ROSTER is not looked at yet.
 * Owns: reload_free().  Errors: SG_CONFIG with FAULTS, SG_IO, SG_NO_MEMORY. */
SG_MUST_USE enum sg_err reload_init(struct reload *l, const char *path,
				    struct roster *roster, uv_loop_t *loop,
				    struct faults *faults);
void reload_free(struct reload *l);

/* SIGHUP. */
void reload_want(struct reload *l);
/* Once a second: look at the files of tls. */
void reload_second(struct reload *l);
/* Go on where it can: after each change of a child. */
void reload_step(struct reload *l);
/* The answer of C. */
void reload_answered(struct reload *l, struct child *c,
		     const struct wire_reloaded *m);
/* C is up. */
void reload_up(struct reload *l, const struct child *c);
/* The process of C is gone. */
void reload_lost(struct reload *l, struct child *c);

#endif /* SG_RELOAD_H */
