/* SPDX-License-Identifier: Apache-2.0 */
/* The section "tls". */
#include <stddef.h>
#include <string.h>

#include "config_read.h"
#include "config_values.h"

enum {
	/* Below them OpenSSL's security level refuses anyway. */
	RSA_BITS_MIN = 2048,
	EC_BITS_MIN = 224,
	RSA_BITS_MAX = 16384,
	EC_BITS_MAX = 521,
	CHAIN_MAX = 10
};

#define PATH(name, member)                                                     \
	{                                                                      \
		.key = (name), .read = value_path,                             \
		.offset = offsetof(struct config, front.member)                \
	}
#define OPTIONAL(name, reader, member)                                         \
	{                                                                      \
		.key = (name), .read = (reader), .optional = true,             \
		.offset = offsetof(struct config, front.member)                \
	}
#define NUMBER(name, member, least, most)                                      \
	{                                                                      \
		.key = (name), .read = value_u32, .min = (least),              \
		.max = (most), .optional = true,                               \
		.offset = offsetof(struct config, front.member)                \
	}

void config_tls_defaults(struct config *c)
{
	struct front_settings *f = &c->front;

	c->tls_watch = true;
	f->client_rsa_bits = 3072;
	f->client_ec_bits = 256;
	f->client_chain = 3;
}

/* --- a key in an HSM ------------------------------------------------------ */

/* It names an HSM: config_read_tls_key() reads it when those are known. */
static void later(const struct yaml_at *at, void *config,
		  const struct yaml_field *f)
{
	(void)at;
	(void)config;
	(void)f;
}

/* What signs certificates, or the ledger, must not sign what strangers bring
 * about. */
static void check_place(const struct yaml_at *at, struct config *c,
			const struct config_key *key)
{
	const struct config_hsm *hsm = config_hsm_named(c, key->hsm);
	const struct yaml_at uri = yaml_child(at, "uri");

	for (size_t i = 0; hsm != NULL && i < hsm->worker.nkeys; i++)
		if (strcmp(hsm->worker.key[i].uri, key->uri) == 0)
			yaml_fault(&uri,
				   "is the place of the key \"%s\": the "
				   "server's TLS key must be one of its own",
				   hsm->worker.key[i].label);
}

void config_read_tls_key(const struct yaml_at *root, struct config *c)
{
#define AT(member) .offset = offsetof(struct config_key, member)
	static const struct yaml_field fields[] = {
		{.key = "hsm", .read = value_label, AT(hsm)},
		{.key = "uri", .read = value_uri, AT(uri)},
		{.key = "alg", .read = value_alg, AT(core.alg)},
		{.key = "label",
		 .read = value_label,
		 .optional = true,
		 AT(core.label)},
	};
#undef AT
	const struct yaml_at tls = yaml_child(root, "tls");
	const struct yaml_at at = yaml_child(&tls, "hsm_key");
	struct config_key key = {.core = {.label = "tls", .tls = true}};

	if (!yaml_present(&at))
		return;
	yaml_fields(&at, fields, sizeof(fields) / sizeof(fields[0]), &key);
	check_place(&at, c, &key);
	config_key_add(&at, c, &key);
	c->front.key_alg = key.core.alg;
}

const struct core_key_settings *config_tls_key(const struct config *c)
{
	for (size_t i = 0; i < c->core.nkeys; i++)
		if (c->core.key[i].tls)
			return &c->core.key[i];
	return NULL;
}

static void check_key(const struct yaml_at *tls, const struct front_settings *f)
{
	const struct yaml_at key = yaml_child(tls, "key");
	const struct yaml_at hsm_key = yaml_child(tls, "hsm_key");

	if (!yaml_present(&key) && !yaml_present(&hsm_key))
		yaml_fault(&key, "is missing, and so is hsm_key");
	if (yaml_present(&key) && yaml_present(&hsm_key))
		yaml_fault(&hsm_key, "stands beside key: one of them");
	/* What a server signs in TLS 1.2 has not that much of a form. */
	if (yaml_present(&hsm_key) && f->tls12)
		yaml_fault(&hsm_key, "needs min_version \"1.3\"");
}

/* -------------------------------------------------------------------------- */

void config_read_tls(const struct yaml_at *at, void *config,
		     const struct yaml_field *f)
{
	static const struct yaml_field fields[] = {
		PATH("certificate", certificate),
		OPTIONAL("key", value_path, key),
		{.key = "hsm_key", .read = later, .optional = true},
		PATH("client_ca", client_ca),
		OPTIONAL("crl", value_path, crl),
		OPTIONAL("ocsp_response", value_path, ocsp),
		OPTIONAL("min_version", value_tls12, tls12),
		{.key = "watch",
		 .read = value_bool,
		 .offset = offsetof(struct config, tls_watch),
		 .optional = true},
		NUMBER("client_rsa_bits", client_rsa_bits, RSA_BITS_MIN,
		       RSA_BITS_MAX),
		NUMBER("client_ec_bits", client_ec_bits, EC_BITS_MIN,
		       EC_BITS_MAX),
		NUMBER("client_chain", client_chain, 0, CHAIN_MAX),
	};

	(void)f;
	yaml_fields(at, fields, sizeof(fields) / sizeof(fields[0]), config);
	check_key(at, &((struct config *)config)->front);
}
