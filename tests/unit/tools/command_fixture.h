/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_COMMAND_FIXTURE_H
#define TEST_COMMAND_FIXTURE_H

/* Runs a command of signer-auditor in this process. */
#include <fcntl.h>
#include <unistd.h>

#include "base/fileio.h"
#include "tools/auditor/auditor.h"

enum { COMMAND_OUTPUT_MAX = 64 << 20 };

static char command_out[] = "/tmp/command-XXXXXX";

/* The words behind the command, to a NULL.  *OUT (may be NULL) gets what it
 * prints; free().  Returns its exit status. */
static inline int command_words(const struct command *c,
				const char *const *word, char **out)
{
	static struct args args;
	uint8_t *text;
	size_t len;
	int n = 0;
	int fd;
	int kept;
	int status;

	while (word[n] != NULL)
		n++;
	assert_int_equal(args_parse(c->options, c->noptions, n,
				    (char *const *)(uintptr_t)word, &args),
			 SG_OK);
	memcpy(command_out + sizeof(command_out) - 7, "XXXXXX", 6);
	fd = mkstemp(command_out);
	assert_true(fd >= 0);
	(void)fflush(stdout);
	kept = dup(STDOUT_FILENO);
	assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	status = c->run(&args);
	(void)fflush(stdout);
	assert_int_equal(dup2(kept, STDOUT_FILENO), STDOUT_FILENO);
	(void)close(kept);
	assert_int_equal(fileio_read_fd(fd, COMMAND_OUTPUT_MAX, &text, &len),
			 SG_OK);
	(void)close(fd);
	assert_int_equal(unlink(command_out), 0);
	if (out != NULL)
		*out = (char *)text;
	else
		free(text);
	return status;
}

#define COMMAND(c, out, ...)                                                   \
	command_words(c, (const char *const[]){__VA_ARGS__, NULL}, out)

#endif /* TEST_COMMAND_FIXTURE_H */
