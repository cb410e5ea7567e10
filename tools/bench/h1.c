/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <stdlib.h>

#include "conn.h"
#include "tools/common/args.h"

/*
 * One request at a time: whether the server pipelines is not the question
 * here.  Answers of this server always have a Content-Length.
 */
enum { HEAD_MAX = 4096 };

struct session {
	char request[1024]; /* the request's head, but for the length */
	size_t request_n;
	char head[HEAD_MAX + 1]; /* of the answer, while it comes in */
	size_t head_n;
	bool in_body;
	bool closing;  /* the server said so */
	uint64_t left; /* bytes of the body */
};

static enum sg_err h1_open(struct conn *c)
{
	struct session *s = calloc(1, sizeof(*s));
	int n;

	if (s == NULL)
		return SG_NO_MEMORY;
	n = snprintf(s->request, sizeof(s->request),
		     "POST /v1/certificates HTTP/1.1\r\nhost: %s\r\n"
		     "content-type: application/json\r\naccept: %s\r\n"
		     "content-length: ",
		     c->settings->target->authority, c->settings->accept);
	if (n < 0 || (size_t)n >= sizeof(s->request)) {
		free(s);
		return SG_TOO_BIG;
	}
	s->request_n = (size_t)n;
	c->session = s;
	return SG_OK;
}

static void h1_close(struct conn *c)
{
	free(c->session);
	c->session = NULL;
}

static void put(struct conn *c, const void *p, size_t n)
{
	memcpy(c->link.out + c->link.out_n, p, n);
	c->link.out_n += n;
}

static enum sg_err h1_submit(struct conn *c, struct flow *f)
{
	const struct session *s = c->session;
	const struct record *r = f->record;

	if (s->closing)
		return SG_CLOSED;
	if (s->request_n + strlen(r->length) + 4 + r->n >
	    LINK_OUT_MAX - c->link.out_n)
		return SG_BUSY;
	put(c, s->request, s->request_n);
	put(c, r->length, strlen(r->length));
	put(c, "\r\n\r\n", 4);
	put(c, f->body, r->n);
	return SG_OK;
}

/* Status and length from the complete head. */
static enum sg_err read_head(struct session *s, struct flow *f)
{
	static const char label[] = "\r\ncontent-length:";
	char digits[24];
	const char *at;
	size_t n;

	s->head[s->head_n] = '\0';
	if (s->head_n < 12 || memcmp(s->head, "HTTP/1.1 ", 9) != 0)
		return SG_MALFORMED;
	f->status = (s->head[9] - '0') * 100 + (s->head[10] - '0') * 10 +
		    (s->head[11] - '0');
	s->closing = strcasestr(s->head, "\r\nconnection: close") != NULL;
	at = strcasestr(s->head, label);
	if (at == NULL)
		return SG_MALFORMED;
	at += sizeof(label) - 1;
	at += strspn(at, " ");
	n = strspn(at, "0123456789");
	if (n >= sizeof(digits))
		return SG_MALFORMED;
	memcpy(digits, at, n);
	digits[n] = '\0';
	return args_number(digits, 0, UINT32_MAX, &s->left) ? SG_OK
							    : SG_MALFORMED;
}

/* Take head bytes up to its end; the rest stays in *PLAIN. */
static enum sg_err take_head(struct session *s, struct flow *f,
			     struct span *plain)
{
	while (plain->n > 0) {
		if (s->head_n == HEAD_MAX)
			return SG_TOO_BIG;
		s->head[s->head_n++] = (char)plain->p[0];
		*plain = span_of(plain->p + 1, plain->n - 1);
		if (s->head_n >= 4 &&
		    memcmp(s->head + s->head_n - 4, "\r\n\r\n", 4) == 0) {
			s->in_body = true;
			return read_head(s, f);
		}
	}
	return SG_OK;
}

static enum sg_err h1_input(struct conn *c, struct span plain)
{
	struct session *s = c->session;
	struct flow *f = c->flow;

	if (!f->busy)
		return SG_MALFORMED; /* nothing was asked */
	if (!s->in_body) {
		const enum sg_err err = take_head(s, f, &plain);

		if (err != SG_OK || !s->in_body)
			return err;
	}
	if (plain.n > s->left)
		return SG_MALFORMED;
	s->left -= plain.n;
	flow_data(f, plain);
	if (s->left == 0) {
		s->head_n = 0;
		s->in_body = false;
		flow_done(f);
	}
	return SG_OK;
}

static enum sg_err h1_output(struct conn *c)
{
	(void)c; /* submit has written it */
	return SG_OK;
}

const struct protocol H1_PROTOCOL = {
	.open = h1_open,
	.close = h1_close,
	.submit = h1_submit,
	.input = h1_input,
	.output = h1_output,
};
