/* SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"

#include "hcert/cbor.h"

enum { STATUS_OK = 200, STATUS_MAX = 599, DEPTH_MAX = 16 };

/* Of a line: the server's own JSON, in which a quoted word before a colon is a
 * member's name, since quotes inside of texts are escaped. */
static const uint8_t *after_name(struct span line, const char *name)
{
	const size_t n = strlen(name);
	const uint8_t *at = memmem(line.p, line.n, name, n);

	return at != NULL ? at + n : NULL;
}

static int read_status(struct span line, const uint8_t *at)
{
	int status = 0;

	for (size_t i = 0; i < 3; i++, at++) {
		if (at >= line.p + line.n || *at < '0' || *at > '9')
			return 0;
		status = status * 10 + (*at - '0');
	}
	return status;
}

static void judge_line(struct answer *a)
{
	const struct span head =
		span_of(a->text.p, a->text.n < 256 ? a->text.n : 256);
	const uint8_t *at;

	if (after_name(head, "\"hcert\":\"HC1:") != NULL) {
		a->status = STATUS_OK;
		a->certificate = true;
	} else if (after_name(head, "\"verdict\":\"accept\"") != NULL) {
		a->status = STATUS_OK;
	} else {
		at = after_name(a->text, "\"status\":");
		a->status = at != NULL ? read_status(a->text, at) : 0;
	}
}

/* One pair of the answer's map. */
static enum sg_err judge_pair(struct cbor_reader *r, struct answer *a)
{
	struct cbor_item key;
	struct cbor_item value;
	struct cbor_reader before;
	enum sg_err err = cbor_next(r, &key);

	if (err != SG_OK)
		return err;
	before = *r;
	err = cbor_next(r, &value);
	if (err != SG_OK)
		return err;
	if (key.type == CBOR_TEXT && span_is(key.run, "status") &&
	    value.type == CBOR_UINT && value.arg <= STATUS_MAX)
		a->status = (int)value.arg;
	if (key.type == CBOR_TEXT && span_is(key.run, "cose") &&
	    value.type == CBOR_BYTES) {
		a->status = STATUS_OK;
		a->certificate = true;
	}
	if (key.type == CBOR_TEXT && span_is(key.run, "verdict") &&
	    value.type == CBOR_TEXT && span_is(value.run, "accept"))
		a->status = STATUS_OK;
	*r = before;
	return cbor_skip(r, DEPTH_MAX, NULL);
}

static void judge_item(struct answer *a)
{
	struct cbor_reader r = cbor_read(a->text, CBOR_LAX);
	struct cbor_item head;
	uint64_t taken = 0;

	if (cbor_next(&r, &head) != SG_OK || head.type != CBOR_MAP)
		return;
	while (cbor_more(&r, &head, &taken)) {
		taken++; /* the value goes with its key */
		if (judge_pair(&r, a) != SG_OK)
			return;
	}
}

/* The first whole answer of REST, and its bytes with the line end; 0: none. */
static size_t cut(enum records_form form, struct span rest, struct answer *a)
{
	struct cbor_reader r;
	const uint8_t *end;

	*a = (struct answer){.status = 0};
	if (form == RECORDS_JSON) {
		end = memchr(rest.p, '\n', rest.n);
		if (end == NULL)
			return 0;
		a->text = span_of(rest.p, (size_t)(end - rest.p));
		judge_line(a);
		return a->text.n + 1;
	}
	/* What is cut short looks like what is broken. */
	r = cbor_read(rest, CBOR_LAX);
	if (rest.n == 0 || cbor_skip(&r, DEPTH_MAX, &a->text) != SG_OK)
		return 0;
	judge_item(a);
	return a->text.n;
}

static enum sg_err take_whole(struct answers *a, answers_take take, void *ctx)
{
	size_t at = 0;

	for (;;) {
		struct answer one;
		const size_t n =
			cut(a->form, span_of(a->text + at, a->n - at), &one);
		enum sg_err err;

		if (n == 0)
			break;
		at += n;
		err = take(ctx, &one);
		if (err != SG_OK)
			return err;
	}
	memmove(a->text, a->text + at, a->n - at);
	a->n -= at;
	return SG_OK;
}

enum sg_err answers_feed(struct answers *a, struct span run, answers_take take,
			 void *ctx)
{
	while (run.n > 0) {
		const size_t room = sizeof(a->text) - a->n;
		const size_t n = run.n < room ? run.n : room;
		enum sg_err err;

		if (room == 0)
			return SG_TOO_BIG;
		memcpy(a->text + a->n, run.p, n);
		a->n += n;
		run = span_of(run.p + n, run.n - n);
		err = take_whole(a, take, ctx);
		if (err != SG_OK)
			return err;
	}
	return SG_OK;
}

bool answers_whole(const struct answers *a)
{
	return a->n == 0;
}
