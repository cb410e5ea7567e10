/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char SHARED_MAGIC[8] = "p11shim1";
#define NS_PER_S UINT64_C(1000000000)

/* Bytes of the file that locks are taken on; nothing is stored there. */
enum { BYTE_MUTEX = 1 << 20, BYTE_PLACES };

uint64_t shared_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* A lock that belongs to the open file and so ends with the process. */
static int lock_byte(int fd, int command, short type, off_t byte)
{
	struct flock l = {.l_type = type,
			  .l_whence = SEEK_SET,
			  .l_start = byte,
			  .l_len = 1};
	int rc;

	do
		rc = fcntl(fd, command, &l);
	while (rc != 0 && errno == EINTR);
	if (rc != 0)
		return -1;
	return command == F_OFD_GETLK && l.l_type != F_UNLCK ? 1 : 0;
}

void shared_lock(struct shared *s)
{
	pthread_mutex_lock(&s->mutex);
	if (s->fd >= 0)
		(void)lock_byte(s->fd, F_OFD_SETLKW, F_WRLCK, BYTE_MUTEX);
}

void shared_unlock(struct shared *s)
{
	if (s->fd >= 0)
		(void)lock_byte(s->fd, F_OFD_SETLK, F_UNLCK, BYTE_MUTEX);
	pthread_mutex_unlock(&s->mutex);
}

static void boot_id(char out[SHARED_BOOT_BYTES])
{
	const int fd =
		open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	memset(out, 0, SHARED_BOOT_BYTES);
	if (fd < 0)
		return;
	n = read(fd, out, SHARED_BOOT_BYTES - 1);
	(void)n;
	(void)close(fd);
}

/* Under the lock: the page is ours, and its times are of this boot. */
static enum sg_err adopt(struct shared_page *page, bool fresh)
{
	char boot[SHARED_BOOT_BYTES];

	boot_id(boot);
	if (fresh)
		memcpy(page->magic, SHARED_MAGIC, sizeof(page->magic));
	else if (memcmp(page->magic, SHARED_MAGIC, sizeof(page->magic)) != 0)
		return SG_CONFIG;
	if (memcmp(page->boot, boot, sizeof(boot)) == 0)
		return SG_OK;
	memcpy(page->boot, boot, sizeof(boot));
	atomic_store(&page->next_ns, 0);
	atomic_store(&page->lost_until_ns, 0);
	return SG_OK;
}

static enum sg_err take_place(struct shared *s)
{
	for (unsigned i = 0; i < SHARED_PROCESSES_MAX; i++) {
		if (lock_byte(s->fd, F_OFD_SETLK, F_WRLCK,
			      BYTE_PLACES + (off_t)i) != 0)
			continue;
		s->place = i;
		atomic_store(&s->page->sessions[i], 0);
		return SG_OK;
	}
	return SG_BUSY;
}

static enum sg_err map_file(struct shared *s)
{
	struct stat st;
	bool fresh;

	if (fstat(s->fd, &st) != 0)
		return SG_IO;
	fresh = st.st_size == 0;
	if (!fresh && st.st_size != (off_t)sizeof(*s->page))
		return SG_CONFIG;
	if (fresh && ftruncate(s->fd, (off_t)sizeof(*s->page)) != 0)
		return SG_IO;
	s->page = mmap(NULL, sizeof(*s->page), PROT_READ | PROT_WRITE,
		       MAP_SHARED, s->fd, 0);
	if (s->page == MAP_FAILED) {
		s->page = NULL;
		return SG_IO;
	}
	return adopt(s->page, fresh);
}

static enum sg_err map_private(struct shared *s)
{
	s->page = mmap(NULL, sizeof(*s->page), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->page != MAP_FAILED)
		return SG_OK;
	s->page = NULL;
	return SG_IO;
}

enum sg_err shared_open(struct shared *s, const char *path)
{
	enum sg_err e;

	*s = (struct shared){.fd = -1};
	pthread_mutex_init(&s->mutex, NULL);
	if (path[0] == '\0') {
		e = map_private(s);
	} else {
		s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (s->fd < 0) {
			e = SG_IO;
		} else {
			shared_lock(s);
			e = map_file(s);
			if (e == SG_OK)
				e = take_place(s);
			shared_unlock(s);
		}
	}
	if (e != SG_OK)
		shared_close(s);
	return e;
}

void shared_close(struct shared *s)
{
	if (s->page != NULL)
		(void)munmap(s->page, sizeof(*s->page));
	if (s->fd >= 0)
		(void)close(s->fd);
	pthread_mutex_destroy(&s->mutex);
	s->page = NULL;
	s->fd = -1;
}

uint64_t shared_slot(struct shared *s, uint64_t now_ns, uint64_t interval_ns)
{
	const uint64_t floor_ns =
		now_ns > SHARED_CATCH_UP_NS ? now_ns - SHARED_CATCH_UP_NS : 0;
	uint64_t next = atomic_load(&s->page->next_ns);
	uint64_t begin;

	do
		begin = next > floor_ns ? next : floor_ns;
	while (!atomic_compare_exchange_weak(&s->page->next_ns, &next,
					     begin + interval_ns));
	return begin > now_ns ? begin : now_ns;
}

/* Under the lock: the sessions of all processes that live. */
static uint32_t count_sessions(struct shared *s)
{
	uint32_t n = atomic_load(&s->page->sessions[s->place]);

	for (unsigned i = 0; s->fd >= 0 && i < SHARED_PROCESSES_MAX; i++) {
		if (i == s->place || atomic_load(&s->page->sessions[i]) == 0)
			continue;
		if (lock_byte(s->fd, F_OFD_GETLK, F_WRLCK,
			      BYTE_PLACES + (off_t)i) == 0)
			atomic_store(&s->page->sessions[i], 0);
		n += atomic_load(&s->page->sessions[i]);
	}
	return n;
}

bool shared_session_add(struct shared *s, uint32_t cap)
{
	bool room;

	shared_lock(s);
	room = count_sessions(s) < cap;
	if (room)
		atomic_fetch_add(&s->page->sessions[s->place], 1);
	shared_unlock(s);
	return room;
}

void shared_session_drop(struct shared *s, uint32_t n)
{
	atomic_fetch_sub(&s->page->sessions[s->place], n);
}
