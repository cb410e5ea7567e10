/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CONFIG_VALUES_H
#define SG_CONFIG_VALUES_H

#include "policy/yamltree.h"

/*
 * config_values: readers of single values for the tables of the configuration
 * (struct yaml_field).  MEMBER's type stands at each.  None opens a file.
 */
enum {
	CONFIG_PATH_BYTES = 1024,
	CONFIG_LABEL_BYTES = 64,
	CONFIG_ADDRESS_BYTES = 64
};

/* Numbers from F->min to F->max, in plain decimal digits. */
void value_u16(const struct yaml_at *at, void *member,
	       const struct yaml_field *f);
void value_u32(const struct yaml_at *at, void *member,
	       const struct yaml_field *f);
void value_size(const struct yaml_at *at, void *member,
		const struct yaml_field *f);
/* uint32_t, milliseconds, F->min to F->max: "10s"; units ms s m h d. */
void value_duration(const struct yaml_at *at, void *member,
		    const struct yaml_field *f);
/* char[CONFIG_PATH_BYTES]: made absolute. */
void value_path(const struct yaml_at *at, void *member,
		const struct yaml_field *f);
/* char[CONFIG_LABEL_BYTES]: letters, digits, '.', '_' and '-'. */
void value_label(const struct yaml_at *at, void *member,
		 const struct yaml_field *f);
/* char[CONFIG_ADDRESS_BYTES]: a numeric IPv4 or IPv6 address. */
void value_address(const struct yaml_at *at, void *member,
		   const struct yaml_field *f);
/* char[CONFIG_PATH_BYTES]: "ADDRESS:PORT" on loopback, or "unix:PATH" made
 * absolute. */
void value_ops(const struct yaml_at *at, void *member,
	       const struct yaml_field *f);
/* char[CONFIG_PATH_BYTES]: "ADDRESS:PORT", any numeric address. */
void value_endpoint(const struct yaml_at *at, void *member,
		    const struct yaml_field *f);
/* Would a socket at WHERE, a value of value_ops() or value_endpoint(), be in
 * the way of one at ADDRESS and PORT? */
bool endpoint_collides(const char *where, const char *address, uint16_t port);
/* The same of two such values. */
bool endpoints_collide(const char *a, const char *b);
/* char[CONFIG_PATH_BYTES]: "file:PATH" or "credential:NAME", as a path. */
void value_pin(const struct yaml_at *at, void *member,
	       const struct yaml_field *f);
/* char[CONFIG_PATH_BYTES]: a pkcs11: URI (RFC 7512) without secrets. */
void value_uri(const struct yaml_at *at, void *member,
	       const struct yaml_field *f);
/* char[CONFIG_PATH_BYTES]: such a URI that names a token, and nothing on it. */
void value_token(const struct yaml_at *at, void *member,
		 const struct yaml_field *f);
/* char[CONFIG_PATH_BYTES]: "NAME=value"; a value that names an existing file
 * relative to the base becomes its absolute path. */
void value_environment(const struct yaml_at *at, void *member,
		       const struct yaml_field *f);
/* bool: true or false. */
void value_bool(const struct yaml_at *at, void *member,
		const struct yaml_field *f);
/* bool: min_version "1.2" is true, "1.3" false. */
void value_tls12(const struct yaml_at *at, void *member,
		 const struct yaml_field *f);
/* enum cose_alg */
void value_alg(const struct yaml_at *at, void *member,
	       const struct yaml_field *f);
/* unsigned: DCC_KIND_BIT()s from a list of v, t and r. */
void value_kinds(const struct yaml_at *at, void *member,
		 const struct yaml_field *f);
/* char[3]: ISO 3166-1 alpha-2 in capitals. */
void value_country(const struct yaml_at *at, void *member,
		   const struct yaml_field *f);
/* uint32_t: verify one in that many; "all" is 1. */
void value_one_in(const struct yaml_at *at, void *member,
		  const struct yaml_field *f);
/* int: enum log_level */
void value_log_level(const struct yaml_at *at, void *member,
		     const struct yaml_field *f);

/* S as a number: all digits, no sign, no leading zero, no overflow. */
bool text_digits(struct span s, uint64_t *out);
/* A letter, a digit, '.', '_' or '-'? */
bool text_is_word_byte(uint8_t c);
/* One or more of them? */
bool text_is_word(struct span s);
/* S with a NUL, into OUT, which has room. */
void text_put(struct span s, char *out);
/* An address of this machine alone, in numeric form? */
bool address_is_loopback(const char *address);

#endif /* SG_CONFIG_VALUES_H */
