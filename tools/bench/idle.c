/* SPDX-License-Identifier: Apache-2.0 */
#include "idle.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "scrape.h"

enum {
	HANDSHAKE_MS = 10000,
	SPARE_FILES = 64,
	SAMPLE_US = 1500000, /* the server samples its memory once a second */
	SETTLE_TRIES = 20
};

/* Until the handshake is done. */
static bool shake(SSL *ssl, int fd, char *why, size_t cap)
{
	for (;;) {
		struct pollfd p = {.fd = fd};
		const int code = SSL_do_handshake(ssl);

		if (code == 1)
			return true;
		switch (SSL_get_error(ssl, code)) {
		case SSL_ERROR_WANT_READ: p.events = POLLIN; break;
		case SSL_ERROR_WANT_WRITE: p.events = POLLOUT; break;
		default: target_reason(ssl, why, cap); return false;
		}
		if (poll(&p, 1, HANDSHAKE_MS) <= 0) {
			(void)snprintf(why, cap, "no handshake in time");
			return false;
		}
	}
}

/* A connection, of which only the socket is kept: what the client's own state
 * would cost is not the question, and ten thousand would need much of it. */
static enum sg_err open_one(const struct target *t, int *fd, char *why,
			    size_t cap)
{
	SSL *ssl;
	bool ok;

	ERR_clear_error();
	errno = 0;
	if (target_connect(t, fd, &ssl) != SG_OK) {
		(void)snprintf(why, cap, "%s", strerrordesc_np(errno));
		return SG_IO;
	}
	ok = shake(ssl, *fd, why, cap);
	SSL_set_quiet_shutdown(ssl, 1);
	SSL_free(ssl); /* the socket stays: its BIO does not own it */
	if (!ok)
		close(*fd);
	return ok ? SG_OK : SG_IO;
}

static enum sg_err allow_files(unsigned n, char *why, size_t cap)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur < n + SPARE_FILES) {
		limit.rlim_cur = limit.rlim_max;
		if (limit.rlim_max < n + SPARE_FILES ||
		    setrlimit(RLIMIT_NOFILE, &limit) != 0) {
			(void)snprintf(
				why, cap,
				"--idle: the limit of open files is %llu",
				(unsigned long long)limit.rlim_max);
			return SG_CONFIG;
		}
	}
	return SG_OK;
}

static enum sg_err open_all(const struct target *t, int *fd, unsigned n,
			    struct idle_result *out, char *why, size_t cap)
{
	const uint64_t begun = clock_mono_us();

	for (unsigned i = 0; i < n; i++) {
		const enum sg_err err = open_one(t, &fd[i], why, cap);

		if (err != SG_OK)
			return err;
		out->opened++;
	}
	out->seconds = (double)(clock_mono_us() - begun) / 1e6;
	return SG_OK;
}

/* Wait until the fronts have counted N connections more and their memory has
 * been sampled since. */
static enum sg_err settle(const char *metrics, uint64_t before, unsigned n,
			  struct idle_result *out, char *why, size_t cap)
{
	struct scrape s;

	for (unsigned i = 0; i < SETTLE_TRIES; i++) {
		const enum sg_err err = scrape_fetch(metrics, &s, why, cap);

		if (err != SG_OK)
			return err;
		if (s.connections >= before + n)
			break;
		(void)usleep(SAMPLE_US / 10);
	}
	(void)usleep(SAMPLE_US);
	if (scrape_fetch(metrics, &s, why, cap) != SG_OK)
		return SG_IO;
	out->connections = s.connections > before ? s.connections - before : 0;
	out->resident_after = s.resident_bytes[SCRAPE_FRONT];
	return SG_OK;
}

enum sg_err idle_run(const struct target *t, const char *metrics, unsigned n,
		     struct idle_result *out, char *why, size_t cap)
{
	enum sg_err err = allow_files(n, why, cap);
	struct scrape before;
	int *fd;

	*out = (struct idle_result){0};
	/* Let what others have just closed leave the server's counts. */
	(void)usleep(SAMPLE_US);
	if (err == SG_OK)
		err = scrape_fetch(metrics, &before, why, cap);
	if (err != SG_OK)
		return err;
	fd = calloc(n, sizeof(*fd));
	if (fd == NULL) {
		(void)snprintf(why, cap, "%s", err_text(SG_NO_MEMORY));
		return SG_NO_MEMORY;
	}
	out->resident_before = before.resident_bytes[SCRAPE_FRONT];
	err = open_all(t, fd, n, out, why, cap);
	if (err == SG_OK)
		err = settle(metrics, before.connections, n, out, why, cap);
	for (unsigned i = 0; i < out->opened; i++)
		close(fd[i]);
	free(fd);
	return err;
}
