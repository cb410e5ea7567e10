/* SPDX-License-Identifier: Apache-2.0 */
/* ceremony_settle: what could not be kept, and may be in force all the same
 * after a power cut. */
#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ceremony_operations.h"

/* So many syncs of the operations' directory succeed, and so many after them do
 * not. */
static atomic_int before, failing;

static bool is_operations(int fd)
{
	static const char end[] = "/operations";
	const size_t m = sizeof(end) - 1;
	char self[64];
	char path[PLACE_PATH];
	ssize_t n;

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, path, sizeof(path));
	return n > (ssize_t)m && memcmp(path + (size_t)n - m, end, m) == 0;
}

/* In place of the C library's; RocksDB's threads have theirs, too. */
int fsync(int fd)
{
	if (failing > 0 && is_operations(fd) && before-- <= 0) {
		before = 0;
		failing--;
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static void test_unsure(void **state)
{
	struct world *w = world_open();

	(void)state;
	assert_done(w, genesis(w));
	OFFICE_UNTIL(w->o, 300, false); /* that it is on record is written */
	before = 1;
	failing = 2;
	assert_refused(w, simple(w, OPERATION_RETIRE, "dsc-1"), SG_IO,
		       "may be in force after a power cut");
	assert_int_equal(failing, 0);
	assert_int_equal(state_of(w, "dsc-1"), KEY_ACTIVE);
	/* Nothing comes before that is gone, but for what is urgent. */
	failing = 1000;
	assert_refused(w, simple(w, OPERATION_RETIRE, "dsc-1"), SG_IO,
		       "may be in force after a power cut");
	assert_false(place_has(w->p, "operations/00000002.cose"));
	assert_done(w, simple(w, OPERATION_STOP, "dsc-1"));
	assert_int_equal(state_of(w, "dsc-1"), KEY_ACTIVE); /* not kept */
	failing = 0;
	OFFICE_WAIT(w->o, state_of(w, "dsc-1") == KEY_STOPPED);
	assert_done(w, simple(w, OPERATION_RETIRE, "dsc-1"));
	world_end(w);
	office_open_desk(w->o);
	assert_int_equal(state_of(w, "dsc-1"), KEY_RETIRED);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_unsure)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
