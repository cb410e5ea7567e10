/* SPDX-License-Identifier: Apache-2.0 */
#include "self.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static const char LINK[] = "/proc/self/exe";

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The program as open() shows it: valgrind answers that with ours, and leaves
 * stat() and execve() to the kernel, for which it is valgrind. */
static bool stat_opened(struct stat *s)
{
	const int fd = open(LINK, O_PATH | O_CLOEXEC);
	const bool good = fd >= 0 && fstat(fd, s) == 0;

	if (fd >= 0)
		(void)close(fd);
	return good;
}

/* The path of the file that STARTED is. */
static bool named_path(const struct stat *started, char *out)
{
	const ssize_t n = readlink(LINK, out, SELF_PATH_MAX - 1);
	struct stat named;

	if (n <= 0 || n >= SELF_PATH_MAX - 1)
		return false;
	out[n] = '\0';
	return out[0] == '/' && stat(out, &named) == 0 &&
	       is_same(started, &named);
}

enum sg_err self_path(char *out)
{
	struct stat started;
	struct stat executed;

	if (!stat_opened(&started) || stat(LINK, &executed) != 0)
		goto fail;
	if (is_same(&started, &executed)) {
		(void)snprintf(out, SELF_PATH_MAX, "%s", LINK);
		return SG_OK;
	}
	if (named_path(&started, out))
		return SG_OK;
fail:
	log_event(LOG_ERROR, "program-unknown", "link=\"%s\"", LINK);
	return SG_IO;
}
