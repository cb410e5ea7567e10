/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_FDS_H
#define SG_FDS_H

#include <stddef.h>
#include <unistd.h>

/* Close N descriptors that came beside a message and are of no use. */
static inline void fds_close(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
}

#endif /* SG_FDS_H */
