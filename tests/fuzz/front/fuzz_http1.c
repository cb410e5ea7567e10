/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of an HTTP/1.x client.  The first byte of the input chooses how the
 * rest is cut into reads.  Whatever comes: each request that is begun ends
 * once, what is not taken stays, and an answer is never more than one.
 */
#include "../../unit/front/fake_api.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void pull(struct http *h)
{
	uint8_t out[512];

	while (h->ops->pull(h, out, sizeof(out)) > 0) {
	}
}

static void feed(struct http *h, struct span in, size_t step)
{
	while (in.n > 0 && !h->ops->done(h)) {
		const size_t n = in.n < step ? in.n : step;
		const size_t used = h->ops->feed(h, span_of(in.p, n));

		assert(used <= n);
		if (fake.mode == FAKE_LATER && fake.last != NULL &&
		    ((struct fake_call *)fake.last->api)->ended)
			fake_answer(fake.last, 200, SPAN_LIT("late"));
		pull(h);
		in = span_of(in.p + used, in.n - used);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http *h;

	if (size < 1)
		return 0;
	fake_setup();
	fake.mode = (enum fake_mode)(data[0] >> 5 & 3);
	fake.large = 2000;
	assert(http1_create(&fake_host, &h) == SG_OK);
	feed(h, span_of(data + 1, size - 1), (data[0] & 31U) + 1);
	if ((data[0] & 128) != 0)
		h->ops->finish(h, true);
	fake_now_ms = 0;
	fake_pass(100000); /* no state is for ever, unless the API thinks */
	pull(h);
	assert(h->ops->done(h) || fake.opened > fake.gone);
	h->ops->free(h);
	assert(fake.opened == fake.gone);
	fake_teardown();
	return 0;
}
