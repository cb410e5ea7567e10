/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the core says to a front: packets, a chunk each.  Ids from 1 on stand
 * for the questions of the front, in the order in which it asked: an issue, an
 * ask and an operation, and once more after each packet.  Whatever it says:
 * each question is answered once, and after nonsense all of them are.
 */
#undef NDEBUG /* its checks are the test */
#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../files.h"
#include "base/clock.h"
#include "base/log.h"
#include "front/core_link.h"
#include "ipc/channel.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	QUESTIONS_MAX = 48,
	PACKETS_MAX = 12,
	ID_AT = 8, /* in the head of a message */
	TURNS = 4,
	PATIENCE_US = 60 * 1000 * 1000
};

struct question {
	uint64_t id;
	unsigned answers;
};

static uv_loop_t loop;
static struct core_link *link_;
static int core = -1;
static bool bad;
static size_t nquestions;
static struct question question[QUESTIONS_MAX];

static void on_status(void *ctx, const struct wire_status *s, bool changed)
{
	(void)ctx;
	(void)changed;
	assert(s->reason.n == 0 || s->reason.p != NULL);
}

static void on_bad(void *ctx)
{
	(void)ctx;
	bad = true;
}

static void on_answer(void *asker, const struct wire_msg *m, enum sg_err err)
{
	struct question *q = asker;

	assert((m != NULL) == (err == SG_OK));
	assert(q->answers == 0);
	q->answers++;
}

static void note(struct question *q, enum sg_err err)
{
	if (err == SG_OK)
		nquestions++;
	else
		assert(err == SG_CORE_DOWN || err == SG_BUSY);
	(void)q;
}

static void ask(void)
{
	static uint8_t identity[32];
	const struct span who = span_of(identity, sizeof(identity));
	const struct wire_issue issue = {.deadline_us =
						 clock_mono_us() + PATIENCE_US,
					 .identity = who,
					 .request = SPAN_LIT("request")};
	const struct wire_ask one = {.question = WIRE_ASK_KEYS,
				     .identity = who};
	const struct wire_operate operate = {.identity = who,
					     .operation = SPAN_LIT("op")};
	const struct wire_handshake handshake = {.deadline_us = PATIENCE_US,
						 .content = SPAN_LIT("hello")};
	struct question *q = &question[nquestions];

	if (nquestions + 4 > QUESTIONS_MAX)
		return;
	note(q, core_link_issue(link_, &issue, on_answer, q, &q->id));
	q = &question[nquestions];
	note(q, core_link_ask(link_, &one, on_answer, q, &q->id));
	q = &question[nquestions];
	note(q, core_link_operate(link_, &operate, on_answer, q, &q->id));
	q = &question[nquestions];
	note(q, core_link_handshake(link_, &handshake, on_answer, q, &q->id));
}

static void turn(void)
{
	static uint8_t buf[WIRE_PACKET_MAX];

	for (int i = 0; i < TURNS; i++)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
	while (core >= 0 && recv(core, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

static void begin(void)
{
	int fd[2];

	if (link_ == NULL) {
		log_limit((enum log_level) - 1);
		assert(uv_loop_init(&loop) == 0);
		assert(core_link_create(&loop, on_status, NULL, &link_) ==
		       SG_OK);
		core_link_on_bad(link_, on_bad, NULL);
	}
	assert(channel_pair(fd) == 0);
	core = fd[0];
	core_link_attach(link_, fd[1]);
	nquestions = 0;
	memset(question, 0, sizeof(question));
	bad = false;
}

static void grant_credit(void)
{
	uint8_t buf[64];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};
	const struct wire_credit m = {.credit = QUESTIONS_MAX + 1};

	assert(wire_put_credit(&w, &m) == SG_OK);
	assert(send(core, w.buf, w.len, 0) == (ssize_t)w.len);
	turn();
}

/* Put the ids of our questions into the packet's messages. */
static void name_questions(uint8_t *p, size_t n)
{
	struct span rest = span_of(p, n);
	struct wire_msg m;
	size_t at = 0;

	while (wire_next(&rest, &m) == SG_OK) {
		if (m.id >= 1 && m.id <= nquestions)
			memcpy(p + at + ID_AT, &question[m.id - 1].id,
			       sizeof(m.id));
		at = n - rest.n;
	}
}

static void say(struct span chunk)
{
	static uint8_t packet[WIRE_PACKET_MAX];

	if (chunk.n == 0)
		return;
	memcpy(packet, chunk.p, chunk.n);
	name_questions(packet, chunk.n);
	(void)!send(core, packet, chunk.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);

	begin();
	if (size > 0 && data[0] == 0) /* an empty chunk: no credit as yet */
		ask();
	grant_credit();
	for (int i = 0; i < PACKETS_MAX && in.n > 0 && !bad; i++) {
		ask();
		if (i % 4 == 3 && nquestions > 0)
			core_link_forget(link_, question[nquestions - 1].id);
		say(files_chunk(&in));
		(void)core_link_room(link_);
		(void)core_link_status(link_);
	}
	(void)close(core);
	core = -1;
	turn();
	assert(core_link_in_flight(link_) == 0 && core_link_credit(link_) == 0);
	return 0;
}
