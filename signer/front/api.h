/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_API_H
#define SG_API_H

#include <sys/queue.h>

#include "certificate.h"
#include "core_link.h"
#include "dcc_scratch.h"
#include "doc.h"
#include "exchange.h"
#include "front_state.h"
#include "hcert/deflate.h"
#include "hcert/hc1.h"
#include "ledger_path.h"
#include "media.h"
#include "problem.h"
#include "record.h"
#include "renewal.h"
#include "shares.h"
#include "signed_body.h"

/*
 * api: the routes.  Inside of the API only; the transport sees exchange.h.
 * api.c finds the route and keeps the call's life; each route's file answers.
 * Loop thread only.
 */
enum {
	/* Of one answer: what the largest packet of the core can become, each
	 * byte of its text escaped. */
	API_ANSWER_MAX = 2 << 20,
	API_VIOLATION_MAX = 512 /* bytes of one that a front finds */
};

struct api_stream;
TAILQ_HEAD(api_stream_list, api_stream);

/* Working memory of one front: a turn of the loop makes one answer. */
struct api {
	struct deflate *deflate;
	struct dcc_scratch dcc;
	struct renewal renewal;
	struct signed_body signed_body;
	uint8_t violation[API_VIOLATION_MAX];
	char hc1[HC1_TEXT_MAX];
	uint8_t answer[API_ANSWER_MAX]; /* touched as far as it is used */
	/* Streams with input that waits to be looked at, and whether something
	 * has happened that may let one of them go on. */
	struct api_stream_list hungry;
	bool stirred;
	/* Of them, for each client (shares_index()); and how many clients. */
	uint16_t hungry_of[SHARES_CLIENTS];
	/* Streams of each that the core has told its rate. */
	uint16_t paced_of[SHARES_CLIENTS];
	size_t nclients;
	/* Bytes of streams, all together and for each client: answers that
	 * nobody has read, requests that nobody has looked at. */
	size_t answers;
	uint32_t answers_of[SHARES_CLIENTS], input_of[SHARES_CLIENTS];
	size_t bundles;	 /* bytes of bundles of entries on their way */
	unsigned proofs; /* that the core is asked for */
	/* Those that anybody was given, in this second. */
	uint64_t public_s;
	unsigned public_proofs;
};

struct api_call;

#define API_TILES "/v1/ledger/tile/"

/* What can be asked for, and who answers.  A route without DATA takes no body,
 * and answers from OPEN on.  A handler may answer at any time, once. */
struct api_route {
	const char *path;  /* with a slash at its end: all that begins so */
	const char *allow; /* Allow: the methods (RFC 9110 s. 10.2.1) */
	unsigned methods;  /* bits 1 << enum http_method */
	unsigned doors;	   /* bits 1 << enum door */
	void (*open)(struct api_call *c);
	void (*data)(struct api_call *c, struct span run);
	void (*end)(struct api_call *c);
};

/* One exchange in the API: x->api. */
struct api_call {
	struct exchange *x;
	struct api *api;
	const struct api_route *route;
	enum media body_type; /* of the request; MEDIA_NONE without one */
	enum media form;      /* of the answer */
	bool asked;	      /* QUESTION is in flight */
	uint64_t question;
	uint8_t *body;
	size_t body_n, body_cap;
	size_t id_n;
	uint8_t id[CERTIFICATE_ID_MAX]; /* to be echoed */
	struct api_stream *stream;	/* NULL: one request, one answer */
	/* Of the ledger: what is answered to who may read it. */
	void (*serve)(struct api_call *c);
	struct ledger_path tile;
	size_t bundle_n; /* of api->bundles */
	bool proof;	 /* one of api->proofs */
};

/* --- for the routes (api_call.c) --------------------------------------- */

/* The language that the client reads best: Accept-Language. */
enum wire_language api_language(const struct api_call *c);

/* A document in C->form, begun in the API's buffer. */
struct doc api_begin_doc(struct api_call *c);
/* Of the ledger that the core writes; empty: none. */
struct span api_ledger_origin(const struct api_call *c);

/* Choose C->form among OFFERS (the server's preference first).  False, and
 * answered with 406, when the client takes none of them. */
bool api_choose_form(struct api_call *c, const enum media *offers, size_t n);

/* Answer with BODY. */
void api_reply(struct api_call *c, enum media form, struct span body);
/* The same as a document, in the form that D was begun with. */
void api_reply_doc(struct api_call *c, const struct doc *d);

/* Answer with a problem.  DETAIL may be NULL. */
void api_fail(struct api_call *c, enum sg_err err, const char *detail);
/* Answer a body that is compressed with a problem; false: it is not. */
bool api_refuse_compressed(struct api_call *c);
/* The same as api_fail() with one more header. */
void api_fail_with(struct api_call *c, enum sg_err err, const char *detail,
		   struct http_header header);
/* The same with P, but for its id. */
void api_fail_problem(struct api_call *c, struct problem *p);
/* What the core said instead of an answer: M is a WIRE_PROBLEM, in which the
 * spans lie, or NULL, and then ERR tells.  Sets *RETRY_AFTER_S; 0: no time. */
struct problem api_core_problem(const struct wire_msg *m, enum sg_err err,
				uint32_t *retry_after_s);
/* Answer with what the core said instead of an answer: M is a WIRE_PROBLEM,
 * or NULL, and then ERR tells. */
void api_fail_by_core(struct api_call *c, const struct wire_msg *m,
		      enum sg_err err);

/* Ask the core; ANSWER gets C.  Who asks by the public door has no identity.
 * INDEX: of a leaf, else 0.  Answers when it cannot be asked. */
void api_ask(struct api_call *c, enum wire_question question, uint64_t index,
	     core_answer answer);
/* The document that M brings; false, and answered, when it is none. */
bool api_take_document(struct api_call *c, const struct wire_msg *m,
		       enum sg_err err, struct span *document);

/* --- the routes' handlers ---------------------------------------------- */

void api_certificates_open(struct api_call *c);
void api_validations_open(struct api_call *c);
void api_renewals_open(struct api_call *c);
void api_certificates_end(struct api_call *c); /* of all three */
bool api_is_validation(const struct api_call *c);
bool api_is_renewal(const struct api_call *c);
/* Of a renewal that its client did not sign: put the certificate's payload in
 * its place in B->request, a result of dcc_*_read() in the API's scratch, and
 * its signature in B->presented, which lives until the next call; else
 * B->presented is empty.
 * Errors: SG_REFUSED, SG_TOO_BIG, with *P, whose spans live until the next
 * call; B->request is of no more use then. */
SG_MUST_USE enum sg_err api_unwrap(struct api_call *c, struct brought *b,
				   struct problem *p);
/* Keep a run of the body in C->body. */
void api_body_data(struct api_call *c, struct span run);
/* The same of a body of at most MAX bytes.  Errors: SG_TOO_BIG, SG_NO_MEMORY;
 * nothing is answered. */
SG_MUST_USE enum sg_err api_body_keep(struct api_call *c, struct span run,
				      size_t max);
void api_keys_open(struct api_call *c);
void api_policy_open(struct api_call *c);
void api_ceremony_open(struct api_call *c);
void api_operate_open(struct api_call *c);
void api_operate_data(struct api_call *c, struct span run);
void api_operate_end(struct api_call *c);
void api_checkpoint_open(struct api_call *c);
void api_cosigned_open(struct api_call *c);
void api_vkey_open(struct api_call *c);
void api_tile_open(struct api_call *c);
void api_entries_open(struct api_call *c);
void api_proof_open(struct api_call *c);
void api_ledger_gone(struct api_call *c);
void api_livez_open(struct api_call *c);
void api_readyz_open(struct api_call *c);
void api_metrics_open(struct api_call *c);

/* --- streams (api_stream.c) -------------------------------------------- */

/* C's body is a stream of requests, in the form of C->body_type. */
void api_stream_open(struct api_call *c);
void api_stream_data(struct api_stream *s, struct span run);
void api_stream_end(struct api_stream *s);
void api_stream_room(struct api_stream *s);
void api_stream_cut(struct api_stream *s, enum sg_err e, const char *detail);
void api_stream_free(struct api_stream *s); /* NULL is allowed */

#endif /* SG_API_H */
