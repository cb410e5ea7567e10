/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml_doc.h"

unsigned yaml_doc_line(const yaml_node_t *n)
{
	return (unsigned)n->start_mark.line + 1;
}

bool yaml_doc_is_tagged(const yaml_node_t *n)
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

struct span yaml_doc_scalar(const yaml_node_t *n)
{
	return span_of(n->data.scalar.value, n->data.scalar.length);
}

bool yaml_doc_is_clean(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 0x20 || text.p[i] == 0x7F)
			return false;
	return true;
}

size_t yaml_doc_items(const yaml_node_t *n)
{
	return (size_t)(n->data.sequence.items.top -
			n->data.sequence.items.start);
}

int yaml_doc_value(yaml_document_t *d, const yaml_node_t *n, struct span key)
{
	if (n->type != YAML_MAPPING_NODE)
		return 0;
	for (const yaml_node_pair_t *p = n->data.mapping.pairs.start;
	     p < n->data.mapping.pairs.top; p++) {
		const yaml_node_t *k = yaml_document_get_node(d, p->key);

		if (k->type == YAML_SCALAR_NODE &&
		    span_eq(yaml_doc_scalar(k), key))
			return p->value;
	}
	return 0;
}

int yaml_doc_item(const yaml_node_t *n, size_t i)
{
	if (n->type != YAML_SEQUENCE_NODE || i >= yaml_doc_items(n))
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
	line = root != NULL ? yaml_doc_line(root) : 0;
	yaml_document_delete(&document);
	if (root == NULL)
		return SG_OK;
	faults_add(faults, name, line, "more than one document");
	return SG_CONFIG;
}

enum sg_err yaml_doc_parse(struct span text, const char *name,
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
