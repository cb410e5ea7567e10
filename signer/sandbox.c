/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox.h"

#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "inherited.h"

/* The first descriptor that the role was not given. */
static unsigned first_foreign_fd(enum wire_role role)
{
	switch (role) {
	case WIRE_FRONT: return ROLE_FD_PUBLIC + 1;
	case WIRE_CORE: return ROLE_FD_OFFICERS + 1;
	case WIRE_HSM:
	case WIRE_SMITH:
	case WIRE_WITNESS: return ROLE_FD_METRICS + 1;
	case WIRE_SUPERVISOR: return STDERR_FILENO + 1 + inherited_count();
	case WIRE_ROLE_COUNT: break;
	}
	return STDERR_FILENO + 1;
}

/* All from FIRST on, but for where the log goes. */
static int close_foreign(unsigned first)
{
	const unsigned log = (unsigned)log_descriptor();

	if (log < first)
		return close_range(first, ~0U, 0);
	if (log > first && close_range(first, log - 1, 0) != 0)
		return -1;
	return close_range(log + 1, ~0U, 0);
}

enum sg_err sandbox_enter(enum wire_role role)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    role_hide_memory() != SG_OK ||
	    close_foreign(first_foreign_fd(role)) != 0) {
		log_event(LOG_ERROR, "sandbox-failed", "role=%s errno=%d",
			  role_name(role), errno);
		return SG_IO;
	}
	return SG_OK;
}
