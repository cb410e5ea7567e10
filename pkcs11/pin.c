/* SPDX-License-Identifier: Apache-2.0 */
#include "pin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/log.h"

static enum sg_err page_take(struct pin *pin)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return SG_IO;
	if (mlock(p, page) != 0 || madvise(p, page, MADV_DONTDUMP) != 0) {
		const int why = errno;

		munmap(p, page);
		errno = why;
		return SG_IO;
	}
	*pin = (struct pin){.bytes = p, .mapped = page};
	return SG_OK;
}

/* One byte more than may be, so that a longer file shows. */
static enum sg_err fill(int fd, struct pin *pin)
{
	size_t n = 0;

	while (n <= PIN_BYTES_MAX) {
		const ssize_t got =
			read(fd, pin->bytes + n, PIN_BYTES_MAX + 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return SG_IO;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	if (n > PIN_BYTES_MAX)
		return SG_CONFIG;
	if (n > 0 && pin->bytes[n - 1] == '\n')
		n--;
	if (n > 0 && pin->bytes[n - 1] == '\r')
		n--;
	pin->n = n;
	return n > 0 ? SG_OK : SG_CONFIG;
}

static bool is_credential(const char *path)
{
	/* Nothing here changes the environment while others read it. */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	return dir != NULL && strncmp(path, dir, strlen(dir)) == 0 &&
	       path[strlen(dir)] == '/';
}

bool pin_is_shared(const char *path, const struct stat *st)
{
	const mode_t foreign =
		is_credential(path) ? S_IRWXO : S_IRWXG | S_IRWXO;

	return (st->st_mode & foreign) != 0;
}

static void warn_if_shared(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && pin_is_shared(path, &st))
		log_event(LOG_WARNING, "pin-file-shared",
			  "path=\"%s\" mode=%03o text=\"others have "
			  "rights to it: chmod 600\"",
			  path, st.st_mode & 0777U);
}

enum sg_err pin_read(const char *path, struct pin *out)
{
	struct pin pin = {0};
	enum sg_err e;
	int fd;

	*out = (struct pin){0};
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		log_event(LOG_ERROR, "pin-file-unreadable",
			  "path=\"%s\" errno=%d", path, errno);
		return SG_IO;
	}
	warn_if_shared(fd, path);
	e = page_take(&pin);
	if (e == SG_OK)
		e = fill(fd, &pin);
	if (e == SG_IO)
		log_event(LOG_ERROR, "pin-unreadable", "path=\"%s\" errno=%d",
			  path, errno);
	else if (e != SG_OK)
		log_event(LOG_ERROR, "pin-unusable",
			  "path=\"%s\" reason=\"empty or too long\"", path);
	close(fd);
	if (e != SG_OK)
		pin_wipe(&pin);
	else
		*out = pin;
	return e;
}

void pin_wipe(struct pin *pin)
{
	if (pin->bytes != NULL) {
		fileio_wipe(pin->bytes, pin->mapped);
		munmap(pin->bytes, pin->mapped);
	}
	*pin = (struct pin){0};
}
