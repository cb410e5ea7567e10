/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <sys/mman.h>

#include "base/memory.h"

/* AddressSanitizer's allocator would rather end than refuse.  It and
 * ThreadSanitizer's look for these names. */
#define OPTIONS(name)                                                          \
	__attribute__((visibility("default"))) const char *name(void);         \
	const char *name(void)                                                 \
	{                                                                      \
		return "allocator_may_return_null=1";                          \
	}
/* NOLINTBEGIN(readability-identifier-naming): the sanitizers' own names */
OPTIONS(__asan_default_options)
OPTIONS(__tsan_default_options)
/* NOLINTEND(readability-identifier-naming) */

/* More than any address space, and not for the compiler to know of. */
static volatile size_t too_much = SIZE_MAX / 4;

static void test_counted(void **state)
{
	const uint64_t before = memory_refused();
	void *p = OPENSSL_malloc(16);

	(void)state;
	assert_non_null(p);
	p = OPENSSL_realloc(p, 32);
	assert_non_null(p);
	assert_int_equal(memory_refused(), before);
	assert_null(OPENSSL_malloc(too_much));
	assert_int_equal(memory_refused(), before + 1);
	assert_null(OPENSSL_realloc(p, too_much));
	assert_int_equal(memory_refused(), before + 2);
	OPENSSL_free(p);
	memory_count_refused();
	assert_int_equal(memory_refused(), before + 3);
}

static void *refuse_once(void *ctx)
{
	*(uint64_t *)ctx = memory_refused();
	memory_count_refused();
	return NULL;
}

/* What another thread lacks is no matter here. */
static void test_threads(void **state)
{
	const uint64_t before = memory_refused();
	uint64_t theirs = 7;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, refuse_once, &theirs),
			 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(theirs, 0);
	assert_int_equal(memory_refused(), before);
}

/* Pages that the kernel has given are in core; the others are not there. */
static void test_taken(void **state)
{
	enum { PAGE = 4096, PAGES = 64 };
	uint8_t *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t there[PAGES];

	(void)state;
	assert_true(p != MAP_FAILED);
	(void)madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE);
	/* From the middle of a page to that of another. */
	memory_take(p + PAGE + PAGE / 2, PAGE * (PAGES / 2) + PAGE / 4);
	assert_int_equal(mincore(p, PAGES * PAGE, there), 0);
	for (size_t i = 0; i < PAGES; i++)
		assert_int_equal(there[i] & 1, i >= 1 && i <= PAGES / 2 + 1);
	for (size_t i = 0; i < PAGES * PAGE; i++)
		assert_int_equal(p[i], 0);
	assert_int_equal(munmap(p, PAGES * PAGE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counted),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_taken),
	};

	if (!memory_watch())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
