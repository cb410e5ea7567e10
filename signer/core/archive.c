/* SPDX-License-Identifier: Apache-2.0 */
#include "archive.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/hex.h"
#include "base/log.h"
#include "core.h"
#include "policy/policy_file.h"

enum {
	DIR_MODE = 0700,
	FILE_MODE = 0600,
	PATH_BYTES = CORE_PATH_MAX + 16 + HEX_TEXT(ARCHIVE_HASH_BYTES)
};

/* A new directory is durable once the one that it is in has been synced. */
static bool make_directory(const char *state, char path[PATH_BYTES])
{
	bool ok;
	int fd;

	(void)snprintf(path, PATH_BYTES, "%s/policies", state);
	if (mkdir(path, DIR_MODE) != 0)
		return errno == EEXIST;
	fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = fsync(fd) == 0;
	fileio_close(fd);
	return ok;
}

/* Does the file at PATH hold TEXT? */
static bool is_kept(const char *path, struct span text)
{
	uint8_t *found = NULL;
	size_t n = 0;
	const enum sg_err err =
		fileio_read(path, POLICY_FILE_BYTES_MAX, &found, &n);
	const bool same = err == SG_OK && span_eq(span_of(found, n), text);

	if (!same && access(path, F_OK) == 0)
		log_event(LOG_ERROR, "policy-archive-damaged",
			  "file=" LOG_Q " text=\"it is written anew\"", path);
	free(found);
	return same;
}

enum sg_err archive_read(const char *state,
			 const uint8_t hash[ARCHIVE_HASH_BYTES], uint8_t **out,
			 size_t *n)
{
	char hex[HEX_TEXT(ARCHIVE_HASH_BYTES)];
	char file[PATH_BYTES];
	uint8_t found[ARCHIVE_HASH_BYTES];
	enum sg_err err;

	(void)snprintf(file, sizeof(file), "%s/policies/%s.yaml", state,
		       hex_encode(hash, ARCHIVE_HASH_BYTES, hex));
	err = fileio_read(file, POLICY_FILE_BYTES_MAX, out, n);
	if (err != SG_OK)
		return err == SG_NO_MEMORY ? err : SG_NOT_FOUND;
	if (EVP_Digest(*out, *n, found, NULL, EVP_sha256(), NULL) == 1 &&
	    memcmp(found, hash, sizeof(found)) == 0)
		return SG_OK;
	log_event(LOG_ERROR, "policy-archive-damaged", "file=" LOG_Q, file);
	free(*out);
	*out = NULL;
	return SG_NOT_FOUND;
}

enum sg_err archive_policy(const char *state,
			   const uint8_t hash[ARCHIVE_HASH_BYTES],
			   struct span text)
{
	char hex[HEX_TEXT(ARCHIVE_HASH_BYTES)];
	char path[PATH_BYTES];
	char file[PATH_BYTES];
	enum sg_err err = SG_IO;

	if (make_directory(state, path)) {
		(void)snprintf(file, sizeof(file), "%.*s/%s.yaml",
			       CORE_PATH_MAX + 9, path,
			       hex_encode(hash, ARCHIVE_HASH_BYTES, hex));
		if (is_kept(file, text))
			return SG_OK;
		err = fileio_replace(file, text, FILE_MODE);
	}
	if (err != SG_OK)
		log_event(LOG_ERROR, "policy-unarchived",
			  "dir=" LOG_Q " errno=%d reason=\"%s\"", path, errno,
			  err_text(err));
	return err;
}
