/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/log.h"
#include "witness/resolver.h"

enum { CONF_BYTES_MAX = 64 * 1024 };

static const char SOFTHSM_VARIABLE[] = "SOFTHSM2_CONF=";
static const char SOFTHSM_DEFAULT[] = "/etc/softhsm/softhsm2.conf";

/* A profile as it grows; the first error stays. */
struct growing {
	struct sandbox *s;
	enum sg_err err;
};

static void allow(struct growing *g, const char *path, unsigned access)
{
	if (g->err == SG_OK)
		g->err = sandbox_allow(g->s, path, access);
}

/* What libraries read whoever has loaded them.  None of it is secret. */
static void allow_system(struct growing *g)
{
	static const char *const readable[] = {
		"/dev/urandom",
		"/dev/random",
		"/etc/localtime",
		"/usr/share/zoneinfo",
		"/etc/ssl/openssl.cnf",
		"/sys/devices/system/cpu",
		"/proc/sys/vm/overcommit_memory"};

	for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
		allow(g, readable[i], SANDBOX_READ);
	allow(g, "/dev/null", SANDBOX_WRITE);
}

/* The directory of FILE: the file may be replaced by another one. */
static void allow_directory_of(struct growing *g, const char *file)
{
	char real[PATH_MAX];
	char path[SANDBOX_PATH_BYTES];
	const char *slash = strrchr(file, '/');

	if (slash == NULL || slash == file ||
	    (size_t)(slash - file) >= sizeof(path))
		return;
	(void)snprintf(path, sizeof(path), "%.*s", (int)(slash - file), file);
	allow(g, path, SANDBOX_READ);
	/* And where it is in truth: /etc/ssl/certs is full of links. */
	if (realpath(file, real) != NULL && strcmp(real, file) != 0) {
		*strrchr(real, '/') = '\0';
		allow(g, real, SANDBOX_READ);
	}
}

/* When descriptors run out, libuv gives up one that it keeps for that, and then
 * opens "/" for the next time. */
static void allow_spare_descriptor(struct growing *g)
{
	allow(g, "/", SANDBOX_LIST);
}

/* --- front, core, witness --------------------------------------------------
 */

static void for_front(struct growing *g, const struct front_settings *f)
{
	allow_directory_of(g, f->certificate);
	allow_directory_of(g, f->key);
	allow_directory_of(g, f->client_ca);
	allow_directory_of(g, f->crl);
	allow_directory_of(g, f->ocsp);
	allow(g, f->ledger, SANDBOX_READ);
	allow_spare_descriptor(g);
}

static void for_core(struct growing *g, const struct core_settings *c)
{
	allow(g, c->state, SANDBOX_WRITE);
	for (size_t i = 0; i < c->nkeys; i++)
		allow_directory_of(g, c->key[i].certificate);
	allow_directory_of(g, c->csca);
	allow(g, "/proc/sys/kernel/random/uuid", SANDBOX_READ);
	allow_spare_descriptor(g);
}

static void for_witness(struct growing *g, const struct witness_settings *w)
{
	static const char *const readable[] = {
		/* Where resolv.conf may be in truth. */
		"/run/systemd/resolve", "/run/resolvconf",
		"/run/NetworkManager",
		/* The system's CAs: the one is full of links to the others. */
		"/etc/ssl/certs", "/usr/share/ca-certificates",
		"/usr/local/share/ca-certificates", "/usr/lib/ssl"};

	g->s->network = true;
	for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
		allow(g, readable[i], SANDBOX_READ);
	for (size_t i = 0; i < RESOLVER_FILE_COUNT; i++)
		allow(g, RESOLVER_FILES[i], SANDBOX_READ);
	allow_directory_of(g, w->ca);
}

/* --- hsm and smith ---------------------------------------------------------
 */

/* The value of KEY in LINE, "key = value"; NULL: it is another one. */
static const char *conf_value(char *line, const char *key)
{
	char *p = line + strspn(line, " \t");

	if (strncmp(p, key, strlen(key)) != 0)
		return NULL;
	p += strlen(key);
	p += strspn(p, " \t");
	if (*p != '=')
		return NULL;
	p += 1 + strspn(p + 1, " \t");
	p[strcspn(p, "\r#")] = '\0';
	for (size_t n = strlen(p); n > 0 && strchr(" \t", p[n - 1]) != NULL;)
		p[--n] = '\0';
	return p;
}

enum sg_err profile_token_directory(struct span text,
				    char out[SANDBOX_PATH_BYTES])
{
	char *copy = strndup((const char *)text.p, text.n);
	char *rest = copy;
	char *line;
	enum sg_err e = copy == NULL ? SG_NO_MEMORY : SG_NOT_FOUND;

	while (e == SG_NOT_FOUND && (line = strsep(&rest, "\n")) != NULL) {
		const char *value = conf_value(line, "directories.tokendir");

		if (value == NULL || value[0] != '/' ||
		    strlen(value) >= SANDBOX_PATH_BYTES)
			continue;
		(void)snprintf(out, SANDBOX_PATH_BYTES, "%s", value);
		e = SG_OK;
	}
	free(copy);
	return e;
}

static void allow_softhsm(struct growing *g, const char *conf)
{
	char tokens[SANDBOX_PATH_BYTES];
	uint8_t *text;
	size_t n;

	allow(g, conf, SANDBOX_READ);
	if (fileio_read(conf, CONF_BYTES_MAX, &text, &n) != SG_OK)
		return; /* it is another module */
	if (profile_token_directory(span_of(text, n), tokens) == SG_OK)
		allow(g, tokens, SANDBOX_WRITE);
	free(text);
}

/* Files that the module's environment names, and a SoftHSM2's tokens. */
static void allow_environment(struct growing *g,
			      const struct worker_settings *w)
{
	const size_t prefix = sizeof(SOFTHSM_VARIABLE) - 1;
	const char *conf = SOFTHSM_DEFAULT;

	for (size_t i = 0; i < w->nenv; i++) {
		const char *value = strchr(w->env[i], '=');

		if (strncmp(w->env[i], SOFTHSM_VARIABLE, prefix) == 0)
			conf = w->env[i] + prefix;
		else if (value != NULL && value[1] == '/')
			allow(g, value + 1, SANDBOX_READ);
	}
	allow_softhsm(g, conf);
}

static void for_module(struct growing *g, const struct config_hsm *hsm)
{
	static const char *const readable[] = {
		"/usr/lib",    "/usr/lib64",	    "/lib",
		"/lib64",      "/usr/local/lib",    "/etc/ld.so.cache",
		"/etc/pkcs11", "/usr/share/p11-kit"};
	const struct config_access *a = &hsm->access;

	for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
		allow(g, readable[i], SANDBOX_READ);
	allow_directory_of(g, hsm->worker.module);
	allow_environment(g, &hsm->worker);
	allow(g, hsm->worker.pin_file, SANDBOX_READ);
	for (size_t i = 0; i < a->nread; i++)
		allow(g, a->read[i], SANDBOX_READ);
	for (size_t i = 0; i < a->nwrite; i++)
		allow(g, a->write[i], SANDBOX_WRITE);
	g->s->network = g->s->network || a->network;
}

/* --- supervisor ------------------------------------------------------------
 */

static void allow_programs(struct growing *g)
{
	Dl_info loader;

	allow(g, "/proc/self/exe", SANDBOX_RUN);
	/* The loader of programs is one, too. */
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel says where */
	if (dladdr((const void *)getauxval(AT_BASE), &loader) != 0)
		allow(g, loader.dli_fname, SANDBOX_RUN);
}

/* What its roles may do, it may: they begin with what it has. */
static void for_supervisor(struct growing *g, const struct config *c)
{
	allow_programs(g);
	allow(g, c->run, SANDBOX_WRITE);
	/* A terminal, which the roles open once more for their log. */
	allow(g, "/proc/self/fd/2", SANDBOX_WRITE);
	allow(g, c->core.state, SANDBOX_WRITE);
	for (size_t i = 0; i < c->nhsms; i++)
		for_module(g, &c->hsm[i]);
	g->s->network = g->s->network || c->witness.n > 0;
	for (int r = 0; r < WIRE_ROLE_COUNT; r++)
		g->s->user = g->s->user || c->sandbox.user[r][0] != '\0';
}

/* --- all -------------------------------------------------------------------
 */

/* NULL with SG_OK: the role stays who it is. */
static enum sg_err find_user(const char *user, const struct passwd **out)
{
	*out = NULL;
	if (user[0] == '\0' || geteuid() != 0)
		return SG_OK;
	*out = getpwnam(user); /* NOLINT(concurrency-mt-unsafe): one thread */
	return *out != NULL ? SG_OK : SG_NOT_FOUND;
}

static enum sg_err become(struct sandbox *s, const char *user)
{
	const struct passwd *p;
	const enum sg_err e = find_user(user, &p);

	s->user = p != NULL;
	if (p != NULL) {
		s->uid = p->pw_uid;
		s->gid = p->pw_gid;
	}
	return e;
}

static enum sg_err fill(struct growing *g, const struct config *c,
			unsigned slot)
{
	const struct config_hsm *hsm;

	allow_system(g);
	switch (g->s->role) {
	case WIRE_FRONT: for_front(g, &c->front); break;
	case WIRE_CORE: for_core(g, &c->core); break;
	case WIRE_WITNESS: for_witness(g, &c->witness); break;
	case WIRE_HSM:
	case WIRE_SMITH:
		hsm = g->s->role == WIRE_HSM ? config_hsm_of(c, slot)
		      : slot < c->nhsms	     ? &c->hsm[slot]
					     : NULL;
		if (hsm == NULL)
			return SG_CONFIG;
		for_module(g, hsm);
		break;
	case WIRE_SUPERVISOR: for_supervisor(g, c); break;
	case WIRE_ROLE_COUNT: return SG_CONFIG;
	}
	return g->err;
}

enum sg_err profile_make(const struct config *c, enum wire_role role,
			 unsigned slot, struct sandbox **out)
{
	struct growing g = {.s = (struct sandbox *)calloc(1, sizeof(*g.s))};
	enum sg_err e;

	if (g.s == NULL)
		return SG_NO_MEMORY;
	g.s->role = role;
	g.s->off = c->sandbox.off[role];
	e = fill(&g, c, slot);
	if (e == SG_OK && role != WIRE_SUPERVISOR)
		e = become(g.s, c->sandbox.user[role]);
	*out = g.s;
	if (e == SG_OK)
		return SG_OK;
	free(g.s);
	*out = NULL;
	return e;
}

enum sg_err profile_enter(const struct config *c, enum wire_role role,
			  unsigned slot)
{
	struct sandbox *s;
	enum sg_err e = profile_make(c, role, slot, &s);

	if (e != SG_OK) {
		log_event(LOG_ERROR, "sandbox-failed",
			  "process=%s/%u part=profile reason=\"%s\"",
			  role_name(role), slot, err_text(e));
		return e;
	}
	e = sandbox_enter(s);
	free(s);
	return e;
}

/* Fresh, and of P, where it is not NULL; whatever umask() says. */
static bool make_directory(const char *path, mode_t mode,
			   const struct passwd *p)
{
	if (mkdir(path, mode) != 0)
		return errno == EEXIST;
	return p == NULL || (chmod(path, mode) == 0 &&
			     chown(path, p->pw_uid, p->pw_gid) == 0);
}

enum sg_err profile_directory(const struct config *c, enum wire_role role,
			      const char *path, mode_t mode)
{
	const struct passwd *p;
	enum sg_err e = find_user(c->sandbox.user[role], &p);

	errno = 0;
	if (e == SG_OK && !make_directory(path, mode, p))
		e = SG_IO;
	if (e != SG_OK)
		log_event(LOG_ERROR, "directory-failed",
			  "path=\"%s\" reason=\"%s\"", path,
			  e == SG_IO ? strerrordesc_np(errno) : err_text(e));
	return e;
}
