/* SPDX-License-Identifier: Apache-2.0 */
#include "attempts.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define ALL ((1U << WIRE_ROLE_COUNT) - 1)
#define NOT_FRONT (ALL & ~(1U << WIRE_FRONT))

struct attempts_world attempts_world = {.socket = -1};

/* --- attempts: true when it works ----------------------------------------- */

static bool open_for_writing(void)
{
	return open(attempts_world.extra, O_WRONLY | O_CREAT, 0600) >= 0;
}

static bool open_state_for_writing(void)
{
	char path[1200];

	(void)snprintf(path, sizeof(path), "%s/file", attempts_world.state);
	return open(path, O_WRONLY | O_CREAT, 0600) >= 0;
}

static bool open_pin(void)
{
	return open(attempts_world.pin, O_RDONLY) >= 0;
}

/* Not what a role needs, and readable by anybody. */
static bool open_users(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0;
}

static bool make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool connect_socket(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* Without a listener: it is refused, or was on its way. */
	return connect(attempts_world.socket, (struct sockaddr *)&to,
		       sizeof(to)) == 0;
}

static bool execute(void)
{
	char program[] = "/bin/true";
	char *args[] = {program, NULL};

	(void)execv(program, args);
	return false;
}

static bool make_process(void)
{
	const pid_t p = fork();

	if (p == 0)
		_exit(0);
	return p > 0;
}

static bool trace(void)
{
	return ptrace(PTRACE_SEIZE, attempts_world.victim, NULL, NULL) == 0;
}

static bool read_memory(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/mem",
		       (int)attempts_world.victim);
	return open(path, O_RDONLY) >= 0;
}

static bool read_memory_at_once(void)
{
	char here[8];
	struct iovec to = {here, sizeof(here)};
	struct iovec from = {(void *)&attempts_world, sizeof(here)};

	/* Its memory is not laid out as ours: EFAULT comes after leave. */
	return process_vm_readv(attempts_world.victim, &to, 1, &from, 1, 0) >
		       0 ||
	       errno == EFAULT;
}

static bool signal_another(void)
{
	return kill(attempts_world.victim, SIGCONT) == 0;
}

/* To what it has: here only whether it may. */
static bool renice_another(void)
{
	const id_t victim = (id_t)attempts_world.victim;

	return setpriority(PRIO_PROCESS, victim,
			   getpriority(PRIO_PROCESS, victim)) == 0;
}

static bool make_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0;
}

static bool load_library(void)
{
	return dlopen("libnss_compat.so.2", RTLD_NOW) != NULL;
}

static bool run_fresh_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool hide_flags(void)
{
	return syscall(SYS_clone3, NULL, 0) == -1 && errno == EINVAL;
}

/* The kernel would send a signal of our choice to it. */
static bool own_a_descriptor(void)
{
	return fcntl(attempts_world.socket, F_SETOWN, attempts_world.victim) ==
	       0;
}

/* On TCP this connects. */
static bool connect_by_sending(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sendto(attempts_world.socket, "", 0, MSG_FASTOPEN,
		      (struct sockaddr *)&to, sizeof(to)) == 0;
}

/* A listener would be shut for all who have it. */
static bool shut_for_reading(void)
{
	/* Where there is no socket, or no connection, it was let through. */
	return shutdown(attempts_world.socket, SHUT_RD) == 0 ||
	       errno == ENOTCONN || errno == EBADF;
}

static bool filter_a_socket(void)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffff);
	const struct sock_fprog program = {1, &all};

	return setsockopt(attempts_world.socket, SOL_SOCKET, SO_ATTACH_FILTER,
			  &program, sizeof(program)) == 0;
}

/* Where the socket is not of that kind, or there is none, it was let through.
 */
static bool set_option(int level, int option, int value)
{
	return setsockopt(attempts_world.socket, level, option, &value,
			  sizeof(value)) == 0 ||
	       errno == ENOPROTOOPT || errno == EAFNOSUPPORT || errno == EBADF;
}

/* A listener with one of them lets nobody in, whoever has it next. */
static bool demand_hops(void)
{
	return set_option(IPPROTO_IP, IP_MINTTL, 255);
}

static bool demand_hops_of_ipv6(void)
{
	return set_option(IPPROTO_IPV6, IPV6_MINHOPCOUNT, 255);
}

static bool defer_connections(void)
{
	return set_option(IPPROTO_TCP, TCP_DEFER_ACCEPT, 3600);
}

/* What a front does need. */
static bool send_at_once(void)
{
	return set_option(IPPROTO_TCP, TCP_NODELAY, 1);
}

static bool narrow_a_socket(void)
{
	return set_option(SOL_SOCKET, SO_RCVBUF, 1);
}

/* Of a file that one may only read it would leave nothing, where Landlock is
 * old.  This one everybody may write: what refuses is the filter. */
static bool cut_by_opening(void)
{
	return open("/dev/null", O_RDONLY | O_TRUNC) >= 0;
}

/* Old Landlocks do not see it. */
static bool cut_by_path(void)
{
	char path[1200];

	(void)snprintf(path, sizeof(path), "%s/none", attempts_world.state);
	return truncate(path, 0) == 0 || errno == ENOENT;
}

static bool change_mode_by_path(void)
{
	return chmod(attempts_world.pin, 0600) == 0;
}

const struct attempt ATTEMPTS[] = {
	{"open for writing", open_for_writing, 0},
	{"open the state for writing", open_state_for_writing,
	 1 << WIRE_CORE | 1 << WIRE_SUPERVISOR},
	{"open the PIN", open_pin,
	 1 << WIRE_SUPERVISOR | 1 << WIRE_HSM | 1 << WIRE_SMITH},
	{"open the list of users", open_users, 1 << WIRE_SUPERVISOR},
	{"make a socket", make_socket, 1 << WIRE_WITNESS},
	{"connect", connect_socket, 1 << WIRE_WITNESS},
	{"execute a program", execute, 0},
	{"make a process", make_process, 1 << WIRE_SUPERVISOR},
	{"trace a process", trace, 0},
	{"open a process's memory", read_memory, 0},
	{"read a process's memory", read_memory_at_once, 0},
	{"send a signal", signal_another, 0},
	{"set another's priority", renice_another, 0},
	{"make a namespace", make_namespace, 0},
	{"load a library", load_library,
	 1 << WIRE_SUPERVISOR | 1 << WIRE_HSM | 1 << WIRE_SMITH},
	{"run code that was made here", run_fresh_code,
	 1 << WIRE_SUPERVISOR | 1 << WIRE_HSM | 1 << WIRE_SMITH},
	{"hide flags of a new process", hide_flags, 0},
	{"own a descriptor in another's name", own_a_descriptor, 0},
	{"connect by sending", connect_by_sending, 0},
	{"shut a socket for reading", shut_for_reading, NOT_FRONT},
	{"filter a socket", filter_a_socket, 0},
	{"demand hops of a socket", demand_hops, NOT_FRONT},
	{"demand hops of a socket, IPv6", demand_hops_of_ipv6, NOT_FRONT},
	{"defer a socket's connections", defer_connections, NOT_FRONT},
	{"send at once", send_at_once, ALL},
	{"narrow a socket", narrow_a_socket, NOT_FRONT},
	{"cut a file by its path", cut_by_path,
	 1 << WIRE_CORE | 1 << WIRE_SUPERVISOR},
	{"cut a file by opening it", cut_by_opening, 0},
	{"change a file's mode by its path", change_mode_by_path,
	 1 << WIRE_CORE | 1 << WIRE_SUPERVISOR},
};
const size_t ATTEMPT_COUNT = sizeof(ATTEMPTS) / sizeof(ATTEMPTS[0]);
