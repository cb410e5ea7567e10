/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A role process that does nothing but what the supervisor can see, and says
 * on the log what it was told.  A file "ROLE.SLOT" in the configuration's
 * directory tells it how to misbehave.
 */
#ifndef SG_TEST_FAKE_ROLE_H
#define SG_TEST_FAKE_ROLE_H

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fileio.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ipc/role.h"

enum { FAKE_TEXT = 64, FAKE_FILE_MAX = 1 << 20, FAKE_BEAT_MS = 500 };

struct fake {
	char order[FAKE_TEXT]; /* the file's text */
	unsigned pages;
};

static inline void fake_send(const struct wire_packet *w)
{
	(void)!send(ROLE_FD_CONTROL, w->buf, w->len, MSG_NOSIGNAL);
}

static inline void fake_say(enum wire_type type)
{
	uint8_t buf[64];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};

	if (wire_put_bare(&w, type) == SG_OK)
		fake_send(&w);
}

static inline void fake_reloaded(bool ok)
{
	const struct wire_reloaded m = {.ok = ok, .reason = SPAN_LIT("fake")};
	uint8_t buf[64];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};

	if (wire_put_reloaded(&w, &m) == SG_OK)
		fake_send(&w);
}

static inline void fake_peer_bad(const struct wire_peer_bad *m)
{
	uint8_t buf[64];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};

	if (wire_put_peer_bad(&w, m) == SG_OK)
		fake_send(&w);
}

static inline void fake_accuse(enum wire_role role)
{
	const struct wire_peer_bad m = {.role = (uint8_t)role};

	fake_peer_bad(&m);
}

/* Front 0 has closed the link that there was at LINKED_US. */
static inline void fake_left(uint64_t linked_us)
{
	const struct wire_peer_bad m = {
		.role = WIRE_FRONT, .left = true, .linked_us = linked_us};

	fake_peer_bad(&m);
}

static inline void fake_accuse_nobody(void)
{
	const struct wire_peer_bad m = {.role = WIRE_CORE, .slot = 9};

	fake_peer_bad(&m);
}

/* The first line of the configuration, as a real role finds it. */
static inline void fake_read_order(struct fake *f, const char *role,
				   const char *slot)
{
	uint8_t *text;
	char path[1024];
	FILE *file;
	size_t n;

	if (fileio_read_fd(ROLE_FD_CONFIG, FAKE_FILE_MAX, &text, &n) != SG_OK)
		_exit(9);
	text[strcspn((char *)text, "\n")] = '\0';
	(void)snprintf(path, sizeof(path), "%s/%s.%s",
		       (char *)text + strlen("# base: "), role, slot);
	free(text);
	file = fopen(path, "r");
	if (file == NULL)
		return;
	if (fgets(f->order, sizeof(f->order), file) == NULL)
		f->order[0] = '\0';
	(void)fclose(file);
}

static inline bool fake_told(const struct fake *f, const char *word)
{
	return strcmp(f->order, word) == 0;
}

static inline void fake_take_link(struct fake *f, const struct wire_msg *m,
				  const int *fd)
{
	struct wire_link link;

	if (wire_get_link(m, &link) != SG_OK || fd[0] < 0)
		_exit(8);
	if (m->type == WIRE_PAGE) {
		f->pages++;
		log_event(LOG_INFO, "fake-page", "n=%u of=%s/%u", f->pages,
			  role_name((enum wire_role)link.role), link.slot);
	} else {
		log_event(LOG_INFO, "fake-link", "peer=%s/%u",
			  role_name((enum wire_role)link.role), link.slot);
		if (fake_told(f, "done"))
			_exit(0);
		if (fake_told(f, "accuse") && link.role == WIRE_FRONT)
			fake_accuse(WIRE_FRONT);
		if (fake_told(f, "accuse core") && link.role == WIRE_CORE)
			fake_accuse(WIRE_CORE);
		if (fake_told(f, "slander"))
			fake_accuse(WIRE_HSM);
		if (fake_told(f, "accuse nobody"))
			fake_accuse_nobody();
		if (fake_told(f, "left") && link.role == WIRE_FRONT)
			fake_left(clock_mono_us());
		if (fake_told(f, "left long ago") && link.role == WIRE_FRONT)
			fake_left(1);
	}
}

static inline void fake_take_reload(const struct fake *f, const int *fd)
{
	log_event(LOG_INFO, "fake-reload", "config=%d policy=%d", fd[0] >= 0,
		  fd[1] >= 0);
	if (!fake_told(f, "silent"))
		fake_reloaded(!fake_told(f, "refuse"));
}

static inline void fake_take(struct fake *f, const struct wire_msg *m,
			     const int *fd)
{
	switch (m->type) {
	case WIRE_LINK:
	case WIRE_PAGE: fake_take_link(f, m, fd); break;
	case WIRE_RELOAD: fake_take_reload(f, fd); break;
	case WIRE_DRAIN:
		log_event(LOG_INFO, "fake-drain", "order=%s", f->order);
		if (!fake_told(f, "deaf"))
			_exit(0);
		break;
	default: _exit(7);
	}
}

/* Receive one packet and act on it; false at the channel's end. */
static inline bool fake_receive(struct fake *f)
{
	static uint8_t buf[4096];
	_Alignas(struct cmsghdr)
		uint8_t control[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	int fd[CHANNEL_FDS_MAX] = {-1, -1, -1, -1};
	struct pollfd readable = {.fd = ROLE_FD_CONTROL, .events = POLLIN};
	ssize_t n;
	const struct cmsghdr *c;
	struct span rest;
	struct wire_msg m;

	do
		metrics_sample_process(); /* the sign of life */
	while (poll(&readable, 1, FAKE_BEAT_MS) == 0);
	n = recvmsg(ROLE_FD_CONTROL, &msg, MSG_CMSG_CLOEXEC);
	c = CMSG_FIRSTHDR(&msg);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	if (c != NULL)
		memcpy(fd, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	rest = span_of(buf, (size_t)n);
	while (wire_next(&rest, &m) == SG_OK)
		fake_take(f, &m, fd);
	for (size_t i = 0; i < CHANNEL_FDS_MAX; i++)
		if (fd[i] >= 0)
			(void)close(fd[i]);
	return true;
}

static inline int fake_role(const char *role, const char *slot)
{
	struct fake f = {.order = ""};
	enum wire_role r = WIRE_FRONT;

	while (strcmp(role_name(r), role) != 0)
		r = (enum wire_role)(r + 1);
	if (role_begin(r, (unsigned)strtoul(slot, NULL, 10)) != SG_OK)
		return 6;
	fake_read_order(&f, role, slot);
	if (fake_told(&f, "die"))
		return 1;
	if (fake_told(&f, "pin"))
		return ROLE_EXIT_PIN_REFUSED;
	if (fake_told(&f, "junk"))
		(void)!send(ROLE_FD_CONTROL, "junk", 4, MSG_NOSIGNAL);
	else if (!fake_told(&f, "mute"))
		fake_say(WIRE_UP);
	if (fake_told(&f, "up twice"))
		fake_say(WIRE_UP);
	while (fake_receive(&f))
		;
	return 0;
}

#endif /* SG_TEST_FAKE_ROLE_H */
