/* SPDX-License-Identifier: Apache-2.0 */
#include "yamltree.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/yaml_doc.h"

enum {
	PATH_TEXT = 256,
	FAULT_TEXT = 512,
	KEYS_MAX = 256 /* of a mapping, far beyond what any table has */
};

static enum sg_err check_nodes(struct yaml_tree *t)
{
	enum sg_err e = SG_OK;

	for (int i = 1;; i++) {
		const yaml_node_t *n = yaml_document_get_node(&t->document, i);

		if (n == NULL)
			return e;
		if (!yaml_doc_is_tagged(n))
			continue;
		faults_add(t->faults, t->name, yaml_doc_line(n),
			   "tags are not known here");
		e = SG_CONFIG;
	}
}

enum sg_err yaml_tree_load(struct yaml_tree *t, struct span text,
			   const char *name, const char *base,
			   struct faults *faults)
{
	enum sg_err e;

	*t = (struct yaml_tree){.name = name, .base = base, .faults = faults};
	e = yaml_doc_parse(text, name, &t->document, faults);
	if (e != SG_OK)
		return e;
	e = check_nodes(t);
	if (e != SG_OK)
		yaml_tree_free(t);
	return e;
}

void yaml_tree_free(struct yaml_tree *t)
{
	yaml_document_delete(&t->document);
}

struct yaml_at yaml_root(struct yaml_tree *t)
{
	return (struct yaml_at){
		.tree = t, .node = yaml_document_get_root_node(&t->document)};
}

static yaml_node_t *node_of(const struct yaml_at *at, int index)
{
	return yaml_document_get_node(&at->tree->document, index);
}

struct yaml_at yaml_child(const struct yaml_at *at, const char *key)
{
	struct yaml_at child = {.tree = at->tree, .up = at, .key = key};

	/* Node 0 is none. */
	if (at->node != NULL)
		child.node =
			node_of(at, yaml_doc_value(&at->tree->document,
						   at->node, span_str(key)));
	return child;
}

struct yaml_at yaml_item(const struct yaml_at *at, size_t i)
{
	struct yaml_at item = {.tree = at->tree, .up = at, .index = i};

	if (at->node != NULL)
		item.node = node_of(at, yaml_doc_item(at->node, i));
	return item;
}

/* "keys[0].uri" */
static size_t path_text(const struct yaml_at *at, char *out, size_t cap)
{
	size_t n = 0;
	int k;

	if (at->up == NULL) {
		out[0] = '\0';
		return 0;
	}
	n = path_text(at->up, out, cap);
	if (at->key == NULL)
		k = snprintf(out + n, cap - n, "[%zu]", at->index);
	else
		k = snprintf(out + n, cap - n, "%s%s", n > 0 ? "." : "",
			     at->key);
	if (k < 0)
		return n;
	return n + (size_t)k < cap ? n + (size_t)k : cap - 1;
}

void yaml_fault(const struct yaml_at *at, const char *fmt, ...)
{
	const struct yaml_at *near = at;
	char path[PATH_TEXT];
	char text[FAULT_TEXT];
	va_list ap;

	while (near->node == NULL && near->up != NULL)
		near = near->up;
	(void)path_text(at, path, sizeof(path));
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	faults_add(at->tree->faults, at->tree->name,
		   near->node != NULL ? yaml_doc_line(near->node) : 0, "%s%s%s",
		   path, path[0] != '\0' ? ": " : "", text);
}

bool yaml_text(const struct yaml_at *at, struct span *out)
{
	struct span s;

	if (at->node == NULL || at->node->type != YAML_SCALAR_NODE) {
		yaml_fault(at, "must be a single value");
		return false;
	}
	s = yaml_doc_scalar(at->node);
	if (s.n == 0) {
		yaml_fault(at, "has no value");
		return false;
	}
	if (!yaml_doc_is_clean(s)) {
		yaml_fault(at, "has a control character in it");
		return false;
	}
	*out = s;
	return true;
}

size_t yaml_list(const struct yaml_at *at, size_t max)
{
	size_t n;

	if (at->node == NULL || at->node->type != YAML_SEQUENCE_NODE) {
		yaml_fault(at, "must be a list");
		return 0;
	}
	n = yaml_doc_items(at->node);
	if (n > 0 && n <= max)
		return n;
	if (n == 0)
		yaml_fault(at, "must not be empty");
	else
		yaml_fault(at, "has %zu items, at most %zu are allowed", n,
			   max);
	return 0;
}

static bool is_known(struct span key, const struct yaml_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_is(key, fields[i].key))
			return true;
	return false;
}

static bool is_repeated(const struct yaml_at *at, const yaml_node_pair_t *pair,
			struct span key)
{
	for (const yaml_node_pair_t *p = at->node->data.mapping.pairs.start;
	     p < pair; p++) {
		const yaml_node_t *k = node_of(at, p->key);

		if (k->type == YAML_SCALAR_NODE &&
		    span_eq(yaml_doc_scalar(k), key))
			return true;
	}
	return false;
}

/* A key's fault is at the key's line, which is not the value's where that is
 * a mapping or a list. */
static void key_fault(const struct yaml_at *at, yaml_node_t *key,
		      const char *what)
{
	const struct yaml_at here = {.tree = at->tree,
				     .node = key,
				     .up = at->up,
				     .key = at->key,
				     .index = at->index};

	if (key->type == YAML_SCALAR_NODE)
		yaml_fault(&here, "%s \"%.*s\"", what,
			   key->data.scalar.length < PATH_TEXT
				   ? (int)key->data.scalar.length
				   : PATH_TEXT,
			   (const char *)key->data.scalar.value);
	else
		yaml_fault(&here, "a key must be a single word");
}

static void check_keys(const struct yaml_at *at,
		       const struct yaml_field *fields, size_t n)
{
	for (const yaml_node_pair_t *p = at->node->data.mapping.pairs.start;
	     p < at->node->data.mapping.pairs.top; p++) {
		yaml_node_t *k = node_of(at, p->key);

		if (k->type != YAML_SCALAR_NODE ||
		    !is_known(yaml_doc_scalar(k), fields, n))
			key_fault(at, k, "unknown key");
		else if (is_repeated(at, p, yaml_doc_scalar(k)))
			key_fault(at, k, "repeated key");
	}
}

void yaml_fields(const struct yaml_at *at, const struct yaml_field *fields,
		 size_t n, void *out)
{
	if (at->node == NULL || at->node->type != YAML_MAPPING_NODE) {
		yaml_fault(at, "must be a mapping of keys to values");
		return;
	}
	if (at->node->data.mapping.pairs.top -
		    at->node->data.mapping.pairs.start >
	    KEYS_MAX) {
		yaml_fault(at, "has too many keys");
		return;
	}
	check_keys(at, fields, n);
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at child = yaml_child(at, fields[i].key);

		if (yaml_present(&child))
			fields[i].read(&child, (char *)out + fields[i].offset,
				       &fields[i]);
		else if (!fields[i].optional)
			yaml_fault(&child, "is missing");
	}
}
