/* SPDX-License-Identifier: Apache-2.0 */
#include "violations.h"

struct span violations_encode(const struct verdict *v, uint8_t language,
			      uint8_t *buf, size_t cap)
{
	const enum verdict_language lang = language == WIRE_VIETNAMESE
						   ? VERDICT_VIETNAMESE
						   : VERDICT_ENGLISH;
	size_t len = 0;

	for (size_t i = 0; i < v->n; i++) {
		const struct wire_violation out = {
			.warning = v->violation[i].warning,
			.pointer = verdict_pointer(v, i),
			.code = verdict_code(v, i),
			.detail = verdict_detail(v, i, lang)};

		if (wire_violation_put(buf, cap, &len, &out) != SG_OK)
			break;
	}
	return span_of(buf, len);
}
