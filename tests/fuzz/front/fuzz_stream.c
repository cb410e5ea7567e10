/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One stream of requests, its client and its core, who do what the input says
 * in the order it says.  Whatever they do: one answer a record, in order, what
 * was given is paid back, and a stream whose client reads comes to its end.
 * The front lives on from input to input, as it would; the core is a new one.
 */
#undef NDEBUG /* its checks are the test */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What the world is written with, without its test program.
 * NOLINTBEGIN(readability-identifier-naming): cmocka's names */
#define assert_true(c) assert(c)
#define assert_false(c) assert(!(c))
#define assert_non_null(p) assert((p) != NULL)
#define assert_int_equal(a, b) assert((long long)(a) == (long long)(b))
#define assert_string_equal(a, b) assert(strcmp(a, b) == 0)
#define fail_msg(...) abort()
/* NOLINTEND(readability-identifier-naming) */

#include "../../unit/front/stream_world.h"
#include "base/log.h"
#include "front/api_stream.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	INPUT_MAX = 2048,
	SENT_MAX = 1 << 16,
	TRIES_MAX = 600, /* seconds until all must be over */
	QUESTIONS_MAX = 64,
	LABEL = '#', /* begins an id that we made, and nothing else */
	/* The first byte of the input. */
	FLAG_CBOR = 1,
	FLAG_VALIDATION = 2,
	FLAG_LARGE_CREDIT = 4,
	FLAG_GONE = 8 /* the client leaves as things stand */
};

enum op {
	OP_SEND,   /* bytes of the input */
	OP_ROW,	   /* a good record, some times */
	OP_ISSUE,  /* the core says yes to a question */
	OP_REFUSE, /* or no */
	OP_PASS,   /* time */
	OP_READ,   /* the client takes what there is */
	OP_CORE,   /* goes, or comes back */
	OP_END	   /* of the request, or of the server */
};

static struct {
	struct wire_end *end;
	bool cbor, validation, large, core_up, ended;
	size_t n;
	uint8_t sent[SENT_MAX];
	size_t nquestions;
	uint64_t question[QUESTIONS_MAX];
} it;

/* pass(), with fewer turns. */
static void wait_s(unsigned seconds)
{
	for (unsigned i = 0; i < seconds && !it.end->finished; i++) {
		now_ms += SECOND;
		wheel_advance(&front->wheel, now_ms);
		api_turn(front->api);
	}
	run();
}

/* --- the client -------------------------------------------------------- */

static void give(const void *p, size_t n)
{
	if (it.ended || it.end->x.answered || n > SENT_MAX - it.n ||
	    it.end->x.owed >= EXCHANGE_BACKLOG_MAX)
		return;
	memcpy(it.sent + it.n, p, n);
	exchange_data(&it.end->x, span_of(it.sent + it.n, n));
	it.n += n;
}

static void give_bytes(struct span raw)
{
	uint8_t bytes[32];

	for (size_t i = 0; i < raw.n; i++) {
		bytes[i] = raw.p[i];
		if (bytes[i] == LABEL || bytes[i] == '\\')
			bytes[i] = '.';
	}
	give(bytes, raw.n);
}

/* A record whose id says where it stands in the request. */
static void give_row(void)
{
	char row[64];
	const int n = snprintf(row, sizeof(row),
			       it.cbor ? "\xa2\x62id\x67#%06zu\x63"
					 "dcc\xa0"
				       : "{\"id\":\"#%06zu\",\"dcc\":{}}\n",
			       it.n);

	give(row, (size_t)n);
}

static void end_request(void)
{
	if (it.ended || it.end->x.answered)
		return;
	it.ended = true;
	send_end(it.end);
}

/* --- the core ------------------------------------------------------------ */

static void hear(void)
{
	struct wire_msg m;

	while (it.core_up && it.nquestions < QUESTIONS_MAX && core_next(&m)) {
		assert(m.type == WIRE_ISSUE);
		it.question[it.nquestions++] = m.id;
	}
}

/* One of the questions that are open, any; false: there is none. */
static bool pick(unsigned which, uint64_t *id)
{
	size_t at;

	hear();
	if (it.nquestions == 0 || !it.core_up)
		return false;
	at = which % it.nquestions;
	*id = it.question[at];
	it.question[at] = it.question[--it.nquestions];
	return true;
}

static bool issue(unsigned which)
{
	struct wire_issued m = issued();
	uint64_t id;

	if (!pick(which, &id))
		return false;
	m.dry_run = it.validation;
	core_issues(id, &m);
	return true;
}

static void refuse(unsigned which)
{
	static const enum sg_err errs[] = {SG_REFUSED,	     SG_TOKEN_DOWN,
					   SG_TIMED_OUT,     SG_RATE,
					   SG_DUPLICATE_KEY, SG_BUSY};
	struct wire_issued wrong = issued();
	uint64_t id;

	if (!pick(which / 8, &id))
		return;
	wrong.dry_run = !it.validation;
	if (which % 8 < sizeof(errs) / sizeof(errs[0]))
		core_refuses(id, errs[which % 8], which % 3);
	else
		core_issues(id, &wrong);
}

static void core_back(void)
{
	if (it.core_up)
		return;
	core_connect(&loop, front->link);
	core_credit(it.large ? QUESTIONS_MAX : CREDIT);
	it.core_up = true;
}

static void core_leaves(void)
{
	if (!it.core_up)
		return;
	core_dies();
	it.core_up = false;
	it.nquestions = 0;
}

/* --- what must hold ---------------------------------------------------- */

/* The id of the answer at IN, and its bytes; false: there is no more. */
static bool next_item(struct span *in, struct span *id)
{
	struct cbor_reader r = cbor_read(*in, CBOR_DETERMINISTIC);
	struct cbor_reader all = r;
	struct cbor_item map;
	struct cbor_item key;
	struct cbor_item value;

	*id = SPAN_LIT("");
	if (in->n == 0)
		return false;
	assert(cbor_skip(&all, 8, NULL) == SG_OK);
	assert(cbor_next(&r, &map) == SG_OK && map.type == CBOR_MAP);
	for (uint64_t i = 0; i < map.arg; i++) {
		struct cbor_reader peek;

		assert(cbor_next(&r, &key) == SG_OK);
		peek = r;
		if (span_is(key.run, "id")) {
			assert(cbor_next(&peek, &value) == SG_OK);
			*id = value.run;
		}
		assert(cbor_skip(&r, 8, NULL) == SG_OK);
	}
	*in = span_of(in->p + all.at, in->n - all.at);
	return true;
}

static bool next_line(struct span *in, char *id, size_t cap)
{
	const uint8_t *feed;
	json_t *doc;

	if (in->n == 0)
		return false;
	feed = memchr(in->p, '\n', in->n);
	assert(feed != NULL);
	doc = json_loadb((const char *)in->p, (size_t)(feed - in->p),
			 JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	assert(json_is_object(doc));
	(void)snprintf(id, cap, "%s", text(doc, "id"));
	json_decref(doc);
	*in = span_of(feed + 1, in->n - (size_t)(feed - in->p) - 1);
	return true;
}

/* The next answer; *AT is the place of its record if its id says so, else
 * SIZE_MAX. */
static bool next_answer(struct span *in, size_t *at)
{
	char id[256] = "";
	struct span found;

	if (it.cbor) {
		if (!next_item(in, &found))
			return false;
		if (found.n < sizeof(id))
			memcpy(id, found.p != NULL ? found.p : in->p, found.n);
	} else if (!next_line(in, id, sizeof(id))) {
		return false;
	}
	*at = id[0] == LABEL ? strtoul(id + 1, NULL, 10) : SIZE_MAX;
	return true;
}

/* The record of the request that begins at BEGIN ends at *END; false: none
 * does. */
static bool next_record(struct cutter *c, size_t begin, size_t *end)
{
	const struct span in = span_of(it.sent + begin, it.n - begin);
	struct span record;
	size_t used;

	if (cutter_next(c, in, it.ended, &record, &used) != CUTTER_RECORD)
		return false;
	*end = begin + used;
	return true;
}

/* Answers, each to the record in its place. */
static void check_answers(bool cut)
{
	struct cutter c =
		cutter_begin(it.cbor ? CUTTER_ITEMS : CUTTER_LINES, SENT_MAX);
	struct span in = span_of(it.end->out, it.end->n);
	size_t begin = 0;
	size_t at;
	size_t end;

	while (next_answer(&in, &at)) {
		if (!next_record(&c, begin, &end)) {
			assert(cut && at == SIZE_MAX); /* the last word */
			break;
		}
		assert(at == SIZE_MAX || (at >= begin && at < end));
		begin = end;
	}
	assert(in.n == 0);
	if (it.end->finished && !cut)
		assert(!next_record(&c, begin, &end) && begin == it.n);
}

static bool is_cut(void)
{
	return ((struct api_call *)it.end->x.api)->stream->cut != SG_OK;
}

/* With a client that reads and a core that works, all comes to its end. */
static void come_to_an_end(void)
{
	core_back();
	end_request();
	for (int i = 0; i < TRIES_MAX && !it.end->finished; i++) {
		while (issue(0)) {
		}
		read_all(it.end);
		if (!it.end->finished)
			wait_s(1);
	}
	assert(it.end->finished);
	assert(it.end->x.owed == 0);
}

/* --- the input --------------------------------------------------------- */

static size_t do_op(enum op op, unsigned arg, struct span rest)
{
	const size_t n = arg < rest.n ? arg : rest.n;

	switch (op) {
	case OP_SEND:
		give_bytes(span_of(rest.p, n));
		run();
		return n;
	case OP_ROW:
		for (unsigned i = 0; i <= arg; i++)
			give_row();
		run();
		break;
	case OP_ISSUE: (void)issue(arg); break;
	case OP_REFUSE: refuse(arg); break;
	case OP_PASS: wait_s(arg * arg / 4); break;
	case OP_READ: read_all(it.end); break;
	case OP_CORE: arg % 2 == 0 ? core_leaves() : core_back(); break;
	case OP_END:
		if (arg % 2 == 0)
			end_request();
		else if (!it.end->x.answered)
			api_cut(&it.end->x, SG_CLOSED, NULL);
		break;
	}
	return 0;
}

static void begin(uint8_t flags)
{
	it.cbor = (flags & FLAG_CBOR) != 0;
	it.validation = (flags & FLAG_VALIDATION) != 0;
	it.large = (flags & FLAG_LARGE_CREDIT) != 0;
	it.ended = false;
	it.n = 0;
	if (front == NULL) {
		log_limit(LOG_ERROR);
		assert(stream_setup(NULL) == 0);
	}
	it.core_up = true;
	core_leaves();
	core_back();
	it.end = open_stream(it.validation ? "/v1/validations"
					   : "/v1/certificates",
			     it.cbor ? CBOR_SEQ : NDJSON);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > INPUT_MAX)
		return 0;
	begin(data[0]);
	for (size_t i = 1; i < size; i++)
		i += do_op((enum op)(data[i] & 7), data[i] >> 3,
			   span_of(data + i + 1, size - i - 1));
	if ((data[0] & FLAG_GONE) == 0)
		come_to_an_end();
	check_answers(is_cut());
	close_stream(it.end);
	assert(core_link_in_flight(front->link) == 0);
	return 0;
}
