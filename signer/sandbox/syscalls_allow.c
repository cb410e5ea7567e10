/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of syscalls.h.  What is judged by its arguments is not here. */
#include <seccomp.h>

#include "syscalls.h"

#define LIST(name, array)                                                      \
	const struct syscalls_list name = {                                    \
		.n = sizeof(array) / sizeof((array)[0]), .call = (array)}
#define C(name) SCMP_SYS(name)

static const int COMMON[] = {
	/* what is open */
	C(read), C(write), C(readv), C(writev), C(pread64), C(preadv), C(close),
	C(close_range), C(lseek), C(dup), C(dup2), C(dup3), C(pipe2),
	C(eventfd2), C(poll), C(ppoll), C(select), C(pselect6),
	C(epoll_create1), C(epoll_ctl), C(epoll_wait), C(epoll_pwait),
	C(epoll_pwait2),
	/* sockets that are there */
	C(recvfrom), C(recvmsg), C(recvmmsg), C(getsockopt), C(getsockname),
	C(getpeername),
	/* looking at files; Landlock says at which */
	C(stat), C(lstat), C(fstat), C(newfstatat), C(statx), C(statfs),
	C(fstatfs), C(access), C(faccessat), C(faccessat2), C(readlink),
	C(readlinkat), C(getdents64), C(getcwd), C(fadvise64), C(readahead),
	/* memory */
	C(brk), C(munmap), C(mremap), C(madvise), C(mlock), C(mlock2),
	C(munlock), C(msync), C(membarrier),
	/* threads that are there, and their signals */
	C(futex), C(futex_waitv), C(set_robust_list), C(get_robust_list),
	C(set_tid_address), C(rseq), C(sched_yield), C(sched_getaffinity),
	C(rt_sigaction), C(rt_sigprocmask), C(rt_sigreturn), C(rt_sigpending),
	C(sigaltstack), C(restart_syscall), C(exit), C(exit_group),
	/* time, and who we are */
	C(clock_gettime), C(clock_getres), C(clock_nanosleep), C(nanosleep),
	C(gettimeofday), C(time), C(times), C(getrandom), C(getpid), C(getppid),
	C(gettid), C(getuid), C(geteuid), C(getgid), C(getegid), C(getrusage),
	C(getrlimit), C(sysinfo), C(uname), C(getcpu)};

static const int WRITE[] = {
	C(pwrite64),  C(pwritev),	  C(pwritev2),	C(preadv2),
	C(fsync),     C(fdatasync),	  C(syncfs),	C(sync_file_range),
	C(fallocate), C(ftruncate),	  C(flock),	C(rename),
	C(renameat),  C(renameat2),	  C(unlink),	C(unlinkat),
	C(mkdir),     C(mkdirat),	  C(rmdir),	C(link),
	C(linkat),    C(symlink),	  C(symlinkat), C(fchmod),
	C(umask),     C(copy_file_range), C(sendfile),	C(openat2)};

/* By a path, and closed by no Landlock, or by a newer one only: not for foreign
 * code. */
static const int OWN_FILES[] = {C(truncate), C(chmod), C(fchmodat),
				C(utimensat)};

/* A vendor's module is foreign code: all that is no way out. */
static const int MODULE[] = {C(ioctl),
			     C(creat),
			     C(mknod),
			     C(mknodat),
			     C(getgroups),
			     C(capget),
			     C(sched_getparam),
			     C(sched_getscheduler),
			     C(sched_get_priority_min),
			     C(sched_get_priority_max),
			     C(sched_setaffinity),
			     C(memfd_create),
			     C(pkey_alloc),
			     C(pkey_free),
			     C(mincore),
			     C(timer_create),
			     C(timer_settime),
			     C(timer_gettime),
			     C(timer_delete),
			     C(timerfd_create),
			     C(timerfd_settime),
			     C(setitimer),
			     C(getitimer),
			     C(alarm),
			     C(pause),
			     C(rt_sigtimedwait),
			     C(rt_sigsuspend),
			     C(signalfd4),
			     C(semget),
			     C(semop),
			     C(semtimedop),
			     C(semctl),
			     C(shmget),
			     C(shmat),
			     C(shmdt),
			     C(shmctl),
			     C(inotify_init1),
			     C(inotify_add_watch),
			     C(inotify_rm_watch),
			     C(getsid),
			     C(getpgrp),
			     C(getpgid),
			     C(mlockall),
			     C(munlockall),
			     C(fchdir),
			     C(chdir),
			     C(pipe),
			     C(epoll_create),
			     C(eventfd),
			     C(process_madvise)};

/* And socket(), for some families. */
static const int NETWORK[] = {C(connect), C(bind), C(socketpair)};

static const int SUPERVISOR[] = {C(fork),
				 C(vfork),
				 C(execve),
				 C(wait4),
				 C(waitid),
				 C(kill),
				 C(tkill),
				 C(tgkill),
				 C(socketpair),
				 C(memfd_create),
				 C(accept),
				 C(accept4),
				 C(listen),
				 C(ioctl),
				 C(prctl),
				 C(prlimit64),
				 C(setrlimit),
				 C(mlockall),
				 C(arch_prctl),
				 C(setresuid),
				 C(setresgid),
				 C(setgroups),
				 C(capget),
				 C(capset),
				 C(seccomp),
				 C(landlock_create_ruleset),
				 C(landlock_add_rule),
				 C(landlock_restrict_self),
				 C(setsid),
				 C(chdir)};

static const int FORBIDDEN[] = {
	/* another program, another process */
	C(execve), C(execveat), C(fork), C(vfork), C(kill), C(tkill),
	C(rt_sigqueueinfo), C(pidfd_open), C(pidfd_getfd), C(pidfd_send_signal),
	C(ptrace), C(process_vm_readv), C(process_vm_writev), C(kcmp),
	/* another network */
	C(socket), C(socketpair), C(connect), C(bind),
	/* another file system, another machine */
	C(unshare), C(setns), C(mount), C(umount2), C(move_mount), C(open_tree),
	C(fsopen), C(fsconfig), C(fsmount), C(fspick), C(mount_setattr),
	C(pivot_root), C(chroot), C(name_to_handle_at), C(open_by_handle_at),
	C(quotactl), C(acct), C(swapon), C(swapoff), C(reboot), C(kexec_load),
	C(kexec_file_load), C(init_module), C(finit_module), C(delete_module),
	C(sethostname), C(setdomainname), C(syslog), C(settimeofday),
	C(clock_settime), C(adjtimex), C(clock_adjtime), C(iopl), C(ioperm),
	C(modify_ldt),
	/* another kernel interface, and somebody else's rights */
	C(bpf), C(perf_event_open), C(userfaultfd), C(add_key), C(request_key),
	C(keyctl), C(personality), C(setuid), C(setgid), C(setreuid),
	C(setregid), C(setresuid), C(setresgid), C(setfsuid), C(setfsgid),
	C(setgroups), C(capset)};

LIST(SYSCALLS_COMMON, COMMON);
LIST(SYSCALLS_WRITE, WRITE);
LIST(SYSCALLS_OWN_FILES, OWN_FILES);
LIST(SYSCALLS_MODULE, MODULE);
LIST(SYSCALLS_NETWORK, NETWORK);
LIST(SYSCALLS_SUPERVISOR, SUPERVISOR);
LIST(SYSCALLS_FORBIDDEN, FORBIDDEN);
