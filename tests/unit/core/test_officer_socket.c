/* SPDX-License-Identifier: Apache-2.0 */
/* officer_socket: with a ceremony that does what the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/identity.h"
#include "base/log.h"
#include "core/officer_socket.h"

/* --- a ceremony ----------------------------------------------------------- */

struct ceremony {
	size_t operated, forgotten;
	struct ceremony_caller who;
	bool at_once; /* answer inside of ceremony_operate() */
	enum sg_err err;
};

static struct ceremony ceremony;

void ceremony_operate(struct ceremony *c, struct span approved,
		      const struct ceremony_caller *who)
{
	c->operated++;
	c->who = *who;
	assert_true(span_is(approved, "signed"));
	if (c->at_once)
		who->answer(who->link, who->id, c->err,
			    SPAN_LIT("what came of it"));
}

void ceremony_forget(struct ceremony *c, const void *link)
{
	assert_ptr_equal(link, c->who.link);
	c->forgotten++;
}

enum sg_err ceremony_document(const struct ceremony *c, uint8_t *out,
			      size_t cap, size_t *len)
{
	assert_true(cap >= 8);
	*len = c->err == SG_OK ? 8 : 0;
	memcpy(out, "document", 8);
	return c->err;
}

/* --- officers ------------------------------------------------------------- */

static uv_loop_t loop;
static struct officer_socket *officers;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static uint8_t packet[WIRE_PACKET_MAX];

static void turn(void)
{
	for (int i = 0; i < 16; i++)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
}

static int begin(void **state)
{
	const int fd = socket(AF_UNIX,
			      SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* An abstract name, bound by the kernel: nothing to remove. */
	socklen_t n = sizeof(address);

	(void)state;
	log_limit(LOG_ERROR);
	memset(&ceremony, 0, sizeof(ceremony));
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address,
			      sizeof(sa_family_t)),
			 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(officer_socket_create(&loop, fd, &ceremony, &officers),
			 SG_OK);
	return 0;
}

static int end(void **state)
{
	(void)state;
	officer_socket_free(officers);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static int officer(void)
{
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(sa_family_t) + 1 + 5; /* "\0" and five digits */

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, n), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	turn();
	return fd;
}

static void ask(int fd, uint64_t id, uint8_t question, struct span identity)
{
	const struct wire_ask m = {.question = question, .identity = identity};
	struct wire_packet w = {.buf = packet, .cap = sizeof(packet)};

	assert_int_equal(wire_put_ask(&w, id, &m), SG_OK);
	assert_int_equal(send(fd, w.buf, w.len, MSG_NOSIGNAL), w.len);
	turn();
}

static void operate(int fd, uint64_t id)
{
	const struct wire_operate m = {.operation = SPAN_LIT("signed")};
	struct wire_packet w = {.buf = packet, .cap = sizeof(packet)};

	assert_int_equal(wire_put_operate(&w, id, &m), SG_OK);
	assert_int_equal(send(fd, w.buf, w.len, MSG_NOSIGNAL), w.len);
	turn();
}

static void expect_answer(int fd, uint64_t id, const char *document)
{
	const ssize_t n = recv(fd, packet, sizeof(packet), 0);
	struct span rest = span_of(packet, n > 0 ? (size_t)n : 0);
	struct wire_answer a;
	struct wire_msg m;

	assert_true(n > 0);
	assert_int_equal(wire_next(&rest, &m), SG_OK);
	assert_int_equal(m.type, WIRE_ANSWER);
	assert_int_equal(m.id, id);
	assert_int_equal(wire_get_answer(&m, &a), SG_OK);
	assert_true(span_is(a.document, document));
}

static void expect_problem(int fd, enum sg_err err, const char *detail)
{
	const ssize_t n = recv(fd, packet, sizeof(packet), 0);
	struct span rest = span_of(packet, n > 0 ? (size_t)n : 0);
	struct wire_problem p;
	struct wire_msg m;

	assert_true(n > 0);
	assert_int_equal(wire_next(&rest, &m), SG_OK);
	assert_int_equal(m.type, WIRE_PROBLEM);
	assert_int_equal(wire_get_problem(&m, &p), SG_OK);
	assert_int_equal(p.err, err);
	assert_true(span_is(p.detail, detail));
}

/* It has been closed at the other end. */
static void expect_end(int fd)
{
	turn();
	assert_int_equal(recv(fd, packet, sizeof(packet), 0), 0);
	(void)close(fd);
}

static void test_document(void **state)
{
	const int fd = officer();

	(void)state;
	ask(fd, 5, WIRE_ASK_CEREMONY, span_of(NULL, 0));
	expect_answer(fd, 5, "document");
	ask(fd, 6, WIRE_ASK_CEREMONY, span_of(NULL, 0));
	expect_answer(fd, 6, "document");
	ceremony.err = SG_TOO_BIG;
	ask(fd, 7, WIRE_ASK_CEREMONY, span_of(NULL, 0));
	expect_problem(fd, SG_TOO_BIG, "");
	(void)close(fd);
	turn();
	assert_int_equal(ceremony.forgotten, 0);
}

static void test_operation(void **state)
{
	const int fd = officer();

	(void)state;
	ceremony.at_once = true;
	operate(fd, 1);
	expect_answer(fd, 1, "what came of it");
	ceremony.err = SG_FORBIDDEN;
	operate(fd, 2);
	expect_problem(fd, SG_FORBIDDEN, "what came of it");
	/* later */
	ceremony.at_once = false;
	operate(fd, 3);
	assert_int_equal(recv(fd, packet, sizeof(packet), 0), -1);
	ceremony.who.answer(ceremony.who.link, ceremony.who.id, SG_OK,
			    SPAN_LIT("done"));
	turn();
	expect_answer(fd, 3, "done");
	assert_int_equal(ceremony.operated, 3);
	(void)close(fd);
}

static void test_gone(void **state)
{
	const int fd = officer();
	const struct ceremony_caller *who = &ceremony.who;

	(void)state;
	operate(fd, 3);
	(void)close(fd);
	turn();
	assert_int_equal(ceremony.forgotten, 1);
	/* an answer all the same does nothing */
	who->answer(who->link, who->id, SG_OK, SPAN_LIT("late"));
	turn();
}

static void test_two_at_a_time(void **state)
{
	const int fd = officer();

	(void)state;
	operate(fd, 1);
	operate(fd, 2);
	expect_end(fd);
	assert_int_equal(ceremony.operated, 1);
	assert_int_equal(ceremony.forgotten, 1);
}

static void test_nonsense(void **state)
{
	uint8_t identity[IDENTITY_BYTES_MAX];
	struct wire_packet w = {.buf = packet, .cap = sizeof(packet)};
	int fd = officer();

	(void)state;
	ask(fd, 1, WIRE_ASK_KEYS, span_of(NULL, 0));
	expect_end(fd);
	fd = officer();
	memset(identity, 1, sizeof(identity));
	ask(fd, 1, WIRE_ASK_CEREMONY, span_of(identity, 5));
	expect_end(fd);
	fd = officer();
	assert_int_equal(wire_put_bare(&w, WIRE_DRAIN), SG_OK);
	assert_int_equal(send(fd, w.buf, w.len, 0), w.len);
	expect_end(fd);
	fd = officer();
	assert_int_equal(send(fd, "nonsense", 8, 0), 8);
	expect_end(fd);
	assert_int_equal(ceremony.operated, 0);
}

static void test_crowd(void **state)
{
	int fd[OFFICER_SOCKET_LINKS + 1];

	(void)state;
	for (int i = 0; i < OFFICER_SOCKET_LINKS; i++)
		fd[i] = officer();
	fd[OFFICER_SOCKET_LINKS] = officer();
	expect_end(fd[OFFICER_SOCKET_LINKS]);
	/* one goes, and there is a place again */
	(void)close(fd[0]);
	turn();
	fd[0] = officer();
	for (int i = 0; i < OFFICER_SOCKET_LINKS; i++) {
		ask(fd[i], 9, WIRE_ASK_CEREMONY, span_of(NULL, 0));
		expect_answer(fd[i], 9, "document");
		(void)close(fd[i]);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_document), TEST(test_operation),
		TEST(test_gone),     TEST(test_two_at_a_time),
		TEST(test_nonsense), TEST(test_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
