/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of an HTTP/2 client, after a good start unless the first byte says
 * otherwise.  Whatever comes: each stream that is begun ends once, and no
 * connection lives for ever.
 */
#include "../../unit/front/fake_api.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NO_START = 64 };

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

		assert(h->ops->feed(h, span_of(in.p, n)) == n);
		pull(h);
		in = span_of(in.p + n, in.n - n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char start[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				    "\0\0\0\4\0\0\0\0\0";
	struct http *h;

	if (size < 1)
		return 0;
	fake_setup();
	fake.mode = (enum fake_mode)(data[0] >> 4 & 3);
	fake.large = 2000;
	assert(http2_create(&fake_host, &h) == SG_OK);
	if ((data[0] & NO_START) == 0)
		feed(h, span_of(start, sizeof(start) - 1), SIZE_MAX);
	feed(h, span_of(data + 1, size - 1), ((size_t)(data[0] & 15U) + 1) * 8);
	if ((data[0] & 128) != 0)
		h->ops->finish(h, true);
	fake_now_ms = 0;
	for (int i = 0; i < 8; i++) {
		fake_pass(40000);
		pull(h);
	}
	assert(h->ops->done(h) || fake.opened > fake.gone);
	h->ops->free(h);
	assert(fake.opened == fake.gone);
	fake_teardown();
	return 0;
}
