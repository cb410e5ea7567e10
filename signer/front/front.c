/* SPDX-License-Identifier: Apache-2.0 */
#include "front.h"

#include <malloc.h>
#include <stdlib.h>

#include "admission.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/request_id.h"
#include "connection.h"
#include "control.h"
#include "expiry.h"
#include "ipc/role.h"
#include "ledger_files.h"
#include "listener.h"
#include "recheck.h"
#include "server_key.h"
#include "shares.h"

enum {
	SECOND_MS = 1000,
	/* What is larger is mapped on its own: it grows without a copy, and
	 * goes back to the system when a reader that had stopped goes on.  By
	 * itself the allocator raises this with each that is freed. */
	LARGE_BYTES = 512 * 1024
};

/* --- the loop's hooks ----------------------------------------------------- */

static void on_awake(uv_idle_t *idle)
{
	(void)idle; /* that it is on keeps the loop from waiting */
}

void front_stay_awake(struct front *f)
{
	(void)uv_idle_start(&f->awake, on_awake);
}

static void on_check(uv_check_t *check)
{
	struct front *f = check->data;
	const bool more = recheck_step(f);

	api_turn(f->api);
	connection_ask_again(f);
	connection_flush_all(f);
	if (api_turn_due(f->api))
		front_stay_awake(f);
	else if (!more && TAILQ_EMPTY(&f->flushing))
		(void)uv_idle_stop(&f->awake);
}

static void stop_if_drained(struct front *f)
{
	if (f->draining && f->connections_of[DOOR_CLIENTS] == 0 &&
	    f->connections_of[DOOR_PUBLIC] == 0 &&
	    core_link_in_flight(f->link) == 0)
		front_stop(f, 0);
}

static void on_tick(uv_timer_t *timer)
{
	struct front *f = timer->data;

	wheel_advance(&f->wheel, uv_now(f->loop));
	stop_if_drained(f);
}

static enum sg_err open_door(struct front *f, int fd, enum door door)
{
	return listener_open(f, fd, door, &f->listener[door]);
}

static enum sg_err open_doors(struct front *f)
{
	enum sg_err err = open_door(f, ROLE_FD_LISTEN, DOOR_CLIENTS);

	if (err == SG_OK && f->settings.public)
		err = open_door(f, ROLE_FD_PUBLIC, DOOR_PUBLIC);
	return err;
}

/* May clients come in?  We are up once the server's key is known to fit; if it
 * turns out before that it does not, we end, even where the door is open for
 * want of anybody who knows. */
static void look_at_door(struct front *f)
{
	enum sg_err err = SG_OK;

	if (f->up || f->draining)
		return;
	if (f->listener[DOOR_CLIENTS] == NULL && server_key_opens(f))
		err = open_doors(f);
	if (err == SG_OK && server_key_fits(f)) {
		f->up = true;
		err = control_up(f);
	}
	if (err != SG_OK || server_key_fault(f) != NULL)
		front_stop(f, 1);
}

static void on_second(uv_timer_t *timer)
{
	struct front *f = timer->data;

	http_date(clock_wall_s(), f->date);
	metrics_sample_process();
	listener_second(f);
	recheck_second(f);
	expiry_second(f);
	look_at_door(f);
}

static void on_core_status(void *ctx, const struct wire_status *status,
			   bool policy_changed)
{
	struct front *f = ctx;

	if (policy_changed)
		recheck_policy(f);
	server_key_told(f, status->tls_key);
	look_at_door(f);
}

/* --- the end -------------------------------------------------------------- */

void front_stop(struct front *f, int code)
{
	f->exit_code = code;
	uv_stop(f->loop);
}

static void close_door(struct front *f, enum door door)
{
	listener_close(f->listener[door]);
	f->listener[door] = NULL;
}

void front_drain(struct front *f)
{
	struct connection *c;

	if (f->draining)
		return;
	f->draining = true;
	log_event(LOG_INFO, "draining", "connections=%zu",
		  f->connections_of[DOOR_CLIENTS]);
	close_door(f, DOOR_CLIENTS);
	close_door(f, DOOR_PUBLIC);
	TAILQ_FOREACH (c, &f->connections, all) {
		if (c->door != DOOR_OPS)
			connection_finish(c, false);
	}
	/* The ops interface stays, and shows how it goes on. */
}

static void drop_all(struct front *f)
{
	struct connection *c;

	while ((c = TAILQ_FIRST(&f->connections)) != NULL)
		connection_drop(c);
}

static void close_hook(uv_handle_t *handle)
{
	if (handle->data != NULL && !uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* From any state of front_start(). */
static void front_free(struct front *f)
{
	drop_all(f);
	for (int door = 0; door < DOOR_COUNT; door++)
		close_door(f, (enum door)door);
	control_close(f);
	ledger_files_close(&f->ledger);
	core_link_free(f->link);
	api_free(f->api);
	recheck_free(f->recheck);
	admission_free(f->admission);
	tls_context_free(f->tls);
	server_key_forget(f);
	if (f->loop != NULL) {
		close_hook((uv_handle_t *)&f->tick);
		close_hook((uv_handle_t *)&f->second);
		close_hook((uv_handle_t *)&f->check);
		close_hook((uv_handle_t *)&f->awake);
		(void)uv_run(f->loop, UV_RUN_DEFAULT); /* what is closing */
		(void)uv_loop_close(f->loop);
	}
	free(f);
}

/* --- the beginning -------------------------------------------------------- */

static enum sg_err start_hooks(struct front *f)
{
	/* These do not fail once their handles are on the loop. */
	if (uv_timer_init(f->loop, &f->tick) != 0 ||
	    uv_timer_init(f->loop, &f->second) != 0 ||
	    uv_check_init(f->loop, &f->check) != 0 ||
	    uv_idle_init(f->loop, &f->awake) != 0)
		return SG_IO;
	f->tick.data = f;
	f->second.data = f;
	f->check.data = f;
	f->awake.data = f;
	wheel_init(&f->wheel, uv_now(f->loop));
	http_date(clock_wall_s(), f->date);
	if (uv_timer_start(&f->tick, on_tick, WHEEL_TICK_MS, WHEEL_TICK_MS) !=
		    0 ||
	    uv_timer_start(&f->second, on_second, 0, SECOND_MS) != 0 ||
	    uv_check_start(&f->check, on_check) != 0)
		return SG_IO;
	return SG_OK;
}

static enum sg_err start_tls(struct front *f)
{
	char reason[TLS_REASON_BYTES];
	const enum sg_err err =
		tls_context_create(&f->settings, &f->tls, reason);

	if (err != SG_OK) {
		log_event(LOG_ERROR, "tls-failed", "reason=" LOG_Q, reason);
		return err;
	}
	expiry_renewed(f);
	return SG_OK;
}

static enum sg_err front_start(struct front *f)
{
	enum sg_err err = start_hooks(f);

	ledger_files_open(&f->ledger, f->settings.ledger);
	if (err == SG_OK)
		err = recheck_create(&f->recheck);
	if (err == SG_OK)
		err = shares_seed();
	if (err == SG_OK)
		err = admission_create(&f->admission);
	if (err == SG_OK)
		err = core_link_create(f->loop, on_core_status, f, &f->link);
	if (err == SG_OK)
		err = api_create(&f->api);
	if (err == SG_OK)
		err = control_open(f, ROLE_FD_CONTROL);
	if (err == SG_OK)
		err = start_tls(f);
	if (err == SG_OK)
		err = open_door(f, ROLE_FD_OPS, DOOR_OPS);
	if (err == SG_OK)
		look_at_door(f);
	return err;
}

int front_run(const struct front_settings *settings, front_read_settings read)
{
	struct front *f = calloc(1, sizeof(*f));
	uv_loop_t loop;
	int code = 1;
	enum sg_err err;

	if (f == NULL || uv_loop_init(&loop) != 0) {
		free(f);
		return code;
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): it is the only thread */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	f->loop = &loop;
	f->started_ms = uv_now(f->loop);
	f->settings = *settings;
	f->read_settings = read;
	f->reloads = 1;
	f->walks = 1;
	f->name = request_id_begin(role_slot(), clock_wall_ms());
	f->ledger = -1;
	TAILQ_INIT(&f->connections);
	TAILQ_INIT(&f->flushing);
	TAILQ_INIT(&f->unsigned_line);
	metrics_sample_process();
	err = front_start(f);
	if (err == SG_OK) {
		(void)uv_run(f->loop, UV_RUN_DEFAULT);
		code = f->exit_code;
	} else {
		log_event(LOG_ERROR, "front-failed", "reason=" LOG_Q,
			  err_text(err));
	}
	front_free(f);
	return code;
}
