/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ROSTER_H
#define SG_ROSTER_H

#include "child.h"
#include "config.h"
#include "outage.h"

/*
 * roster: all the role processes, and what connects them.  The core stands
 * first, then the fronts, then the hsm processes, then that of the witnesses
 * where the ledger has any, then a smith for each HSM that has a token for new
 * keys, in the slot of its number.  Loop thread only.
 */
struct roster_hsm {
	struct outage outage;
	struct metrics_page *page;
	int page_fd;
};

struct roster {
	size_t n;
	struct child *child; /* n of them */
	size_t fronts, hsms;
	struct metrics_page *own; /* of the supervisor */
	int own_fd;
	size_t nwatched; /* HSMs */
	struct roster_hsm hsm[CONFIG_HSMS_MAX];
};

/* Make the children that C names, none of them started, and the supervisor's
 * own metrics page.  Owns: roster_free().  Errors: SG_NO_MEMORY, SG_IO. */
SG_MUST_USE enum sg_err roster_create(struct roster *r, uv_loop_t *loop,
				      const struct config *c,
				      const struct child_events *events,
				      void *ctx);
/* All processes must be gone. */
void roster_free(struct roster *r);

static inline struct child *roster_core(const struct roster *r)
{
	return &r->child[0];
}
/* NULL when there is no such child. */
struct child *roster_find(const struct roster *r, enum wire_role role,
			  unsigned slot);
bool roster_all_up(const struct roster *r);
/* Are clients served as well as they can be for now: core and a front are up,
 * and each HSM of CONFIG is there, or known to be away, or held after a PIN
 * that was refused?  After roster_watch(). */
bool roster_serves(const struct roster *r, const struct config *config);
/* May C, which is due, start at NOW_US?  Hsm processes of one HSM in CONFIG
 * start one after the other, and wait a moment for those of others; a smith,
 * which only waits for what the core asks, when that is up. */
enum { ROSTER_TURN_MS = 500 };
bool roster_may_start(const struct roster *r, const struct config *config,
		      const struct child *c, uint64_t now_us);

/* The HSM in CONFIG that C, an hsm or a smith, works with; NULL: C is another
 * role. */
const struct config_hsm *roster_hsm_of(const struct config *config,
				       const struct child *c);
/* Do not start C, nor another hsm or smith of its HSM in the configuration
 * CONFIG, before roster_release().  Hsm processes that run go on, for they are
 * logged in; an idle smith ends. */
void roster_hold_hsm(struct roster *r, const struct config *config,
		     const struct child *c);
/* Nobody is held any more. */
void roster_release(struct roster *r);

/* Look which HSMs of CONFIG have gone or come back at NOW_US, and which of
 * their processes that kept ending have come to stay, and log it. */
void roster_watch(struct roster *r, const struct config *config,
		  uint64_t now_us);

/* Start C, and connect it: the links that it takes part in, and to a front
 * the metrics pages of all. */
void roster_start(struct roster *r, const struct config *config,
		  struct child *c, const struct child_fds *fds);

#endif /* SG_ROSTER_H */
