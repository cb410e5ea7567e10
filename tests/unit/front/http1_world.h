/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_HTTP1_WORLD_H
#define SG_TEST_HTTP1_WORLD_H

/* One HTTP/1.1 connection over the API of fake_api.h. */
#include "fake_api.h"

static struct http *h1;
static char out[1 << 16];
static size_t out_len;

static inline int setup(void **state)
{
	(void)state;
	fake_now_ms = 0;
	fake_setup();
	out_len = 0;
	return http1_create(&fake_host, &h1) == SG_OK ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	if (h1 != NULL)
		h1->ops->free(h1);
	h1 = NULL;
	fake_teardown();
	return fake.opened == fake.gone ? 0 : -1;
}

static inline void pull(void)
{
	size_t n;

	do {
		n = h1->ops->pull(h1, (uint8_t *)out + out_len,
				  sizeof(out) - 1 - out_len);
		out_len += n;
	} while (n > 0);
	out[out_len] = '\0';
}

/* Feed S in pieces of STEP bytes, as a connection does: what is not taken is
 * offered again after a pull. */
static inline void feed(struct span s, size_t step)
{
	while (s.n > 0 && !h1->ops->done(h1)) {
		const size_t n = s.n < step ? s.n : step;
		const size_t used = h1->ops->feed(h1, span_of(s.p, n));

		pull();
		s = span_of(s.p + used, s.n - used);
		if (used == 0 && out_len == 0)
			return;
	}
}

static inline unsigned answers(void)
{
	unsigned n = 0;

	for (const char *p = out; (p = strstr(p, "HTTP/1.1 ")) != NULL; p++)
		n++;
	return n;
}

static inline int status(void)
{
	return out_len > 12 ? (int)strtol(out + 9, NULL, 10) : 0;
}

#endif /* SG_TEST_HTTP1_WORLD_H */
