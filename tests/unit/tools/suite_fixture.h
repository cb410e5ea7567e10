/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_SUITE_FIXTURE_H
#define SG_TEST_SUITE_FIXTURE_H

#include <cmocka.h>

#include <stdlib.h>

#include "tools/bench/suite.h"

/* Two algorithms: what signs is below the bare token's rate, what does not is
 * far above. */
static inline struct suite_result suite_fixture(void)
{
	struct suite_result r = {
		.cpus = 2, .seconds = 10, .price = 0.5, .n = 2};

	for (size_t i = 0; i < r.n; i++) {
		struct suite_alg *a = &r.alg[i];

		a->alg = i == 0 ? COSE_ES256 : COSE_PS256;
		a->raw_before = i == 0 ? 20000 : 1000;
		a->raw_after = i == 0 ? 16000 : 1250;
		for (int step = 0; step < SUITE_STEPS; step++)
			a->row[step] = (struct suite_row){
				.rate = suite_step_signs((enum suite_step)step)
						? a->raw_before * 0.5
						: 50000,
				.cpu_us = {[SCRAPE_FRONT] = 20,
					   [SCRAPE_CORE] = 5,
					   [SCRAPE_HSM] = 46,
					   [SCRAPE_SUPERVISOR] = 1},
				.client_us = 3,
				.memory = {[SCRAPE_FRONT] = 8 << 20},
				.p50_us = 1500,
				.p99_us = 9000,
				.good = true};
	}
	return r;
}

/* What WRITE writes; free(). */
static inline char *suite_written(void (*write)(const struct suite_result *r,
						FILE *to),
				  const struct suite_result *r)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	write(r, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

#endif /* SG_TEST_SUITE_FIXTURE_H */
