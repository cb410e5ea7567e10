/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_JSON_TREE_H
#define SG_JSON_TREE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

/*
 * json_tree: JSON texts (RFC 8259) as trees, by simdjson, which is C++: this is
 * all that the front's C sees of it.  It reads a certificate's data in a tenth
 * of the time that jansson takes, and does not say where a text is wrong.
 * One thread a reader.
 */
#ifdef __cplusplus
extern "C" {
#endif

struct json_tree; /* opaque: a reader, and the text that it has read last */

enum json_tree_kind {
	JSON_TREE_OBJECT,
	JSON_TREE_ARRAY,
	JSON_TREE_TEXT,
	JSON_TREE_INT,	/* of 64 bits */
	JSON_TREE_REAL, /* any other number; it has a fraction or is too large
			 */
	JSON_TREE_TRUE,
	JSON_TREE_FALSE,
	JSON_TREE_NULL
};

/* A value in the tree; valid until the next json_tree_read(). */
struct json_tree_value {
	const void *document;
	size_t at;
};

/* Owns: *OUT is the caller's; json_tree_free().  Reads texts that are nested up
 * to DEPTH levels.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err json_tree_create(size_t depth, struct json_tree **out);
void json_tree_free(struct json_tree *t); /* NULL is allowed */

/*
 * Read TEXT.  Any JSON value may be the root.  Names that stand twice in an
 * object are both there.
 * Errors: SG_NO_MEMORY; SG_TOO_BIG: a number is an integer beyond 64 bits, too
 * large for a double, or none; SG_MALFORMED: not JSON, nested too deeply, or
 * not UTF-8.
 */
SG_MUST_USE enum sg_err json_tree_read(struct json_tree *t, struct span text,
				       struct json_tree_value *root);

enum json_tree_kind json_tree_kind(const struct json_tree_value *v);
/* Of a value of the kind that the name says. */
struct span json_tree_text(const struct json_tree_value *v);
int64_t json_tree_int(const struct json_tree_value *v);
double json_tree_real(const struct json_tree_value *v);

/* The members of an object, or the items of an array, in the text's order. */
struct json_tree_walk {
	struct json_tree_value next, end;
	bool object;
};
struct json_tree_walk json_tree_begin(const struct json_tree_value *v);
/* False: there is no more.  *NAME (not of an array) is the member's. */
bool json_tree_next(struct json_tree_walk *w, struct span *name,
		    struct json_tree_value *value);

#ifdef __cplusplus
}
#endif

#endif /* SG_JSON_TREE_H */
