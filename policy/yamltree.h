/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_YAMLTREE_H
#define SG_YAMLTREE_H

#include <yaml.h>

#include "base/err.h"
#include "base/faults.h"
#include "base/span.h"

/*
 * yamltree: a YAML file as a tree whose every node knows its line, read by
 * tables of fields.  A fault does not stop the reading: all of them are found
 * in one go.  Values are taken as text and read strictly by their readers.
 */
struct yaml_tree {
	yaml_document_t document;
	const char *name; /* of the file, for the faults */
	const char *base; /* directory of relative paths */
	struct faults *faults;
	size_t unknown_keys; /* faults that hide no other */
	bool no_memory;	     /* a reader had none */
};

/* A node, and how it was reached.  Lives on the reader's stack. */
struct yaml_at {
	struct yaml_tree *tree;
	yaml_node_t *node; /* NULL: absent */
	const struct yaml_at *up;
	const char *key; /* NULL: an item of a list, or the root */
	size_t index;
};

/*
 * Parse TEXT: UTF-8, one document, no tags, no aliases.
 * Owns: T, on SG_OK; yaml_tree_free().  TEXT, NAME, BASE and FAULTS are
 * borrowed until then.
 * Errors: SG_CONFIG with faults added; SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err yaml_tree_load(struct yaml_tree *t, struct span text,
				       const char *name, const char *base,
				       struct faults *faults);
/* T is empty then; once more is allowed. */
void yaml_tree_free(struct yaml_tree *t);

struct yaml_at yaml_root(struct yaml_tree *t);
/* The value of KEY in the mapping AT; absent when it is not there. */
struct yaml_at yaml_child(const struct yaml_at *at, const char *key);
/* Item I of the list AT; absent beyond its end. */
struct yaml_at yaml_item(const struct yaml_at *at, size_t i);
static inline bool yaml_present(const struct yaml_at *at)
{
	return at->node != NULL;
}

/* Add the fault "NAME:LINE: PATH: ..." about AT, or about the nearest thing
 * around it that is there. */
__attribute__((format(printf, 2, 3))) void yaml_fault(const struct yaml_at *at,
						      const char *fmt, ...);

/* AT is text, not empty, without control characters: *OUT.  Else a fault. */
bool yaml_text(const struct yaml_at *at, struct span *out);
/* The same, but line breaks and tabs may be in it. */
bool yaml_lines(const struct yaml_at *at, struct span *out);
/* AT is a list of 1 to MAX items: how many.  Else a fault, and 0; of a longer
 * one MAX, so that its items are judged, too. */
size_t yaml_list(const struct yaml_at *at, size_t max);
/* Is it a list of nothing? */
bool yaml_is_empty_list(const struct yaml_at *at);

/* A field of a mapping.  READ puts the value into the struct's member at OUT +
 * OFFSET, or adds faults. */
struct yaml_field {
	const char *key;
	bool optional;
	void (*read)(const struct yaml_at *at, void *member,
		     const struct yaml_field *f);
	size_t offset;
	uint64_t min, max; /* for readers of numbers */
};

/* Read the mapping AT by a table of N fields, in the table's order.  Unknown,
 * repeated and missing keys are faults. */
void yaml_fields(const struct yaml_at *at, const struct yaml_field *fields,
		 size_t n, void *out);

/* The line, from 1, of the place at PATH ("clients[0].kinds[2]"; "" is all), or
 * of what is around it when it is not there. */
unsigned yaml_line(const struct yaml_tree *t, const char *path);

#endif /* SG_YAMLTREE_H */
