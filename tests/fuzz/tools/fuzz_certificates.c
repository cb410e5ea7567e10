/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates that somebody verifies by, in PEM or in DER: the input as it is,
 * as a file, and as each of the files of a directory.
 */
#include <stdlib.h>

#include "../files.h"
#include "tools/common/keyset.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WHY_BYTES = 512 };

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void load(const char *name, enum sg_err expected)
{
	struct keyset set = {0};
	char path[FILES_PATH];
	char why[WHY_BYTES] = "";
	const enum sg_err err =
		keyset_load(&set, files_path(name, path), why, sizeof(why));

	must(err == expected && (why[0] != '\0') == (err != SG_OK));
	keyset_clear(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span in = span_of(data, size);
	struct keyset set = {0};
	const enum sg_err err = keyset_add(&set, in, "a rather long name");

	must(err != SG_OK || set.n > 0);
	for (size_t i = 0; i < set.n; i++)
		must(set.key[i].name[0] != '\0');
	keyset_clear(&set);
	files_begin();
	files_folder("none");
	files_folder("some");
	files_put("some/1.pem", in);
	files_put("some/2.der", in);
	files_put("some/3.txt", SPAN_LIT("not one"));
	load("some/1.pem", err);
	load("some", err);
	load("none", SG_NOT_FOUND);
	load("nowhere", SG_IO);
	return 0;
}
