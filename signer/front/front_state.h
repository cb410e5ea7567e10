/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_FRONT_STATE_H
#define SG_FRONT_STATE_H

#include <openssl/evp.h>
#include <sys/queue.h>
#include <uv.h>

#include "base/metrics.h"
#include "base/throttle.h"
#include "front/core_link.h"
#include "front/exchange.h"
#include "front/front.h"
#include "front/wheel.h"
#include "ipc/channel.h"

/*
 * front_state: what the parts of one front share.  One per process, made by
 * front_run(); an exchange points to it.  Loop thread only.
 */
enum {
	FRONT_SOURCES_MAX = 256,    /* metrics pages: one a role slot */
	FRONT_READ_BYTES = 65536,   /* of one read(2) */
	FRONT_GATHER_BYTES = 65536, /* of one SSL_write() */
	HTTP_DATE_BYTES = 30	    /* "Sun, 06 Nov 1994 08:49:37 GMT", NUL */
};

struct admission;
struct api;
struct connection;
struct listener;
struct recheck;
struct tls_context;

TAILQ_HEAD(connection_list, connection);

struct front {
	/* --- for the API -------------------------------------------------- */
	uv_loop_t *loop;
	struct front_settings settings; /* a reload replaces it */
	struct core_link *link;		/* never NULL while requests come */
	struct api *api; /* api_create(): the API's working memory */
	size_t nsources;
	struct metrics_source source[FRONT_SOURCES_MAX];
	bool draining; /* not ready any more, whatever the core says */
	uint64_t name; /* of the newest connection: base/request_id.h */
	int ledger;    /* settings.ledger, open; -1: not yet */

	/* --- for the transport -------------------------------------------- */
	struct wheel wheel;	    /* every deadline of every connection */
	size_t body_bytes;	    /* request bodies in memory, all together */
	char date[HTTP_DATE_BYTES]; /* of the current second */
	struct connection_list connections; /* newest first */
	struct connection_list flushing; /* with output, or input held back */
	struct connection_list
		unsigned_line; /* wait to have handshakes signed, */
	size_t unsigned_n;     /* and so many */
	size_t connections_of[DOOR_COUNT];
	struct admission *admission;
	struct tls_context *tls;
	EVP_PKEY *hsm_key;   /* server_key.c: what the HSM has shown, or NULL */
	uint64_t started_ms; /* by the loop's clock */
	struct recheck *recheck;
	uint64_t reloads; /* that took effect, */
	uint64_t walks;	  /* and times that all clients were asked about */
	struct throttle refusals, overflows, limited;
	bool crl_expired, ocsp_expired; /* and it has been logged */
	bool descriptors_out;		/* and it has been logged */
	bool key_is_other;		/* the certificate is not of hsm_key */
	bool up;			/* and the supervisor has been told */

	/* --- front.c -------------------------------------------------------
	 */
	front_read_settings read_settings;
	struct channel *control;
	struct listener *listener[DOOR_COUNT]; /* NULL: not open */
	uv_timer_t tick;		       /* drives the wheel */
	uv_timer_t second;		       /* date, metrics, clients */
	uv_check_t check;		       /* after I/O: flush */
	uv_idle_t awake; /* on while there is work for the next turn */
	int exit_code;

	/* One of each is enough: a loop turn works on one connection. */
	uint8_t read_buf[FRONT_READ_BYTES];
	uint8_t plain_buf[FRONT_READ_BYTES];
	uint8_t gather_buf[FRONT_GATHER_BYTES];
};

/* There is something to flush or to walk: do not wait for events now. */
void front_stay_awake(struct front *f);
/* Leave front_run() with CODE. */
void front_stop(struct front *f, int code);

#endif /* SG_FRONT_STATE_H */
