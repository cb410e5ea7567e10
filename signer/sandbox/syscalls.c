/* SPDX-License-Identifier: Apache-2.0 */
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relaxed.h"

/* A filter as it grows.  The first error stays. */
struct filter {
	const struct sandbox *s;
	scmp_filter_ctx ctx;
	int error;
};

enum { ARGUMENTS_MAX = 2 };

#define EQUALS(arg, value) SCMP_CMP64((arg), SCMP_CMP_EQ, (value), 0)
#define MASKED(arg, mask, value)                                               \
	SCMP_CMP64((arg), SCMP_CMP_MASKED_EQ, (mask), (value))

static bool is_supervisor(const struct filter *f)
{
	return f->s->role == WIRE_SUPERVISOR;
}

/* Its roles begin with its filter. */
static bool loads_module(const struct filter *f)
{
	return f->s->role == WIRE_HSM || f->s->role == WIRE_SMITH ||
	       is_supervisor(f);
}

static bool writes_files(const struct filter *f)
{
	return f->s->role == WIRE_CORE || loads_module(f);
}

static bool has_threads(const struct filter *f)
{
	return f->s->role != WIRE_FRONT;
}

/* --- rules ---------------------------------------------------------------- */

static void rule(struct filter *f, uint32_t action, int call, unsigned n,
		 const struct scmp_arg_cmp *when)
{
	if (f->error == 0)
		f->error =
			seccomp_rule_add_array(f->ctx, action, call, n, when);
	/* This machine does not have the call, or has it for all. */
	if (f->error == -EDOM || f->error == -EACCES)
		f->error = 0;
}

static void allow(struct filter *f, int call)
{
	rule(f, SCMP_ACT_ALLOW, call, 0, NULL);
}

static void allow_all(struct filter *f, const struct syscalls_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		allow(f, list->call[i]);
}

static void allow_when(struct filter *f, int call, struct scmp_arg_cmp a)
{
	rule(f, SCMP_ACT_ALLOW, call, 1, &a);
}

static void refuse_when(struct filter *f, int call, struct scmp_arg_cmp a)
{
	rule(f, SCMP_ACT_ERRNO(EACCES), call, 1, &a);
}

static bool is_on(const struct syscalls_list *list, int call)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->call[i] == call)
			return true;
	return false;
}

/* --- by their arguments --------------------------------------------------- */

static void forbid_when(struct filter *f, int call, struct scmp_arg_cmp a)
{
	rule(f, SCMP_ACT_KILL_PROCESS, call, 1, &a);
}

/* Not to have the kernel send a signal of one's choice to a process of one's
 * choice when something happens on a descriptor. */
static void allow_fcntl(struct filter *f)
{
	static const uint64_t may[] = {F_DUPFD,
				       F_DUPFD_CLOEXEC,
				       F_GETFD,
				       F_SETFD,
				       F_GETFL,
				       F_SETFL,
				       F_GETLK,
				       F_SETLK,
				       F_SETLKW,
				       F_OFD_GETLK,
				       F_OFD_SETLK,
				       F_OFD_SETLKW,
				       F_ADD_SEALS,
				       F_GET_SEALS,
				       F_GETPIPE_SZ,
				       F_SETPIPE_SZ,
				       F_GET_RW_HINT,
				       F_SET_RW_HINT,
				       F_GET_FILE_RW_HINT,
				       F_SET_FILE_RW_HINT};
	static const uint64_t never[] = {F_SETOWN, F_SETOWN_EX, F_SETSIG,
					 F_NOTIFY};

	for (size_t i = 0; i < sizeof(may) / sizeof(may[0]); i++)
		allow_when(f, SCMP_SYS(fcntl), EQUALS(1, may[i]));
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		forbid_when(f, SCMP_SYS(fcntl), EQUALS(1, never[i]));
}

static void allow_option(struct filter *f, uint64_t level, uint64_t option)
{
	const struct scmp_arg_cmp both[] = {EQUALS(1, level),
					    EQUALS(2, option)};

	rule(f, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2, both);
}

/* The options left out put a program of ours into the kernel, which could draw
 * all connections to one front; a connection with SO_LINGER holds up whoever
 * closes it last, and that may be the core, to whom it was sent; SO_RCVTIMEO of
 * a listener is what keeps accept() from waiting.  A front has listeners that
 * outlive it, and what it sets on them stays: a hop limit (IP_MINTTL,
 * IPV6_MINHOPCOUNT) or TCP_DEFER_ACCEPT would shut the door for good. */
static void allow_options(struct filter *f)
{
	static const uint64_t levels[] = {IPPROTO_IP, IPPROTO_TCP,
					  IPPROTO_IPV6};
	static const uint64_t options[] = {
		SO_REUSEADDR, SO_BROADCAST, SO_SNDBUF,	  SO_RCVBUF,
		SO_KEEPALIVE, SO_PRIORITY,  SO_REUSEPORT, SO_PASSCRED};
	static const uint64_t waits[] = {SO_LINGER, SO_RCVTIMEO, SO_SNDTIMEO};

	if (f->s->role == WIRE_FRONT) {
		allow_option(f, IPPROTO_TCP, TCP_NODELAY);
		return;
	}
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		allow_when(f, SCMP_SYS(setsockopt), EQUALS(1, levels[i]));
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		allow_option(f, SOL_SOCKET, options[i]);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		if (loads_module(f))
			allow_option(f, SOL_SOCKET, waits[i]);
}

/* On sockets that are there.  MSG_FASTOPEN connects without connect(); a
 * listener that is shut for reading is so for all who have it, until it
 * is made to listen again. */
static void allow_sockets(struct filter *f)
{
	static const struct {
		int call;
		unsigned flags; /* its argument */
	} sends[] = {{SCMP_SYS(sendto), 3},
		     {SCMP_SYS(sendmsg), 2},
		     {SCMP_SYS(sendmmsg), 3}};

	for (size_t i = 0; i < sizeof(sends) / sizeof(sends[0]); i++) {
		allow_when(f, sends[i].call,
			   MASKED(sends[i].flags, MSG_FASTOPEN, 0));
		forbid_when(f, sends[i].call,
			    MASKED(sends[i].flags, MSG_FASTOPEN, MSG_FASTOPEN));
	}
	allow_options(f);
	if (f->s->role == WIRE_FRONT) {
		allow_when(f, SCMP_SYS(shutdown), EQUALS(1, SHUT_WR));
		forbid_when(f, SCMP_SYS(shutdown), EQUALS(1, SHUT_RD));
		forbid_when(f, SCMP_SYS(shutdown), EQUALS(1, SHUT_RDWR));
	} else {
		allow(f, SCMP_SYS(shutdown));
	}
}

/* Who opens a file for reading does not cut it: a Landlock that knows no
 * cutting would let that pass for reading. */
static void allow_open_for_writing(struct filter *f, int call, unsigned flags)
{
	allow_when(f, call, MASKED(flags, O_TRUNC, 0));
	for (uint64_t bit = 1; bit <= O_ACCMODE; bit <<= 1)
		allow_when(f, call, MASKED(flags, bit, bit));
	refuse_when(f, call, MASKED(flags, O_ACCMODE | O_TRUNC, O_TRUNC));
}

/* For reading only: no bit of writing, making or cutting is set. */
static void allow_open(struct filter *f, bool ruled)
{
	const uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND |
				 (O_TMPFILE & ~O_DIRECTORY);

	if (writes_files(f)) {
		allow_open_for_writing(f, SCMP_SYS(open), 1);
		allow_open_for_writing(f, SCMP_SYS(openat), 2);
		return;
	}
	allow_when(f, SCMP_SYS(open), MASKED(1, writing, O_RDONLY));
	allow_when(f, SCMP_SYS(openat), MASKED(2, writing, O_RDONLY));
	for (int i = 0; i < 64; i++) {
		const uint64_t bit = 1ULL << i;

		if ((writing & bit) == 0)
			continue;
		refuse_when(f, SCMP_SYS(open), MASKED(1, bit, bit));
		refuse_when(f, SCMP_SYS(openat), MASKED(2, bit, bit));
	}
	/* Its flags lie in memory, where no filter sees them. */
	if (ruled)
		allow(f, SCMP_SYS(openat2));
}

static void allow_mapping(struct filter *f)
{
	static const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect),
				    SCMP_SYS(pkey_mprotect)};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (loads_module(f)) {
			allow(f, calls[i]);
			continue;
		}
		allow_when(f, calls[i], MASKED(2, PROT_EXEC, 0));
		refuse_when(f, calls[i], MASKED(2, PROT_EXEC, PROT_EXEC));
	}
}

/* Threads, never processes or namespaces.  clone3() hides its flags: it gets
 * ENOSYS, and the library takes clone(). */
static void allow_clone(struct filter *f)
{
	static const uint64_t spaces =
		CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
		CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
	const uint32_t forbid = SCMP_ACT_KILL_PROCESS;
	const struct scmp_arg_cmp process = MASKED(0, CLONE_THREAD, 0);

	if (is_supervisor(f)) {
		allow_when(f, SCMP_SYS(clone), MASKED(0, spaces, 0));
		return;
	}
	if (has_threads(f))
		allow_when(f, SCMP_SYS(clone),
			   MASKED(0, CLONE_THREAD | spaces, CLONE_THREAD));
	rule(f, forbid, SCMP_SYS(clone), 1, &process);
}

/* Of the calling thread: who could make those of others by the same user less
 * urgent would stop them. */
static void allow_priorities(struct filter *f)
{
	const struct scmp_arg_cmp own[] = {EQUALS(0, PRIO_PROCESS),
					   EQUALS(1, 0)};
	const struct scmp_arg_cmp own_io[] = {EQUALS(0, IOPRIO_WHO_PROCESS),
					      EQUALS(1, 0)};

	allow(f, SCMP_SYS(getpriority));
	rule(f, SCMP_ACT_ALLOW, SCMP_SYS(setpriority), 2, own);
	rule(f, SCMP_ACT_ALLOW, SCMP_SYS(ioprio_set), 2, own_io);
}

static void allow_network(struct filter *f)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

	if (f->s->network) {
		for (size_t i = 0; i < sizeof(families) / sizeof(families[0]);
		     i++)
			allow_when(f, SCMP_SYS(socket),
				   EQUALS(0, (uint64_t)families[i]));
		allow_all(f, &SYSCALLS_NETWORK);
	} else if (is_supervisor(f)) {
		/* systemd is told how it goes, with no connection. */
		allow_when(f, SCMP_SYS(socket), EQUALS(0, AF_UNIX));
		rule(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(connect), 0, NULL);
	} else if (loads_module(f)) {
		/* A module may want to write to syslog. */
		rule(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 0, NULL);
		rule(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(connect), 0, NULL);
	}
}

static void allow_ioctl(struct filter *f)
{
	static const uint64_t requests[] = {FIONBIO, FIOCLEX, FIONREAD,
					    0x5401 /* TCGETS */};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		allow_when(f, SCMP_SYS(ioctl), EQUALS(1, requests[i]));
}

static void allow_prctl(struct filter *f)
{
	static const uint64_t options[] = {PR_SET_NAME, PR_GET_NAME,
					   PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS,
					   0x53564d41 /* PR_SET_VMA */};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		allow_when(f, SCMP_SYS(prctl), EQUALS(0, options[i]));
}

/* Only looking at limits; only signals of abort() to ourselves. */
static void allow_own_affairs(struct filter *f)
{
	allow_when(f, SCMP_SYS(prlimit64), EQUALS(2, 0));
	allow_when(f, SCMP_SYS(tgkill), EQUALS(0, (uint64_t)getpid()));
}

static void allow_listeners(struct filter *f)
{
	static const int calls[] = {SCMP_SYS(accept4), SCMP_SYS(accept),
				    SCMP_SYS(listen)};

	if (f->s->role != WIRE_FRONT && f->s->role != WIRE_CORE)
		return;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		allow(f, calls[i]);
}

/* --- the filter ----------------------------------------------------------- */

static bool is_taken_out(const struct filter *f, int call)
{
	if (f->s->network &&
	    (call == SCMP_SYS(socket) || is_on(&SYSCALLS_NETWORK, call)))
		return true;
	if (loads_module(f) &&
	    (call == SCMP_SYS(socket) || call == SCMP_SYS(connect)))
		return true; /* refused, not forbidden: allow_network() */
	if (SANDBOX_RELAXED &&
	    (is_on(&SYSCALLS_SUPERVISOR, call) || call == SCMP_SYS(ptrace) ||
	     call == SCMP_SYS(personality) ||
	     call == SCMP_SYS(process_vm_readv)))
		return true;
	return is_supervisor(f) && is_on(&SYSCALLS_SUPERVISOR, call);
}

static void forbid(struct filter *f)
{
	for (size_t i = 0; i < SYSCALLS_FORBIDDEN.n; i++) {
		const int call = SYSCALLS_FORBIDDEN.call[i];

		if (!is_taken_out(f, call))
			rule(f, SCMP_ACT_KILL_PROCESS, call, 0, NULL);
	}
}

static void fill(struct filter *f, bool ruled)
{
	forbid(f);
	allow_network(f);
	if (SANDBOX_RELAXED)
		return; /* which allows the rest */
	allow_all(f, &SYSCALLS_COMMON);
	if (writes_files(f))
		allow_all(f, &SYSCALLS_WRITE);
	if (f->s->role == WIRE_CORE || is_supervisor(f))
		allow_all(f, &SYSCALLS_OWN_FILES);
	if (loads_module(f))
		allow_all(f, &SYSCALLS_MODULE);
	if (is_supervisor(f))
		allow_all(f, &SYSCALLS_SUPERVISOR);
	allow_fcntl(f);
	allow_sockets(f);
	allow_open(f, ruled);
	allow_mapping(f);
	allow_clone(f);
	if (has_threads(f))
		allow_priorities(f);
	if (!loads_module(f))
		allow_ioctl(f);
	if (!is_supervisor(f)) {
		allow_prctl(f);
		allow_own_affairs(f);
	}
	allow_listeners(f);
}

enum sg_err syscalls_enter(const struct sandbox *s, bool ruled)
{
	struct filter f = {.s = s};

	f.ctx = seccomp_init(SANDBOX_RELAXED ? SCMP_ACT_ALLOW
					     : SCMP_ACT_ERRNO(ENOSYS));
	if (f.ctx == NULL) {
		errno = ENOMEM;
		return SG_IO;
	}
	/* A binary search over the numbers instead of one after the other. */
	f.error = seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (f.error == 0)
		f.error = seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	/* The audit log tells what was refused. */
	if (f.error == 0)
		f.error = seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_LOG, 1);
	fill(&f, ruled);
	if (f.error == 0)
		f.error = seccomp_load(f.ctx);
	seccomp_release(f.ctx);
	errno = -f.error;
	return f.error == 0 ? SG_OK : SG_IO;
}
