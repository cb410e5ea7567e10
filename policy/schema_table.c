/* SPDX-License-Identifier: Apache-2.0 */
#include "schema_table.h"

enum {
	NAME_MAX_LENGTH = 80, /* code points: maxLength wherever there is one */
	ID_MAX_LENGTH = 128
};

#define NAMED(text) .name = (text), .name_n = sizeof(text) - 1
#define TEXT(text, how_much, id, pattern_id, longest)                          \
	{                                                                      \
		NAMED(text), .need = SCHEMA_##how_much, .type = SCHEMA_TEXT,   \
			     .leaf = DOC_##id,                                 \
			     .pattern = PATTERN_##pattern_id, .max = (longest) \
	}
#define POSITIVE(text, id)                                                     \
	{                                                                      \
		NAMED(text), .need = SCHEMA_REQUIRED, .type = SCHEMA_POSITIVE, \
			     .leaf = DOC_##id                                  \
	}
#define ENTRIES(text, entry, dcc_kind_id)                                      \
	{                                                                      \
		NAMED(text), .type = SCHEMA_ENTRIES, .object = &(entry),       \
			     .kind = (dcc_kind_id)                             \
	}
#define OBJECT(fields, is_open)                                                \
	{                                                                      \
		.field = (fields), .n = sizeof(fields) / sizeof((fields)[0]),  \
		.open = (is_open)                                              \
	}

static const struct schema_field NAM_FIELDS[] = {
	TEXT("fn", OPTIONAL, FN, ANY, NAME_MAX_LENGTH),
	TEXT("gn", OPTIONAL, GN, ANY, NAME_MAX_LENGTH),
	TEXT("fnt", ONE_OF, FNT, MRZ, NAME_MAX_LENGTH),
	TEXT("gnt", ONE_OF, GNT, MRZ, NAME_MAX_LENGTH),
};

static const struct schema_field VACCINATION_FIELDS[] = {
	TEXT("ci", REQUIRED, CI, ANY, NAME_MAX_LENGTH),
	TEXT("co", REQUIRED, CO, COUNTRY, SCHEMA_NO_LIMIT),
	POSITIVE("dn", DN),
	TEXT("dt", REQUIRED, DT, ANY, SCHEMA_NO_LIMIT),
	TEXT("is", REQUIRED, IS, ANY, NAME_MAX_LENGTH),
	TEXT("ma", REQUIRED, MA, ANY, SCHEMA_NO_LIMIT),
	TEXT("mp", REQUIRED, MP, ANY, SCHEMA_NO_LIMIT),
	POSITIVE("sd", SD),
	TEXT("tg", REQUIRED, TG, ANY, SCHEMA_NO_LIMIT),
	TEXT("vp", REQUIRED, VP, ANY, SCHEMA_NO_LIMIT),
};

static const struct schema_field TEST_FIELDS[] = {
	TEXT("ci", REQUIRED, CI, ANY, NAME_MAX_LENGTH),
	TEXT("co", REQUIRED, CO, COUNTRY, SCHEMA_NO_LIMIT),
	TEXT("is", REQUIRED, IS, ANY, NAME_MAX_LENGTH),
	TEXT("ma", OPTIONAL, MA, ANY, SCHEMA_NO_LIMIT),
	TEXT("nm", OPTIONAL, NM, ANY, NAME_MAX_LENGTH),
	TEXT("sc", REQUIRED, SC, ANY, SCHEMA_NO_LIMIT),
	TEXT("tc", OPTIONAL, TC, ANY, NAME_MAX_LENGTH),
	TEXT("tg", REQUIRED, TG, ANY, SCHEMA_NO_LIMIT),
	TEXT("tr", REQUIRED, TR, ANY, SCHEMA_NO_LIMIT),
	TEXT("tt", REQUIRED, TT, ANY, SCHEMA_NO_LIMIT),
};

static const struct schema_field RECOVERY_FIELDS[] = {
	TEXT("ci", REQUIRED, CI, ANY, NAME_MAX_LENGTH),
	TEXT("co", REQUIRED, CO, COUNTRY, SCHEMA_NO_LIMIT),
	TEXT("df", REQUIRED, DF, ANY, SCHEMA_NO_LIMIT),
	TEXT("du", REQUIRED, DU, ANY, SCHEMA_NO_LIMIT),
	TEXT("fr", REQUIRED, FR, ANY, SCHEMA_NO_LIMIT),
	TEXT("is", REQUIRED, IS, ANY, NAME_MAX_LENGTH),
	TEXT("tg", REQUIRED, TG, ANY, SCHEMA_NO_LIMIT),
};

static const struct schema_object NAM = OBJECT(NAM_FIELDS, true);
static const struct schema_object VACCINATION =
	OBJECT(VACCINATION_FIELDS, true);
static const struct schema_object TEST = OBJECT(TEST_FIELDS, true);
static const struct schema_object RECOVERY = OBJECT(RECOVERY_FIELDS, true);

static const struct schema_field DCC_FIELDS[] = {
	ENTRIES("r", RECOVERY, DCC_RECOVERY),
	ENTRIES("t", TEST, DCC_TEST),
	ENTRIES("v", VACCINATION, DCC_VACCINATION),
	TEXT("dob", REQUIRED, DOB, BIRTH, SCHEMA_NO_LIMIT),
	{NAMED("nam"), .need = SCHEMA_REQUIRED, .type = SCHEMA_NAME,
	 .object = &NAM},
	TEXT("ver", REQUIRED, VER, VERSION, SCHEMA_NO_LIMIT),
};

static const struct schema_object DCC = OBJECT(DCC_FIELDS, true);

static const struct schema_field REQUEST_FIELDS[] = {
	{NAMED("id"), .type = SCHEMA_ID, .max = ID_MAX_LENGTH},
	{NAMED("dcc"), .need = SCHEMA_REQUIRED, .type = SCHEMA_DCC,
	 .object = &DCC},
	{NAMED("exp"), .type = SCHEMA_EXP},
	{NAMED("attestation"), .type = SCHEMA_ATTESTATION},
};

const struct schema_object SCHEMA_REQUEST = OBJECT(REQUEST_FIELDS, false);
