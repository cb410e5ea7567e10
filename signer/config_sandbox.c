/* SPDX-License-Identifier: Apache-2.0 */
/* The section "sandbox", and "access" of an HSM. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config_read.h"
#include "sandbox/sandbox.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- reading -------------------------------------------------------------- */

static bool part_of(struct span s, unsigned *bit)
{
	for (int p = 0; p < SANDBOX_PARTS; p++)
		if (span_is(s, sandbox_part_name((enum sandbox_part)p))) {
			*bit = SANDBOX_BIT(p);
			return true;
		}
	return false;
}

/* unsigned: SANDBOX_BIT()s */
static void value_parts(const struct yaml_at *at, void *member,
			const struct yaml_field *f)
{
	const size_t n = yaml_list(at, SANDBOX_PARTS);
	unsigned *parts = (unsigned *)member;

	(void)f;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at item = yaml_item(at, i);
		struct span s;
		unsigned bit;

		if (!yaml_text(&item, &s))
			continue;
		if (part_of(s, &bit))
			*parts |= bit;
		else
			yaml_fault(&item, "must be one of user, capabilities, "
					  "system-calls, files, memory");
	}
}

#define USER(name, role)                                                       \
	{                                                                      \
		.key = (name), .read = value_label, .optional = true,          \
		.offset = offsetof(struct config_sandbox, user[role])          \
	}
#define OFF(name, role)                                                        \
	{                                                                      \
		.key = (name), .read = value_parts, .optional = true,          \
		.offset = offsetof(struct config_sandbox, off[role])           \
	}

static void read_users(const struct yaml_at *at, void *sandbox,
		       const struct yaml_field *f)
{
	static const struct yaml_field fields[] = {
		USER("front", WIRE_FRONT),
		USER("core", WIRE_CORE),
		USER("hsm", WIRE_HSM),
		USER("witness", WIRE_WITNESS),
	};

	(void)f;
	yaml_fields(at, fields, COUNT(fields), sandbox);
}

static void read_off(const struct yaml_at *at, void *sandbox,
		     const struct yaml_field *f)
{
	static const struct yaml_field fields[] = {
		OFF("supervisor", WIRE_SUPERVISOR),
		OFF("front", WIRE_FRONT),
		OFF("core", WIRE_CORE),
		OFF("hsm", WIRE_HSM),
		OFF("witness", WIRE_WITNESS),
	};

	(void)f;
	yaml_fields(at, fields, COUNT(fields), sandbox);
}

void config_read_sandbox(const struct yaml_at *at, void *sandbox,
			 const struct yaml_field *f)
{
	static const struct yaml_field fields[] = {
		{.key = "users", .read = read_users, .optional = true},
		{.key = "off", .read = read_off, .optional = true},
	};
	struct config_sandbox *s = (struct config_sandbox *)sandbox;

	(void)f;
	yaml_fields(at, fields, COUNT(fields), s);
	memcpy(s->user[WIRE_SMITH], s->user[WIRE_HSM], CONFIG_USER_BYTES);
	s->off[WIRE_SMITH] = s->off[WIRE_HSM];
}

static size_t read_paths(const struct yaml_at *at,
			 char path[CONFIG_PATHS_MAX][WORKER_PATH_MAX])
{
	const size_t n = yaml_list(at, CONFIG_PATHS_MAX);

	_Static_assert((int)WORKER_PATH_MAX == (int)CONFIG_PATH_BYTES,
		       "a value_path() fits");
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at item = yaml_item(at, i);

		value_path(&item, path[i], NULL);
	}
	return n;
}

static void read_readable(const struct yaml_at *at, void *access,
			  const struct yaml_field *f)
{
	struct config_access *a = (struct config_access *)access;

	(void)f;
	a->nread = read_paths(at, a->read);
}

static void read_writable(const struct yaml_at *at, void *access,
			  const struct yaml_field *f)
{
	struct config_access *a = (struct config_access *)access;

	(void)f;
	a->nwrite = read_paths(at, a->write);
}

void config_read_access(const struct yaml_at *at, void *access,
			const struct yaml_field *f)
{
	static const struct yaml_field fields[] = {
		{.key = "read", .read = read_readable, .optional = true},
		{.key = "write", .read = read_writable, .optional = true},
		{.key = "network",
		 .read = value_bool,
		 .optional = true,
		 .offset = offsetof(struct config_access, network)},
	};

	(void)f;
	yaml_fields(at, fields, COUNT(fields), access);
}

static bool same_paths(size_t na, const char a[][WORKER_PATH_MAX], size_t nb,
		       const char b[][WORKER_PATH_MAX])
{
	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

bool config_same_access(const struct config_access *a,
			const struct config_access *b)
{
	return a->network == b->network &&
	       same_paths(a->nread, a->read, b->nread, b->read) &&
	       same_paths(a->nwrite, a->write, b->nwrite, b->write);
}

/* --- checking ------------------------------------------------------------- */

static void check_users(const struct yaml_at *sandbox, struct config *c)
{
	static const enum wire_role roles[] = {WIRE_FRONT, WIRE_CORE, WIRE_HSM,
					       WIRE_WITNESS};
	const struct yaml_at users = yaml_child(sandbox, "users");

	for (size_t i = 0; i < COUNT(roles); i++) {
		const char *name = c->sandbox.user[roles[i]];
		const struct yaml_at at =
			yaml_child(&users, role_name(roles[i]));

		/* One thread reads the configuration. */
		/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
		if (name[0] != '\0' && getpwnam(name) == NULL)
			yaml_fault(&at, "there is no user \"%s\"", name);
	}
	if (yaml_present(&users) && geteuid() != 0)
		config_note(&users, c->doubts,
			    "has no effect: this is not root");
}

static void note_off(const struct yaml_at *sandbox, struct config *c)
{
	const struct yaml_at off = yaml_child(sandbox, "off");

	for (int r = 0; r < WIRE_ROLE_COUNT; r++) {
		const struct yaml_at at =
			yaml_child(&off, role_name((enum wire_role)r));
		char text[CONFIG_LABEL_BYTES];

		if (!yaml_present(&at))
			continue;
		(void)snprintf(text, sizeof(text), "weakens the %s's sandbox",
			       role_name((enum wire_role)r));
		config_note(&at, c->doubts, text);
	}
}

/* Is PATH in the directory of FILE, or below? */
static bool is_beside(const char *path, const char *file)
{
	const char *slash = strrchr(file, '/');
	const size_t n = slash != NULL ? (size_t)(slash - file) + 1 : 0;

	return n > 0 && strncmp(path, file, n) == 0;
}

/* Directories are opened, so that a file in them can be replaced. */
static void note_beside(const struct yaml_at *at, struct config *c,
			const char *file)
{
	const char *secret = NULL;

	if (file[0] == '\0')
		return;
	for (size_t i = 0; i < c->nhsms; i++)
		if (is_beside(c->hsm[i].worker.pin_file, file))
			secret = "a PIN lies in its directory: whoever reads "
				 "this file could read that, too (put it into "
				 "a directory of its own)";
	if (secret != NULL)
		config_note(at, c->doubts, secret);
}

/* The same of what the core reads: nobody but the fronts has the server's key.
 */
static void note_of_core(const struct yaml_at *at, struct config *c,
			 const char *file)
{
	note_beside(at, c, file);
	if (file[0] != '\0' && is_beside(c->front.key, file))
		config_note(at, c->doubts,
			    "tls.key lies in its directory, or below: the "
			    "core, which reads this file, could read that, too "
			    "(put this file into a directory of its own)");
}

static bool same_directory(const char *a, const char *b)
{
	return is_beside(a, b) && is_beside(b, a);
}

/* Once for those that lie side by side. */
static void note_certificates(const struct yaml_at *root, struct config *c)
{
	const struct yaml_at keys = yaml_child(root, "keys");
	const char *last = "";

	for (size_t i = 0; i < c->core.nkeys; i++) {
		const struct yaml_at key = yaml_item(&keys, i);
		const struct yaml_at at = yaml_child(&key, "certificate");
		const char *file = c->core.key[i].certificate;

		/* The server's is in tls. */
		if (c->core.key[i].tls || same_directory(file, last))
			continue;
		note_of_core(&at, c, file);
		last = file;
	}
}

static void note_neighbours(const struct yaml_at *root, struct config *c)
{
	const struct yaml_at tls = yaml_child(root, "tls");
	const struct yaml_at certificate = yaml_child(&tls, "certificate");
	const struct yaml_at key = yaml_child(&tls, "key");
	const struct yaml_at ca = yaml_child(&tls, "client_ca");
	const struct yaml_at crl = yaml_child(&tls, "crl");
	const struct yaml_at csca = yaml_child(root, "csca");

	note_beside(&certificate, c, c->front.certificate);
	note_beside(&key, c, c->front.key);
	note_beside(&ca, c, c->front.client_ca);
	note_beside(&crl, c, c->front.crl);
	note_of_core(&csca, c, c->core.csca);
	note_certificates(root, c);
}

void config_check_sandbox(const struct yaml_at *root, struct config *c)
{
	const struct yaml_at sandbox = yaml_child(root, "sandbox");

	check_users(&sandbox, c);
	note_off(&sandbox, c);
	note_neighbours(root, c);
}
