/* SPDX-License-Identifier: Apache-2.0 */
#include "core.h"

#include <fcntl.h>
#include <malloc.h>
#include <uv.h>

#include "base/log.h"
#include "base/metrics.h"
#include "control.h"
#include "ipc/role.h"

enum {
	SAMPLE_MS = 1000,
	/* What is larger is mapped on its own and leaves no gap when it goes:
	 * the filters of the index, which merges make anew.  Not a link's full
	 * packet.  By itself the allocator raises this with each that is
	 * freed. */
	LARGE_BYTES = 132 * 1024,
	/* What is free at the end of an arena stays there up to this: see
	 * index_reserve(). */
	KEPT_BYTES = 8 << 20
};

struct core {
	uv_loop_t loop;
	uv_timer_t sample;
	int status;
};

static void on_over(void *ctx, int status)
{
	struct core *core = ctx;

	core->status = status;
	uv_stop(&core->loop);
}

static void on_sample(uv_timer_t *timer)
{
	(void)timer;
	metrics_sample_process();
	metrics_sample_thread(METRIC_CPU_LOOP);
}

/* -1: it was not given. */
static int officers_fd(void)
{
	return fcntl(ROLE_FD_OFFICERS, F_GETFD) != -1 ? ROLE_FD_OFFICERS : -1;
}

static enum sg_err run(struct core *core, const struct core_settings *settings,
		       core_read_settings read)
{
	const struct control_parts parts = {.loop = &core->loop,
					    .fd = ROLE_FD_CONTROL,
					    .policy_fd = ROLE_FD_POLICY,
					    .officers_fd = officers_fd(),
					    .settings = settings,
					    .read = read,
					    .over = on_over,
					    .ctx = core};
	struct control *control;
	enum sg_err err;

	if (uv_timer_init(&core->loop, &core->sample) != 0)
		return SG_INTERNAL;
	(void)uv_timer_start(&core->sample, on_sample, SAMPLE_MS, SAMPLE_MS);
	err = control_create(&parts, &control);
	if (err == SG_OK)
		(void)uv_run(&core->loop, UV_RUN_DEFAULT);
	control_free(control);
	uv_close((uv_handle_t *)&core->sample, NULL);
	return err;
}

int core_run(const struct core_settings *settings, core_read_settings read)
{
	struct core core = {.status = 1};
	enum sg_err err;

	if (uv_loop_init(&core.loop) != 0) {
		log_event(LOG_ERROR, "core-failed", "reason=\"no event loop\"");
		return 1;
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): it is the only thread yet */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): as above */
	(void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	err = run(&core, settings, read);
	if (err == SG_LEDGER_DOWN)
		core.status = ROLE_EXIT_LEDGER_REFUSED;
	else if (err != SG_OK)
		log_event(LOG_ERROR, "core-failed", "reason=\"%s\"",
			  err_text(err));
	/* Let go of the handles that are closing. */
	(void)uv_run(&core.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&core.loop);
	return core.status;
}
