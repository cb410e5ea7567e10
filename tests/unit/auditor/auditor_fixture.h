/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_AUDITOR_FIXTURE_H
#define SG_AUDITOR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fileio.h"
#include "tests/ledger/log_maker.h"
#include "tools/auditor/auditor.h"

/* auditor_fixture: logs in temporary directories, and commands run on them. */

#define ORIGIN "log.test/one"

extern const struct command AUDIT_VERIFY_COMMAND;
extern const struct command AUDIT_MIRROR_COMMAND;
extern const struct command AUDIT_PROVE_COMMAND;
extern const struct command AUDIT_RECEIPT_COMMAND;

struct fixture {
	char dir[64];
	char vkey[NOTE_VKEY_MAX];
	EVP_PKEY *key;
};

static inline void make_dir(char out[64])
{
	(void)snprintf(out, 64, "/tmp/auditor-test-XXXXXX");
	assert_non_null(mkdtemp(out));
}

static inline int remove_one(const char *path, const struct stat *st, int flag,
			     struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void remove_dir(const char *dir)
{
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A log of SIZES (0 ends them), a checkpoint at each. */
static inline void make_log_in(struct fixture *f, const uint64_t *sizes,
			       uint64_t seed)
{
	struct log_maker l;

	assert_int_equal(log_maker_open(&l, f->dir, ORIGIN, f->key, 0), SG_OK);
	l.seed = seed;
	for (; *sizes > 0; sizes++) {
		assert_int_equal(log_maker_grow(&l, *sizes), SG_OK);
		assert_int_equal(log_maker_publish(&l), SG_OK);
	}
	if (f->key == NULL) {
		f->key = l.key;
		assert_int_equal(EVP_PKEY_up_ref(f->key), 1);
	}
	note_key_text(&l.note_key, f->vkey);
	log_maker_close(&l);
}

static inline void make_log(struct fixture *f, const uint64_t *sizes)
{
	*f = (struct fixture){0};
	make_dir(f->dir);
	make_log_in(f, sizes, 0);
}

/* Go on with it. */
static inline void grow_log(struct fixture *f, uint64_t from, uint64_t to,
			    uint64_t seed)
{
	struct log_maker l;

	assert_int_equal(log_maker_open(&l, f->dir, ORIGIN, f->key, from),
			 SG_OK);
	l.seed = seed;
	assert_int_equal(log_maker_grow(&l, to), SG_OK);
	assert_int_equal(log_maker_publish(&l), SG_OK);
	log_maker_close(&l);
}

static inline void drop_log(struct fixture *f)
{
	remove_dir(f->dir);
	EVP_PKEY_free(f->key);
}

/* Run C on the words ARGV (NULL ends them), its standard output as JSON in
 * *OUT (may be NULL); returns its exit status. */
static inline int run_command(const struct command *c, const char *const *argv,
			      json_t **out)
{
	FILE *to = tmpfile();
	const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	const int saved[2] = {dup(1), dup(2)};
	char *words[24];
	struct args args;
	int argc = 0;
	int status;

	assert_non_null(to);
	for (; argv[argc] != NULL; argc++)
		words[argc] = strdup(argv[argc]);
	assert_int_equal(
		args_parse(c->options, c->noptions, argc, words, &args), SG_OK);
	(void)fflush(NULL);
	(void)dup2(fileno(to), 1);
	if (getenv("AUDITOR_TEST_LOUD") == NULL)
		(void)dup2(nowhere, 2);
	status = c->run(&args);
	(void)fflush(NULL);
	(void)dup2(saved[0], 1);
	(void)dup2(saved[1], 2);
	(void)close(saved[0]);
	(void)close(saved[1]);
	(void)close(nowhere);
	if (out != NULL) {
		rewind(to);
		*out = json_loadf(to, 0, NULL);
	}
	(void)fclose(to);
	while (argc > 0)
		free(words[--argc]);
	return status;
}

/* Its findings have one of CODE; where NAME is "entry" or "tile", at there. */
static inline const json_t *find(const json_t *result, const char *code)
{
	const json_t *x;
	size_t i;

	json_array_foreach(json_object_get(result, "findings"), i, x)
	{
		if (strcmp(json_string_value(json_object_get(x, "code")),
			   code) == 0)
			return x;
	}
	return NULL;
}

static inline void path_in(const char *dir, const char *name, char out[256])
{
	(void)snprintf(out, 256, "%.120s/%.120s", dir, name);
}

static inline size_t file_bytes(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

/* Turn the bits of MASK at AT of PATH. */
static inline void flip(const char *path, size_t at, uint8_t mask)
{
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
	byte ^= mask;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	(void)close(fd);
}

#endif /* SG_AUDITOR_FIXTURE_H */
