/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

const char *const RESOLVER_FILES[] = {"/etc/resolv.conf",   "/etc/hosts",
				      "/etc/nsswitch.conf", "/etc/host.conf",
				      "/etc/gai.conf",	    "/etc/services",
				      "/etc/protocols"};
const size_t RESOLVER_FILE_COUNT =
	sizeof(RESOLVER_FILES) / sizeof(RESOLVER_FILES[0]);

/* 0, or errno.  By opening it: Landlock lets anybody ask whether he might. */
static int look(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

void resolver_begin(struct resolver *r, const char *const *files, size_t n)
{
	r->file = files;
	r->n = n < RESOLVER_FILES_MAX ? n : RESOLVER_FILES_MAX;
	for (size_t i = 0; i < r->n; i++)
		r->readable[i] = look(files[i]) == 0;
}

bool resolver_replaced(const struct resolver *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->readable[i] && look(r->file[i]) == EACCES)
			return true;
	return false;
}
