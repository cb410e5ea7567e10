/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TESTS_LOG_DIR_H
#define SG_TESTS_LOG_DIR_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * log_dir: a log's directory in a temporary place: two full tiles and bundles
 * less what is partial.  For tests of one file each; needs cmocka.h before it.
 */
static char log_dir[64];

/* Write N bytes as the file NAME below it; directories come by themselves. */
static inline void log_file(const char *name, const void *data, size_t n)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", log_dir, name);
	for (char *p = path + strlen(log_dir) + 1; (p = strchr(p, '/')) != NULL;
	     p++) {
		*p = '\0';
		(void)mkdir(path, 0755);
		*p = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	(void)close(fd);
}

/* Of 256 entries, the Ith of I bytes that are I; returns its length. */
static inline size_t log_bundle(uint8_t out[2 * 256 + 256 * 256])
{
	size_t n = 0;

	for (unsigned i = 0; i < 256; i++) {
		out[n] = 0;
		out[n + 1] = (uint8_t)i;
		memset(out + n + 2, (int)i, i);
		n += 2 + i;
	}
	return n;
}

static inline void log_make(void)
{
	static uint8_t bundle[2 * 256 + 256 * 256];
	uint8_t tile[8192];

	(void)snprintf(log_dir, sizeof(log_dir), "/tmp/log-dir-XXXXXX");
	assert_non_null(mkdtemp(log_dir));
	for (size_t i = 0; i < sizeof(tile); i++)
		tile[i] = (uint8_t)(i / 32);
	log_file("checkpoint", "log.example\n300\n", 16);
	log_file("vkey", "log.example+00000000+AA==\n", 26);
	log_file("tile/0/000", tile, sizeof(tile));
	log_file("tile/0/001.p/44", tile, (size_t)44 * 32);
	log_file("tile/1/000.p/1", tile, 32);
	log_file("tile/entries/000", bundle, log_bundle(bundle));
	log_file("tile/entries/001.p/44", "\0\1a", 3);
}

static inline void log_remove(void)
{
	char command[96];

	(void)snprintf(command, sizeof(command), "rm -r '%s'", log_dir);
	/* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a test's own */
	assert_int_equal(system(command), 0);
}

#endif /* SG_TESTS_LOG_DIR_H */
