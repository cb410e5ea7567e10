/* SPDX-License-Identifier: Apache-2.0 */
#include "render.h"

#include <assert.h>

#include "hcert/qr.h"

enum sg_err render_qr(struct span hc1, enum media form, uint8_t **out,
		      size_t *len)
{
	char *svg = NULL;
	struct qr q;
	enum sg_err err = qr_make(hc1, &q);

	assert(form == MEDIA_SVG || form == MEDIA_PNG);
	if (err == SG_TOO_BIG)
		return SG_NOT_ACCEPTABLE;
	if (err != SG_OK)
		return err == SG_NO_MEMORY ? err : SG_INTERNAL;
	if (form == MEDIA_PNG) {
		err = qr_png(&q, RENDER_PNG_SCALE, out, len);
	} else {
		err = qr_svg(&q, &svg, len);
		if (err == SG_OK)
			*out = (uint8_t *)svg;
	}
	qr_free(&q);
	return err;
}
