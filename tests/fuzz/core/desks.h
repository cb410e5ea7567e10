/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_FUZZ_DESKS_H
#define SG_FUZZ_DESKS_H

#include <stdlib.h>

#include "core/desk.h"
#include "ipc/channel.h"

/* desks: what targets with a desk have in common. */

/* A policy with one client, which may issue all kinds; others may follow. */
#define DESKS_POLICY                                                           \
	"version: 1\n"                                                         \
	"profiles:\n"                                                          \
	"  - name: full\n"                                                     \
	"    rules: {unknown-field: warning}\n"                                \
	"clients:\n"                                                           \
	"  - name: issuer\n"                                                   \
	"    identities: [\"uri:urn:test:issuer\"]\n"                          \
	"    operations: [issue, validate]\n"                                  \
	"    kinds: [v, t, r]\n"                                               \
	"    countries: [\"*\"]\n"                                             \
	"    issuers: [\"*\"]\n"                                               \
	"    profile: full\n"                                                  \
	"    validity: {v: 365d, t: 365d, r: 365d}\n"

static inline void must(int ok)
{
	if (!ok)
		abort();
}

/* For desk_events.drained: nobody asked for it. */
static inline void desks_on_drained(void *ctx)
{
	(void)ctx;
	abort();
}

/* Link a process of ROLE, slot 0, to DESK; its end is the caller's. */
static inline int desks_link(struct desk *desk, enum wire_role role)
{
	int fd[2];

	must(channel_pair(fd) == 0);
	must(desk_link(desk, role, 0, fd[1]) == SG_OK);
	return fd[0];
}

/* A desk on LOOP by SETTINGS and POLICY, which tells of bad peers. */
static inline struct desk *desks_open(
	uv_loop_t *loop, struct core_settings *settings, const char *policy,
	void (*on_peer_bad)(void *ctx, enum wire_role role, uint16_t slot))
{
	static struct desk_events events = {.drained = desks_on_drained};
	static struct faults faults;
	struct desk_parts parts = {.loop = loop,
				   .settings = settings,
				   .newest_iat = INT64_MIN,
				   .events = &events};
	struct desk *desk;

	events.peer_bad = on_peer_bad;
	must(policy_load(span_str(policy), "fuzz", &parts.policy, &faults) ==
	     SG_OK);
	must(desk_create(&parts, &desk) == SG_OK);
	policy_unref(parts.policy);
	return desk;
}

#endif /* SG_FUZZ_DESKS_H */
