/* SPDX-License-Identifier: Apache-2.0 */
#include "config_fixture.h"

#include "base/fileio.h"
#include "base/log.h"

static void test_good(void **state)
{
	struct faults faults = {0};
	struct config *c = parse(good, &faults);
	const struct worker_settings *w;

	(void)state;
	assert_string_equal(faults.text, "");
	assert_non_null(c);
	assert_string_equal(c->base, fix.dir);
	assert_string_equal(c->address, "127.0.0.1");
	assert_int_equal(c->port, fix.port);
	assert_int_equal(c->fronts, 2);
	assert_string_equal(c->front.certificate,
			    fixture_path(&fix, "server.pem"));
	assert_string_equal(c->front.crl, fixture_path(&fix, "crl.pem"));
	assert_false(c->front.tls12);
	assert_int_equal(c->front.idle_ms, 120000);
	assert_int_equal(c->front.connections_max, 20000); /* a default */
	assert_int_equal(c->drain_ms, 5000);
	assert_int_equal(c->log_level, LOG_DEBUG);
	assert_string_equal(c->core.state, fixture_path(&fix, "state"));
	assert_int_equal(c->core.front_credit, 2048);
	assert_int_equal(c->core.verify_ecdsa_one_in, 1);
	assert_int_equal(c->core.nkeys, 2);
	assert_string_equal(c->core.key[0].label, "dsc-1");
	assert_int_equal(c->core.key[0].alg, COSE_ES256);
	assert_int_equal(c->core.key[0].kinds, DCC_KIND_BIT(DCC_VACCINATION) |
						       DCC_KIND_BIT(DCC_TEST));
	assert_string_equal(c->core.key[0].country, "VN");
	assert_int_equal(c->nhsms, 1);
	w = &c->hsm[0].worker;
	assert_string_equal(w->name, "demo");
	assert_string_equal(w->pin_file, fixture_path(&fix, "pin"));
	assert_int_equal(w->sessions, 4);
	assert_false(w->session_copies);
	assert_int_equal(w->hang_ms, 3000);
	assert_int_equal(c->core.hang_ms, 3000);
	assert_int_equal(w->nkeys, 2);
	assert_string_equal(w->key[0].uri, "pkcs11:token=demo;object=dsc-1");
	assert_int_equal(w->nenv, 2);
	assert_string_equal(w->env[1], "PLAIN=value");
	assert_memory_equal(w->env[0], "SOFTHSM2_CONF=/tmp/", 19);
	config_free(c);
}

static void test_slots(void **state)
{
	char text[FIXTURE_TEXT];
	struct faults faults = {0};
	struct config *c;

	(void)state;
	fixture_edit(good, "keys:\n",
		     "  - {name: second, module: m, pin: 'file:p', "
		     "processes: 3, sessions: 1}\n"
		     "keys:\n",
		     text);
	c = parse(text, &faults);
	assert_non_null(c);
	assert_int_equal(config_hsm_slots(c), 5);
	assert_ptr_equal(config_hsm_of(c, 0), &c->hsm[0]);
	assert_ptr_equal(config_hsm_of(c, 1), &c->hsm[0]);
	assert_ptr_equal(config_hsm_of(c, 2), &c->hsm[1]);
	assert_ptr_equal(config_hsm_of(c, 4), &c->hsm[1]);
	assert_null(config_hsm_of(c, 5));
	config_free(c);
}

/* An edit of the good file, and the start of a fault that it must give. */
struct bad {
	const char *old;
	const char *new;
	const char *fault;
};

static const struct bad BAD[] = {
	{"version: 1", "version: 2", ":1: version: this program"},
	{"version: 1\n", "", ":1: version: is missing"},
	{"version: 1", "version: 1\ncolour: red", ":2: unknown key \"colour\""},
	{"version: 1", "version: 1\nlog: info", ":39: repeated key \"log\""},
	{"version: 1", "version: !!int 1", ":1: tags are not used"},
	{"log: debug", "log: debug\n---\nversion: 1",
	 ":40: more than one document"},
	{"log: debug", "log: [", "not YAML"},
	{"log: debug", "log: \x01", "not YAML"},
	{"log: debug", "log: loud", ":38: log: must be one of"},
	{"address: 127.0.0.1", "address: localhost",
	 ":3: listen.address: must be a numeric"},
	{"fronts: 2", "fronts: 0",
	 ":5: listen.fronts: must be a number from 1"},
	{"fronts: 2", "fronts: 65", ":5: listen.fronts: must be a number"},
	{"fronts: 2", "fronts: 2x", ":5: listen.fronts: must be a number"},
	{"fronts: 2", "fronts: 02", ":5: listen.fronts: must be a number"},
	{"fronts: 2", "fronts: -2", ":5: listen.fronts: must be a number"},
	{"fronts: 2", "fronts: 0x2", ":5: listen.fronts: must be a number"},
	{"fronts: 2", "fronts: 18446744073709551618",
	 ":5: listen.fronts: must be a number"},
	{"fronts: 2", "fronts: [2]",
	 ":5: listen.fronts: must be a single value"},
	{"fronts: 2", "fronts:", ":5: listen.fronts: has no value"},
	{"  fronts: 2\n", "", ":3: listen.fronts: is missing"},
	{"listen: 127.0.0.1:", "listen: 192.0.2.1:",
	 ":7: ops.listen: must be a loopback"},
	{"listen: 127.0.0.1:", "listen: 0.0.0.0:",
	 ":7: ops.listen: must be a loopback"},
	{"listen: 127.0.0.1:", "listen: 127.0.0.1:0",
	 ":7: ops.listen: must be ADDRESS:PORT"},
	{"listen: 127.0.0.1:", "listen: nowhere",
	 ":7: ops.listen: must be ADDRESS:PORT"},
	{"tls:\n", "tls:\n  min_version: \"1.1\"\n",
	 ":9: tls.min_version: must be"},
	{"  client_ca: ca.pem\n", "", ":9: tls.client_ca: is missing"},
	{"tls:\n", "tls:\n  cert: x\n", ":9: tls: unknown key \"cert\""},
	{"pin: file:pin", "pin: 1234", ":19: hsms[0].pin: must be file:PATH"},
	{"pin: file:pin", "pin: credential:../x",
	 ":19: hsms[0].pin: names no credential"},
	{"pin: file:pin", "pin: credential:pin",
	 ":19: hsms[0].pin: needs systemd"},
	{"processes: 2", "processes: 17", ":20: hsms[0].processes: must be"},
	{"sessions: 4", "sessions: 257", ":21: hsms[0].sessions: must be"},
	{"sessions: 4", "sessions: 4\n    hang: 10",
	 ":22: hsms[0].hang: must be a number with"},
	{"sessions: 4", "sessions: 4\n    hang: 10d",
	 ":22: hsms[0].hang: must be from"},
	{"sessions: 4", "sessions: 4\n    session_copies: yes",
	 ":22: hsms[0].session_copies: must be true or false"},
	{"sessions: 4", "sessions: 4\n    hang: 10s",
	 ":22: hsms[0].hang: must be below limits.request"},
	{"PLAIN=value", "=value", ":24: hsms[0].environment[1]: must be"},
	{"PLAIN=value", "LD_PRELOAD=/lib/x.so",
	 ":24: hsms[0].environment[1]: is for the loader"},
	{"token=demo", "token=de%zzmo", ":28: keys[0].uri: has a % without"},
	{"token=demo", "token=demo%2", ":28: keys[0].uri: has a % without"},
	{"token=demo", "token=demo%00", ":28: keys[0].uri: has a % without"},
	{"name: demo", "name: de mo", ":17: hsms[0].name: must be 1 to"},
	{"keys:\n",
	 "  - {name: demo, module: m, pin: 'file:p', processes: 1, "
	 "sessions: 1}\nkeys:\n",
	 ":25: hsms[1].name: another HSM"},
	{"hsm: demo", "hsm: other", ":27: keys[0].hsm: there is no HSM"},
	{"uri: pkcs11:token=demo;object=dsc-1", "uri: file:x",
	 ":28: keys[0].uri: must be a pkcs11: URI"},
	{"object=dsc-1", "object=dsc-1?pin-value=1234",
	 ":28: keys[0].uri: must name a token and an object only"},
	{"alg: ES256", "alg: ES384", ":29: keys[0].alg: must be one of"},
	{"kinds: [v, t]", "kinds: []", ":30: keys[0].kinds: must not be empty"},
	{"kinds: [v, t]", "kinds: v", ":30: keys[0].kinds: must be a list"},
	{"kinds: [v, t]", "kinds: [v, x]",
	 ":30: keys[0].kinds[1]: must be one of"},
	{"kinds: [v, t]", "kinds: [v, v]",
	 ":30: keys[0].kinds[1]: stands there twice"},
	{"kinds: [v, t]", "kinds: [v, t, r, v]",
	 ":30: keys[0].kinds: has 4 items"},
	{"country: VN", "country: vn", ":31: keys[0].country: must be"},
	{"limits:\n",
	 "  - {label: dsc-1, hsm: demo, uri: 'pkcs11:object=b', alg: ES256, "
	 "kinds: [r]}\nlimits:\n",
	 ":33: keys[1].label: another key"},
	{"idle: 2m", "idle: 2 m", ":34: limits.idle: must be a number with"},
	{"idle: 2m", "idle: 0s", ":34: limits.idle: must be from"},
	{"idle: 2m", "body_bytes: 12",
	 ":34: limits.body_bytes: must be a number from 1024"},
	{"ecdsa: all", "ecdsa: some", ":37: verify.ecdsa: must be \"all\""},
	{"ecdsa: all", "ecdsa: 0", ":37: verify.ecdsa: must be \"all\""},
	{"verify:\n  ecdsa: all", "verify: yes",
	 ":36: verify: must be a mapping"},
	{"state: state", "state: \"a\\nb\"",
	 ":14: state: has a control character"},
};

static void test_bad(void **state)
{
	char text[FIXTURE_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct faults faults = {0};

		fixture_edit(good, BAD[i].old, BAD[i].new, text);
		assert_null(parse(text, &faults));
		if (strstr(faults.text, BAD[i].fault) == NULL)
			fail_msg("\"%s\" for \"%s\" gave: %s", BAD[i].new,
				 BAD[i].old, faults.text);
	}
}

static void test_one_socket_twice(void **state)
{
	static const char *const listens[] = {"127.0.0.1", "0.0.0.0", "'::'",
					      "'::1'"};
	char ops[64];
	char same[64];
	char text[FIXTURE_TEXT];
	char other[FIXTURE_TEXT];

	(void)state;
	(void)snprintf(ops, sizeof(ops), "listen: 127.0.0.1:%u", fix.ops_port);
	(void)snprintf(same, sizeof(same), "listen: 127.0.0.1:%u", fix.port);
	fixture_edit(good, ops, same, text);
	for (size_t i = 0; i < sizeof(listens) / sizeof(listens[0]); i++) {
		struct faults faults = {0};
		struct config *c;
		char address[64];

		(void)snprintf(address, sizeof(address), "address: %s",
			       listens[i]);
		fixture_edit(text, "address: 127.0.0.1", address, other);
		c = parse(other, &faults);
		assert_int_equal(c == NULL, i < 3);
		if (i < 3)
			assert_non_null(strstr(faults.text,
					       ":7: ops.listen: is the socket "
					       "of listen"));
		config_free(c);
	}
}

static void test_long_values(void **state)
{
	char text[FIXTURE_TEXT];
	char value[1600] = {0};
	struct faults faults = {0};

	(void)state;
	memset(value, 'a', 1500);
	fixture_edit(good, "server.pem", value, text);
	assert_null(parse(text, &faults));
	assert_non_null(
		strstr(faults.text, ":9: tls.certificate: is too long a path"));
	/* A byte longer than a label may be. */
	memcpy(value, "label: ", 7);
	value[7 + 64] = '\0';
	fixture_edit(good, "label: dsc-1", value, text);
	assert_null(parse(text, &faults));
	assert_non_null(strstr(faults.text, ":26: keys[0].label: must be"));
}

static void test_many_at_once(void **state)
{
	char a[FIXTURE_TEXT];
	char b[FIXTURE_TEXT];
	struct faults faults = {0};

	(void)state;
	fixture_edit(good, "fronts: 2", "fronts: two", a);
	fixture_edit(a, "alg: ES256", "alg: none", b);
	fixture_edit(b, "log: debug", "log: loud\nbogus: 1", a);
	assert_null(parse(a, &faults));
	assert_int_equal(faults.n, 4);
	assert_non_null(strstr(faults.text, "signerd.yaml:5: "));
	assert_non_null(strstr(faults.text, "signerd.yaml:29: "));
	assert_non_null(strstr(faults.text, "signerd.yaml:38: "));
	assert_non_null(strstr(faults.text, "signerd.yaml:39: "));
}

static void test_not_a_mapping(void **state)
{
	static const char *const text[] = {"", "a", "[a]", "---\n", "\xff"};

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		struct faults faults = {0};

		assert_null(parse(text[i], &faults));
		assert_int_equal(faults.n, 1);
	}
}

static void test_unix_ops(void **state)
{
	char text[FIXTURE_TEXT];
	char old[64];
	char want[FIXTURE_PATH];
	struct faults faults = {0};
	struct config *c;

	(void)state;
	(void)snprintf(old, sizeof(old), "127.0.0.1:%u", fix.ops_port);
	fixture_edit(good, old, "unix:run/ops.sock", text);
	c = parse(text, &faults);
	assert_non_null(c);
	(void)snprintf(want, sizeof(want), "unix:%s/run/ops.sock", fix.dir);
	assert_string_equal(c->ops, want);
	config_free(c);
	fixture_edit(good, old, "\"[::1]:9443\"", text);
	c = parse(text, &faults);
	assert_non_null(c);
	assert_string_equal(c->ops, "[::1]:9443");
	config_free(c);
}

static void test_credential(void **state)
{
	char text[FIXTURE_TEXT];
	struct faults faults = {0};
	struct config *c;

	(void)state;
	/* One thread. */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/run/creds", 1), 0);
	fixture_edit(good, "file:pin", "credential:hsm-pin", text);
	c = parse(text, &faults);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_non_null(c);
	assert_string_equal(c->hsm[0].worker.pin_file, "/run/creds/hsm-pin");
	config_free(c);
}

static void test_pin_is_never_shown(void **state)
{
	char text[FIXTURE_TEXT];
	struct faults faults = {0};

	(void)state;
	fixture_edit(good, "pin: file:pin", "pin: \"98765\"", text);
	assert_null(parse(text, &faults));
	fixture_edit(good, "object=dsc-1", "object=a?pin-value=98765", text);
	assert_null(parse(text, &faults));
	assert_null(strstr(faults.text, "98765"));
}

/* --- reload --------------------------------------------------------------- */

static void test_keep_fixed(void **state)
{
	char a[FIXTURE_TEXT];
	char b[FIXTURE_TEXT];
	char names[128];
	struct faults faults = {0};
	struct config *began = parse(good, &faults);
	struct config *now;

	(void)state;
	fixture_edit(good, "crl.pem", "new.pem", a);
	fixture_edit(a, "dsc.pem", "new-dsc.pem", b);
	now = parse(b, &faults);
	config_keep_fixed(began, now, names, sizeof(names));
	assert_string_equal(names, "");
	assert_string_equal(now->front.crl, fixture_path(&fix, "new.pem"));
	assert_string_equal(now->core.key[0].certificate,
			    fixture_path(&fix, "new-dsc.pem"));
	config_free(now);

	fixture_edit(b, "fronts: 2", "fronts: 3", a);
	fixture_edit(a, "sessions: 4", "sessions: 5", b);
	fixture_edit(b, "object=dsc-1", "object=dsc-9", a);
	fixture_edit(a, "run: run", "run: walk", b);
	now = parse(b, &faults);
	config_keep_fixed(began, now, names, sizeof(names));
	assert_string_equal(names, "listen, run, hsms, keys");
	assert_int_equal(now->fronts, 2);
	assert_int_equal(now->hsm[0].worker.sessions, 4);
	assert_string_equal(now->run, began->run);
	assert_string_equal(now->hsm[0].worker.key[0].uri,
			    began->hsm[0].worker.key[0].uri);
	assert_string_equal(now->core.key[0].certificate,
			    began->core.key[0].certificate);
	assert_string_equal(now->front.crl, fixture_path(&fix, "new.pem"));
	config_free(now);

	fixture_edit(good, "sessions: 4",
		     "sessions: 4\n    session_copies: true", a);
	now = parse(a, &faults);
	assert_true(now->hsm[0].worker.session_copies);
	config_keep_fixed(began, now, names, sizeof(names));
	assert_string_equal(names, "hsms");
	assert_false(now->hsm[0].worker.session_copies);
	config_free(now);
	config_free(began);
}

static struct config *through_fd(struct span text)
{
	struct faults faults = {0};
	struct config *c;
	const int fd = fileio_memfd("test", text);

	assert_true(fd >= 0);
	assert_int_equal(config_from_fd(fd, &c, &faults), SG_OK);
	(void)close(fd);
	return c;
}

static void test_from_fd(void **state)
{
	char a[FIXTURE_TEXT];
	char b[FIXTURE_TEXT];
	struct faults faults = {0};
	struct span began;
	struct span now;
	struct span joined;
	struct config *c;

	(void)state;
	fixture_write(&fix, "signerd.yaml", good, 0644);
	assert_int_equal(config_load(fixture_path(&fix, "signerd.yaml"), &c,
				     &faults, &began, NULL),
			 SG_OK);
	config_free(c);
	fixture_edit(good, "fronts: 2", "fronts: 3", a);
	fixture_edit(a, "idle: 2m", "idle: 3m", b);
	fixture_write(&fix, "signerd.yaml", b, 0644);
	assert_int_equal(config_load(fixture_path(&fix, "signerd.yaml"), &c,
				     &faults, &now, NULL),
			 SG_OK);
	config_free(c);

	c = through_fd(began);
	assert_int_equal(c->fronts, 2);
	assert_int_equal(c->front.idle_ms, 120000);
	assert_string_equal(c->base, fix.dir);
	config_free(c);
	assert_int_equal(config_join(began, now, &joined), SG_OK);
	c = through_fd(joined);
	assert_int_equal(c->fronts, 2); /* as at the start */
	assert_int_equal(c->front.idle_ms, 180000);
	config_free(c);
	config_text_free(&began);
	config_text_free(&now);
	config_text_free(&joined);
}

static void test_from_bad_fd(void **state)
{
	static const char *const text[] = {
		"", "version: 1\n", "# base: /tmp",
		"# base: /tmp\n# bytes of the text at start: 99\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		struct faults faults = {0};
		struct config *c;
		const int fd = fileio_memfd("test", span_str(text[i]));

		assert_true(fd >= 0);
		assert_int_equal(config_from_fd(fd, &c, &faults), SG_CONFIG);
		assert_null(c);
		(void)close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_one_socket_twice),
		cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_not_a_mapping),
		cmocka_unit_test(test_unix_ops),
		cmocka_unit_test(test_credential),
		cmocka_unit_test(test_pin_is_never_shown),
		cmocka_unit_test(test_keep_fixed),
		cmocka_unit_test(test_from_fd),
		cmocka_unit_test(test_from_bad_fd),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
