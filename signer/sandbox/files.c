/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "relaxed.h"

/* By themselves: the headers of Debian 12 know the first version only. */
enum {
	ABI_REFER = 2,
	ABI_TRUNCATE = 3,
	ABI_NET = 4,
	ABI_IOCTL = 5,
	ABI_SCOPE = 6
};
static const uint64_t REFER = 1U << 13;
static const uint64_t TRUNCATE = 1U << 14;
static const uint64_t IOCTL_DEV = 1U << 15;
static const uint64_t NET_BIND_AND_CONNECT = 3;
static const uint64_t SCOPE_ABSTRACT = 1;
static const uint64_t SCOPE_SIGNAL = 2;

struct ruleset {
	uint64_t files;
	uint64_t net;	 /* from ABI_NET on */
	uint64_t scoped; /* from ABI_SCOPE on */
};

static const uint64_t READS =
	LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
/* In the first version; never a device node. */
static const uint64_t WRITES =
	LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
	LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
	LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
	LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM;
static const uint64_t NODES =
	LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;

/* Writing, in all of its forms that ABI knows. */
static uint64_t writes(long abi)
{
	return WRITES | (abi >= ABI_REFER ? REFER : 0) |
	       (abi >= ABI_TRUNCATE ? TRUNCATE : 0) |
	       (abi >= ABI_IOCTL ? IOCTL_DEV : 0);
}

/* What is closed where no rule opens it. */
static struct ruleset closed(const struct sandbox *s, long abi)
{
	const bool supervisor = s->role == WIRE_SUPERVISOR;
	struct ruleset r = {.files = writes(abi) | NODES |
				     LANDLOCK_ACCESS_FS_EXECUTE};

	if (!supervisor)
		r.files |= READS;
	if (SANDBOX_RELAXED)
		r.files = writes(abi) | NODES;
	if (!s->network)
		r.net = NET_BIND_AND_CONNECT;
	r.scoped = SCOPE_SIGNAL;
	/* systemd may listen at such a socket, a module's daemon, too. */
	if (!supervisor && !s->network)
		r.scoped |= SCOPE_ABSTRACT;
	return r;
}

static size_t size_of(long abi)
{
	if (abi >= ABI_SCOPE)
		return sizeof(struct ruleset);
	return abi >= ABI_NET ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static uint64_t rights(unsigned access, long abi, bool directory)
{
	const uint64_t of_file =
		LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
		LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE | IOCTL_DEV;
	uint64_t r = 0;

	if ((access & SANDBOX_LIST) != 0)
		r |= LANDLOCK_ACCESS_FS_READ_DIR;
	if ((access & ~(unsigned)SANDBOX_LIST) != 0)
		r |= READS;
	if ((access & SANDBOX_WRITE) != 0)
		r |= writes(abi);
	if ((access & SANDBOX_RUN) != 0)
		r |= LANDLOCK_ACCESS_FS_EXECUTE;
	return directory ? r : r & of_file;
}

static int open_path(int ruleset, const struct ruleset *r, long abi,
		     const struct sandbox_path *p)
{
	struct landlock_path_beneath_attr rule = {0};
	struct stat st;
	int result = 0;
	const int fd = open(p->path, O_PATH | O_CLOEXEC);

	if (fd < 0) /* it is not there, or not ours to look at anyway */
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR
			       ? 0
			       : -1;
	if (fstat(fd, &st) != 0) {
		(void)close(fd);
		return -1;
	}
	rule.parent_fd = fd;
	rule.allowed_access =
		r->files & rights(p->access, abi, S_ISDIR(st.st_mode));
	if (rule.allowed_access != 0)
		result = (int)syscall(SYS_landlock_add_rule, ruleset,
				      LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	/* A pipe, a socket: those are not in the file system. */
	if (result != 0 && errno == EBADFD)
		result = 0;
	(void)close(fd);
	return result;
}

static int enforce(const struct sandbox *s, long abi)
{
	const struct ruleset r = closed(s, abi);
	const int fd =
		(int)syscall(SYS_landlock_create_ruleset, &r, size_of(abi), 0);
	int result = fd < 0 ? -1 : 0;

	for (size_t i = 0; result == 0 && i < s->npaths; i++)
		result = open_path(fd, &r, abi, &s->path[i]);
	if (result == 0)
		result = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	if (fd >= 0) {
		const int saved = errno;

		(void)close(fd);
		errno = saved;
	}
	return result;
}

enum sg_err files_enter_by(const struct sandbox *s, long abi)
{
	return enforce(s, abi) == 0 ? SG_OK : SG_IO;
}

enum sg_err files_enter(const struct sandbox *s, long *abi)
{
	*abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
		       LANDLOCK_CREATE_RULESET_VERSION);
	if (*abi > 0)
		return files_enter_by(s, *abi);
	*abi = 0; /* not built in, or switched off at boot */
	return errno == ENOSYS || errno == EOPNOTSUPP ? SG_OK : SG_IO;
}

const char *files_unheld(long abi)
{
	if (abi < 1)
		return "files, ports, ioctl, signals";
	if (abi < ABI_TRUNCATE)
		return "cutting, ports, ioctl, signals";
	if (abi < ABI_NET)
		return "ports, ioctl, signals";
	if (abi < ABI_IOCTL)
		return "ioctl, signals";
	return abi < ABI_SCOPE ? "signals" : "none";
}
