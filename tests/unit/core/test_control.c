/* SPDX-License-Identifier: Apache-2.0 */
/* control: what the supervisor says, and what it hears. */
#include "office.h"

#include "base/fileio.h"
#include "core/control.h"
#include <fcntl.h>

struct shell {
	struct office *office; /* its desk is not used; its fakes are */
	struct control *control;
	struct channel *supervisor;
	bool up, over, ended;
	int status;
	size_t reloaded;
	bool reload_ok;
	char reason[256];
	size_t bad;
	struct wire_peer_bad last_bad;
};

static bool on_message(void *ctx, const struct wire_msg *m, const int *fds,
		       size_t n)
{
	struct shell *s = ctx;
	struct wire_reloaded r;

	(void)fds;
	assert_int_equal(n, 0);
	if (m->type == WIRE_UP) {
		s->up = true;
	} else if (m->type == WIRE_RELOADED) {
		assert_int_equal(wire_get_reloaded(m, &r), SG_OK);
		s->reloaded++;
		s->reload_ok = r.ok;
		(void)snprintf(s->reason, sizeof(s->reason), "%.*s",
			       (int)r.reason.n, (const char *)r.reason.p);
	} else {
		assert_int_equal(wire_get_peer_bad(m, &s->last_bad), SG_OK);
		s->bad++;
	}
	return true;
}

static void on_end(void *ctx, bool bad)
{
	struct shell *s = ctx;

	assert_false(bad);
	s->ended = true;
}

static void on_over(void *ctx, int status)
{
	struct shell *s = ctx;

	assert_false(s->over);
	s->over = true;
	s->status = status;
}

/* The configuration in these tests is one byte: g is good. */
static enum sg_err read_settings(int fd, struct core_settings *out,
				 char *reason, size_t cap)
{
	char c = 0;

	assert_int_equal(pread(fd, &c, 1, 0), 1);
	if (c != 'g') {
		(void)snprintf(reason, cap, "config:1: not good");
		return SG_CONFIG;
	}
	out->nkeys = 0;
	out->verify_ecdsa_one_in = 1;
	out->test_sign_ms = 1000;
	return SG_OK;
}

static struct shell *shell_open(const char *policy)
{
	static const struct channel_events events = {.message = on_message,
						     .end = on_end};
	struct shell *s = calloc(1, sizeof(*s));
	struct control_parts parts = {
		.read = read_settings, .over = on_over, .ctx = s};
	int fd[2];
	enum sg_err err;

	assert_non_null(s);
	s->office = office_open(COSE_ES256);
	parts.loop = &s->office->loop;
	parts.settings = &s->office->settings;
	parts.policy_fd = fileio_memfd("policy", span_str(policy));
	assert_true(parts.policy_fd >= 0);
	assert_int_equal(channel_pair(fd), 0);
	parts.fd = fd[1];
	assert_int_equal(
		channel_open(parts.loop, fd[0], &events, s, &s->supervisor),
		SG_OK);
	err = control_create(&parts, &s->control);
	(void)close(parts.policy_fd);
	if (err != SG_OK) {
		assert_null(s->control);
		(void)close(fd[1]);
		return s;
	}
	OFFICE_WAIT(s->office, s->up);
	return s;
}

static void shell_close(struct shell *s)
{
	control_free(s->control);
	channel_close(s->supervisor);
	office_close(s->office);
	free(s);
}

static void shell_link(struct shell *s, enum wire_role role, uint16_t slot,
		       int fd)
{
	uint8_t buf[256];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};
	const struct wire_link m = {.role = (uint8_t)role, .slot = slot};

	assert_int_equal(wire_put_link(&w, &m), SG_OK);
	assert_int_equal(channel_send_fds(s->supervisor, &w, &fd, 1), SG_OK);
}

static void shell_reload(struct shell *s, const char *config,
			 const char *policy)
{
	uint8_t buf[256];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};
	const int fds[2] = {fileio_memfd("config", span_str(config)),
			    fileio_memfd("policy", span_str(policy))};

	assert_int_equal(wire_put_bare(&w, WIRE_RELOAD), SG_OK);
	assert_int_equal(channel_send_fds(s->supervisor, &w, fds, 2), SG_OK);
}

static void shell_say(struct shell *s, enum wire_type type)
{
	struct wire_packet *w = channel_room(s->supervisor, 64);

	assert_int_equal(wire_put_bare(w, type), SG_OK);
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* A front and an hsm that the supervisor links work together. */
static void test_links(void **state)
{
	struct shell *s = shell_open(POLICY_TEXT);
	struct office *o = s->office;
	static const struct channel_events front = {.message = front_on_message,
						    .end = front_on_end};
	static const struct channel_events hsm = {.message = hsm_on_message,
						  .packet_done = hsm_on_packet,
						  .end = hsm_on_end};
	const struct ask ask = {.serial = 5};
	struct fake_front *f = &o->front[1];
	struct fake_hsm *h = &o->hsm[0];
	int fd[2];

	(void)state;
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(channel_open(&o->loop, fd[0], &front, f, &f->channel),
			 SG_OK);
	shell_link(s, WIRE_FRONT, 0, fd[1]);
	h->signer = &o->signer;
	h->label = "dsc-1";
	h->sessions = 2;
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(channel_open(&o->loop, fd[0], &hsm, h, &h->channel),
			 SG_OK);
	shell_link(s, WIRE_HSM, 3, fd[1]);
	hsm_say_ready(h, true);
	OFFICE_WAIT(o, f->ready);
	front_issue(f, 1, &ask);
	OFFICE_WAIT(o, f->n == 1);
	assert_certificate(o, &f->answer[0], &ask);
	/* One that makes no sense is reported by role and slot. */
	assert_int_equal(wire_put_bare(channel_room(h->channel, 64), WIRE_UP),
			 SG_OK);
	OFFICE_WAIT(o, s->bad == 1);
	assert_int_equal(s->last_bad.role, WIRE_HSM);
	assert_int_equal(s->last_bad.slot, 3);
	assert_false(s->over);
	shell_close(s);
}

static void test_reload(void **state)
{
	struct shell *s = shell_open(POLICY_TEXT);
	const int before = open_fds();

	(void)state;
	shell_reload(s, "good", POLICY_TEXT);
	OFFICE_WAIT(s->office, s->reloaded == 1);
	assert_true(s->reload_ok);
	shell_reload(s, "bad", POLICY_TEXT);
	OFFICE_WAIT(s->office, s->reloaded == 2);
	assert_false(s->reload_ok);
	assert_string_equal(s->reason, "config:1: not good");
	shell_reload(s, "good", "version: 1\nwrong: 5\n");
	OFFICE_WAIT(s->office, s->reloaded == 3);
	assert_false(s->reload_ok);
	assert_non_null(strstr(s->reason, "policy.yaml:1: clients"));
	assert_null(strchr(s->reason, '\n'));
	assert_int_equal(office_metric(s->office, METRIC_RELOADS), 1);
	assert_int_equal(office_metric(s->office, METRIC_RELOADS_REFUSED), 2);
	assert_false(s->over);
	assert_int_equal(open_fds(), before);
	shell_close(s);
}

static void test_drain(void **state)
{
	struct shell *s = shell_open(POLICY_TEXT);

	(void)state;
	shell_say(s, WIRE_DRAIN);
	OFFICE_WAIT(s->office, s->over);
	assert_int_equal(s->status, 0);
	shell_close(s);
}

static void test_supervisor_gone(void **state)
{
	struct shell *s = shell_open(POLICY_TEXT);

	(void)state;
	channel_close(s->supervisor);
	s->supervisor = NULL;
	OFFICE_WAIT(s->office, s->over);
	assert_int_equal(s->status, 1);
	shell_close(s);
}

static void test_nonsense(void **state)
{
	const int before = open_fds();
	struct shell *s = shell_open(POLICY_TEXT);

	(void)state;
	shell_say(s, WIRE_RELOAD); /* without its descriptors */
	OFFICE_WAIT(s->office, s->over);
	assert_int_equal(s->status, 1);
	shell_close(s);
	s = shell_open(POLICY_TEXT);
	shell_say(s, WIRE_UP); /* is for the core to say */
	OFFICE_WAIT(s->office, s->over);
	assert_int_equal(s->status, 1);
	shell_close(s);
	/* A slot that there is not; the descriptor is closed all the same. */
	s = shell_open(POLICY_TEXT);
	shell_link(s, WIRE_FRONT, 9999, dup(0));
	OFFICE_WAIT(s->office, s->over);
	assert_int_equal(s->status, 1);
	shell_close(s);
	assert_int_equal(open_fds(), before);
}

static void test_bad_policy(void **state)
{
	struct shell *s = shell_open("version: 2\n");

	(void)state;
	assert_null(s->control);
	shell_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_supervisor_gone),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_bad_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
