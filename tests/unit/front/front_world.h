/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_FRONT_WORLD_H
#define SG_TEST_FRONT_WORLD_H

/* A front in a child process, with its PKI. */
#include "front_child.h"

#define GET "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

static struct pki_cert ca, server, good, other, expired;
static struct front_settings settings;
static struct child child;
static uint8_t packet[WIRE_PACKET_MAX];
static char text[16 << 20];

static const char *const FILES[] = {"ca.pem", "server.pem", "server.key",
				    "crl.pem", "old-crl.pem"};

static inline int setup_all(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	pki_setup();
	ca = pki_issue(NULL, (struct pki_wish){.cn = "CA", .ca = 1});
	server = pki_issue(
		&ca, (struct pki_wish){.cn = "server", .san = "DNS:localhost"});
	good = pki_issue(&ca,
			 (struct pki_wish){.cn = "a", .san = "URI:urn:good"});
	other = pki_issue(&ca,
			  (struct pki_wish){.cn = "b", .san = "URI:urn:other"});
	expired = pki_issue(&ca,
			    (struct pki_wish){.cn = "c", .from = -9, .to = -1});
	pki_write_cert("ca.pem", ca.x);
	pki_write_cert("server.pem", server.x);
	pki_write_key("server.key", server.key);
	pki_write_crl("crl.pem", pki_crl(&ca, other.x, -1, 9), "w");
	pki_write_crl("old-crl.pem", pki_crl(&ca, NULL, -9, -1), "w");
	return 0;
}

static inline int teardown_all(void **state)
{
	(void)state;
	pki_free(&ca);
	pki_free(&server);
	pki_free(&good);
	pki_free(&other);
	pki_free(&expired);
	pki_remove(FILES, sizeof(FILES) / sizeof(FILES[0]));
	return 0;
}

static inline int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	settings = (struct front_settings){
		.connections_max = 8,
		.header_bytes_max = 4096,
		.body_bytes_max = 65536,
		.streams_max = 16,
		.handshake_ms = 5000,
		.header_ms = 5000,
		.body_ms = 5000,
		.idle_ms = 60000,
		.request_ms = 5000,
	};
	(void)pki_path(settings.certificate, "server.pem");
	(void)pki_path(settings.key, "server.key");
	(void)pki_path(settings.client_ca, "ca.pem");
	return 0;
}

static inline void start(void)
{
	struct wire_msg m;

	child = child_start(&settings);
	assert_true(packet_next(child.control, packet, &m));
	assert_int_equal(m.type, WIRE_UP);
}

static inline void get(struct client *k)
{
	client_send(k, GET);
	(void)client_read(k, text, sizeof(text), "\r\n\r\n");
	assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
}

/* Gauges are set by the child when it is done with what we saw. */
static inline bool metric_becomes(enum metric_id id, uint64_t value)
{
	for (int i = 0; i < 500; i++) {
		if (metric_get(child.page, id) == value)
			return true;
		(void)usleep(10000);
	}
	return false;
}

/* The child is linked to a core: our end. */
static inline int core_attach(void)
{
	uint8_t buf[256];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};
	const struct wire_link link = {.role = WIRE_CORE};
	const struct wire_credit credit = {.credit = 100};
	const struct timeval patience = {.tv_sec = CHILD_WAIT_S};
	int pair[2];

	assert_int_equal(channel_pair(pair), 0);
	assert_int_equal(wire_put_link(&w, &link), SG_OK);
	packet_send(child.control, &w, pair[1]);
	w.len = 0;
	assert_int_equal(wire_put_credit(&w, &credit), SG_OK);
	packet_send(pair[0], &w, -1);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience,
				    sizeof(patience)),
			 0);
	return pair[0];
}

static inline void core_tells(int core, const struct wire_status *s)
{
	uint8_t buf[2048];
	struct wire_packet w = {.buf = buf, .cap = sizeof(buf)};

	assert_int_equal(wire_put_status(&w, s), SG_OK);
	packet_send(core, &w, -1);
}

#endif /* SG_TEST_FRONT_WORLD_H */
