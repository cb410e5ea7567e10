/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index in RocksDB that something has damaged.  Changes to its files: which
 * one, where, and by what bytes (a chunk), or that it is cut or gone.  A start
 * on it finds what was there or refuses it, and after one that refuses it
 * another one can begin anew.
 */
#include <dirent.h>
#include <stdlib.h>

#include "../files.h"
#include "base/log.h"
#include "core/index.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ITEMS = 40, CHANGE_BYTES = 4, NAMES_MAX = 32, NAME_MAX_BYTES = 64 };

enum change { WRITE, CUT, REMOVE, CHANGES };

struct kept {
	size_t n;
	struct {
		char name[NAME_MAX_BYTES];
		size_t size;
		uint8_t *bytes;
	} file[NAMES_MAX];
};

static struct kept good;

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void item(unsigned i, struct index_item *out)
{
	memset(out->uvci, (int)i + 1, sizeof(out->uvci));
	out->offset = (uint64_t)i * 1000;
}

/* --- a good one, of which each input gets a copy ---------------------------
 */

static void keep(const char *name)
{
	char path[FILES_PATH];
	char at[NAME_MAX_BYTES + 8];
	struct stat st;
	FILE *f;

	(void)snprintf(at, sizeof(at), "index/%.60s", name);
	f = fopen(files_path(at, path), "rb");
	must(f != NULL && fstat(fileno(f), &st) == 0 && good.n < NAMES_MAX);
	(void)snprintf(good.file[good.n].name, NAME_MAX_BYTES, "%.60s", name);
	good.file[good.n].size = (size_t)st.st_size;
	good.file[good.n].bytes = malloc((size_t)st.st_size + 1);
	must(good.file[good.n].bytes != NULL &&
	     fread(good.file[good.n].bytes, 1, (size_t)st.st_size, f) ==
		     (size_t)st.st_size);
	(void)fclose(f);
	good.n++;
}

static int is_file(const struct dirent *e)
{
	return e->d_name[0] != '.' && strcmp(e->d_name, "LOCK") != 0 &&
	       strncmp(e->d_name, "LOG", 3) != 0;
}

static void make_good(void)
{
	struct index_item items[ITEMS];
	struct dirent **entry;
	char path[FILES_PATH];
	struct index *x;
	int n;

	for (unsigned i = 0; i < ITEMS; i++)
		item(i, &items[i]);
	(void)files_path("index", path);
	for (int i = 0; i < 2; i++) { /* two tables */
		must(index_open(path, &x) == SG_OK);
		must(index_put(x, items + i * (ITEMS / 2), ITEMS / 2,
			       (uint64_t)(i + 1) * 1000) == SG_OK);
		must(index_flush(x) == SG_OK);
		index_close(x);
	}
	n = scandir(path, &entry, is_file, alphasort);
	must(n > 0);
	for (int i = 0; i < n; i++) {
		keep(entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
}

static void copy_good(void)
{
	char name[NAME_MAX_BYTES + 8];

	files_folder("index");
	for (size_t i = 0; i < good.n; i++) {
		(void)snprintf(name, sizeof(name), "index/%s",
			       good.file[i].name);
		files_put(name, span_of(good.file[i].bytes, good.file[i].size));
	}
}

/* --- damage --------------------------------------------------------------- */

static void write_at(const char *path, size_t at, struct span bytes)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	must(pwrite(fd, bytes.p, bytes.n, (off_t)at) == (ssize_t)bytes.n);
	(void)close(fd);
}

static bool damage(struct span in)
{
	bool any = false;

	while (in.n >= CHANGE_BYTES) {
		const unsigned what = in.p[0] % CHANGES;
		const size_t which = in.p[1] % good.n;
		const size_t at = (size_t)(in.p[2] | in.p[3] << 8) %
				  (good.file[which].size + 1);
		char name[NAME_MAX_BYTES + 8];
		char path[FILES_PATH];

		(void)snprintf(name, sizeof(name), "index/%s",
			       good.file[which].name);
		(void)files_path(name, path);
		in = span_of(in.p + CHANGE_BYTES, in.n - CHANGE_BYTES);
		any = true;
		if (what == WRITE)
			write_at(path, at, files_chunk(&in));
		else if (what == CUT)
			(void)!truncate(path, (off_t)at);
		else
			(void)unlink(path);
	}
	return any;
}

/* --- a start -------------------------------------------------------------- */

/* Is what it has what was put there? */
static void look(struct index *x, bool sound)
{
	struct index_item want;
	uint64_t offset;

	must(!sound || index_watermark(x) == 2000);
	for (unsigned i = 0; i < ITEMS; i += 3) {
		const enum sg_err err =
			(item(i, &want), index_get(x, want.uvci, &offset));

		must(err == SG_OK || !sound);
		must(!sound || offset == want.offset);
	}
	item(ITEMS, &want);
	must(index_get(x, want.uvci, &offset) != SG_OK || !sound);
}

static void begin_anew(const char *path)
{
	struct index_item one;
	struct index *x;
	uint64_t offset;

	must(index_destroy(path) == SG_OK);
	must(index_open(path, &x) == SG_OK);
	item(1, &one);
	index_decision(1, one.uvci);
	must(index_get(x, one.uvci, &offset) == SG_NOT_FOUND);
	index_policy((const uint8_t *)"a policy's hash, of 32 bytes ...",
		     one.uvci);
	must(index_get(x, one.uvci, &offset) == SG_NOT_FOUND);
	item(1, &one);
	must(index_watermark(x) == 0 &&
	     index_get(x, one.uvci, &offset) == SG_NOT_FOUND);
	must(index_put(x, &one, 1, 7) == SG_OK && index_flush(x) == SG_OK);
	must(index_get(x, one.uvci, &offset) == SG_OK && offset == one.offset);
	index_close(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[FILES_PATH];
	struct index *x;
	bool sound;

	log_limit((enum log_level) - 1);
	files_begin();
	if (good.n == 0) {
		make_good();
		files_begin();
	}
	(void)files_path("index", path);
	copy_good();
	sound = !damage(span_of(data, size));
	if (index_open(path, &x) == SG_OK) {
		look(x, sound);
		index_close(x);
	} else {
		must(!sound);
	}
	if (size % 4 == 0)
		begin_anew(path);
	return 0;
}
