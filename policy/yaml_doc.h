/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_YAML_DOC_H
#define SG_YAML_DOC_H

#include <yaml.h>

#include "base/err.h"
#include "base/faults.h"
#include "base/span.h"

/*
 * yaml_doc: a YAML text as libyaml's document, whose every node knows its line:
 * what the readers of policy.yaml and of signerd.yaml stand on.
 */

/*
 * Parse TEXT, called NAME in the faults: UTF-8, just one document, not empty.
 * Owns: *OUT is the caller's; yaml_document_delete().
 * Errors: SG_CONFIG, FAULTS say why; SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err yaml_doc_parse(struct span text, const char *name,
				       yaml_document_t *out,
				       struct faults *faults);

/* From 1. */
unsigned yaml_doc_line(const yaml_node_t *n);
/* Was N given a tag that is not what a node of its type has anyway? */
bool yaml_doc_is_tagged(const yaml_node_t *n);
/* The text of the scalar N.  Lies in the document. */
struct span yaml_doc_scalar(const yaml_node_t *n);
/* No control character is in TEXT. */
bool yaml_doc_is_clean(struct span text);
/* How many items the list N has. */
size_t yaml_doc_items(const yaml_node_t *n);

/* The number in D of the value of KEY in N, and of item I of N; 0 where N is no
 * mapping or no list, or has none. */
int yaml_doc_value(yaml_document_t *d, const yaml_node_t *n, struct span key);
int yaml_doc_item(const yaml_node_t *n, size_t i);

#endif /* SG_YAML_DOC_H */
