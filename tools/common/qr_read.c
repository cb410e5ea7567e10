/* SPDX-License-Identifier: Apache-2.0 */
#include "qr_read.h"

#include <stdlib.h>

bool qr_read_is_png(struct span bytes)
{
	/* PNG specification s. 5.2. */
	static const uint8_t magic[] = {0x89, 'P',  'N',  'G',
					0x0d, 0x0a, 0x1a, 0x0a};

	return bytes.n >= sizeof(magic) &&
	       memcmp(bytes.p, magic, sizeof(magic)) == 0;
}

#ifdef TOOLS_HAVE_ZBAR

#include <png.h>
#include <zbar.h>

enum { MARGIN = 16 /* pixels of white put around: some images have none */ };

struct picture {
	unsigned width, height; /* pixels, margin included */
	uint8_t *grey;		/* a byte a pixel */
};

static enum sg_err read_grey(struct span png, struct picture *out)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	const png_color white = {255, 255, 255};
	enum sg_err err = SG_MALFORMED;
	size_t pixels;

	if (!png_image_begin_read_from_memory(&image, png.p, png.n))
		return SG_MALFORMED;
	out->width = image.width + 2 * MARGIN;
	out->height = image.height + 2 * MARGIN;
	pixels = (size_t)out->width * out->height;
	if (image.width > QR_READ_PIXELS_MAX ||
	    image.height > QR_READ_PIXELS_MAX || pixels > QR_READ_PIXELS_MAX)
		goto fail_image;
	out->grey = malloc(pixels);
	if (out->grey == NULL) {
		err = SG_NO_MEMORY;
		goto fail_image;
	}
	memset(out->grey, 255, pixels);
	image.format = PNG_FORMAT_GRAY;
	if (!png_image_finish_read(&image, &white,
				   out->grey + (size_t)MARGIN * out->width +
					   MARGIN,
				   (png_int_32)out->width, NULL))
		goto fail_grey;
	return SG_OK;
fail_grey:
	free(out->grey);
fail_image:
	png_image_free(&image);
	return err;
}

/* The text of all QR symbols found, if it is one and the same. */
static enum sg_err take_text(zbar_image_t *image, char **out)
{
	const char *text = NULL;

	for (const zbar_symbol_t *s = zbar_image_first_symbol(image); s != NULL;
	     s = zbar_symbol_next(s)) {
		const char *data = zbar_symbol_get_data(s);

		if (zbar_symbol_get_type(s) != ZBAR_QRCODE)
			continue;
		if (text != NULL && strcmp(text, data) != 0)
			return SG_NOT_FOUND;
		text = data;
	}
	if (text == NULL)
		return SG_NOT_FOUND;
	*out = strdup(text);
	return *out == NULL ? SG_NO_MEMORY : SG_OK;
}

enum sg_err qr_read_png(struct span png, char **out)
{
	struct picture picture;
	zbar_image_scanner_t *scanner;
	zbar_image_t *image;
	enum sg_err err = read_grey(png, &picture);

	if (err != SG_OK)
		return err;
	err = SG_NO_MEMORY;
	scanner = zbar_image_scanner_create();
	image = zbar_image_create();
	if (scanner != NULL && image != NULL) {
		zbar_image_scanner_set_config(scanner, ZBAR_NONE,
					      ZBAR_CFG_ENABLE, 0);
		zbar_image_scanner_set_config(scanner, ZBAR_QRCODE,
					      ZBAR_CFG_ENABLE, 1);
		zbar_image_set_format(image, zbar_fourcc('Y', '8', '0', '0'));
		zbar_image_set_size(image, picture.width, picture.height);
		zbar_image_set_data(image, picture.grey,
				    (size_t)picture.width * picture.height,
				    NULL);
		err = zbar_scan_image(scanner, image) < 0
			      ? SG_NOT_FOUND
			      : take_text(image, out);
	}
	if (image != NULL)
		zbar_image_destroy(image);
	if (scanner != NULL)
		zbar_image_scanner_destroy(scanner);
	free(picture.grey);
	return err;
}

#else

enum sg_err qr_read_png(struct span png, char **out)
{
	(void)png;
	(void)out;
	return SG_BAD_MEDIA_TYPE;
}

#endif
