/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_WORKER_CHILD_H
#define SG_TEST_WORKER_CHILD_H

/*
 * worker_child: the hsm role in a process of its own, and what supervisor and
 * core do with it.  For one test at a time.
 */
#include "softhsm.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "ipc/role.h"
#include "pkcs11/worker.h"

enum {
	PATIENCE_MS = 20000, /* for anything that must come */
	DIGEST_BYTES = 32
};

static struct softhsm hsm;
static struct worker_settings settings;
static int (*role_run)(const struct worker_settings *) = worker_run;
static pid_t child = -1;
static int control = -1;
static int core = -1;
static struct wire_hsm_ready ready; /* spans point into ready_bytes */
static uint8_t ready_bytes[WIRE_PACKET_MAX];
_Alignas(8) static uint8_t packet[WIRE_PACKET_MAX]; /* received */

/* --- what the child does --- */

static inline void patch_nothing(CK_FUNCTION_LIST *f)
{
	(void)f;
}

static inline void start(void (*patch)(CK_FUNCTION_LIST *))
{
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		/* Only the worker itself may know where the token is. */
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread yet */
		(void)unsetenv("SOFTHSM2_CONF");
		if (dup2(pair[1], ROLE_FD_CONTROL) < 0)
			_exit(9);
		for (int fd = ROLE_FD_CONTROL + 1; fd < 64; fd++)
			(void)close(fd);
		patch(softhsm_calls());
		_exit(role_run(&settings));
	}
	(void)close(pair[1]);
	control = pair[0];
}

/* --- what supervisor and core do --- */

/* One packet, or 0 at the end of the channel. */
static inline size_t receive(int fd, uint8_t *buf, size_t cap)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	n = recv(fd, buf, cap, 0);
	if (n < 0 && errno == ECONNRESET)
		return 0;
	assert_true(n >= 0);
	return (size_t)n;
}

static inline void expect_control(enum wire_type type)
{
	_Alignas(8) uint8_t buf[4096];
	struct span rest = span_of(buf, receive(control, buf, sizeof(buf)));
	struct wire_msg m;

	assert_int_equal(wire_next(&rest, &m), SG_OK);
	assert_int_equal(m.type, type);
	assert_int_equal(wire_next(&rest, &m), SG_NOT_FOUND);
}

static inline void send_packet(int fd, const struct wire_packet *w)
{
	assert_int_equal(send(fd, w->buf, w->len, MSG_NOSIGNAL), w->len);
}

static inline void send_bare(enum wire_type type)
{
	_Alignas(8) uint8_t buf[64];
	struct wire_packet w = {buf, sizeof(buf), 0};

	assert_int_equal(wire_put_bare(&w, type), SG_OK);
	send_packet(control, &w);
}

/* Give the worker a channel; returns our end. */
static inline int send_link(uint16_t slot)
{
	_Alignas(8) uint8_t buf[64];
	struct wire_packet w = {buf, sizeof(buf), 0};
	const struct wire_link link = {.role = WIRE_CORE, .slot = slot};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} beside = {0};
	struct iovec iov;
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = beside.bytes,
			     .msg_controllen = sizeof(beside.bytes)};
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	/* The worker blocks on it whatever the flags say. */
	assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(wire_put_link(&w, &link), SG_OK);
	iov = (struct iovec){w.buf, w.len};
	beside.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
				       .cmsg_level = SOL_SOCKET,
				       .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&beside.head), &pair[1], sizeof(int));
	assert_int_equal(sendmsg(control, &msg, MSG_NOSIGNAL), w.len);
	(void)close(pair[1]);
	return pair[0];
}

static inline void expect_ready(void)
{
	struct span rest = span_of(
		ready_bytes, receive(core, ready_bytes, sizeof(ready_bytes)));
	struct wire_msg m;

	assert_int_equal(wire_next(&rest, &m), SG_OK);
	assert_int_equal(m.type, WIRE_HSM_READY);
	assert_int_equal(wire_get_hsm_ready(&m, &ready), SG_OK);
	assert_int_equal(ready.nkeys, settings.nkeys);
	assert_int_equal(ready.sessions, 2);
	assert_int_equal(ready.key[0].alg, COSE_ES256);
	assert_true(span_is(ready.key[0].label, "dsc"));
	assert_true(ready.key[0].certificate.n > 0);
	assert_true(ready.key[0].spki.n > 0);
	assert_int_equal(ready.key[1].alg, COSE_PS256);
	assert_int_equal(ready.key[1].certificate.n, 0);
	assert_true(ready.key[1].spki.n > 0);
}

static inline void expect_exit(int status)
{
	int got = -1;

	for (int i = 0; i < PATIENCE_MS / 10; i++) {
		if (waitpid(child, &got, WNOHANG) == child) {
			child = -1;
			assert_true(WIFEXITED(got));
			assert_int_equal(WEXITSTATUS(got), status);
			return;
		}
		(void)usleep(10000);
	}
	fail_msg("the worker lives on");
}

/* The message of job ID, and what of it is signed. */
static inline struct span message_of(uint64_t id, char text[32])
{
	return span_of(text, (size_t)snprintf(text, 32, "job %llu",
					      (unsigned long long)id));
}

static inline uint64_t soon(void)
{
	return clock_mono_us() + PATIENCE_MS * 1000ULL;
}

static inline void put_job(struct wire_packet *w, uint64_t id, uint16_t key,
			   uint64_t deadline_us)
{
	char text[32];
	uint8_t digest[DIGEST_BYTES];
	const struct wire_sign job = {
		.key = key,
		.deadline_us = deadline_us,
		.tbs = softhsm_tbs(COSE_ES256, message_of(id, text), digest)};

	assert_int_equal(wire_put_sign(w, id, &job), SG_OK);
}

static inline void send_job(uint64_t id, uint16_t key, uint64_t deadline_us)
{
	_Alignas(8) uint8_t buf[256];
	struct wire_packet w = {buf, sizeof(buf), 0};

	put_job(&w, id, key, deadline_us);
	send_packet(core, &w);
}

static inline void check_answer(const struct wire_msg *m, uint16_t key)
{
	struct wire_signed done;
	char text[32];

	assert_int_equal(m->type, WIRE_SIGNED);
	assert_int_equal(wire_get_signed(m, &done), SG_OK);
	assert_true(done.sign_us > 0);
	assert_true(softhsm_verifies(ready.key[key].spki,
				     (enum cose_alg)ready.key[key].alg,
				     message_of(m->id, text), done.signature));
}

/* The one answer of the next packet. */
static inline struct wire_msg next_answer(void)
{
	struct span rest =
		span_of(packet, receive(core, packet, sizeof(packet)));
	struct wire_msg m;

	assert_int_equal(wire_next(&rest, &m), SG_OK);
	assert_int_equal(rest.n, 0);
	return m;
}

static inline void sign_one(uint64_t id, uint16_t key)
{
	struct wire_msg m;

	send_job(id, key, soon());
	m = next_answer();
	assert_int_equal(m.id, id);
	check_answer(&m, key);
}

static inline void serve_begin_with(void (*patch)(CK_FUNCTION_LIST *))
{
	start(patch);
	expect_control(WIRE_UP);
	core = send_link(0);
	expect_ready();
}

/* --- set-up --- */

static inline int make(void **state)
{
	(void)state;
	softhsm_make(&hsm);
	return 0;
}

static inline int cleanup(void **state)
{
	(void)state;
	softhsm_remove(&hsm);
	return 0;
}

static inline int before(void **state)
{
	(void)state;
	memset(&settings, 0, sizeof(settings));
	(void)snprintf(settings.name, sizeof(settings.name), "demo");
	(void)snprintf(settings.module, sizeof(settings.module), "%s",
		       SOFTHSM_MODULE);
	(void)snprintf(settings.pin_file, sizeof(settings.pin_file), "%s",
		       hsm.pin_file);
	settings.nenv = 1;
	(void)snprintf(settings.env[0], sizeof(settings.env[0]),
		       "SOFTHSM2_CONF=%s/softhsm2.conf", hsm.dir);
	settings.sessions = 2;
	settings.hang_ms = 10000;
	settings.nkeys = 2;
	settings.key[0] = (struct worker_key_settings){
		.label = "dsc",
		.uri = "pkcs11:token=beta;object=ec",
		.alg = COSE_ES256};
	settings.key[1] = (struct worker_key_settings){
		.label = "rsa",
		.uri = "pkcs11:token=alpha;object=rsa",
		.alg = COSE_PS256};
	return 0;
}

static inline int after(void **state)
{
	(void)state;
	if (child > 0) {
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
	}
	if (control >= 0)
		(void)close(control);
	if (core >= 0)
		(void)close(core);
	child = control = core = -1;
	return 0;
}

#endif /* SG_TEST_WORKER_CHILD_H */
