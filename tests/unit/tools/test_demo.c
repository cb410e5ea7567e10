/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bench/demo.h"

static const char YAML[] =
	"# The demo\nversion: 1\nlisten:\n  address: 127.0.0.1\n  port: 1\n"
	"  fronts: 1\nops:\n  listen: 127.0.0.1:2\ntls:\n"
	"  key: tls/server.key\nhsms:\n  - name: demo\n"
	"    module: /usr/lib/softhsm/libsofthsm2.so\n    pin: file:pin\n"
	"    environment:\n      - SOFTHSM2_CONF=softhsm2.conf\n"
	"      - OTHER=value\nkeys:\n  - label: dsc-1\n    hsm: demo\n"
	"    uri: pkcs11:token=demo;object=dsc-1\n    alg: PS256\n";
static const char LEDGER[] =
	"ledger:\n  hsm: demo\n  uri: pkcs11:token=ledger;object=ledger\n";

struct place {
	char dir[64];
	char real[PATH_MAX];
};

static int setup(void **state)
{
	static struct place p;

	(void)snprintf(p.dir, sizeof(p.dir), "/tmp/bench-demo-XXXXXX");
	*state = &p;
	if (mkdtemp(p.dir) == NULL || realpath(p.dir, p.real) == NULL)
		return -1;
	return 0;
}

static void path_of(const struct place *p, const char *name, char *out,
		    size_t cap)
{
	assert_true(snprintf(out, cap, "%s/%s", p->real, name) < (int)cap);
}

static void put(const struct place *p, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *f;

	path_of(p, name, path, sizeof(path));
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int teardown(void **state)
{
	static const char *const names[] = {"signerd.yaml", "softhsm2.conf"};
	const struct place *p = *state;
	char path[PATH_MAX];

	for (size_t i = 0; i < 2; i++) {
		path_of(p, names[i], path, sizeof(path));
		(void)unlink(path);
	}
	return rmdir(p->dir);
}

static void test_read(void **state)
{
	const struct place *p = *state;
	static struct demo d;
	char expect[PATH_MAX];
	char why[600];
	char text[sizeof(YAML) + sizeof(LEDGER)];

	/* The first key is meant, and not the ledger's. */
	(void)snprintf(text, sizeof(text), "%s%s", YAML, LEDGER);
	put(p, "signerd.yaml", text);
	put(p, "softhsm2.conf", "\n");
	assert_int_equal(demo_read(p->dir, &d, why, sizeof(why)), SG_OK);
	assert_string_equal(d.server, "https://localhost:1");
	assert_string_equal(d.metrics, "http://127.0.0.1:2/metrics");
	assert_string_equal(d.module, "/usr/lib/softhsm/libsofthsm2.so");
	assert_string_equal(d.uri, "pkcs11:token=demo;object=dsc-1");
	assert_int_equal(d.alg, COSE_PS256);
	path_of(p, "pin", expect, sizeof(expect));
	assert_string_equal(d.pin_file, expect);
	path_of(p, "clients/issuer.key", expect, sizeof(expect));
	assert_string_equal(demo_client(&d).key, expect);
	/* A file's name becomes absolute, another value stays. */
	assert_int_equal(d.nenvironment, 2);
	assert_int_equal(demo_environment(&d), SG_OK);
	path_of(p, "softhsm2.conf", expect, sizeof(expect));
	assert_string_equal(getenv("SOFTHSM2_CONF"), expect);
	assert_string_equal(getenv("OTHER"), "value");
}

/* Without any of its parts it is no demo. */
static void test_incomplete(void **state)
{
	static const char *const parts[] = {
		"  port: ",  "ops:",	 "    module:",
		"    pin: ", "    uri:", "    alg:"};
	const struct place *p = *state;
	static struct demo d;
	char why[600] = "";

	assert_int_equal(demo_read("/nonexistent", &d, why, sizeof(why)),
			 SG_CONFIG);
	assert_non_null(strstr(why, "/nonexistent"));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char text[sizeof(YAML)];

		memcpy(text, YAML, sizeof(text));
		*strstr(text, parts[i]) = '#';
		put(p, "signerd.yaml", text);
		assert_int_equal(demo_read(p->dir, &d, why, sizeof(why)),
				 SG_CONFIG);
	}
}

/* A server that cannot be started is told. */
static void test_start(void **state)
{
	const struct place *p = *state;
	static struct demo d;
	char why[600] = "";

	put(p, "signerd.yaml", YAML);
	assert_int_equal(demo_read(p->dir, &d, why, sizeof(why)), SG_OK);
	assert_int_equal(
		demo_start(&d, "/nonexistent/signerd", why, sizeof(why)),
		SG_IO);
	assert_int_equal(demo_start(&d, "/bin/false", why, sizeof(why)),
			 SG_TIMED_OUT);
	assert_int_equal(d.pid, 0);
	demo_stop(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_incomplete, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_start, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
