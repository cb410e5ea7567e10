/* SPDX-License-Identifier: Apache-2.0 */
#include "target.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

enum { READ_BUFFER = 65536 };

/* "https://host:port", "https://[::1]:port"; the port may be absent. */
static bool split(const char *server, struct target *t)
{
	static const char scheme[] = "https://";
	const char *host = server + sizeof(scheme) - 1;
	const char *end;
	const char *colon;
	size_t n;

	if (strncmp(server, scheme, sizeof(scheme) - 1) != 0)
		return false;
	end = host + strcspn(host, "/");
	colon = host[0] == '[' ? strchr(host, ']') : host;
	if (colon == NULL)
		return false;
	colon = memchr(colon, ':', (size_t)(end - colon));
	n = (size_t)((colon != NULL ? colon : end) - host);
	if (host[0] == '[') {
		host++;
		n -= 2;
	}
	if (n == 0 || n >= sizeof(t->host))
		return false;
	memcpy(t->host, host, n);
	t->host[n] = '\0';
	if (colon == NULL)
		(void)snprintf(t->port, sizeof(t->port), "443");
	else if (end - colon < 2 || end - colon > 6)
		return false;
	else
		(void)snprintf(t->port, sizeof(t->port), "%.*s",
			       (int)(end - colon - 1), colon + 1);
	(void)snprintf(t->authority, sizeof(t->authority),
		       strchr(t->host, ':') != NULL ? "[%s]:%s" : "%s:%s",
		       t->host, t->port);
	return true;
}

/* Keep the first address of the host that takes a connection. */
static enum sg_err resolve(struct target *t, char *why, size_t cap)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	int failed = ECONNREFUSED;
	const int code = getaddrinfo(t->host, t->port, &hints, &list);

	if (code != 0) {
		(void)snprintf(why, cap, "%s: %s", t->host, gai_strerror(code));
		return SG_IO;
	}
	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
		const int fd =
			socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
			memcpy(&t->address, a->ai_addr, a->ai_addrlen);
			t->address_n = a->ai_addrlen;
			failed = 0;
		} else {
			failed = errno;
		}
		if (fd >= 0)
			close(fd);
		if (failed == 0)
			break;
	}
	freeaddrinfo(list);
	if (failed != 0)
		(void)snprintf(why, cap, "%s: %s", t->authority,
			       strerrordesc_np(failed));
	return failed == 0 ? SG_OK : SG_IO;
}

static enum sg_err check_peer(struct target *t, const char *ca)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(t->ctx);

	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
	if (ca != NULL ? SSL_CTX_load_verify_file(t->ctx, ca) != 1
		       : SSL_CTX_set_default_verify_paths(t->ctx) != 1)
		return SG_CONFIG;
	t->numeric = X509_VERIFY_PARAM_set1_ip_asc(param, t->host) == 1;
	if (!t->numeric && X509_VERIFY_PARAM_set1_host(param, t->host, 0) != 1)
		return SG_CONFIG;
	return SG_OK;
}

static enum sg_err make_context(struct target *t,
				const struct https_settings *s,
				const char *alpn)
{
	const size_t n = strlen(alpn);
	uint8_t wire[16];

	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx == NULL)
		return SG_NO_MEMORY;
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* One read() for as many records as have arrived. */
	SSL_CTX_set_read_ahead(t->ctx, 1);
	SSL_CTX_set_default_read_buffer_len(t->ctx, READ_BUFFER);
	wire[0] = (uint8_t)n;
	memcpy(wire + 1, alpn, n);
	if (SSL_CTX_set_alpn_protos(t->ctx, wire, (unsigned)n + 1) != 0)
		return SG_NO_MEMORY;
	if (s->cert == NULL || s->key == NULL ||
	    SSL_CTX_use_certificate_chain_file(t->ctx, s->cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(t->ctx, s->key, SSL_FILETYPE_PEM) !=
		    1 ||
	    SSL_CTX_check_private_key(t->ctx) != 1)
		return SG_CONFIG;
	return check_peer(t, s->ca);
}

enum sg_err target_open(struct target *t, const struct https_settings *settings,
			const char *alpn, char *why, size_t cap)
{
	enum sg_err err;

	*t = (struct target){.ctx = NULL};
	if (settings->server == NULL || !split(settings->server, t)) {
		(void)snprintf(why, cap, "--server: give https://host:port");
		return SG_CONFIG;
	}
	err = make_context(t, settings, alpn);
	if (err != SG_OK) {
		(void)snprintf(why, cap,
			       "--cert, --key, --ca: not readable, or they do "
			       "not belong together");
		target_close(t);
		return err;
	}
	err = resolve(t, why, cap);
	if (err != SG_OK)
		target_close(t);
	return err;
}

void target_close(struct target *t)
{
	SSL_CTX_free(t->ctx);
	t->ctx = NULL;
}

/* The macro of OpenSSL wants a name that is not const; it copies it. */
static bool set_server_name(SSL *ssl, const struct target *t)
{
	char name[sizeof(t->host)];

	/* An address is no server name: RFC 6066 s. 3. */
	if (t->numeric)
		return true;
	memcpy(name, t->host, sizeof(name));
	return SSL_set_tlsext_host_name(ssl, name) == 1;
}

enum sg_err target_connect(const struct target *t, int *fd, SSL **ssl)
{
	const int one = 1;
	const int s = socket(t->address.ss_family,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (s < 0)
		return SG_IO;
	(void)setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(s, (const struct sockaddr *)&t->address, t->address_n) !=
		    0 &&
	    errno != EINPROGRESS) {
		close(s);
		return SG_IO;
	}
	*ssl = SSL_new(t->ctx);
	if (*ssl == NULL || SSL_set_fd(*ssl, s) != 1 ||
	    !set_server_name(*ssl, t)) {
		SSL_free(*ssl);
		close(s);
		return SG_NO_MEMORY;
	}
	SSL_set_connect_state(*ssl);
	*fd = s;
	return SG_OK;
}

void target_reason(const SSL *ssl, char *why, size_t cap)
{
	const unsigned long code = ERR_peek_last_error();
	const long verify = SSL_get_verify_result(ssl);

	if (verify != X509_V_OK)
		(void)snprintf(why, cap, "the server's certificate: %s",
			       X509_verify_cert_error_string(verify));
	else if (code != 0 && ERR_reason_error_string(code) != NULL)
		(void)snprintf(why, cap, "TLS: %s",
			       ERR_reason_error_string(code));
	else if (errno != 0)
		(void)snprintf(why, cap, "%s", strerrordesc_np(errno));
	else
		(void)snprintf(why, cap, "the server closed the connection");
	ERR_clear_error();
}
