/* SPDX-License-Identifier: Apache-2.0 */
#include "pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { PIDFILE_MODE = 0644, PID_TEXT = 32, ATTEMPTS = 10 };

static void log_owner(const struct pidfile *p, int fd)
{
	char text[PID_TEXT] = {0};
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n > 0)
		text[strcspn(text, "\n")] = '\0';
	log_event(LOG_ERROR, "already-running", "pid=%s file=\"%s\"",
		  n > 0 ? text : "unknown", p->path);
}

/* Is what we locked still the file of that name?  Its last owner may have
 * removed it between our open and our lock. */
static bool is_still_there(const char *path, int fd)
{
	struct stat named;
	struct stat locked;

	return stat(path, &named) == 0 && fstat(fd, &locked) == 0 &&
	       named.st_dev == locked.st_dev && named.st_ino == locked.st_ino;
}

static enum sg_err io_fault(const struct pidfile *p)
{
	log_event(LOG_ERROR, "pidfile-failed", "file=\"%s\" reason=\"%s\"",
		  p->path, strerrordesc_np(errno));
	return SG_IO;
}

static enum sg_err take_lock(struct pidfile *p)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		const int fd =
			open(p->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			     PIDFILE_MODE);

		if (fd < 0)
			return io_fault(p);
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			const bool taken = errno == EWOULDBLOCK;

			if (taken)
				log_owner(p, fd);
			else
				(void)io_fault(p);
			(void)close(fd);
			return taken ? SG_BUSY : SG_IO;
		}
		if (is_still_there(p->path, fd)) {
			p->fd = fd;
			return SG_OK;
		}
		(void)close(fd);
	}
	return SG_BUSY;
}

enum sg_err pidfile_take(struct pidfile *p, const char *dir)
{
	char text[PID_TEXT];
	enum sg_err e;
	int n;

	p->fd = -1;
	(void)snprintf(p->path, sizeof(p->path), "%s/signerd.pid", dir);
	e = take_lock(p);
	if (e != SG_OK)
		return e;
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(p->fd, 0) == 0 &&
	    pwrite(p->fd, text, (size_t)n, 0) == (ssize_t)n)
		return SG_OK;
	e = io_fault(p);
	pidfile_release(p);
	return e;
}

void pidfile_release(struct pidfile *p)
{
	if (p->fd < 0)
		return;
	(void)unlink(p->path); /* while the lock is still ours */
	(void)close(p->fd);
	p->fd = -1;
}
