/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "expiry.h"
#include "ipc/role.h"
#include "ledger_files.h"
#include "recheck.h"
#include "server_key.h"
#include "tls.h"

enum { SMALL_MESSAGE = 512 }; /* bytes of anything that is sent here */

static void close_fds(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
}

/* --- links and pages ------------------------------------------------------ */

static bool take_link(struct front *f, const struct wire_msg *m, const int *fds,
		      size_t n)
{
	struct wire_link link;

	if (n != 1 || wire_get_link(m, &link) != SG_OK ||
	    link.role != WIRE_CORE) {
		close_fds(fds, n);
		return false;
	}
	core_link_attach(f->link, fds[0]);
	return true;
}

/* The place of ROLE and SLOT among the sources; a free one if it is new. */
static struct metrics_source *place_of(struct front *f, const char *role,
				       unsigned slot)
{
	for (size_t i = 0; i < f->nsources; i++) {
		struct metrics_source *s = &f->source[i];

		if (s->slot == slot && strcmp(s->role, role) == 0)
			return s;
	}
	return f->nsources < FRONT_SOURCES_MAX ? &f->source[f->nsources] : NULL;
}

static void unmap(const struct metrics_page *page)
{
	/* It is mapped read-only, hence the const.
	 * NOLINTNEXTLINE(performance-no-int-to-ptr) */
	(void)munmap((void *)(uintptr_t)page, metrics_page_bytes());
}

static bool add_page(struct front *f, const struct wire_link *link, int fd)
{
	const char *role = role_name((enum wire_role)link->role);
	struct metrics_source *s = place_of(f, role, link->slot);
	const struct metrics_page *page;

	if (s == NULL) {
		log_event(LOG_WARNING, "metrics-full", "limit=%d",
			  FRONT_SOURCES_MAX);
		return true;
	}
	page = metrics_map(fd, 0);
	if (page == NULL) {
		log_event(LOG_WARNING, "metrics-map-failed", "process=%s/%u",
			  role, (unsigned)link->slot);
		return true;
	}
	if (s->page != NULL)
		unmap(s->page);
	else
		f->nsources++;
	*s = (struct metrics_source){page, role, link->slot};
	return true;
}

static bool take_page(struct front *f, const struct wire_msg *m, const int *fds,
		      size_t n)
{
	struct wire_link link;
	const bool good = n == 1 && wire_get_link(m, &link) == SG_OK &&
			  add_page(f, &link, fds[0]);

	close_fds(fds, n); /* the mapping stays */
	return good;
}

/* --- reload --------------------------------------------------------------- */

static bool reload(struct front *f, int config_fd,
		   char reason[TLS_REASON_BYTES])
{
	struct front_settings settings;
	struct tls_context *tls;
	const char *fault;

	(void)snprintf(reason, TLS_REASON_BYTES, "the configuration");
	if (f->read_settings(config_fd, &settings, reason, TLS_REASON_BYTES) !=
		    SG_OK ||
	    tls_context_create(&settings, &tls, reason) != SG_OK)
		return false;
	/* It would lock everybody out; the old one may still be good. */
	fault = tls_context_crl_expired(tls) ? "the CRL is past its next update"
					     : tls_context_early(tls);
	if (server_key_is_other(f, tls))
		fault = TLS_KEY_CHANGES;
	if (fault != NULL) {
		(void)snprintf(reason, TLS_REASON_BYTES, "%s", fault);
		tls_context_free(tls);
		return false;
	}
	tls_context_keep_ocsp(tls, f->tls);
	tls_context_free(f->tls);
	f->tls = tls;
	f->settings = settings;
	/* Its directory may be another one by now. */
	ledger_files_open(&f->ledger, settings.ledger);
	expiry_renewed(f);
	server_key_renewed(f);
	recheck_reloaded(f);
	return true;
}

static bool take_reload(struct front *f, const int *fds, size_t n)
{
	struct wire_packet *w = channel_room(f->control, SMALL_MESSAGE);
	char reason[TLS_REASON_BYTES] = "";
	struct wire_reloaded m = {.ok = false};

	if (n == 0)
		return false;
	m.ok = reload(f, fds[0], reason);
	close_fds(fds, n);
	metric_add(m.ok ? METRIC_RELOADS : METRIC_RELOADS_REFUSED, 1);
	log_event(m.ok ? LOG_INFO : LOG_ERROR,
		  m.ok ? "reloaded" : "reload-refused", "reason=" LOG_Q,
		  m.ok ? "" : reason);
	if (!m.ok)
		m.reason = span_str(reason);
	return w != NULL && wire_put_reloaded(w, &m) == SG_OK;
}

/* --- the channel ---------------------------------------------------------- */

static bool on_message(void *ctx, const struct wire_msg *m, const int *fds,
		       size_t n)
{
	struct front *f = ctx;

	switch (m->type) {
	case WIRE_LINK: return take_link(f, m, fds, n);
	case WIRE_PAGE: return take_page(f, m, fds, n);
	case WIRE_RELOAD: return take_reload(f, fds, n);
	case WIRE_DRAIN:
		close_fds(fds, n);
		front_drain(f);
		return true;
	default: close_fds(fds, n); return false;
	}
}

static void on_end(void *ctx, bool bad)
{
	if (bad)
		log_event(LOG_ERROR, "control-bad", "reason=" LOG_Q,
			  "a message of the supervisor makes no sense");
	/* The supervisor is gone, and with it the reason to be. */
	front_stop(ctx, 1);
}

static const struct channel_events EVENTS = {
	.message = on_message,
	.end = on_end,
};

static void on_core_bad(void *ctx)
{
	struct front *f = ctx;
	const struct wire_peer_bad m = {.role = WIRE_CORE, .slot = 0};
	struct wire_packet *w;

	metric_add(METRIC_BAD_MESSAGES, 1);
	w = f->control != NULL ? channel_room(f->control, SMALL_MESSAGE) : NULL;
	if (w == NULL || wire_put_peer_bad(w, &m) != SG_OK)
		log_event(LOG_ERROR, "core-bad", "reason=" LOG_Q,
			  "and the supervisor cannot be told");
}

enum sg_err control_open(struct front *f, int fd)
{
	core_link_on_bad(f->link, on_core_bad, f);
	return channel_open(f->loop, fd, &EVENTS, f, &f->control);
}

enum sg_err control_up(struct front *f)
{
	struct wire_packet *w = channel_room(f->control, SMALL_MESSAGE);

	return w != NULL ? wire_put_bare(w, WIRE_UP) : SG_IO;
}

void control_close(struct front *f)
{
	if (f->control == NULL)
		return;
	channel_flush(f->control);
	channel_close(f->control);
	f->control = NULL;
	for (size_t i = 0; i < f->nsources; i++)
		unmap(f->source[i].page);
	f->nsources = 0;
}
