/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_SCHEMA_TABLE_H
#define SG_SCHEMA_TABLE_H

#include "document.h"
#include "hcert/dsc.h"
#include "pattern.h"

/* schema_table: the request and, in it, the DCC schema 1.3.3 as data. */

enum schema_type {
	SCHEMA_TEXT,
	SCHEMA_POSITIVE, /* an integer from 1 on: dose_posint */
	SCHEMA_NAME,	 /* nam: an object */
	SCHEMA_ENTRIES,	 /* v, t, r: an array of exactly one object */
	SCHEMA_DCC,	 /* an object that has one of v, t, r */
	SCHEMA_EXP,
	SCHEMA_ID,
	SCHEMA_ATTESTATION
};

enum schema_need {
	SCHEMA_OPTIONAL,
	SCHEMA_REQUIRED,
	SCHEMA_ONE_OF /* at least one of the object's fields that say so */
};

enum { SCHEMA_NO_LIMIT = 0 };

struct schema_object;

struct schema_field {
	const char *name;
	const struct schema_object *object; /* of SCHEMA_NAME, _ENTRIES, _DCC */
	size_t max; /* code points, or SCHEMA_NO_LIMIT */
	enum schema_need need;
	enum schema_type type;
	enum pattern pattern;
	enum dcc_kind kind; /* of SCHEMA_ENTRIES */
	uint8_t name_n;
	uint8_t leaf; /* enum document_field, of texts and integers */
};

/* Fields stand in the order of deterministic CBOR, in which they come. */
struct schema_object {
	const struct schema_field *field;
	uint8_t n;
	bool open; /* an unknown field is judged by profile, else an error */
};

/* {dcc, exp?, id?, attestation?}; the root of the tables. */
extern const struct schema_object SCHEMA_REQUEST;

#endif /* SG_SCHEMA_TABLE_H */
