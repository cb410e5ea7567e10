/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_LISTENERS_H
#define SG_LISTENERS_H

#include "config.h"

/*
 * listeners: the sockets that the fronts serve, and the administration socket
 * that the core serves.  The supervisor opens them before any role starts and
 * keeps them over restarts, so that a client meets a process that is away as a
 * delay, not as a refusal.
 */
struct listeners {
	int tls[CONFIG_FRONTS_MAX];    /* one a front: SO_REUSEPORT; -1: none */
	bool shut[CONFIG_FRONTS_MAX];  /* nobody comes to it */
	bool inherited;		       /* tls are systemd's, and may be one */
	int ops;		       /* shared by the fronts; -1: none */
	int public;		       /* the same */
	char ops_path[FRONT_PATH_MAX]; /* of a Unix socket, else empty */
	/* SEQPACKET, the core's: run/officer.sock.  -1: its path is too long
	 * for a socket, and there is none. */
	int officers;
	char officers_path[FRONT_PATH_MAX]; /* empty: none */
};

/* Of the administration socket, in the directory `run`. */
#define LISTENERS_OFFICERS "officer.sock"

/* Open and listen on what C names, but for what systemd has opened already
 * (inherited.h): that takes its place, whatever the address.
 * Errors, logged: SG_IO; SG_CONFIG for sockets of systemd's that cannot be. */
SG_MUST_USE enum sg_err listeners_open(struct listeners *l,
				       const struct config *c);
/* Nobody comes to the socket of front I any more, which cannot serve: who waits
 * there is sent away, and new clients go to the other fronts'.  Not where it
 * may be theirs as well. */
void listeners_shut(struct listeners *l, size_t i);
/* They come again; nothing if they did.  False: logged, it is still shut. */
bool listeners_reopen(struct listeners *l, size_t i);
/* Close what is open: from then on, connections are refused. */
void listeners_close(struct listeners *l);

#endif /* SG_LISTENERS_H */
