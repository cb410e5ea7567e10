/* SPDX-License-Identifier: Apache-2.0 */
/* The readers of config_values.h for what has a place: paths, addresses. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "config_values.h"
#include "pkcs11/uri.h"

/* PREFIX and PATH, made absolute, into OUT of CAP bytes. */
static bool put_path(const struct yaml_at *at, const char *prefix,
		     struct span path, char *out, size_t cap)
{
	const bool absolute = path.n > 0 && path.p[0] == '/';
	int n;

	if (path.n == 0) {
		yaml_fault(at, "names no path");
		return false;
	}
	n = snprintf(out, cap, "%s%s%s%.*s", prefix,
		     absolute ? "" : at->tree->base, absolute ? "" : "/",
		     (int)path.n, (const char *)path.p);
	if (n > 0 && (size_t)n < cap)
		return true;
	out[0] = '\0';
	yaml_fault(at, "is too long a path");
	return false;
}

void value_path(const struct yaml_at *at, void *member,
		const struct yaml_field *f)
{
	struct span s;

	(void)f;
	if (yaml_text(at, &s))
		(void)put_path(at, "", s, (char *)member, CONFIG_PATH_BYTES);
}

static bool is_address(const char *text)
{
	struct in6_addr any;

	return inet_pton(AF_INET, text, &any) == 1 ||
	       inet_pton(AF_INET6, text, &any) == 1;
}

bool address_is_loopback(const char *address)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, address, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	return inet_pton(AF_INET6, address, &v6) == 1 &&
	       IN6_IS_ADDR_LOOPBACK(&v6);
}

void value_address(const struct yaml_at *at, void *member,
		   const struct yaml_field *f)
{
	char text[CONFIG_ADDRESS_BYTES];
	struct span s;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	if (s.n < sizeof(text)) {
		text_put(s, text);
		if (is_address(text)) {
			text_put(s, (char *)member);
			return;
		}
	}
	yaml_fault(at, "must be a numeric IPv4 or IPv6 address");
}

/* "127.0.0.1:9443", "[::1]:9443": the address without its brackets. */
static bool split_endpoint(struct span s, char *address, size_t cap,
			   uint64_t *port)
{
	size_t colon = s.n;
	struct span host;

	while (colon > 0 && s.p[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return false;
	if (!text_digits(span_of(s.p + colon, s.n - colon), port) ||
	    *port == 0 || *port > UINT16_MAX)
		return false;
	host = span_of(s.p, colon - 1);
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = span_of(host.p + 1, host.n - 2);
	if (host.n == 0 || host.n >= cap)
		return false;
	text_put(host, address);
	return true;
}

static void value_ops_socket(const struct yaml_at *at, struct span path,
			     char *out)
{
	const size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path);
	const size_t prefix = sizeof("unix:") - 1;

	if (!put_path(at, "unix:", path, out, CONFIG_PATH_BYTES))
		return;
	if (strlen(out) - prefix >= room)
		yaml_fault(at, "a socket's path has at most %zu bytes",
			   room - 1);
}

void value_ops(const struct yaml_at *at, void *member,
	       const struct yaml_field *f)
{
	char address[CONFIG_ADDRESS_BYTES];
	struct span s;
	uint64_t port;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	if (s.n >= 5 && memcmp(s.p, "unix:", 5) == 0)
		value_ops_socket(at, span_of(s.p + 5, s.n - 5), (char *)member);
	else if (!split_endpoint(s, address, sizeof(address), &port))
		yaml_fault(at, "must be ADDRESS:PORT or unix:PATH");
	else if (!address_is_loopback(address))
		yaml_fault(at, "must be a loopback address: what it serves is "
			       "not for the network");
	else
		text_put(s, (char *)member);
}

void value_endpoint(const struct yaml_at *at, void *member,
		    const struct yaml_field *f)
{
	char address[CONFIG_ADDRESS_BYTES];
	struct span s;
	uint64_t port;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	if (split_endpoint(s, address, sizeof(address), &port) &&
	    is_address(address))
		text_put(s, (char *)member);
	else
		yaml_fault(at, "must be ADDRESS:PORT, with a numeric address");
}

/* Every address of the machine, or (IPv6) of both families? */
static bool is_any(const char *address)
{
	struct in6_addr a;

	return strcmp(address, "0.0.0.0") == 0 ||
	       (inet_pton(AF_INET6, address, &a) == 1 &&
		IN6_IS_ADDR_UNSPECIFIED(&a));
}

static bool same_address(const char *x, const char *y)
{
	struct in6_addr a;
	struct in6_addr b;

	if (inet_pton(AF_INET6, x, &a) == 1 && inet_pton(AF_INET6, y, &b) == 1)
		return IN6_ARE_ADDR_EQUAL(&a, &b);
	return strcmp(x, y) == 0;
}

bool endpoint_collides(const char *where, const char *address, uint16_t port)
{
	char host[CONFIG_ADDRESS_BYTES];
	uint64_t its_port;

	if (!split_endpoint(span_str(where), host, sizeof(host), &its_port) ||
	    its_port != port)
		return false;
	return is_any(address) || is_any(host) || same_address(address, host);
}

bool endpoints_collide(const char *a, const char *b)
{
	char host[CONFIG_ADDRESS_BYTES];
	uint64_t port;

	return split_endpoint(span_str(b), host, sizeof(host), &port) &&
	       endpoint_collides(a, host, (uint16_t)port);
}

/* NULL if nowhere. */
static const char *credentials_directory(void)
{
	/* Nothing here changes the environment while others read it. */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
	return getenv("CREDENTIALS_DIRECTORY");
}

/* systemd puts credentials into a directory of the service's own. */
static void put_credential(const struct yaml_at *at, struct span name,
			   char *out)
{
	const char *dir = credentials_directory();
	int n;

	if (!text_is_word(name) || span_is(name, ".") || span_is(name, "..")) {
		yaml_fault(at, "names no credential");
		return;
	}
	if (dir == NULL || dir[0] != '/') {
		yaml_fault(at, "needs systemd's LoadCredential: there is no "
			       "CREDENTIALS_DIRECTORY");
		return;
	}
	n = snprintf(out, CONFIG_PATH_BYTES, "%s/%.*s", dir, (int)name.n,
		     (const char *)name.p);
	if (n > 0 && n < CONFIG_PATH_BYTES)
		return;
	out[0] = '\0';
	yaml_fault(at, "is too long a path");
}

void value_pin(const struct yaml_at *at, void *member,
	       const struct yaml_field *f)
{
	static const char file[] = "file:";
	static const char credential[] = "credential:";
	struct span s;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	/* The text itself is never repeated: it may be a PIN put here by
	 * mistake. */
	if (s.n >= sizeof(file) && memcmp(s.p, file, sizeof(file) - 1) == 0)
		(void)put_path(at, "",
			       span_of(s.p + sizeof(file) - 1,
				       s.n - (sizeof(file) - 1)),
			       (char *)member, CONFIG_PATH_BYTES);
	else if (s.n >= sizeof(credential) &&
		 memcmp(s.p, credential, sizeof(credential) - 1) == 0)
		put_credential(at,
			       span_of(s.p + sizeof(credential) - 1,
				       s.n - (sizeof(credential) - 1)),
			       (char *)member);
	else
		yaml_fault(at, "must be file:PATH or credential:NAME, never "
			       "the PIN itself");
}

/* RFC 3986 s. 2.1; and no %00, which would end the text. */
static bool escapes_are_sound(const char *uri)
{
	for (const char *p = strchr(uri, '%'); p != NULL; p = strchr(p, '%')) {
		p++;
		if (strspn(p, "0123456789abcdefABCDEF") < 2 ||
		    (p[0] == '0' && p[1] == '0'))
			return false;
	}
	return true;
}

void value_uri(const struct yaml_at *at, void *member,
	       const struct yaml_field *f)
{
	static const char scheme[] = "pkcs11:";
	char *out = (char *)member;
	struct span s;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	if (s.n >= CONFIG_PATH_BYTES || s.n < sizeof(scheme) ||
	    memcmp(s.p, scheme, sizeof(scheme) - 1) != 0) {
		yaml_fault(at, "must be a pkcs11: URI (RFC 7512)");
		return;
	}
	text_put(s, out);
	if (!escapes_are_sound(out)) {
		out[0] = '\0';
		yaml_fault(at, "has a %% without two hexadecimal digits");
		return;
	}
	/* RFC 7512 s. 2.4: attributes that carry the PIN, or name a module
	 * other than the one of the HSM. */
	if (strstr(out, "pin-value") == NULL &&
	    strstr(out, "pin-source") == NULL && strstr(out, "module-") == NULL)
		return;
	out[0] = '\0';
	yaml_fault(at, "must name a token and an object only: PIN and module "
		       "are the HSM's");
}

void value_token(const struct yaml_at *at, void *member,
		 const struct yaml_field *f)
{
	char *out = (char *)member;
	const char *why;

	value_uri(at, member, f);
	if (out[0] == '\0')
		return; /* a fault already */
	why = uri_token_fault(out);
	if (why == NULL)
		return;
	out[0] = '\0';
	yaml_fault(at, "%s", why);
}

void value_environment(const struct yaml_at *at, void *member,
		       const struct yaml_field *f)
{
	char path[CONFIG_PATH_BYTES];
	char *out = (char *)member;
	size_t name = 0;
	struct span s;
	struct span value;
	int n;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	while (name < s.n && text_is_word_byte(s.p[name]))
		name++;
	if (name == 0 || name == s.n || s.p[name] != '=' ||
	    s.n >= CONFIG_PATH_BYTES) {
		yaml_fault(at, "must be NAME=value");
		return;
	}
	if (s.n >= 3 && memcmp(s.p, "LD_", 3) == 0) {
		yaml_fault(at, "is for the loader, which reads it before the "
			       "module is there: it would do nothing");
		return;
	}
	text_put(s, out);
	value = span_of(s.p + name + 1, s.n - name - 1);
	if (value.n == 0 || value.p[0] == '/' ||
	    !put_path(at, "", value, path, sizeof(path)) ||
	    access(path, F_OK) != 0)
		return;
	n = snprintf(out, CONFIG_PATH_BYTES, "%.*s=%s", (int)name,
		     (const char *)s.p, path);
	if (n < 0 || n >= CONFIG_PATH_BYTES)
		yaml_fault(at, "is too long a path");
}
