/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of an HTTP/1.x client.  The first bytes of the input choose how the
 * rest is cut into reads, and what the API makes of the requests.  Whatever
 * comes: each request that is begun ends once, what is not taken stays, and an
 * answer is never more than one.
 */
#include "../../unit/front/fake_api.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The second byte of the input. */
enum { STREAM = 1, KEEP = 2, DRAIN = 4 /* half-way */ };

static void pull(struct http *h)
{
	uint8_t out[512];

	while (h->ops->pull(h, out, sizeof(out)) > 0) {
	}
}

/* A stream's API is done with what holds up its client. */
static void take(void)
{
	if (fake.last != NULL && fake.last->streaming && fake.last->owed > 0)
		exchange_took(fake.last, fake.last->owed);
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
		if (used == 0)
			take();
		in = span_of(in.p + used, in.n - used);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http *h;
	size_t step;
	size_t half;

	if (size < 2)
		return 0;
	step = (data[0] & 31U) + 1;
	half = (size - 2) / 2;
	fake_setup();
	fake.mode = (enum fake_mode)(data[0] >> 5 & 3);
	if ((data[1] & STREAM) != 0)
		fake.mode = FAKE_STREAM;
	fake.keep = (data[1] & KEEP) != 0;
	fake.large = 2000;
	assert(http1_create(&fake_host, &h) == SG_OK);
	feed(h, span_of(data + 2, half), step);
	if ((data[1] & DRAIN) != 0)
		h->ops->finish(h, false);
	feed(h, span_of(data + 2 + half, size - 2 - half), step);
	if ((data[0] & 128) != 0)
		h->ops->finish(h, true);
	fake_now_ms = 0;
	fake_pass(100000); /* no state is for ever, unless the API thinks */
	pull(h);
	/* A stream that is told to ends. */
	assert(h->ops->done(h) ||
	       (data[1] & (STREAM | DRAIN)) != (STREAM | DRAIN));
	assert(h->ops->done(h) || fake.opened > fake.gone);
	h->ops->free(h);
	assert(fake.opened == fake.gone);
	fake_teardown();
	return 0;
}
