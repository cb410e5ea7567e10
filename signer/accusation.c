/* SPDX-License-Identifier: Apache-2.0 */
#include "accusation.h"

#include "base/clock.h"
#include "base/log.h"

/* Only of the other end of its link has a process anything to say: a front that
 * was taken over must not have the hsms killed. */
static bool may_accuse(enum wire_role accuser, enum wire_role accused)
{
	if (accuser == WIRE_CORE)
		return accused == WIRE_FRONT || accused == WIRE_HSM ||
		       accused == WIRE_WITNESS || accused == WIRE_SMITH;
	/* One that talks to the whole world has nobody killed. */
	return accused == WIRE_CORE && accuser != WIRE_WITNESS;
}

/* C is a front that accuses the core CORE.  One that was taken over would say
 * so at will, and each new core costs what is in flight: so it is the front
 * that ends, and the core only when another front had to say the same of this
 * process, and not again soon. */
static void front_accuses(struct child *c, struct child *core)
{
	const uint64_t now = clock_mono_us();
	const bool first = core->accuser == 0 || core->accuser == c->slot + 1;

	child_kill(c, "it accuses the core");
	if (core->accuser == 0)
		core->accuser = c->slot + 1;
	if (first)
		return;
	if (!accusation_counts(core->accused_us, now)) {
		log_event(LOG_ERROR, "core-kept",
			  "process=core/0 accuser=%s/%u text=\"fronts have had "
			  "it replaced in the last ten minutes: it stays, and "
			  "they end\"",
			  role_name(c->role), c->slot);
		return;
	}
	core->accused_us = now;
	child_kill(core, "its messages make no sense");
}

void accusation_judge(const struct roster *r, struct child *c,
		      const struct wire_peer_bad *m)
{
	const enum wire_role role = (enum wire_role)m->role;
	struct child *accused = roster_find(r, role, m->slot);

	/* What else it says is of no interest. */
	if (c->killed)
		return;
	if (m->left && c->role == WIRE_CORE && role == WIRE_FRONT &&
	    accused != NULL) {
		child_left(accused, m->linked_us);
		return;
	}
	metric_add(METRIC_BAD_MESSAGES, 1);
	if (m->left || accused == NULL || !may_accuse(c->role, role)) {
		child_kill(c, "it accuses a process that it has no link to");
		return;
	}
	log_event(LOG_ERROR, "peer-bad", "process=%s/%u accuser=%s/%u",
		  role_name(role), m->slot, role_name(c->role), c->slot);
	if (c->role == WIRE_FRONT)
		front_accuses(c, accused);
	else
		child_kill(accused, "its messages make no sense");
}
