/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_LINK_H
#define SG_BENCH_LINK_H

#include "target.h"

/*
 * link: one TLS connection of a loop over epoll: it is made, shakes hands, and
 * moves bytes.  What they mean is its owner's business.  One thread a loop.
 */
enum { LINK_OUT_MAX = 64 * 1024, LINK_IN_MAX = 256 * 1024 };

struct link;

/* What the owner does; an error breaks the link. */
struct link_ops {
	/* The handshake is done. */
	enum sg_err (*opened)(void *owner);
	enum sg_err (*input)(void *owner, struct span plain);
	/* Append what is to be sent to the link's OUT, as far as it fits. */
	enum sg_err (*output)(void *owner);
};

struct link_loop {
	int epoll; /* -1: none */
	const struct target *target;
	const struct link_ops *ops;
	char reason[200]; /* why the last link broke */
	uint8_t in[LINK_IN_MAX];
};

struct link {
	void *owner; /* set by the owner */
	int fd;	     /* -1: closed */
	SSL *ssl;
	bool open; /* the handshake is done */
	bool want_write;
	bool deaf;    /* see link_listen() */
	size_t out_n; /* bytes waiting in OUT */
	uint8_t out[LINK_OUT_MAX];
};

/* Errors: SG_IO.  The loop is to be closed in any case. */
SG_MUST_USE enum sg_err link_loop_open(struct link_loop *loop,
				       const struct target *target,
				       const struct link_ops *ops);
void link_loop_close(struct link_loop *loop);
/* Wait up to MS for events and handle them; BROKEN is told of each owner whose
 * link broke, and is to close it.  Errors: SG_IO. */
SG_MUST_USE enum sg_err link_loop_run(struct link_loop *loop, int ms,
				      void (*broken)(void *owner));

/* Begin to connect K, which is closed.  Errors: SG_IO; the loop's reason says
 * why. */
SG_MUST_USE enum sg_err link_connect(struct link_loop *loop, struct link *k);
/* Send what the owner has for it; without an event.  Errors: SG_IO, and what
 * the owner's output() returns: it is broken. */
SG_MUST_USE enum sg_err link_push(struct link_loop *loop, struct link *k);
/* Read from K, or leave what comes in the kernel's buffers. */
void link_listen(struct link_loop *loop, struct link *k, bool listen);
void link_close(struct link *k);

#endif /* SG_BENCH_LINK_H */
