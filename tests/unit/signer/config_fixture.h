/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_CONFIG_FIXTURE_H
#define SG_TEST_CONFIG_FIXTURE_H

#include "config.h"
#include "fixture.h"

/* For the tests of the configuration: a good one, in a directory of its own. */
static struct fixture fix;
static char good[FIXTURE_TEXT];

static inline int set_up(void **state)
{
	(void)state;
	fixture_make(&fix);
	fixture_config(&fix, good);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	fixture_remove(&fix);
	return 0;
}

static inline struct config *parse(const char *text, struct faults *faults)
{
	struct config *c;
	const enum sg_err e = config_parse(span_str(text), "signerd.yaml",
					   fix.dir, &c, faults);

	assert_int_equal(e, c != NULL ? SG_OK : SG_CONFIG);
	return c;
}

/* TEXT is refused, and FAULT stands among the reasons. */
static inline void must_fail(const char *text, const char *fault)
{
	/* Not on the stack: inlined, each call would add one to the frame. */
	static struct faults faults;

	faults = (struct faults){0};
	assert_null(parse(text, &faults));
	if (strstr(faults.text, fault) == NULL)
		fail_msg("instead of \"%s\": %s", fault, faults.text);
}

#endif /* SG_TEST_CONFIG_FIXTURE_H */
