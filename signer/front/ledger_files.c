/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fileio.h"
#include "base/log.h"
#include "base/throttle.h"

enum { HASH_BYTES = 32, LENGTH_BYTES = 2 };

static void log_fault(const char *name, const char *reason)
{
	static struct throttle throttle;
	uint64_t dropped;

	if (throttle_allows(&throttle, clock_wall_s(), &dropped))
		log_event(LOG_ERROR, "ledger-file-failed",
			  "file=\"%s\" reason=\"%s\" unlogged=%llu", name,
			  reason, (unsigned long long)dropped);
}

/* --- the directory -------------------------------------------------------- */

void ledger_files_close(int *dir)
{
	if (*dir >= 0)
		(void)close(*dir);
	*dir = -1;
}

void ledger_files_open(int *dir, const char *path)
{
	ledger_files_close(dir);
	if (path[0] == '\0')
		return;
	*dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dir < 0 && errno != ENOENT)
		log_fault(path, strerrordesc_np(errno));
}

/* --- a file --------------------------------------------------------------- */

static int open_below(int dir, const char *name)
{
	/* Not to be caught by a FIFO, which is refused afterwards. */
	const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct open_how how = {
		.flags = (uint64_t)(unsigned)flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};
	const int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));

	/* Where a sandbox or an emulator does not know the call: the names are
	 * our own, and the last part is what could be a link. */
	if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return fd;
	return openat(dir, name, flags | O_NOFOLLOW);
}

static bool is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

enum sg_err ledger_files_read(int dir, const char *name, size_t max,
			      uint8_t **out, size_t *len)
{
	const int fd = dir >= 0 ? open_below(dir, name) : -1;
	enum sg_err err;

	*out = NULL;
	*len = 0;
	if (dir < 0)
		return SG_NOT_FOUND;
	if (fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return SG_NOT_FOUND;
		log_fault(name, strerrordesc_np(errno));
		return SG_IO;
	}
	if (!is_regular(fd)) {
		(void)close(fd);
		log_fault(name, "not a regular file");
		return SG_IO;
	}
	err = fileio_read_fd(fd, max, out, len);
	if (err == SG_IO)
		log_fault(name, strerrordesc_np(errno));
	else if (err == SG_TOO_BIG)
		log_fault(name, "larger than it can be");
	(void)close(fd);
	return err;
}

/* --- tiles ---------------------------------------------------------------- */

/* Bytes of the first WIDTH entries of BUNDLE; 0: it has not so many. */
static size_t entries_bytes(struct span bundle, unsigned width)
{
	size_t at = 0;

	for (unsigned i = 0; i < width; i++) {
		size_t n;

		if (bundle.n - at < LENGTH_BYTES)
			return 0;
		n = (size_t)bundle.p[at] << 8 | bundle.p[at + 1];
		at += LENGTH_BYTES;
		if (bundle.n - at < n)
			return 0;
		at += n;
	}
	return at;
}

static size_t cut_bytes(const struct ledger_path *p, struct span full)
{
	if (p->level == LEDGER_PATH_ENTRIES)
		return entries_bytes(full, p->width);
	return full.n < LEDGER_TILE_MAX ? 0 : (size_t)p->width * HASH_BYTES;
}

enum sg_err ledger_files_tile(int dir, const struct ledger_path *p,
			      uint8_t **out, size_t *len)
{
	const size_t max = p->level == LEDGER_PATH_ENTRIES ? LEDGER_BUNDLE_MAX
							   : LEDGER_TILE_MAX;
	struct ledger_path full = *p;
	char name[LEDGER_PATH_MAX];
	enum sg_err err;

	ledger_path_text(p, name);
	err = ledger_files_read(dir, name, max, out, len);
	if (err != SG_NOT_FOUND || p->width == LEDGER_PATH_WIDTH)
		return err;
	/* It may have gone when the full one came. */
	full.width = LEDGER_PATH_WIDTH;
	ledger_path_text(&full, name);
	err = ledger_files_read(dir, name, max, out, len);
	if (err != SG_OK)
		return err;
	*len = cut_bytes(p, span_of(*out, *len));
	if (*len > 0)
		return SG_OK;
	free(*out);
	*out = NULL;
	log_fault(name, "it has less than 256 of its parts");
	return SG_MALFORMED;
}
