/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_YAML_TEXT_H
#define SG_YAML_TEXT_H

#include <cyaml/cyaml.h>

#include "base/err.h"
#include "base/faults.h"
#include "base/span.h"

/*
 * yaml_text: a YAML text held against libcyaml's own schema tables, so that
 * what libcyaml is then given to load is known to be sound: libcyaml stops at
 * its first fault and passes a key that is there twice, this tells all faults,
 * each with its line.  Tables of CYAML_MAPPING, CYAML_SEQUENCE and
 * CYAML_STRING only: numbers are texts, which their reader parses strictly.
 *
 * A place in the text is named by its path: "clients[0].kinds[2]"; "" is all.
 */
struct yaml_text; /* opaque */

/*
 * Parse TEXT, called NAME in the faults: UTF-8, one document, no aliases, no
 * tags, no control characters.  Held against SCHEMA: unknown keys, keys twice,
 * missing ones (that are not CYAML_FLAG_OPTIONAL), a list or map or text where
 * another is due, texts and lists too short or too long.
 * Owns: *OUT is the caller's; yaml_text_free().
 * Errors: SG_CONFIG, FAULTS say why; SG_NO_MEMORY.  On SG_OK libcyaml can load
 * it if told to ignore unknown keys, which are the only FAULTS then.
 */
SG_MUST_USE enum sg_err yaml_text_read(struct span text, const char *name,
				       const cyaml_schema_value_t *schema,
				       struct yaml_text **out,
				       struct faults *faults);
/* The line, from 1, of the place at PATH, or of what is around it when it is
 * not there. */
unsigned yaml_text_line(const struct yaml_text *y, const char *path);
void yaml_text_free(struct yaml_text *y); /* NULL is allowed */

#endif /* SG_YAML_TEXT_H */
