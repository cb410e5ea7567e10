/* SPDX-License-Identifier: Apache-2.0 */
#include "config_read.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config_values.h"

_Static_assert(sizeof(((struct front_settings *)0)->key) == CONFIG_PATH_BYTES &&
		       sizeof(((struct core_settings *)0)->state) ==
			       CONFIG_PATH_BYTES &&
		       sizeof(((struct worker_settings *)0)->module) ==
			       CONFIG_PATH_BYTES,
	       "one reader of paths serves all");
_Static_assert(sizeof(((struct core_key_settings *)0)->label) ==
			       CONFIG_LABEL_BYTES &&
		       sizeof(((struct worker_settings *)0)->name) ==
			       CONFIG_LABEL_BYTES,
	       "one reader of labels serves all");

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	SECOND_MS = 1000,
	MINUTE_MS = 60 * SECOND_MS,
	HOUR_MS = 60 * MINUTE_MS,
	VERSION = 1,
	CERTIFICATE_KEYS_MAX =
		CORE_KEYS_MAX - 2, /* the server's, the ledger's */
	HANG_MS = 3 * SECOND_MS,
	/* Bounds that keep a slip of the pen from becoming an outage. */
	CONNECTIONS_MAX = 1000000,
	HANDSHAKES_MAX = 100000,
	HEADER_BYTES_MIN = 1024,
	HEADER_BYTES_MAX = 1 << 20,
	BODY_BYTES_MIN = 1024,
	BODY_BYTES_MAX = 1 << 20,
	STREAMS_MAX = 4096,
	IN_FLIGHT_MAX = 65536,
	ONE_IN_MAX = 1000000
};

void config_defaults(struct config *c, const char *base)
{
	memset(c, 0, sizeof(*c));
	(void)snprintf(c->base, sizeof(c->base), "%s", base);
	config_tls_defaults(c);
	c->front.connections_max = 20000;
	c->front.client_connections_max = SIZE_MAX; /* settle_limits() */
	c->front.failures_max = 20;
	c->front.address_handshakes_max = 500;
	c->front.header_bytes_max = 16384;
	c->front.body_bytes_max = 65536;
	c->front.streams_max = 256;
	c->front.handshake_ms = 10 * SECOND_MS;
	c->front.header_ms = 10 * SECOND_MS;
	c->front.body_ms = 20 * SECOND_MS;
	c->front.idle_ms = 120 * SECOND_MS;
	c->front.request_ms = 10 * SECOND_MS;
	c->core.front_credit = 2048;
	c->core.verify_ecdsa_one_in = 100;
	c->core.verify_all_ms = 60 * SECOND_MS;
	c->core.test_sign_ms = 5 * SECOND_MS;
	c->core.ledger.checkpoint_ms = SECOND_MS;
	c->core.ledger.stale_ms = MINUTE_MS;
	c->core.ledger.witness_ms = MINUTE_MS;
	c->drain_ms = 20 * SECOND_MS;
	c->log_level = LOG_INFO;
}

/* --- sections of single values ------------------------------------------- */

#define REQUIRED(name, reader, member)                                         \
	{                                                                      \
		.key = (name), .read = (reader),                               \
		.offset = offsetof(struct config, member)                      \
	}
#define OPTIONAL(name, reader, member)                                         \
	{                                                                      \
		.key = (name), .read = (reader), .optional = true,             \
		.offset = offsetof(struct config, member)                      \
	}
#define NUMBER(name, reader, member, least, most)                              \
	{                                                                      \
		.key = (name), .read = (reader), .min = (least),               \
		.max = (most), .offset = offsetof(struct config, member)       \
	}
#define OPTIONAL_NUMBER(name, reader, member, least, most)                     \
	{                                                                      \
		.key = (name), .read = (reader), .min = (least),               \
		.max = (most), .optional = true,                               \
		.offset = offsetof(struct config, member)                      \
	}

static void read_listen(const struct yaml_at *at, void *config,
			const struct yaml_field *f)
{
	static const struct yaml_field fields[] = {
		REQUIRED("address", value_address, address),
		NUMBER("port", value_u16, port, 1, UINT16_MAX),
		NUMBER("fronts", value_u32, fronts, 1, CONFIG_FRONTS_MAX),
	};

	(void)f;
	yaml_fields(at, fields, COUNT(fields), config);
}

static void read_ops(const struct yaml_at *at, void *config,
		     const struct yaml_field *f)
{
	static const struct yaml_field fields[] = {
		REQUIRED("listen", value_ops, ops),
	};

	(void)f;
	yaml_fields(at, fields, COUNT(fields), config);
}

static void read_limits(const struct yaml_at *at, void *config,
			const struct yaml_field *f)
{
#define LIMIT_SIZE(name, member, least, most)                                  \
	OPTIONAL_NUMBER(name, value_size, member, least, most)
#define LIMIT_TIME(name, member, least, most)                                  \
	OPTIONAL_NUMBER(name, value_duration, member, least, most)
	static const struct yaml_field fields[] = {
		LIMIT_SIZE("connections", front.connections_max, 1,
			   CONNECTIONS_MAX),
		LIMIT_SIZE("client_connections", front.client_connections_max,
			   0, CONNECTIONS_MAX),
		OPTIONAL_NUMBER("failed_handshakes", value_u32,
				front.failures_max, 0, HANDSHAKES_MAX),
		OPTIONAL_NUMBER("address_handshakes", value_u32,
				front.address_handshakes_max, 0,
				HANDSHAKES_MAX),
		LIMIT_SIZE("header_bytes", front.header_bytes_max,
			   HEADER_BYTES_MIN, HEADER_BYTES_MAX),
		LIMIT_SIZE("body_bytes", front.body_bytes_max, BODY_BYTES_MIN,
			   BODY_BYTES_MAX),
		OPTIONAL_NUMBER("streams", value_u32, front.streams_max, 1,
				STREAMS_MAX),
		LIMIT_TIME("handshake", front.handshake_ms, 100, HOUR_MS),
		LIMIT_TIME("header", front.header_ms, 100, HOUR_MS),
		LIMIT_TIME("body", front.body_ms, 100, HOUR_MS),
		LIMIT_TIME("idle", front.idle_ms, 100, HOUR_MS),
		LIMIT_TIME("request", front.request_ms, 10, HOUR_MS),
		OPTIONAL_NUMBER("in_flight", value_u32, core.front_credit, 1,
				IN_FLIGHT_MAX),
		LIMIT_TIME("drain", drain_ms, 0, HOUR_MS),
	};
#undef LIMIT_SIZE
#undef LIMIT_TIME

	(void)f;
	yaml_fields(at, fields, COUNT(fields), config);
}

static void read_verify(const struct yaml_at *at, void *config,
			const struct yaml_field *f)
{
	static const struct yaml_field fields[] = {
		OPTIONAL_NUMBER("ecdsa", value_one_in, core.verify_ecdsa_one_in,
				1, ONE_IN_MAX),
		OPTIONAL_NUMBER("after_error", value_duration,
				core.verify_all_ms, 0, HOUR_MS),
		OPTIONAL_NUMBER("test_signature", value_duration,
				core.test_sign_ms, 100, HOUR_MS),
	};

	(void)f;
	yaml_fields(at, fields, COUNT(fields), config);
}

/* --- hsms ---------------------------------------------------------------- */

static void read_environment(const struct yaml_at *at, void *worker,
			     const struct yaml_field *f)
{
	struct worker_settings *w = (struct worker_settings *)worker;
	const size_t n = yaml_list(at, WORKER_ENV_MAX);

	(void)f;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at item = yaml_item(at, i);

		value_environment(&item, w->env[i], NULL);
	}
	w->nenv = n;
}

static void read_hsm(const struct yaml_at *at, struct config_hsm *hsm)
{
#define AT(member) .offset = offsetof(struct config_hsm, member)
	static const struct yaml_field fields[] = {
		{.key = "name", .read = value_label, AT(worker.name)},
		{.key = "module", .read = value_path, AT(worker.module)},
		{.key = "pin", .read = value_pin, AT(worker.pin_file)},
		{.key = "token",
		 .read = value_token,
		 AT(worker.token),
		 .optional = true},
		{.key = "processes",
		 .read = value_u32,
		 AT(processes),
		 .min = 1,
		 .max = CONFIG_PROCESSES_MAX},
		{.key = "sessions",
		 .read = value_u32,
		 AT(worker.sessions),
		 .min = 1,
		 .max = WORKER_SESSIONS_MAX},
		{.key = "hang",
		 .read = value_duration,
		 AT(worker.hang_ms),
		 .min = 100,
		 .max = HOUR_MS,
		 .optional = true},
		{.key = "session_copies",
		 .read = value_bool,
		 AT(worker.session_copies),
		 .optional = true},
		{.key = "environment",
		 .read = read_environment,
		 AT(worker),
		 .optional = true},
		{.key = "access",
		 .read = config_read_access,
		 AT(access),
		 .optional = true},
	};
#undef AT

	yaml_fields(at, fields, COUNT(fields), hsm);
}

struct config_hsm *config_hsm_named(struct config *c, const char *name)
{
	for (size_t i = 0; i < c->nhsms; i++)
		if (strcmp(c->hsm[i].worker.name, name) == 0)
			return &c->hsm[i];
	return NULL;
}

/* What the core is to know of HSM, the next one. */
static void tell_core(struct core_settings *core, const struct config_hsm *hsm)
{
	struct core_hsm_settings *to = &core->hsm[core->nhsms];

	_Static_assert((int)CORE_HSMS_MAX >= (int)CONFIG_HSMS_MAX,
		       "every HSM fits");
	if (core->nhsms > 0)
		to->first_slot =
			(uint16_t)(to[-1].first_slot + to[-1].processes);
	(void)snprintf(to->name, sizeof(to->name), "%s", hsm->worker.name);
	to->processes = (uint16_t)hsm->processes;
	to->makes_keys = hsm->worker.token[0] != '\0';
	core->nhsms++;
}

static void read_hsms(const struct yaml_at *at, void *config,
		      const struct yaml_field *f)
{
	struct config *c = (struct config *)config;
	const size_t n = yaml_list(at, CONFIG_HSMS_MAX);

	(void)f;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at item = yaml_item(at, i);
		struct config_hsm *hsm = &c->hsm[i];

		read_hsm(&item, hsm);
		if (hsm->worker.name[0] != '\0' &&
		    config_hsm_named(c, hsm->worker.name) != NULL) {
			const struct yaml_at name = yaml_child(&item, "name");

			yaml_fault(&name, "another HSM has this name");
		}
		c->nhsms++;
		tell_core(&c->core, hsm);
	}
}

/* --- keys ---------------------------------------------------------------- */

static void read_key(const struct yaml_at *at, struct config_key *key)
{
#define AT(member) .offset = offsetof(struct config_key, member)
	static const struct yaml_field fields[] = {
		{.key = "label", .read = value_label, AT(core.label)},
		{.key = "hsm", .read = value_label, AT(hsm)},
		{.key = "uri", .read = value_uri, AT(uri)},
		{.key = "alg", .read = value_alg, AT(core.alg)},
		{.key = "kinds", .read = value_kinds, AT(core.kinds)},
		{.key = "country",
		 .read = value_country,
		 AT(core.country),
		 .optional = true},
		{.key = "certificate",
		 .read = value_path,
		 AT(core.certificate),
		 .optional = true},
	};
#undef AT

	yaml_fields(at, fields, COUNT(fields), key);
}

static bool has_label(const struct config *c, const char *label)
{
	for (size_t i = 0; i < c->core.nkeys; i++)
		if (strcmp(c->core.key[i].label, label) == 0)
			return true;
	return false;
}

static void give_to_hsm(const struct yaml_at *at, struct config *c,
			const struct config_key *key)
{
	const struct yaml_at name = yaml_child(at, "hsm");
	struct config_hsm *hsm = config_hsm_named(c, key->hsm);
	struct worker_key_settings *w;

	if (key->hsm[0] == '\0')
		return; /* a fault already */
	if (hsm == NULL) {
		yaml_fault(&name, "there is no HSM \"%s\"", key->hsm);
		return;
	}
	_Static_assert((int)WORKER_KEYS_MAX >= (int)CORE_KEYS_MAX,
		       "every key fits");
	w = &hsm->worker.key[hsm->worker.nkeys++];
	(void)snprintf(w->label, sizeof(w->label), "%s", key->core.label);
	(void)snprintf(w->uri, sizeof(w->uri), "%s", key->uri);
	w->alg = key->core.alg;
	w->ledger = key->core.ledger;
}

void config_key_add(const struct yaml_at *at, struct config *c,
		    const struct config_key *key)
{
	if (key->core.label[0] != '\0' && has_label(c, key->core.label)) {
		const struct yaml_at label = yaml_child(at, "label");

		yaml_fault(&label, "another key has this label");
	}
	give_to_hsm(at, c, key);
	c->core.key[c->core.nkeys] = key->core;
	(void)snprintf(c->core.key[c->core.nkeys].hsm,
		       sizeof(c->core.key[0].hsm), "%s", key->hsm);
	c->core.nkeys++;
}

static void read_keys(const struct yaml_at *at, void *config,
		      const struct yaml_field *f)
{
	struct config *c = (struct config *)config;
	size_t n;

	(void)f;
	if (yaml_is_empty_list(at))
		return; /* check_keys() says whether that can be */
	n = yaml_list(at, CERTIFICATE_KEYS_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at item = yaml_item(at, i);
		struct config_key key = {0};

		read_key(&item, &key);
		config_key_add(&item, c, &key);
	}
}

/* Keys may be left to the officers, where they can have some made. */
static void check_keys(const struct yaml_at *root, const struct config *c)
{
	const struct yaml_at keys = yaml_child(root, "keys");
	bool made = false;

	for (size_t i = 0; i < c->nhsms; i++)
		made = made || c->core.hsm[i].makes_keys;
	if (made || c->nhsms == 0)
		return;
	if (!yaml_present(&keys))
		yaml_fault(&keys, "is missing, and no HSM has a token where "
				  "officers could have keys made");
	else if (yaml_is_empty_list(&keys))
		yaml_fault(&keys, "must not be empty where no HSM has a token "
				  "for new keys");
}

/* --- the whole file ------------------------------------------------------ */

/* Unless it is said otherwise, nobody has all connections. */
static void settle_limits(struct config *c)
{
	const size_t all = c->front.connections_max;

	if (c->front.client_connections_max == SIZE_MAX)
		c->front.client_connections_max = all - all / 4;
}

/* What waits behind a call that hangs has to be signed elsewhere in time. */
static void settle_hangs(const struct yaml_at *root, struct config *c)
{
	const struct yaml_at hsms = yaml_child(root, "hsms");
	const uint32_t half_ms = c->front.request_ms / 2;

	for (size_t i = 0; i < c->nhsms; i++) {
		const struct yaml_at item = yaml_item(&hsms, i);
		const struct yaml_at at = yaml_child(&item, "hang");
		uint32_t *hang_ms = &c->hsm[i].worker.hang_ms;

		if (*hang_ms == 0 && !yaml_present(&at))
			*hang_ms = half_ms < HANG_MS ? half_ms : HANG_MS;
		else if (*hang_ms >= c->front.request_ms)
			yaml_fault(&at, "must be below limits.request");
		if (*hang_ms > c->core.hang_ms)
			c->core.hang_ms = *hang_ms;
	}
}

static void read_version(const struct yaml_at *at, void *config,
			 const struct yaml_field *f)
{
	struct span s;

	(void)config;
	(void)f;
	_Static_assert(VERSION == 1, "the text below says 1");
	if (yaml_text(at, &s) && !span_is(s, "1"))
		yaml_fault(at, "this program reads version 1 only");
}

static void check_sockets(const struct yaml_at *root, const struct config *c)
{
	static const char same[] = "is the socket of listen";
	const struct yaml_at ops = yaml_child(root, "ops");
	const struct yaml_at at = yaml_child(&ops, "listen");
	const struct yaml_at ledger = yaml_child(root, "ledger");
	const struct yaml_at public = yaml_child(&ledger, "public");

	if (c->port != 0 && endpoint_collides(c->ops, c->address, c->port))
		yaml_fault(&at, "%s", same);
	if (c->port != 0 &&
	    endpoint_collides(c->public_listen, c->address, c->port))
		yaml_fault(&public, "%s", same);
	if (endpoints_collide(c->public_listen, c->ops))
		yaml_fault(&public, "is the socket of ops");
}

/* Where the fronts find the log that the core writes. */
static void settle_ledger(const struct yaml_at *root, struct config *c)
{
	const struct yaml_at state = yaml_child(root, "state");
	const int n = snprintf(c->front.ledger, sizeof(c->front.ledger),
			       "%s/ledger", c->core.state);

	if (n < 0 || (size_t)n >= sizeof(c->front.ledger))
		yaml_fault(&state, "is too long a path");
	c->front.public = c->public_listen[0] != '\0';
}

void config_read(struct yaml_tree *t, struct config *c)
{
	/* hsms before keys and ledger, which name them */
	static const struct yaml_field fields[] = {
		{.key = "version", .read = read_version},
		{.key = "listen", .read = read_listen},
		{.key = "ops", .read = read_ops},
		{.key = "tls", .read = config_read_tls},
		REQUIRED("policy", value_path, policy),
		REQUIRED("state", value_path, core.state),
		REQUIRED("run", value_path, run),
		{.key = "hsms", .read = read_hsms},
		{.key = "keys", .read = read_keys, .optional = true},
		OPTIONAL("csca", value_path, core.csca),
		{.key = "ledger", .read = config_read_ledger},
		{.key = "limits", .read = read_limits, .optional = true},
		{.key = "verify", .read = read_verify, .optional = true},
		OPTIONAL("sandbox", config_read_sandbox, sandbox),
		OPTIONAL("log", value_log_level, log_level),
		OPTIONAL("log_requests", value_bool, log_requests),
	};
	const struct yaml_at root = yaml_root(t);

	yaml_fields(&root, fields, COUNT(fields), c);
	check_keys(&root, c);
	settle_limits(c);
	settle_hangs(&root, c);
	settle_ledger(&root, c);
	check_sockets(&root, c);
}
