/* SPDX-License-Identifier: Apache-2.0 */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAP_BIT(cap) (1ULL << (cap))

enum { SETS = 2, SET_BITS = 32, CAPABILITIES_MAX = 63 };

/* The supervisor reads files of any user's, among them those that only one
 * role may read, gives each role its user, drops what it has itself, and ends
 * roles that have become somebody else. */
static const uint64_t SUPERVISOR_KEEPS = CAP_BIT(CAP_DAC_OVERRIDE) |
					 CAP_BIT(CAP_DAC_READ_SEARCH) |
					 CAP_BIT(CAP_SETPCAP);
static const uint64_t SUPERVISOR_KEEPS_FOR_USERS =
	CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID) | CAP_BIT(CAP_KILL);

enum sg_err privileges_user(const struct sandbox *s)
{
	if (!s->user || geteuid() != 0 || s->role == WIRE_SUPERVISOR)
		return SG_OK;
	if (setgroups(0, NULL) != 0 || setresgid(s->gid, s->gid, s->gid) != 0 ||
	    setresuid(s->uid, s->uid, s->uid) != 0)
		return SG_IO;
	/* The kernel takes both back with the user. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return SG_IO;
	return role_hide_memory();
}

static uint64_t kept(const struct sandbox *s)
{
	if (s->role != WIRE_SUPERVISOR)
		return 0;
	return SUPERVISOR_KEEPS | (s->user ? SUPERVISOR_KEEPS_FOR_USERS : 0);
}

/* Who has nothing to drop does not ask: a service manager's filter may refuse
 * capset() to all, as @privileged of systemd's does. */
static int set_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct had[SETS];
	struct __user_cap_data_struct set[SETS];

	if (syscall(SYS_capget, &head, had) != 0)
		return -1;
	memcpy(set, had, sizeof(set));
	for (size_t i = 0; i < SETS; i++) {
		const uint32_t part = (uint32_t)(keep >> (i * SET_BITS));

		set[i].permitted &= part;
		set[i].effective = set[i].permitted;
		set[i].inheritable = 0;
	}
	if (memcmp(set, had, sizeof(set)) == 0)
		return 0;
	return (int)syscall(SYS_capset, &head, set);
}

/* Without CAP_SETPCAP the set stays, and no_new_privs makes it worth nothing.
 */
static int bound(uint64_t keep)
{
	for (unsigned long cap = 0; cap <= CAPABILITIES_MAX; cap++) {
		const int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (has < 0)
			break; /* the kernel knows no more of them */
		if (has == 0 || (keep & CAP_BIT(cap)) != 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 && errno != EPERM)
			return -1;
	}
	return 0;
}

enum sg_err privileges_drop(const struct sandbox *s)
{
	const uint64_t keep = kept(s);

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 ||
	    bound(keep) != 0 || set_capabilities(keep) != 0)
		return SG_IO;
	return SG_OK;
}
