/* SPDX-License-Identifier: Apache-2.0 */
#include "yamltree.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PATH_TEXT = 256,
	FAULT_TEXT = 768,
	SHOWN_TEXT = 128, /* of a key that is not ours */
	KNOWN_TEXT = 512, /* of the keys that are */
	KEYS_MAX = 256	  /* of a mapping, far beyond what any table has */
};

/* --- the document --------------------------------------------------------- */

static unsigned line_of(const yaml_node_t *n)
{
	return (unsigned)n->start_mark.line + 1;
}

static bool is_tagged(const yaml_node_t *n)
{
	static const char *const implied[] = {
		[YAML_NO_NODE] = "",
		[YAML_SCALAR_NODE] = YAML_DEFAULT_SCALAR_TAG,
		[YAML_SEQUENCE_NODE] = YAML_DEFAULT_SEQUENCE_TAG,
		[YAML_MAPPING_NODE] = YAML_DEFAULT_MAPPING_TAG,
	};

	return n->tag != NULL &&
	       strcmp((const char *)n->tag, implied[n->type]) != 0;
}

static struct span scalar(const yaml_node_t *n)
{
	return span_of(n->data.scalar.value, n->data.scalar.length);
}

/* Is TEXT without control characters, beside line breaks where LINES? */
static bool is_clean(struct span text, bool lines)
{
	for (size_t i = 0; i < text.n; i++)
		if ((text.p[i] < 0x20 &&
		     !(lines && (text.p[i] == '\n' || text.p[i] == '\t'))) ||
		    text.p[i] == 0x7F)
			return false;
	return true;
}

static size_t count_of(const yaml_node_t *n)
{
	return (size_t)(n->data.sequence.items.top -
			n->data.sequence.items.start);
}

/* The child's number in the document; 0 if there is none. */
static int child_of_key(yaml_document_t *d, const yaml_node_t *n,
			struct span key)
{
	if (n->type != YAML_MAPPING_NODE)
		return 0;
	for (const yaml_node_pair_t *p = n->data.mapping.pairs.start;
	     p < n->data.mapping.pairs.top; p++) {
		const yaml_node_t *k = yaml_document_get_node(d, p->key);

		if (k->type == YAML_SCALAR_NODE && span_eq(scalar(k), key))
			return p->value;
	}
	return 0;
}

static int child_of_index(const yaml_node_t *n, size_t i)
{
	if (n->type != YAML_SEQUENCE_NODE || i >= count_of(n))
		return 0;
	return n->data.sequence.items.start[i];
}

static enum sg_err parse_error(const yaml_parser_t *parser, const char *name,
			       struct faults *faults)
{
	/* The reader's errors have an offset in place of a mark. */
	const bool marked = parser->error != YAML_READER_ERROR;
	const unsigned line =
		marked ? (unsigned)parser->problem_mark.line + 1 : 0;

	if (parser->error == YAML_MEMORY_ERROR)
		return SG_NO_MEMORY;
	faults_add(faults, name, line, "not YAML: %s",
		   parser->problem != NULL ? parser->problem : "no reason");
	return SG_CONFIG;
}

/* Is there nothing behind the first document? */
static enum sg_err parse_end(yaml_parser_t *parser, const char *name,
			     struct faults *faults)
{
	yaml_document_t document;
	const yaml_node_t *root;
	unsigned line;

	if (yaml_parser_load(parser, &document) == 0)
		return parse_error(parser, name, faults);
	root = yaml_document_get_root_node(&document);
	line = root != NULL ? line_of(root) : 0;
	yaml_document_delete(&document);
	if (root == NULL)
		return SG_OK;
	faults_add(faults, name, line, "more than one document");
	return SG_CONFIG;
}

static enum sg_err parse(struct span text, const char *name,
			 yaml_document_t *out, struct faults *faults)
{
	yaml_parser_t parser;
	enum sg_err err;

	if (yaml_parser_initialize(&parser) == 0)
		return SG_NO_MEMORY;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&parser, text.n > 0 ? text.p : (const uint8_t *)"", text.n);
	if (yaml_parser_load(&parser, out) == 0) {
		err = parse_error(&parser, name, faults);
		goto out;
	}
	if (yaml_document_get_root_node(out) == NULL) {
		faults_add(faults, name, 0, "is empty");
		err = SG_CONFIG;
	} else {
		err = parse_end(&parser, name, faults);
	}
	if (err != SG_OK)
		yaml_document_delete(out);
out:
	yaml_parser_delete(&parser);
	return err;
}

/* Each node of a document without aliases is met just once. */
struct check {
	struct yaml_tree *tree;
	bool *seen;
	enum sg_err err;
};

static void refuse_node(struct check *c, const yaml_node_t *n, const char *why)
{
	faults_add(c->tree->faults, c->tree->name, line_of(n), "%s", why);
	c->err = SG_CONFIG;
}

static void meet(struct check *c, int id)
{
	if (c->seen[id - 1])
		refuse_node(c, yaml_document_get_node(&c->tree->document, id),
			    "aliases are not used here");
	c->seen[id - 1] = true;
}

static void meet_children(struct check *c, const yaml_node_t *n)
{
	if (n->type == YAML_SEQUENCE_NODE)
		for (size_t i = 0; i < count_of(n); i++)
			meet(c, n->data.sequence.items.start[i]);
	if (n->type == YAML_MAPPING_NODE)
		for (const yaml_node_pair_t *p = n->data.mapping.pairs.start;
		     p < n->data.mapping.pairs.top; p++) {
			meet(c, p->key);
			meet(c, p->value);
		}
}

/* Nothing of YAML that makes a small text large, or a text something else. */
static enum sg_err check_nodes(struct yaml_tree *t)
{
	const size_t n =
		(size_t)(t->document.nodes.top - t->document.nodes.start);
	struct check c = {.tree = t, .seen = calloc(n, sizeof(bool))};

	if (c.seen == NULL)
		return SG_NO_MEMORY;
	meet(&c, 1); /* the root */
	for (const yaml_node_t *node = t->document.nodes.start;
	     node < t->document.nodes.top; node++) {
		if (is_tagged(node))
			refuse_node(&c, node, "tags are not used here");
		meet_children(&c, node);
	}
	free(c.seen);
	return c.err;
}

enum sg_err yaml_tree_load(struct yaml_tree *t, struct span text,
			   const char *name, const char *base,
			   struct faults *faults)
{
	enum sg_err e;

	*t = (struct yaml_tree){.name = name, .base = base, .faults = faults};
	e = parse(text, name, &t->document, faults);
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
		child.node = node_of(at, child_of_key(&at->tree->document,
						      at->node, span_str(key)));
	return child;
}

struct yaml_at yaml_item(const struct yaml_at *at, size_t i)
{
	struct yaml_at item = {.tree = at->tree, .up = at, .index = i};

	if (at->node != NULL)
		item.node = node_of(at, child_of_index(at->node, i));
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
		   near->node != NULL ? line_of(near->node) : 0, "%s%s%s", path,
		   path[0] != '\0' ? ": " : "", text);
}

static bool take_text(const struct yaml_at *at, bool lines, struct span *out)
{
	struct span s;

	if (at->node == NULL || at->node->type != YAML_SCALAR_NODE) {
		yaml_fault(at, "must be a single value");
		return false;
	}
	s = scalar(at->node);
	if (s.n == 0) {
		yaml_fault(at, "has no value");
		return false;
	}
	if (!is_clean(s, lines)) {
		yaml_fault(at, "has a control character in it");
		return false;
	}
	*out = s;
	return true;
}

bool yaml_text(const struct yaml_at *at, struct span *out)
{
	return take_text(at, false, out);
}

bool yaml_lines(const struct yaml_at *at, struct span *out)
{
	return take_text(at, true, out);
}

bool yaml_is_empty_list(const struct yaml_at *at)
{
	return at->node != NULL && at->node->type == YAML_SEQUENCE_NODE &&
	       count_of(at->node) == 0;
}

size_t yaml_list(const struct yaml_at *at, size_t max)
{
	size_t n;

	if (at->node == NULL || at->node->type != YAML_SEQUENCE_NODE) {
		yaml_fault(at, "must be a list");
		return 0;
	}
	n = count_of(at->node);
	if (n > 0 && n <= max)
		return n;
	if (n == 0) {
		yaml_fault(at, "must not be empty");
		return 0;
	}
	yaml_fault(at, "has %zu items, at most %zu are allowed", n, max);
	return max;
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

		if (k->type == YAML_SCALAR_NODE && span_eq(scalar(k), key))
			return true;
	}
	return false;
}

/* A key's fault is at the key's line, which is not the value's where that is
 * a mapping or a list. */
static void key_fault(const struct yaml_at *at, yaml_node_t *key,
		      const char *what, const char *known)
{
	const struct yaml_at here = {.tree = at->tree,
				     .node = key,
				     .up = at->up,
				     .key = at->key,
				     .index = at->index};

	if (key->type == YAML_SCALAR_NODE)
		yaml_fault(&here, "%s \"%.*s\"%s%s%s", what,
			   key->data.scalar.length < SHOWN_TEXT
				   ? (int)key->data.scalar.length
				   : SHOWN_TEXT,
			   (const char *)key->data.scalar.value,
			   known != NULL ? " (known: " : "",
			   known != NULL ? known : "",
			   known != NULL ? ")" : "");
	else
		yaml_fault(&here, "a key must be a single word");
}

/* An unknown key hides no other fault, so it is told apart from them. */
static void unknown_key(const struct yaml_at *at, yaml_node_t *key,
			const struct yaml_field *fields, size_t n)
{
	char what[KNOWN_TEXT];
	size_t len = 0;

	what[0] = '\0';
	for (size_t i = 0; i < n && len < sizeof(what); i++)
		len += (size_t)snprintf(what + len, sizeof(what) - len, "%s%s",
					i > 0 ? ", " : "", fields[i].key);
	key_fault(at, key, "unknown key", what);
	if (key->type == YAML_SCALAR_NODE)
		at->tree->unknown_keys++;
}

static void check_keys(const struct yaml_at *at,
		       const struct yaml_field *fields, size_t n)
{
	for (const yaml_node_pair_t *p = at->node->data.mapping.pairs.start;
	     p < at->node->data.mapping.pairs.top; p++) {
		yaml_node_t *k = node_of(at, p->key);

		if (k->type != YAML_SCALAR_NODE ||
		    !is_known(scalar(k), fields, n))
			unknown_key(at, k, fields, n);
		else if (is_repeated(at, p, scalar(k)))
			key_fault(at, k, "repeated key", NULL);
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

/* --- places --------------------------------------------------------------- */

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
		return child_of_index(node, index);
	}
	if (*p == '.')
		p++;
	n = strcspn(p, ".[");
	*path = p + n;
	return child_of_key(document, node, span_of(p, n));
}

unsigned yaml_line(const struct yaml_tree *t, const char *path)
{
	/* libyaml takes no const document, and changes nothing. */
	yaml_document_t document = t->document;
	const yaml_node_t *node = yaml_document_get_root_node(&document);
	int id;

	while (*path != '\0') {
		id = step(&document, node, &path);
		if (id == 0)
			break;
		node = yaml_document_get_node(&document, id);
	}
	return line_of(node);
}
