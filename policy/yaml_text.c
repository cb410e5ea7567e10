/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml_text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "yaml_doc.h"

enum {
	PATH_BYTES = 160,  /* our own keys and indices are far shorter */
	QUOTED_BYTES = 64, /* of the file's text in a fault */
	KEYS_BYTES = 512
};

struct yaml_text {
	yaml_document_t document;
};

/* One check's state. */
struct check {
	yaml_document_t *document;
	const char *name;
	struct faults *faults;
	bool *seen; /* nodes that have been met: again means an alias */
	bool sound; /* libcyaml could load it */
};

/* --- faults -------------------------------------------------------------- */

static void fault(struct check *c, const yaml_node_t *node, const char *path,
		  const char *text)
{
	faults_add(c->faults, c->name, yaml_doc_line(node), "%s%s%s", path,
		   path[0] != '\0' ? ": " : "", text);
}

static void unsound(struct check *c, const yaml_node_t *node, const char *path,
		    const char *text)
{
	c->sound = false;
	fault(c, node, path, text);
}

/* --- against the schema -------------------------------------------------- */

static void check_node(struct check *c, int id, const char *path,
		       const cyaml_schema_value_t *schema);

static void check_scalar(struct check *c, const yaml_node_t *node,
			 const char *path, const cyaml_schema_value_t *schema)
{
	const struct span text = yaml_doc_scalar(node);
	char why[QUOTED_BYTES];

	if (!yaml_doc_is_clean(text)) {
		unsound(c, node, path, "a control character");
	} else if (text.n == 0 && schema->string.min > 0) {
		unsound(c, node, path, "is empty");
	} else if (text.n > schema->string.max) {
		(void)snprintf(why, sizeof(why), "longer than %u bytes",
			       (unsigned)schema->string.max);
		unsound(c, node, path, why);
	}
}

static void check_sequence(struct check *c, const yaml_node_t *node,
			   const char *path, const cyaml_schema_value_t *schema)
{
	const yaml_node_item_t *item = node->data.sequence.items.start;
	const size_t n = yaml_doc_items(node);
	char inner[PATH_BYTES];
	char why[QUOTED_BYTES];

	if (n < schema->sequence.min)
		unsound(c, node, path, "is empty");
	if (n > schema->sequence.max) {
		(void)snprintf(why, sizeof(why), "more than %u entries",
			       (unsigned)schema->sequence.max);
		unsound(c, node, path, why);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(inner, sizeof(inner), "%s[%zu]", path, i);
		check_node(c, item[i], inner, schema->sequence.entry);
	}
}

static const cyaml_schema_field_t *find_field(const cyaml_schema_field_t *f,
					      struct span key)
{
	for (; f->key != NULL; f++)
		if (span_is(key, f->key))
			return f;
	return NULL;
}

static void unknown_key(struct check *c, const yaml_node_t *key,
			const char *path, const cyaml_schema_field_t *f)
{
	const struct span text = yaml_doc_scalar(key);
	char known[KEYS_BYTES];
	size_t at = 0;

	known[0] = '\0';
	for (; f->key != NULL && at < sizeof(known); f++)
		at += (size_t)snprintf(known + at, sizeof(known) - at, "%s%s",
				       at > 0 ? ", " : "", f->key);
	faults_add(c->faults, c->name, yaml_doc_line(key),
		   "%s%sunknown key '%.*s' (known: %s)", path,
		   path[0] != '\0' ? ": " : "",
		   yaml_doc_is_clean(text) && text.n <= QUOTED_BYTES
			   ? (int)text.n
			   : 0,
		   (const char *)text.p, known);
}

static void path_of(char out[PATH_BYTES], const char *path, const char *key)
{
	(void)snprintf(out, PATH_BYTES, "%s%s%s", path,
		       path[0] != '\0' ? "." : "", key);
}

static void check_missing(struct check *c, const yaml_node_t *node,
			  const char *path, const cyaml_schema_field_t *fields,
			  uint64_t seen)
{
	char inner[PATH_BYTES];

	for (size_t i = 0; fields[i].key != NULL; i++) {
		if ((seen & UINT64_C(1) << i) != 0 ||
		    (fields[i].value.flags & CYAML_FLAG_OPTIONAL) != 0)
			continue;
		path_of(inner, path, fields[i].key);
		unsound(c, node, inner, "is missing");
	}
}

static void check_mapping(struct check *c, const yaml_node_t *node,
			  const char *path, const cyaml_schema_value_t *schema)
{
	const cyaml_schema_field_t *fields = schema->mapping.fields;
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	uint64_t seen = 0;
	char inner[PATH_BYTES];

	for (; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key =
			yaml_document_get_node(c->document, pair->key);
		const cyaml_schema_field_t *f;

		if (key->type != YAML_SCALAR_NODE) {
			unsound(c, key, path, "a key must be a text");
			continue;
		}
		f = find_field(fields, yaml_doc_scalar(key));
		if (f == NULL) {
			unknown_key(c, key, path, fields);
			continue;
		}
		path_of(inner, path, f->key);
		if ((seen & UINT64_C(1) << (f - fields)) != 0)
			unsound(c, key, inner, "is there twice");
		seen |= UINT64_C(1) << (f - fields);
		check_node(c, pair->value, inner, &f->value);
	}
	check_missing(c, node, path, fields, seen);
}

static bool check_plain(struct check *c, int id, const yaml_node_t *node,
			const char *path)
{
	if (c->seen[id - 1]) {
		unsound(c, node, path, "aliases are not used here");
		return false;
	}
	c->seen[id - 1] = true;
	if (yaml_doc_is_tagged(node)) {
		unsound(c, node, path, "tags are not used here");
		return false;
	}
	return true;
}

static void check_node(struct check *c, int id, const char *path,
		       const cyaml_schema_value_t *schema)
{
	const yaml_node_t *node = yaml_document_get_node(c->document, id);

	if (!check_plain(c, id, node, path))
		return;
	switch (schema->type) {
	case CYAML_STRING:
		if (node->type == YAML_SCALAR_NODE)
			check_scalar(c, node, path, schema);
		else
			unsound(c, node, path, "must be a text");
		break;
	case CYAML_SEQUENCE:
		if (node->type == YAML_SEQUENCE_NODE)
			check_sequence(c, node, path, schema);
		else
			unsound(c, node, path, "must be a list");
		break;
	case CYAML_MAPPING:
		if (node->type == YAML_MAPPING_NODE)
			check_mapping(c, node, path, schema);
		else
			unsound(c, node, path, "must be a map");
		break;
	default: unsound(c, node, path, "has a type that is not known here");
	}
}

/* --- reading ------------------------------------------------------------- */

enum sg_err yaml_text_read(struct span text, const char *name,
			   const cyaml_schema_value_t *schema,
			   struct yaml_text **out, struct faults *faults)
{
	struct check c = {.name = name, .faults = faults, .sound = true};
	struct yaml_text *y = calloc(1, sizeof(*y));
	enum sg_err err;

	*out = NULL;
	if (y == NULL)
		return SG_NO_MEMORY;
	err = yaml_doc_parse(text, name, &y->document, faults);
	if (err != SG_OK)
		goto fail_parse;
	c.document = &y->document;
	c.seen = calloc(
		(size_t)(y->document.nodes.top - y->document.nodes.start),
		sizeof(c.seen[0]));
	if (c.seen == NULL) {
		err = SG_NO_MEMORY;
		goto fail_seen;
	}
	check_node(&c, 1, "", schema);
	free(c.seen);
	if (!c.sound) {
		err = SG_CONFIG;
		goto fail_seen;
	}
	*out = y;
	return SG_OK;
fail_seen:
	yaml_document_delete(&y->document);
fail_parse:
	free(y);
	return err;
}

void yaml_text_free(struct yaml_text *y)
{
	if (y == NULL)
		return;
	yaml_document_delete(&y->document);
	free(y);
}

/* --- places -------------------------------------------------------------- */

/* The child of NODE that *PATH names first; 0 if it has none. */
static int step(yaml_document_t *document, const yaml_node_t *node,
		const char **path)
{
	const char *p = *path;
	size_t n;

	if (*p == '[') {
		char *end;
		const size_t index = strtoul(p + 1, &end, 10);

		assert(*end == ']');
		*path = end + 1;
		return yaml_doc_item(node, index);
	}
	if (*p == '.')
		p++;
	n = strcspn(p, ".[");
	*path = p + n;
	return yaml_doc_value(document, node, span_of(p, n));
}

unsigned yaml_text_line(const struct yaml_text *y, const char *path)
{
	/* libyaml takes no const document, and changes nothing. */
	yaml_document_t document = y->document;
	const yaml_node_t *node = yaml_document_get_root_node(&document);
	int id;

	while (*path != '\0') {
		id = step(&document, node, &path);
		if (id == 0)
			break;
		node = yaml_document_get_node(&document, id);
	}
	return yaml_doc_line(node);
}
