/* SPDX-License-Identifier: Apache-2.0 */
#include "hush.h"

bool hush_allows(struct hush *h, uint64_t now_us, uint64_t *left_out)
{
	if (now_us - h->asked_us >= HUSH_CALM_US)
		h->lines = 0;
	h->asked_us = now_us;
	if (h->lines >= HUSH_LINES && now_us - h->let_us < HUSH_EVERY_US) {
		h->left_out++;
		return false;
	}
	if (h->lines < HUSH_LINES)
		h->lines++;
	h->let_us = now_us;
	*left_out = h->left_out;
	h->left_out = 0;
	return true;
}
