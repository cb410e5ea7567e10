/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_POLICY_TEXT_H
#define SG_TEST_POLICY_TEXT_H

#include "policy/policy_file.h"
#include "request.h"

/* For tests of a policy's sections. */

/* A policy's TEXT has exactly the faults EXPECTED, lines as the log has them;
 * or none.  Inlined more than once, its faults would fill the caller's frame.
 */
__attribute__((noinline)) static void check(const char *text,
					    const char *expected)
{
	struct faults faults = {.n = 0};
	struct policy_file f;
	const enum sg_err err =
		policy_file_read(span_str(text), "p", &f, &faults);

	assert_string_equal(faults.text, expected);
	assert_int_equal(err, expected[0] != '\0' ? SG_CONFIG : SG_OK);
	policy_file_clear(&f);
}

#endif /* SG_TEST_POLICY_TEXT_H */
