/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_HEARD_H
#define TEST_HEARD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * heard: what the log says meanwhile.
 */
struct heard {
	int file, before;
	char text[4096];
};

/* Standard error goes to H from here on, and no further than heard_end(). */
static inline void heard_begin(struct heard *h)
{
	h->file = memfd_create("heard", MFD_CLOEXEC);
	h->before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	assert_true(h->file >= 0 && h->before >= 0);
	assert_int_equal(dup2(h->file, STDERR_FILENO), STDERR_FILENO);
}

/* H's text is what came. */
static inline const char *heard_end(struct heard *h)
{
	ssize_t n;

	assert_int_equal(dup2(h->before, STDERR_FILENO), STDERR_FILENO);
	n = pread(h->file, h->text, sizeof(h->text) - 1, 0);
	assert_true(n >= 0);
	h->text[n] = '\0';
	assert_int_equal(close(h->before), 0);
	assert_int_equal(close(h->file), 0);
	return h->text;
}

#endif /* TEST_HEARD_H */
