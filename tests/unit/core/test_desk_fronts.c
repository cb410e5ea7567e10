/* SPDX-License-Identifier: Apache-2.0 */
/* desk_fronts, front_link: what a front that was taken over may try. */
#include "office.h"

#include "core/front_link.h"

static struct span identity_of(uint8_t buf[IDENTITY_BYTES_MAX])
{
	return span_of(
		buf, identity_make("urn:test:issuer", buf, IDENTITY_BYTES_MAX));
}

static void ask_client(struct office *o, uint64_t id)
{
	uint8_t identity[IDENTITY_BYTES_MAX];
	const struct wire_ask m = {.question = WIRE_ASK_CLIENT,
				   .identity = identity_of(identity)};
	struct wire_packet *w = channel_room(o->front[0].channel, 256);

	assert_non_null(w);
	assert_int_equal(wire_put_ask(w, id, &m), SG_OK);
}

/* Front 0 is cut off over FAULT, and front 1 does not notice. */
static void assert_cut_off(struct office *o, enum metric_id fault)
{
	const struct ask ask = {.serial = 99};

	OFFICE_WAIT(o, o->bad_fronts == 1 && o->front[0].ended);
	assert_int_equal(office_metric(o, fault), 1);
	assert_int_equal(office_metric(o, METRIC_BAD_MESSAGES), 1);
	assert_int_equal(o->left_fronts, 0);
	office_add_front(o, 1);
	front_issue(&o->front[1], 1, &ask);
	OFFICE_WAIT(o, o->front[1].n == 1);
	assert_certificate(o, &o->front[1].answer[0], &ask);
	office_close(o);
}

/* Whatever is not a front's to send, as a head alone. */
static void test_types(void **state)
{
	(void)state;
	for (unsigned type = 0; type <= WIRE_TYPE_COUNT; type++) {
		const uint16_t head[8] = {16, 0, (uint16_t)type};
		struct office *o;
		int fd[2];

		if (type == WIRE_ISSUE || type == WIRE_ASK ||
		    type == WIRE_OPERATE)
			continue;
		o = office_ready(COSE_ES256, 1);
		assert_int_equal(channel_pair(fd), 0);
		assert_int_equal(desk_link(o->desk, WIRE_FRONT, 1, fd[1]),
				 SG_OK);
		assert_int_equal(write(fd[0], head, sizeof(head)),
				 sizeof(head));
		OFFICE_WAIT(o, o->bad_fronts == 1);
		assert_int_equal(office_metric(o, METRIC_FRONT_MESSAGE), 1);
		(void)close(fd[0]);
		office_close(o);
	}
}

static void test_descriptor(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	uint8_t buf[256];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};
	int fd[2];

	(void)state;
	assert_int_equal(wire_put_bare(&w, WIRE_UP), SG_OK);
	assert_int_equal(pipe(fd), 0);
	(void)close(fd[0]);
	assert_int_equal(channel_send_fds(o->front[0].channel, &w, &fd[1], 1),
			 SG_OK);
	assert_cut_off(o, METRIC_FRONT_DESCRIPTOR);
}

/* More at once than it may have in flight. */
static void test_overrun(void **state)
{
	struct office *o = office_ready(COSE_ES256, 1);
	struct fake_front *f = &o->front[0];

	(void)state;
	for (uint64_t id = 1; id <= f->credit; id++)
		ask_client(o, id);
	OFFICE_WAIT(o, f->n == f->credit);
	assert_int_equal(office_metric(o, METRIC_FRONT_CREDIT), 0);
	for (uint64_t id = 0; id <= f->credit; id++)
		ask_client(o, id);
	assert_cut_off(o, METRIC_FRONT_CREDIT);
}

/* Within its credit, but each costs as much as many requests. */
static void test_costly(void **state)
{
	const struct wire_ask m = {.question = WIRE_ASK_PROOF};
	struct office *o = office_ready(COSE_ES256, 1);
	struct fake_front *f = &o->front[0];
	size_t busy = 0;

	(void)state;
	for (uint64_t id = 1; id <= 100; id++) {
		struct wire_packet *w = channel_room(f->channel, 64);

		assert_int_equal(wire_put_ask(w, id, &m), SG_OK);
	}
	OFFICE_WAIT(o, f->n == 100);
	for (size_t i = 0; i < f->n; i++)
		busy += f->answer[i].err == SG_BUSY;
	assert_int_equal(busy, 100 - FRONT_LINK_COSTLY_MAX);
	/* In the next turn there is room again. */
	channel_cut(f->channel);
	assert_int_equal(wire_put_ask(channel_room(f->channel, 64), 101, &m),
			 SG_OK);
	OFFICE_WAIT(o, f->n == 101);
	assert_int_not_equal(f->answer[100].err, SG_BUSY);
	assert_int_equal(o->bad_fronts, 0);
	office_close(o);
}

/* It is gone, and has done nothing wrong: its supervisor knows more. */
static void test_left(void **state)
{
	const uint64_t before = clock_mono_us();
	struct office *o = office_ready(COSE_ES256, 1);

	(void)state;
	front_clear(&o->front[0]);
	OFFICE_WAIT(o, o->left_fronts == 1);
	assert_true(o->left_linked_us >= before &&
		    o->left_linked_us <= clock_mono_us());
	assert_int_equal(o->bad_fronts, 0);
	assert_int_equal(office_metric(o, METRIC_FRONT_MESSAGE), 0);
	office_close(o);
}

/* Answers that nobody reads are dropped, and counted. */
static void test_unread(void **state)
{
	static uint8_t packet[WIRE_PACKET_MAX];
	uint8_t identity[IDENTITY_BYTES_MAX];
	const struct wire_ask m = {.question = WIRE_ASK_POLICY,
				   .identity = identity_of(identity)};
	struct office *o = office_ready(COSE_ES256, 1);
	struct wire_packet w = {.buf = packet, .cap = sizeof(packet)};
	int fd[2];

	(void)state;
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(desk_link(o->desk, WIRE_FRONT, 1, fd[1]), SG_OK);
	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(wire_put_ask(&w, i, &m), SG_OK);
	log_limit(LOG_ERROR);
	for (unsigned i = 0; i < 500; i++) {
		(void)!send(fd[0], packet, w.len, MSG_DONTWAIT);
		OFFICE_UNTIL(o, 5, office_metric(o, METRIC_FRONT_UNREAD) > 0);
		if (office_metric(o, METRIC_FRONT_UNREAD) > 0)
			break;
	}
	assert_true(office_metric(o, METRIC_FRONT_UNREAD) > 0);
	assert_int_equal(o->bad_fronts, 0);
	(void)close(fd[0]);
	office_close(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_overrun),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_unread),
		cmocka_unit_test(test_costly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
