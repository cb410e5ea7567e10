/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_FRONT_CHILD_H
#define SG_TEST_FRONT_CHILD_H

/*
 * A front in a child process, with the API of fake_api.h, seen from outside:
 * its supervisor, its core and its clients are this process.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/log.h"
#include "base/metrics.h"
#include "fake_api.h"
#include "front/front.h"
#include "ipc/role.h"
#include "pki.h"

enum { CHILD_WAIT_S = 10 };

struct child {
	pid_t pid;
	int control;
	uint16_t port, ops_port, public_port;
	struct metrics_page *page;
	struct front_settings settings;
};

/* The configuration of a reload is the path of the CRL; "!" is a fault. */
static inline enum sg_err child_read(int fd, struct front_settings *out,
				     char *reason, size_t cap);

static inline int child_listen(uint16_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0);
	assert(listen(fd, 64) == 0);
	assert(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	*port = ntohs(a.sin_port);
	return fd;
}

enum { CHILD_FDS = 5 };

static inline void child_move(const int from[CHILD_FDS])
{
	static const int to[CHILD_FDS] = {ROLE_FD_CONTROL, ROLE_FD_METRICS,
					  ROLE_FD_LISTEN, ROLE_FD_OPS,
					  ROLE_FD_PUBLIC};
	int high[CHILD_FDS];

	for (int i = 0; i < CHILD_FDS; i++)
		high[i] = fcntl(from[i], F_DUPFD, 100);
	for (int i = 0; i < CHILD_FDS; i++)
		assert(dup2(high[i], to[i]) == to[i]);
	/* The other ends must go, or their closing is never seen. */
	for (int fd = ROLE_FD_JOURNAL; fd < 200; fd++)
		(void)close(fd);
	(void)close(ROLE_FD_CONFIG);
}

static struct front_settings child_settings;

static inline enum sg_err child_read(int fd, struct front_settings *out,
				     char *reason, size_t cap)
{
	uint8_t *text;
	size_t n;

	assert(fileio_read_fd(fd, FRONT_PATH_MAX, &text, &n) == SG_OK);
	*out = child_settings;
	(void)snprintf(out->crl, sizeof(out->crl), "%s", (char *)text);
	free(text);
	(void)snprintf(reason, cap, "a fault");
	return out->crl[0] == '!' ? SG_CONFIG : SG_OK;
}

static inline struct child child_start(const struct front_settings *s)
{
	struct child c = {.settings = *s};
	int pair[2];
	const int metrics = metrics_memfd();
	const int tls = child_listen(&c.port);
	const int ops = child_listen(&c.ops_port);
	const int public = child_listen(&c.public_port);
	const struct timeval patience = {.tv_sec = CHILD_WAIT_S};

	assert(channel_pair(pair) == 0);
	c.page = metrics_map(metrics, 0);
	c.pid = fork();
	assert(c.pid >= 0);
	if (c.pid == 0) {
		const int fds[CHILD_FDS] = {pair[1], metrics, tls, ops, public};

		child_move(fds);
		(void)signal(SIGPIPE, SIG_IGN);
		log_limit(LOG_ERROR);
		metrics_install(metrics_map(ROLE_FD_METRICS, 1));
		child_settings = *s;
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
		exit(front_run(s, child_read));
	}
	(void)close(pair[1]);
	(void)close(metrics);
	(void)close(tls);
	(void)close(ops);
	(void)close(public);
	c.control = pair[0];
	assert(setsockopt(c.control, SOL_SOCKET, SO_RCVTIMEO, &patience,
			  sizeof(patience)) == 0);
	return c;
}

/* The child's exit status, or -1. */
static inline int child_wait(struct child *c)
{
	int status = -1;

	for (int i = 0; i < CHILD_WAIT_S * 100; i++) {
		if (waitpid(c->pid, &status, WNOHANG) == c->pid) {
			c->pid = -1;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		(void)usleep(10000);
	}
	return -1;
}

static inline void child_stop(struct child *c)
{
	(void)close(c->control);
	if (c->pid > 0)
		assert(child_wait(c) == 1);
}

/* --- packets -------------------------------------------------------------- */

static inline void packet_send(int fd, const struct wire_packet *w, int passed)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = w->buf, .iov_len = w->len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (passed >= 0) {
		struct cmsghdr *h;

		m.msg_control = control.buf;
		m.msg_controllen = sizeof(control.buf);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &passed, sizeof(int));
	}
	assert(sendmsg(fd, &m, MSG_NOSIGNAL) == (ssize_t)w->len);
	if (passed >= 0)
		(void)close(passed);
}

static inline void send_bare(int fd, enum wire_type type, int passed)
{
	uint8_t buf[256];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};

	assert(wire_put_bare(&w, type) == SG_OK);
	packet_send(fd, &w, passed);
}

static inline void send_reload(struct child *c, const char *crl)
{
	send_bare(c->control, WIRE_RELOAD,
		  fileio_memfd("config", span_str(crl)));
}

/* The first message of the next packet; false when none comes in time. */
static inline bool packet_next(int fd, uint8_t buf[WIRE_PACKET_MAX],
			       struct wire_msg *m)
{
	const ssize_t n = recv(fd, buf, WIRE_PACKET_MAX, 0);
	struct span rest;

	if (n <= 0)
		return false;
	rest = span_of(buf, (size_t)n);
	return wire_next(&rest, m) == SG_OK;
}

/* --- clients -------------------------------------------------------------- */

struct client {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
};

static inline int client_connect(uint16_t port)
{
	const struct sockaddr_in a = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(port)};
	const struct timeval patience = {.tv_sec = CHILD_WAIT_S};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;

	assert(fd >= 0);
	assert(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			  sizeof(patience)) == 0);
	assert(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
	assert(connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0);
	return fd;
}

/* CERT may be NULL.  ALPN: "\x02h2" or NULL. */
static inline struct client client_open(const struct child *c,
					const struct pki_cert *cert,
					const char *alpn)
{
	struct client k = {.fd = client_connect(c->port),
			   .ctx = SSL_CTX_new(TLS_client_method())};

	if (cert != NULL) {
		assert(SSL_CTX_use_certificate(k.ctx, cert->x) == 1);
		assert(SSL_CTX_use_PrivateKey(k.ctx, cert->key) == 1);
	}
	k.ssl = SSL_new(k.ctx);
	if (alpn != NULL)
		(void)SSL_set_alpn_protos(k.ssl, (const unsigned char *)alpn,
					  (unsigned)strlen(alpn));
	assert(SSL_set_fd(k.ssl, k.fd) == 1);
	(void)SSL_connect(k.ssl);
	return k;
}

static inline void client_send(struct client *k, const char *text)
{
	(void)SSL_write(k->ssl, text, (int)strlen(text));
}

/* Read until UNTIL has been seen, or to the end when it is NULL. */
static inline size_t client_read(struct client *k, char *out, size_t cap,
				 const char *until)
{
	size_t n = 0;

	out[0] = '\0';
	while (n + 1 < cap && (until == NULL || strstr(out, until) == NULL)) {
		const int got = SSL_read(k->ssl, out + n, (int)(cap - 1 - n));

		if (got <= 0)
			break;
		n += (size_t)got;
		out[n] = '\0';
	}
	return n;
}

/* Has the server said goodbye (close_notify)? */
static inline bool client_is_closed(struct client *k)
{
	char buf[256];

	ERR_clear_error();
	return SSL_get_error(k->ssl, SSL_read(k->ssl, buf, sizeof(buf))) ==
	       SSL_ERROR_ZERO_RETURN;
}

static inline void client_close(struct client *k)
{
	SSL_free(k->ssl);
	SSL_CTX_free(k->ctx);
	(void)close(k->fd);
	ERR_clear_error();
}

#endif /* SG_TEST_FRONT_CHILD_H */
