/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_TARGET_H
#define SG_BENCH_TARGET_H

#include <openssl/ssl.h>
#include <sys/socket.h>

#include "tools/common/https.h"

/* target: the server under load, and TLS connections to it. */
struct target {
	char host[256];
	char port[8];
	char authority[272]; /* host:port */
	bool numeric;	     /* the host is an address */
	struct sockaddr_storage address;
	socklen_t address_n;
	SSL_CTX *ctx;
};

/*
 * Read SETTINGS, find the address that accepts connections, load the
 * certificates; ALPN is "h2" or "http/1.1".
 * Errors: SG_CONFIG, SG_IO, SG_NO_MEMORY; WHY (CAP bytes) says what.
 */
SG_MUST_USE enum sg_err target_open(struct target *t,
				    const struct https_settings *settings,
				    const char *alpn, char *why, size_t cap);
void target_close(struct target *t);

/*
 * Begin a connection: a non-blocking socket *FD that is connecting, and *SSL
 * on it, ready for SSL_do_handshake().
 * Owns: both are the caller's.  Errors: SG_IO, SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err target_connect(const struct target *t, int *fd,
				       SSL **ssl);

/* Why the last OpenSSL call on SSL failed, for people. */
void target_reason(const SSL *ssl, char *why, size_t cap);

#endif /* SG_BENCH_TARGET_H */
