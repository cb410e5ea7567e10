/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_KEPT_LOG_H
#define SG_KEPT_LOG_H

#include "auditor_fixture.h"

/* kept_log: a log of 300 entries for each test, and where its checkpoint may be
 * kept. */
static struct fixture f;
static char kept[256];

static int setup(void **state)
{
	const uint64_t sizes[] = {300, 0};

	(void)state;
	make_log(&f, sizes);
	path_in(f.dir, "kept", kept);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	drop_log(&f);
	return 0;
}

#endif /* SG_KEPT_LOG_H */
