/* SPDX-License-Identifier: Apache-2.0 */
/* The section "tls". */
#include <stddef.h>

#include "config_read.h"

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

void config_read_tls(const struct yaml_at *at, void *config,
		     const struct yaml_field *f)
{
	static const struct yaml_field fields[] = {
		PATH("certificate", certificate),
		PATH("key", key),
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
}
