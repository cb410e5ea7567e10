/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of an HTTP/2 client, after a good start unless the first byte says
 * otherwise; the second one makes streams of the requests.  Whatever comes:
 * each stream that is begun ends once, and no connection lives for ever.
 */
#include "../../unit/front/fake_api.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NO_START = 64 };
/* The second byte of the input. */
enum { STREAM = 1, KEEP = 2, DRAIN = 4 /* half-way */ };

static void pull(struct http *h)
{
	uint8_t out[512];

	while (h->ops->pull(h, out, sizeof(out)) > 0) {
	}
}

/* The API is done with a part of what it has. */
static void take(void)
{
	if (fake.last != NULL && fake.last->streaming)
		exchange_took(fake.last, (fake.last->owed + 1) / 2);
}

static void feed(struct http *h, struct span in, size_t step)
{
	while (in.n > 0 && !h->ops->done(h)) {
		const size_t n = in.n < step ? in.n : step;

		assert(h->ops->feed(h, span_of(in.p, n)) == n);
		pull(h);
		take();
		in = span_of(in.p + n, in.n - n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char start[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				    "\0\0\0\4\0\0\0\0\0";
	struct http *h;
	size_t step;
	size_t half;

	if (size < 2)
		return 0;
	step = ((size_t)(data[0] & 15U) + 1) * 8;
	half = (size - 2) / 2;
	fake_setup();
	fake.mode = (enum fake_mode)(data[0] >> 4 & 3);
	if ((data[1] & STREAM) != 0)
		fake.mode = FAKE_STREAM;
	fake.keep = (data[1] & KEEP) != 0;
	fake.large = 2000;
	assert(http2_create(&fake_host, &h) == SG_OK);
	if ((data[0] & NO_START) == 0)
		feed(h, span_of(start, sizeof(start) - 1), SIZE_MAX);
	feed(h, span_of(data + 2, half), step);
	if ((data[1] & DRAIN) != 0)
		h->ops->finish(h, false);
	feed(h, span_of(data + 2 + half, size - 2 - half), step);
	if ((data[0] & 128) != 0)
		h->ops->finish(h, true);
	fake_now_ms = 0;
	for (int i = 0; i < 8; i++) {
		fake_pass(40000);
		pull(h);
	}
	/* Streams that are told to end. */
	assert(h->ops->done(h) ||
	       (data[1] & (STREAM | DRAIN)) != (STREAM | DRAIN));
	assert(h->ops->done(h) || fake.opened > fake.gone);
	h->ops->free(h);
	assert(fake.opened == fake.gone);
	fake_teardown();
	return 0;
}
