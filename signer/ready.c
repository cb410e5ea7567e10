/* SPDX-License-Identifier: Apache-2.0 */
#include "ready.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"

/* Nobody waits for a process that is back at once, nor may systemd's queue
 * fill up. */
enum { STATUS_EVERY_US = 1000000 };

static void add_missing(char *status, const struct child *c, const char *before)
{
	const size_t n = strlen(status);

	(void)snprintf(status + n, READY_STATUS_MAX - n, "%s%s/%u", before,
		       role_name(c->role), c->slot);
}

static void status_of(const struct roster *r, char status[READY_STATUS_MAX])
{
	const char *before = ", but not up: ";

	(void)snprintf(status, READY_STATUS_MAX, "Serving");
	for (size_t i = 0; i < r->n; i++) {
		/* A smith ends with each task. */
		if (r->child[i].up || r->child[i].role == WIRE_SMITH)
			continue;
		add_missing(status, &r->child[i], before);
		before = " ";
	}
}

static void tell_systemd(struct ready *ready, const struct roster *r,
			 uint64_t now_us)
{
	char status[READY_STATUS_MAX];

	if (ready->told && now_us - ready->told_us < STATUS_EVERY_US)
		return;
	status_of(r, status);
	if (strcmp(status, ready->status) == 0)
		return;
	memcpy(ready->status, status, sizeof(status));
	(void)sd_notifyf(0, "%sSTATUS=%s", ready->told ? "" : "READY=1\n",
			 status);
	ready->told = true;
	ready->told_us = now_us;
}

bool ready_look(struct ready *ready, const struct roster *r,
		const struct config *c, uint64_t now_us)
{
	if (ready->told || roster_serves(r, c))
		tell_systemd(ready, r, now_us);
	if (!ready->logged && roster_all_up(r)) {
		ready->logged = true;
		log_event(LOG_INFO, "ready",
			  "fronts=%zu hsms=%zu address=\"%s\" port=%u",
			  r->fronts, r->hsms, c->address, c->port);
	}
	return ready->told;
}
