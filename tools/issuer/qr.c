/* SPDX-License-Identifier: Apache-2.0 */
#include "hcert/qr.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "issuer.h"
#include "tools/common/input.h"
#include "tools/common/qr_text.h"

enum {
	OPT_SVG = OPT_COMMON,
	OPT_PNG,
	OPT_SCALE,
	OPT_PLAIN,
	OPT_INVERT,
	NOPTIONS
};
enum { SCALE_DEFAULT = 8 };

static const struct arg_option OPTIONS[NOPTIONS] = {
	COMMON_OPTIONS,
	[OPT_SVG] = {"svg", "FILE", NULL, "write it as SVG"},
	[OPT_PNG] = {"png", "FILE", NULL, "write it as PNG"},
	[OPT_SCALE] = {"scale", "N", NULL, "pixels of a module in the PNG (8)"},
	[OPT_PLAIN] = {"plain", NULL, NULL,
		       "no colours; for light text on a dark ground"},
	[OPT_INVERT] = {"invert", NULL, NULL,
			"with --plain: for dark text on a light ground"},
};

static enum sg_err put_svg(const struct qr *q, const char *path, char *why,
			   size_t cap)
{
	char *svg;
	size_t n;
	enum sg_err err = qr_svg(q, &svg, &n);

	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s", err_text(err));
		return err;
	}
	err = output_bytes(path, svg, n, why, cap);
	free(svg);
	return err;
}

static enum sg_err put_png(const struct qr *q, unsigned scale, const char *path,
			   char *why, size_t cap)
{
	uint8_t *png;
	size_t n;
	enum sg_err err = qr_png(q, scale, &png, &n);

	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s", err_text(err));
		return err;
	}
	err = output_bytes(path, png, n, why, cap);
	free(png);
	return err;
}

static enum sg_err put_terminal(const struct qr *q, const struct args *args,
				char *why, size_t cap)
{
	/* Escapes are for terminals: files and pipes get blocks alone. */
	enum qr_text_style style =
		isatty(STDOUT_FILENO) ? QR_TEXT_COLOUR : QR_TEXT_PLAIN;
	char *text;
	enum sg_err err;

	if (args->value[OPT_PLAIN] != NULL)
		style = args->value[OPT_INVERT] != NULL ? QR_TEXT_INVERTED
							: QR_TEXT_PLAIN;
	err = qr_text(q, style, &text);
	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s", err_text(err));
		return err;
	}
	err = output_bytes(NULL, text, strlen(text), why, cap);
	free(text);
	return err;
}

static enum sg_err put_all(const struct qr *q, const struct args *args,
			   unsigned scale, char *why, size_t cap)
{
	const char *svg = args->value[OPT_SVG];
	const char *png = args->value[OPT_PNG];
	enum sg_err err = SG_OK;

	if (svg != NULL)
		err = put_svg(q, svg, why, cap);
	if (err == SG_OK && png != NULL)
		err = put_png(q, scale, png, why, cap);
	if (err == SG_OK && args->value[OPT_JSON] != NULL)
		printf("{\"modules\": %d, \"level\": \"%c\"}\n", q->size,
		       q->level);
	else if (err == SG_OK && svg == NULL && png == NULL)
		err = put_terminal(q, args, why, cap);
	return err;
}

static int run(const struct args *args)
{
	uint64_t scale = SCALE_DEFAULT;
	char why[WHY_MAX];
	enum sg_err err;
	struct qr q;
	char *text;

	if (args->n != 1)
		return trouble("give one HC1 text or file");
	if (args->value[OPT_SCALE] != NULL &&
	    !args_number(args->value[OPT_SCALE], 1, QR_SCALE_MAX, &scale))
		return trouble("--scale: a number from 1 to 32");
	if (args->value[OPT_INVERT] != NULL && args->value[OPT_PLAIN] == NULL)
		return trouble("--invert is only for --plain");
	if (input_hc1(args->rest[0], &text, why, sizeof(why)) != SG_OK)
		return trouble(why);
	err = strncmp(text, "HC1:", 4) == 0 ? qr_make(span_str(text), &q)
					    : SG_BAD_PREFIX;
	free(text);
	if (err != SG_OK) {
		(void)fprintf(stderr, "signer-issuer: %s: %s\n", args->rest[0],
			      err == SG_BAD_PREFIX
				      ? err_text(err)
				      : "this text does not make a QR "
					"code");
		return EXIT_REFUSED;
	}
	err = put_all(&q, args, (unsigned)scale, why, sizeof(why));
	qr_free(&q);
	return err == SG_OK ? EXIT_GOOD : trouble(why);
}

const struct command QR_COMMAND = {
	.name = "qr",
	.usage = "[OPTIONS] HC1|FILE",
	.about = "show a certificate as a QR code",
	.more = "Without --svg and --png it is drawn in the terminal; into a "
		"file or pipe\nas with --plain.  FILE "
		"holds the HC1 text\nor a picture (PNG) of the QR code; - is "
		"standard input.\n",
	.options = OPTIONS,
	.noptions = NOPTIONS,
	.run = run,
};
