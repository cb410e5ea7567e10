/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON text by two readers: what simdjson takes jansson must take, and the
 * other way about, and both must see the same. */
#include <jansson.h>
#include <stdlib.h>

#include "front/json_tree.h"

enum { DEPTH_MAX = 16 };

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct json_tree_value *v, const json_t *j);

static bool same_array(const struct json_tree_value *v, const json_t *j)
{
	struct json_tree_walk walk = json_tree_begin(v);
	struct json_tree_value item;
	size_t n = 0;

	while (json_tree_next(&walk, NULL, &item))
		if (!same(&item, json_array_get(j, n++)))
			return false;
	return n == json_array_size(j);
}

static bool same_object(const struct json_tree_value *v, const json_t *j)
{
	struct json_tree_walk walk = json_tree_begin(v);
	struct json_tree_value value;
	struct span name;
	size_t n = 0;

	while (json_tree_next(&walk, &name, &value)) {
		const json_t *other =
			json_object_getn(j, (const char *)name.p, name.n);

		if (!same(&value, other))
			return false;
		n++;
	}
	return n == json_object_size(j);
}

static bool same(const struct json_tree_value *v, const json_t *j)
{
	if (j == NULL)
		return false;
	switch (json_tree_kind(v)) {
	case JSON_TREE_OBJECT: return json_is_object(j) && same_object(v, j);
	case JSON_TREE_ARRAY: return json_is_array(j) && same_array(v, j);
	case JSON_TREE_TEXT:
		return json_is_string(j) &&
		       span_eq(json_tree_text(v),
			       span_of(json_string_value(j),
				       json_string_length(j)));
	case JSON_TREE_INT:
		return json_is_integer(j) &&
		       json_integer_value(j) == json_tree_int(v);
	case JSON_TREE_REAL:
		return json_is_real(j) &&
		       json_real_value(j) == json_tree_real(v);
	case JSON_TREE_TRUE: return json_is_true(j);
	case JSON_TREE_FALSE: return json_is_false(j);
	case JSON_TREE_NULL: return json_is_null(j);
	}
	return false;
}

/* More levels than simdjson was told to take, which it may say of a text that
 * ends before its brackets do. */
static bool may_be_deep(struct span text)
{
	size_t brackets = 0;

	for (size_t i = 0; i < text.n; i++)
		brackets += text.p[i] == '[' || text.p[i] == '{';
	return brackets >= DEPTH_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct json_tree *tree;
	struct json_tree_value root;
	json_error_t error;
	json_t *j;
	enum sg_err err;

	if (tree == NULL && json_tree_create(DEPTH_MAX + 1, &tree) != SG_OK)
		return 0;
	/* jansson passes over zero bytes. */
	if (size > 0 && memchr(data, '\0', size) != NULL)
		return 0;
	err = json_tree_read(tree, span_of(data, size), &root);
	j = json_loadb(size > 0 ? (const char *)data : "", size,
		       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY |
			       JSON_ALLOW_NUL,
		       &error);
	if (err == SG_OK && j == NULL) {
		/* Only jansson looks for these. */
		const enum json_error_code code = json_error_code(&error);

		if (code != json_error_duplicate_key &&
		    code != json_error_null_byte_in_key &&
		    code != json_error_numeric_overflow)
			abort();
	} else if (err == SG_OK
			   ? !same(&root, j)
			   : j != NULL && !may_be_deep(span_of(data, size))) {
		abort();
	}
	json_decref(j);
	return 0;
}
