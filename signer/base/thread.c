/* SPDX-License-Identifier: Apache-2.0 */
#include "thread.h"

#include <signal.h>
#include <sys/prctl.h>

enum { NAME_BYTES = 16 }; /* of a thread, for the kernel */

enum sg_err thread_start(pthread_t *out, const char *name,
			 void *(*run)(void *ctx), void *ctx)
{
	char ours[NAME_BYTES] = "";
	sigset_t all;
	sigset_t old;
	int err;

	/* Both are inherited.  Another thread's name is a file in /proc, which
	 * the sandbox does not open. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	(void)prctl(PR_GET_NAME, ours, 0, 0, 0);
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
	err = pthread_create(out, NULL, run, ctx);
	(void)prctl(PR_SET_NAME, ours, 0, 0, 0);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err == 0 ? SG_OK : SG_NO_MEMORY;
}
