/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "config_values.h"
#include "inherited.h"

enum {
	BACKLOG = 4096,
	ENDING_MS = 3000, /* see bind_free() */
	AGAIN_MS = 20,
	US_PER_MS = 1000,
	OFFICERS_BACKLOG = 8,
	OPS_SOCKET_MODE = 0660,
	OFFICERS_SOCKET_MODE = 0600
};

/* An address of any family, ready for bind(). */
struct endpoint {
	struct sockaddr_storage addr;
	socklen_t len;
};

static bool make_endpoint(const char *address, uint16_t port,
			  struct endpoint *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET,
				 .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
				  .sin6_port = htons(port)};

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
		memcpy(&out->addr, &v4, sizeof(v4));
		out->len = sizeof(v4);
	} else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
		memcpy(&out->addr, &v6, sizeof(v6));
		out->len = sizeof(v6);
	}
	return out->len > 0;
}

static int bind_tcp(const struct endpoint *e, bool reuse_port)
{
	const int on = 1;
	const int off = 0;
	const int family = e->addr.ss_family;
	const int fd =
		socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	/* "::" stands for every address, those of IPv4 too. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (!reuse_port ||
	     setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0) &&
	    (family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
					      &off, sizeof(off)) == 0) &&
	    bind(fd, (const struct sockaddr *)&e->addr, e->len) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* The roles of a supervisor that was killed die with it, but keep its ports
 * until they have let go of their memory.  Who starts us at once is not to hear
 * that they are taken; nobody else has our directory (pidfile.h), so it will
 * pass. */
static int bind_free(const struct endpoint *e)
{
	for (int ms = 0;; ms += AGAIN_MS) {
		const int fd = bind_tcp(e, false);

		if (fd >= 0 || errno != EADDRINUSE || ms >= ENDING_MS)
			return fd;
		(void)usleep(AGAIN_MS * US_PER_MS);
	}
}

static enum sg_err fault(const char *what, const char *where)
{
	log_event(LOG_ERROR, "listen-failed", "%s=\"%s\" reason=\"%s\"", what,
		  where, strerrordesc_np(errno));
	return SG_IO;
}

static enum sg_err bind_tls(struct listeners *l, const struct config *c)
{
	char where[80];
	struct endpoint e;
	int probe;

	(void)snprintf(where, sizeof(where), "%s port %u", c->address,
		       (unsigned)c->port);
	if (!make_endpoint(c->address, c->port, &e))
		return fault("tls", where);
	/* SO_REUSEPORT would let us in beside another program of this user:
	 * ask first, without it. */
	probe = bind_free(&e);
	if (probe < 0)
		return fault("tls", where);
	(void)close(probe);
	for (uint32_t i = 0; i < c->fronts; i++) {
		l->tls[i] = bind_tcp(&e, true);
		if (l->tls[i] < 0)
			return fault("tls", where);
	}
	/* All are bound before one listens: a connection made while the group
	 * grows could land on a member that is no longer chosen for it. */
	for (uint32_t i = 0; i < c->fronts; i++)
		if (listen(l->tls[i], BACKLOG) != 0)
			return fault("tls", where);
	return SG_OK;
}

/* FDS are systemd's, N of them and one at least: the fronts take turns, so that
 * each socket has a front and each front a socket. */
static enum sg_err share_tls(struct listeners *l, const struct config *c,
			     const int *fds, size_t n)
{
	enum sg_err e = SG_OK;

	if (n > c->fronts) {
		log_event(LOG_ERROR, "listen-failed",
			  "tls=%zu reason=\"more inherited sockets than "
			  "listen.fronts\"",
			  n);
		e = SG_CONFIG;
	}
	for (uint32_t i = 0; e == SG_OK && i < c->fronts; i++) {
		l->tls[i] = fcntl(fds[i % n], F_DUPFD_CLOEXEC, 3);
		if (l->tls[i] < 0)
			e = fault("tls", "inherited");
	}
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
	l->inherited = true;
	if (e == SG_OK)
		log_event(LOG_INFO, "listen-inherited", "tls=%zu", n);
	return e;
}

static enum sg_err open_tls(struct listeners *l, const struct config *c,
			    struct inherited *given)
{
	int fds[INHERITED_MAX];
	size_t n = 0;

	while (n < INHERITED_MAX &&
	       (fds[n] = inherited_next(given, "tls")) >= 0)
		n++;
	return n > 0 ? share_tls(l, c, fds, n) : bind_tls(l, c);
}

/* Remove what an earlier run left; anything but a socket stays. */
static void remove_stale(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
}

static int open_unix(const char *path, int type, mode_t mode, int backlog)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	remove_stale(path);
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0) {
		/* Nobody can connect before it listens. */
		if (chmod(path, mode) == 0 && listen(fd, backlog) == 0)
			return fd;
		(void)unlink(path);
	}
	(void)close(fd);
	return -1;
}

/* WHERE is "ADDRESS:PORT" as the configuration checked it. */
static int open_shared_tcp(const char *where)
{
	const char *colon = strrchr(where, ':');
	const size_t brackets = where[0] == '[' ? 1 : 0;
	char address[INET6_ADDRSTRLEN];
	struct endpoint e;
	size_t n;
	int fd;

	errno = EINVAL;
	if (colon == NULL)
		return -1;
	n = (size_t)(colon - where) - 2 * brackets;
	if (n >= sizeof(address))
		return -1;
	memcpy(address, where + brackets, n);
	address[n] = '\0';
	if (!make_endpoint(address, (uint16_t)strtoul(colon + 1, NULL, 10), &e))
		return -1;
	fd = bind_free(&e);
	if (fd < 0)
		return -1;
	if (listen(fd, BACKLOG) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* What is served there is not for the network. */
static bool is_local(int fd)
{
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_storage a;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	socklen_t n = sizeof(a);

	memset(&a, 0, sizeof(a));
	if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		return false;
	memcpy(&v4, &a, sizeof(v4));
	memcpy(&v6, &a, sizeof(v6));
	if (a.ss_family == AF_UNIX)
		return true;
	return inet_ntop(a.ss_family,
			 a.ss_family == AF_INET ? (void *)&v4.sin_addr
						: (void *)&v6.sin6_addr,
			 text, sizeof(text)) != NULL &&
	       address_is_loopback(text);
}

static enum sg_err open_ops(struct listeners *l, const struct config *c,
			    struct inherited *given)
{
	static const char prefix[] = "unix:";

	l->ops = inherited_next(given, "ops");
	if (l->ops >= 0) {
		errno = EADDRNOTAVAIL;
		if (!is_local(l->ops))
			return fault("ops", "inherited, not on loopback");
		log_event(LOG_INFO, "listen-inherited", "ops=1");
		return SG_OK;
	}
	if (strncmp(c->ops, prefix, sizeof(prefix) - 1) == 0) {
		const char *path = c->ops + sizeof(prefix) - 1;

		l->ops = open_unix(path, SOCK_STREAM, OPS_SOCKET_MODE, BACKLOG);
		if (l->ops >= 0)
			(void)snprintf(l->ops_path, sizeof(l->ops_path), "%s",
				       path);
	} else {
		l->ops = open_shared_tcp(c->ops);
	}
	return l->ops >= 0 ? SG_OK : fault("ops", c->ops);
}

/* One that systemd has and the configuration does not name is left over. */
static enum sg_err open_public(struct listeners *l, const struct config *c,
			       struct inherited *given)
{
	if (c->public_listen[0] == '\0')
		return SG_OK;
	l->public = inherited_next(given, "public");
	if (l->public >= 0) {
		log_event(LOG_INFO, "listen-inherited", "public=1");
		return SG_OK;
	}
	l->public = open_shared_tcp(c->public_listen);
	return l->public >= 0 ? SG_OK : fault("public", c->public_listen);
}

/* By way of it officers bring what they have signed, whether the fronts serve
 * or not.  Its directory is ours alone (pidfile.h), so what lies there of an
 * earlier run is stale. */
static enum sg_err open_officers(struct listeners *l, const struct config *c)
{
	char path[sizeof(l->officers_path)];
	const int n =
		snprintf(path, sizeof(path), "%s/" LISTENERS_OFFICERS, c->run);

	if (n < 0 || (size_t)n >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		log_event(LOG_WARNING, "officer-socket-none",
			  "run=\"%s\" reason=\"the path is too long for a "
			  "socket: officers can come by HTTPS only\"",
			  c->run);
		return SG_OK;
	}
	l->officers = open_unix(path, SOCK_SEQPACKET, OFFICERS_SOCKET_MODE,
				OFFICERS_BACKLOG);
	if (l->officers < 0)
		return fault("officers", path);
	memcpy(l->officers_path, path, (size_t)n + 1);
	return SG_OK;
}

/* What systemd has opened and nobody took: a port that would hang. */
static enum sg_err refuse_left(const struct inherited *given)
{
	for (size_t i = 0; i < given->n; i++) {
		if (given->fd[i] < 0)
			continue;
		log_event(LOG_ERROR, "listen-failed",
			  "inherited=\"%s\" reason=\"the configuration has "
			  "no such listener\"",
			  given->name[i]);
		return SG_CONFIG;
	}
	return SG_OK;
}

/* The fronts share a listener's flags: one that was taken over could take
 * O_NONBLOCK off it, and have the others wait in accept() for ever. */
static bool hurry(int fd)
{
	const struct timeval moment = {.tv_usec = US_PER_MS};

	return fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &moment,
				    sizeof(moment)) == 0;
}

static enum sg_err hurry_all(const struct listeners *l)
{
	bool ok = hurry(l->ops) && hurry(l->public);

	for (size_t i = 0; i < CONFIG_FRONTS_MAX; i++)
		ok = ok && hurry(l->tls[i]);
	return ok ? SG_OK : fault("listener", "of the fronts");
}

enum sg_err listeners_open(struct listeners *l, const struct config *c)
{
	struct inherited given;
	enum sg_err e;

	memset(l, 0, sizeof(*l));
	for (size_t i = 0; i < CONFIG_FRONTS_MAX; i++)
		l->tls[i] = -1;
	l->ops = l->public = l->officers = -1;
	l->ops_path[0] = l->officers_path[0] = '\0';
	e = inherited_take(&given);
	if (e == SG_OK)
		e = open_ops(l, c, &given);
	if (e == SG_OK)
		e = open_public(l, c, &given);
	if (e == SG_OK)
		e = open_officers(l, c);
	if (e == SG_OK)
		e = open_tls(l, c, &given);
	if (e == SG_OK)
		e = refuse_left(&given);
	if (e == SG_OK)
		e = hurry_all(l);
	inherited_close(&given);
	if (e != SG_OK)
		listeners_close(l);
	return e;
}

/* A front that has died since may have had it listen: the socket knows. */
static bool listens(int fd)
{
	int on = 0;
	socklen_t n = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 &&
	       on != 0;
}

/* Linux takes it out of the group, and keeps its address.  Only where it
 * listens: a socket that does not would be shut for good, and so would be all
 * that it accepts later. */
void listeners_shut(struct listeners *l, size_t i)
{
	if (l->tls[i] < 0 || l->inherited || !listens(l->tls[i]) ||
	    shutdown(l->tls[i], SHUT_RD) != 0 || l->shut[i])
		return;
	l->shut[i] = true;
	log_event(LOG_WARNING, "door-shut",
		  "front=%zu text=\"it cannot serve: its clients go to the "
		  "others\"",
		  i);
}

bool listeners_reopen(struct listeners *l, size_t i)
{
	if (!l->shut[i])
		return true;
	if (listen(l->tls[i], BACKLOG) != 0) {
		(void)fault("tls", "again");
		return false;
	}
	l->shut[i] = false;
	log_event(LOG_INFO, "door-open", "front=%zu", i);
	return true;
}

void listeners_close(struct listeners *l)
{
	for (size_t i = 0; i < CONFIG_FRONTS_MAX; i++) {
		if (l->tls[i] >= 0)
			(void)close(l->tls[i]);
		l->tls[i] = -1;
	}
	if (l->ops >= 0)
		(void)close(l->ops);
	if (l->public >= 0)
		(void)close(l->public);
	if (l->officers >= 0)
		(void)close(l->officers);
	l->ops = l->public = l->officers = -1;
	if (l->ops_path[0] != '\0')
		(void)unlink(l->ops_path);
	if (l->officers_path[0] != '\0')
		(void)unlink(l->officers_path);
	l->ops_path[0] = l->officers_path[0] = '\0';
}
