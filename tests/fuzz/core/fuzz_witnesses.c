/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a witness says: the first byte chooses the HTTP status, the second the
 * media type, the rest is the body.  The witness has cosigned nothing yet.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "core/witnesses.h"
#include "ipc/channel.h"

/* NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char NOTE[] =
	"log.example/a\n10\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
	"\xe2\x80\x94 log.example/a AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
static const char VKEY[] = "witness.example/one+8ad3428d+"
			   "BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

static uv_loop_t loop;
static struct channel *far_end;

static bool on_message(void *ctx, const struct wire_msg *m, const int *fds,
		       size_t n)
{
	(void)fds;
	(void)n;
	*(uint64_t *)ctx = m->id;
	return true;
}

static void on_end(void *ctx, bool bad)
{
	(void)ctx;
	(void)bad;
}

static void on_consulted(void *ctx)
{
	(void)ctx;
}

static void on_contradicted(void *ctx, const char *name, uint64_t size,
			    bool fork)
{
	(void)ctx;
	(void)name;
	/* It knows of more, or of other ones. */
	if (!fork && size <= 10)
		abort();
}

static void on_cosigned(void *ctx, uint64_t size, struct span note)
{
	(void)ctx;
	(void)size;
	(void)note;
	abort(); /* nobody has the key */
}

static void on_keep(void *ctx, struct span note)
{
	(void)ctx;
	(void)note;
	abort();
}

static struct witnesses *begin(uint64_t *id)
{
	static const struct channel_events far = {.message = on_message,
						  .end = on_end};
	static const struct witnesses_events events = {
		.consulted = on_consulted,
		.contradicted = on_contradicted,
		.cosigned = on_cosigned,
		.keep = on_keep,
		.bad = on_consulted};
	struct core_ledger_settings settings = {.witness_ms = 1000,
						.nwitnesses = 1};
	const struct witnesses_parts parts = {.loop = &loop,
					      .settings = &settings,
					      .ledger_dir = "/nowhere",
					      .events = &events};
	struct witnesses *w;
	int fd[2];

	memcpy(settings.witness[0], VKEY, sizeof(VKEY));
	if (witnesses_create(&parts, &w) != SG_OK || channel_pair(fd) != 0 ||
	    channel_open(&loop, fd[0], &far, id, &far_end) != SG_OK ||
	    witnesses_link(w, fd[1]) != SG_OK)
		abort();
	witnesses_published(w, span_of(NOTE, sizeof(NOTE) - 1));
	for (int i = 0; i < 3; i++)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
	return w;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t statuses[] = {200, 409, 422, 404, 0};
	struct wire_cosigned m = {.status = 200};
	struct wire_packet *p;
	struct witnesses *w;
	uint64_t id = 0;

	if (size < 2 || size > 16384)
		return 0;
	log_limit(LOG_ERROR);
	(void)uv_loop_init(&loop);
	w = begin(&id);
	m.status = statuses[data[0] % (sizeof(statuses) / 2)];
	m.type = data[1] % 2 == 0 ? SPAN_LIT("text/x.tlog.size")
				  : SPAN_LIT("text/plain");
	m.body = span_of(data + 2, size - 2);
	if (m.status == 0)
		m.reason = m.body;
	p = channel_room(far_end, 256 + 2 * size);
	if (id == 0 || p == NULL || wire_put_cosigned(p, id, &m) != SG_OK)
		abort();
	for (int i = 0; i < 4; i++)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
	witnesses_free(w);
	channel_close(far_end);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&loop) != 0)
		abort();
	return 0;
}
