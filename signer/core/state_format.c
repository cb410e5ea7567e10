/* SPDX-License-Identifier: Apache-2.0 */
#include "state_format.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fileio.h"
#include "base/log.h"

enum { FILE_MAX = 64, FILE_MODE = 0600, PATH_BYTES = 1088 };

static const char BEGIN[] = "signerd state ";

static enum sg_err write_format(const char *path)
{
	char text[FILE_MAX];
	const int n =
		snprintf(text, sizeof(text), "%s%d\n", BEGIN, STATE_FORMAT);
	const enum sg_err err = fileio_replace(
		path, span_of((const uint8_t *)text, (size_t)n), FILE_MODE);

	if (err != SG_OK)
		log_event(LOG_ERROR, "state-format-failed",
			  "file=\"%s\" reason=\"%s\"", path,
			  strerrordesc_np(errno));
	return err;
}

/* 0: TEXT is no format file. */
static unsigned version_of(struct span text)
{
	const size_t begin = sizeof(BEGIN) - 1;
	unsigned version = 0;

	/* At most six digits, no zero before others. */
	if (text.n < begin + 2 || text.n > begin + 7 ||
	    memcmp(text.p, BEGIN, begin) != 0 || text.p[text.n - 1] != '\n' ||
	    text.p[begin] == '0')
		return 0;
	for (size_t i = begin; i < text.n - 1; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return 0;
		version = version * 10 + (unsigned)(text.p[i] - '0');
	}
	return version;
}

static enum sg_err refuse(const char *path, unsigned version)
{
	if (version == 0)
		log_event(LOG_ERROR, "ledger-refused",
			  "file=\"%s\" reason=\"it does not tell the version "
			  "of the state directory: see tools/docs/upgrade.md\"",
			  path);
	else
		log_event(LOG_ERROR, "ledger-refused",
			  "file=\"%s\" version=%u known=%d reason=\"a newer "
			  "signerd has written the state directory: install "
			  "that one again\"",
			  path, version, STATE_FORMAT);
	return SG_LEDGER_DOWN;
}

enum sg_err state_format_check(const char *state)
{
	char path[PATH_BYTES];
	uint8_t *text = NULL;
	size_t n = 0;
	unsigned version;
	enum sg_err err;

	if (snprintf(path, sizeof(path), "%s/format", state) >=
	    (int)sizeof(path))
		return SG_IO;
	err = fileio_read(path, FILE_MAX, &text, &n);
	if (err == SG_IO && errno == ENOENT)
		return write_format(path);
	if (err == SG_TOO_BIG)
		return refuse(path, 0);
	if (err != SG_OK) {
		log_event(LOG_ERROR, "state-format-failed",
			  "file=\"%s\" reason=\"%s\"", path,
			  err == SG_IO ? strerrordesc_np(errno)
				       : err_text(err));
		return err;
	}
	version = version_of(span_of(text, n));
	free(text);
	return version >= 1 && version <= STATE_FORMAT ? SG_OK
						       : refuse(path, version);
}
