/* SPDX-License-Identifier: Apache-2.0 */
/* A front whose key is in an HSM: when does it open its door? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "front/server_key.h"
#include "front_world.h"

static void begin(void)
{
	settings.key[0] = '\0';
	settings.key_alg = COSE_ES256;
	child = child_start(&settings);
}

static bool says_up(void)
{
	struct wire_msg m;

	return packet_next(child.control, packet, &m) && m.type == WIRE_UP;
}

/* The HSM has shown the key of OF; or, if there is none, nothing yet. */
static void status_is(int core, const struct pki_cert *of)
{
	struct wire_status s = {.ready = true};
	uint8_t *spki = NULL;
	const int n = of != NULL ? i2d_PUBKEY(of->key, &spki) : 0;

	assert_true(n >= 0);
	s.tls_key = span_of(spki, (size_t)n);
	core_tells(core, &s);
	OPENSSL_free(spki);
}

/* With what the core knows from its start, and with what it hears later. */
static void test_the_key_fits(void **state)
{
	uint64_t begun_us;
	int core;

	(void)state;
	for (int later = 0; later < 2; later++) {
		begin();
		begun_us = clock_mono_us();
		core = core_attach();
		if (later)
			status_is(core, NULL);
		status_is(core, &server);
		assert_true(says_up());
		assert_true(clock_mono_us() - begun_us <
			    (uint64_t)SERVER_KEY_WAIT_MS * 1000);
		/* An HSM that loses it is no reason to go: it may be back. */
		status_is(core, NULL);
		status_is(core, &other);
		(void)close(core);
		assert_int_equal(waitpid(child.pid, NULL, WNOHANG), 0);
		child_stop(&child);
	}
}

static void test_another_key(void **state)
{
	struct wire_msg m;
	int core;

	(void)state;
	begin();
	core = core_attach();
	status_is(core, &other);
	assert_int_equal(child_wait(&child), 1);
	assert_false(packet_next(child.control, packet, &m)); /* never up */
	(void)close(core);
	(void)close(child.control);
}

/* With no HSM nobody knows: those who come shall hear of it.  Then it is back,
 * and has the key, or not. */
static void test_nobody_says(void **state)
{
	(void)state;
	for (int fits = 0; fits < 2; fits++) {
		const uint64_t begun_us = clock_mono_us();
		struct sockaddr_in a = {.sin_family = AF_INET,
					.sin_addr = {htonl(INADDR_LOOPBACK)}};
		const int fd = socket(AF_INET, SOCK_STREAM, 0);
		int core;

		begin();
		core = core_attach();
		status_is(core, NULL);
		a.sin_port = htons((uint16_t)child.port);
		assert_int_equal(
			connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
		/* As long as it waits, and what a busy machine needs. */
		assert_true(metric_becomes(METRIC_CONNECTIONS, 1) ||
			    metric_becomes(METRIC_CONNECTIONS, 1) ||
			    metric_becomes(METRIC_CONNECTIONS, 1));
		assert_true(clock_mono_us() - begun_us >=
			    (uint64_t)SERVER_KEY_WAIT_MS * 1000);
		status_is(core, fits ? &server : &other);
		if (fits)
			assert_true(says_up());
		else
			assert_int_equal(child_wait(&child), 1);
		(void)close(fd);
		(void)close(core);
		child_stop(&child);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_key_fits, setup),
		cmocka_unit_test_setup(test_another_key, setup),
		cmocka_unit_test_setup(test_nobody_says, setup),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
