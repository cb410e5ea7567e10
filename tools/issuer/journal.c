/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/hex.h"
#include "lines.h"

enum {
	LONG_BYTES = 16 << 20,
	MARK_DIGEST = (JOURNAL_MARK_BYTES - 1) / 2,
	HEAD_MAX = 128
};

struct entry {
	uint64_t seq;
	char *line;
	size_t n;
};

struct journal {
	char path[PATH_MAX];
	char mark[JOURNAL_MARK_BYTES];
	FILE *file;	     /* NULL until there is something to write */
	uint64_t size, kept; /* bytes: now, and after the last renewal */
	struct entry *entry; /* from before, sorted */
	size_t n, cap, at;
};

void journal_mark(struct span record, char out[JOURNAL_MARK_BYTES])
{
	uint8_t digest[EVP_MAX_MD_SIZE] = {0};

	(void)EVP_Digest(record.p, record.n, digest, NULL, EVP_sha256(), NULL);
	(void)hex_encode(digest, MARK_DIGEST, out);
}

static int head(const struct journal *j, char out[HEAD_MAX])
{
	return snprintf(out, HEAD_MAX,
			"signer-issuer bulk: answers out of order, job %s",
			j->mark);
}

static enum sg_err keep(struct journal *j, uint64_t seq, struct span line)
{
	struct entry *e;

	if (j->n == j->cap) {
		const size_t cap = j->cap == 0 ? 1024 : j->cap * 2;
		struct entry *more = realloc(j->entry, cap * sizeof(*more));

		if (more == NULL)
			return SG_NO_MEMORY;
		j->entry = more;
		j->cap = cap;
	}
	e = &j->entry[j->n];
	*e = (struct entry){.seq = seq, .n = line.n, .line = malloc(line.n)};
	if (e->line == NULL)
		return SG_NO_MEMORY;
	memcpy(e->line, line.p, line.n);
	j->n++;
	return SG_OK;
}

/* "SEQ ANSWER" */
static bool split(struct span text, uint64_t *seq, struct span *line)
{
	size_t i = 0;

	*seq = 0;
	while (i < text.n && i < 18 && text.p[i] >= '0' && text.p[i] <= '9')
		*seq = *seq * 10 + (uint64_t)(text.p[i++] - '0');
	if (i == 0 || i + 1 >= text.n || text.p[i] != ' ')
		return false;
	*line = span_of(text.p + i + 1, text.n - i - 1);
	return true;
}

static enum sg_err load(struct journal *j, struct lines *l, uint64_t first)
{
	enum sg_err err = SG_OK;
	char want[HEAD_MAX];
	struct line line;
	struct span answer;
	uint64_t seq;

	(void)head(j, want);
	if (lines_next_wait(l, &line) != LINES_LINE ||
	    !span_is(line.text, want))
		return SG_OK;
	while (err == SG_OK && lines_next_wait(l, &line) == LINES_LINE)
		/* A line without its end was cut short. */
		if (line.ended && split(line.text, &seq, &answer) &&
		    seq >= first)
			err = keep(j, seq, answer);
	return err;
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

enum sg_err journal_open(const char *path, const char *mark, uint64_t first,
			 struct journal **out)
{
	struct journal *j = calloc(1, sizeof(*j));
	enum sg_err err = SG_OK;
	struct lines *l;
	char why[128];

	if (j == NULL)
		return SG_NO_MEMORY;
	(void)snprintf(j->path, sizeof(j->path), "%s", path);
	(void)snprintf(j->mark, sizeof(j->mark), "%s", mark);
	if (lines_open(path, &l, why, sizeof(why)) == SG_OK) {
		err = load(j, l, first);
		lines_close(l);
	}
	if (err != SG_OK) {
		journal_close(j);
		return err;
	}
	if (j->n > 0)
		qsort(j->entry, j->n, sizeof(*j->entry), compare);
	*out = j;
	return SG_OK;
}

void journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	for (size_t i = 0; i < j->n; i++)
		free(j->entry[i].line);
	free(j->entry);
	if (j->file != NULL)
		(void)fclose(j->file);
	free(j);
}

bool journal_find(struct journal *j, uint64_t seq, struct span *line)
{
	while (j->at < j->n && j->entry[j->at].seq < seq)
		j->at++;
	if (j->at == j->n || j->entry[j->at].seq != seq)
		return false;
	*line = span_of(j->entry[j->at].line, j->entry[j->at].n);
	return true;
}

static void new_path(const struct journal *j, char out[PATH_MAX])
{
	(void)snprintf(out, PATH_MAX, "%.*s.new", PATH_MAX - 8, j->path);
}

enum sg_err journal_renew(struct journal *j)
{
	char path[PATH_MAX];
	char text[HEAD_MAX];
	int fd;

	new_path(j, path);
	if (j->file != NULL)
		(void)fclose(j->file);
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	j->file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (j->file == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return SG_IO;
	}
	j->size = (uint64_t)head(j, text) + 1;
	return fprintf(j->file, "%s\n", text) < 0 ? SG_IO : SG_OK;
}

enum sg_err journal_renewed(struct journal *j)
{
	char path[PATH_MAX];

	new_path(j, path);
	j->kept = j->size;
	return fflush(j->file) == 0 && rename(path, j->path) == 0 ? SG_OK
								  : SG_IO;
}

enum sg_err journal_put(struct journal *j, uint64_t seq, struct span line)
{
	enum sg_err err = SG_OK;
	int n;

	if (j->file == NULL) {
		/* What is there is of another job, or goes in again. */
		err = journal_renew(j);
		for (size_t i = 0; i < j->n && err == SG_OK; i++)
			err = journal_put(
				j, j->entry[i].seq,
				span_of(j->entry[i].line, j->entry[i].n));
		if (err == SG_OK)
			err = journal_renewed(j);
	}
	if (err != SG_OK)
		return err;
	n = fprintf(j->file, "%" PRIu64 " ", seq);
	if (n < 0 || fwrite(line.p, 1, line.n, j->file) != line.n ||
	    fputc('\n', j->file) == EOF)
		return SG_IO;
	j->size += (uint64_t)n + line.n + 1;
	return SG_OK;
}

enum sg_err journal_flush(struct journal *j)
{
	return j->file == NULL || fflush(j->file) == 0 ? SG_OK : SG_IO;
}

bool journal_is_long(const struct journal *j)
{
	return j->size > LONG_BYTES + 2 * j->kept;
}
