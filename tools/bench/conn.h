/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_CONN_H
#define SG_BENCH_CONN_H

#include "link.h"
#include "load.h"

/*
 * conn: one connection under load and the requests on it.  The engine (load.c)
 * opens it and moves its bytes; a protocol (h1.c, h2.c) gives them meaning.
 */
struct load;
struct conn;

/* One of the requests in flight; its place is used again for the next. */
struct flow {
	struct conn *conn;
	bool busy;
	bool sampled;
	int status;	 /* of the answer; 0: not known yet */
	size_t received; /* bytes of the answer's body */
	size_t sent;	 /* bytes of the request's body */
	uint64_t begun_us;
	const struct record *record;
	char body[RECORDS_BODY_MAX];
	uint8_t *answer; /* LOAD_ANSWER_MAX bytes; NULL: nothing is sampled */
};

struct conn {
	struct link link;
	struct load *load;
	const struct load_settings *settings;
	bool ready;	   /* session made */
	uint64_t retry_us; /* when to connect again */
	struct flow *flow; /* NFLOWS of them */
	size_t nflows;
	void *session; /* the protocol's */
};

struct protocol {
	/* Make and drop C->session.  SG_NO_MEMORY. */
	enum sg_err (*open)(struct conn *c);
	void (*close)(struct conn *c);
	/* Begin the request in F.  Any error breaks the connection. */
	enum sg_err (*submit)(struct conn *c, struct flow *f);
	/* Take decrypted bytes; calls flow_data() and flow_done(). */
	enum sg_err (*input)(struct conn *c, struct span plain);
	/* Append what is to be sent to the link, as far as it fits. */
	enum sg_err (*output)(struct conn *c);
};

extern const struct protocol H1_PROTOCOL;
extern const struct protocol H2_PROTOCOL;

/* A run of F's answer has come. */
void flow_data(struct flow *f, struct span run);
/* F's answer is complete; another request may be submitted at once. */
void flow_done(struct flow *f);

#endif /* SG_BENCH_CONN_H */
