/* SPDX-License-Identifier: Apache-2.0 */
#include "labels.h"

static bool is_label(const struct cbor_item *item)
{
	return !item->indefinite &&
	       (item->type == CBOR_UINT || item->type == CBOR_NINT ||
		item->type == CBOR_TEXT);
}

static bool same(const struct cbor_item *a, const struct cbor_item *b)
{
	return a->type == b->type && a->arg == b->arg &&
	       span_eq(a->run, b->run);
}

enum sg_err labels_add(struct labels *set, const struct cbor_item *item)
{
	if (!is_label(item))
		return SG_MALFORMED;
	for (size_t i = 0; i < set->n; i++)
		if (same(&set->label[i], item))
			return SG_DUPLICATE_KEY;
	if (set->n == LABELS_MAX)
		return SG_MALFORMED;
	set->label[set->n++] = *item;
	return SG_OK;
}
