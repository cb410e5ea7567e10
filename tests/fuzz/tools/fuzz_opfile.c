/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operation in a file, as officers look at it before they sign: the file,
 * that of the officers in force, and what the daemon says, a chunk each.
 */
#include <stdlib.h>

#include "../files.h"
#include "tools/officer/document.h"
#include "tools/officer/opfile.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WHY_BYTES = 512 };

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* No line of it can pass for another: it has no controls. */
static void check_text(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		must(text.p[i] >= ' ' || text.p[i] == '\n');
}

static void show(const struct opfile *f, const struct opfile_known *known)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);
	json_t *j;

	must(to != NULL);
	must(opfile_show(f, known, to) == SG_OK && fclose(to) == 0);
	check_text(span_of(text, n));
	free(text);
	/* Nothing of an operation is no JSON. */
	j = opfile_json(f, known);
	must(j != NULL);
	text = json_dumps(j, JSON_COMPACT);
	must(text != NULL);
	free(text);
	json_decref(j);
	(void)opfile_is_good(f, known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct opfile f;
	static struct in_force now;
	struct opfile_known known = {0};
	struct span in = span_of(data, size);
	char why[WHY_BYTES] = "";
	char path[FILES_PATH];
	json_t *document = NULL;

	files_begin();
	files_put("operation", files_chunk(&in));
	files_put("officers", files_chunk(&in));
	if (opfile_read(files_path("operation", path), &f, why, sizeof(why)) !=
	    SG_OK) {
		must(why[0] != '\0');
		return 0;
	}
	show(&f, &known);
	if (document_json(files_chunk(&in), &document) == SG_OK) {
		known.document = document;
		if (in_force_told(document, &now, why, sizeof(why)) == SG_OK)
			known.now = &now;
		show(&f, &known);
	}
	if (in_force_read(files_path("officers", path), &now, why,
			  sizeof(why)) == SG_OK) {
		known.now = &now;
		show(&f, &known);
	}
	json_decref(document);
	free(f.bytes);
	return 0;
}
