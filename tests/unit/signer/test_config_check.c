/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a configuration names. */
#include "config_fixture.h"

#include "base/fileio.h"

/* An edit of the good file, and the start of a fault that it must give. */
struct bad {
	const char *old;
	const char *new;
	const char *fault;
};

static enum sg_err load(const char *text, struct faults *faults)
{
	struct config *c;
	enum sg_err e;

	fixture_write(&fix, "signerd.yaml", text, 0644);
	e = config_load(fixture_path(&fix, "signerd.yaml"), &c, faults, NULL,
			NULL);
	config_free(c);
	return e;
}

static void test_load(void **state)
{
	struct faults faults = {0};
	struct span text;
	struct span policy;
	struct config *c;
	char want[128];

	(void)state;
	fixture_write(&fix, "signerd.yaml", good, 0644);
	assert_int_equal(config_load(fixture_path(&fix, "signerd.yaml"), &c,
				     &faults, &text, &policy),
			 SG_OK);
	assert_string_equal(faults.text, "");
	assert_true(span_is(policy, FIXTURE_POLICY));
	(void)snprintf(want, sizeof(want), "# base: %s\nversion: 1\n", fix.dir);
	assert_true(text.n > strlen(want));
	assert_memory_equal(text.p, want, strlen(want));
	config_text_free(&text);
	config_text_free(&policy);
	config_free(c);
}

static void test_load_nothing(void **state)
{
	struct faults faults = {0};
	struct config *c;

	(void)state;
	assert_int_equal(config_load(fixture_path(&fix, "absent.yaml"), &c,
				     &faults, NULL, NULL),
			 SG_CONFIG);
	assert_null(c);
	assert_non_null(strstr(faults.text, "absent.yaml: No such file"));
}

static const struct bad BAD_FILES[] = {
	{"server.pem", "absent.pem", ":9: tls.certificate: "},
	{"server.pem", "server.key", "has no certificate in PEM"},
	{"server.key", "other.key",
	 ":10: tls.key: does not fit the certificate"},
	{"server.key", "server.pem", "has no private key in PEM"},
	{"client_ca: ca.pem", "client_ca: policy.yaml", ":11: tls.client_ca: "},
	{"crl: crl.pem", "crl: ca.pem", "has no revocation list in PEM"},
	{"policy: policy.yaml", "policy: absent.yaml", ":13: policy: "},
	{"policy: policy.yaml", "policy: softhsm2.conf", "softhsm2.conf:"},
	{"state: state", "state: pin", "pin: is not a directory"},
	{"module: module.so", "module: absent.so", ":18: hsms[0].module: "},
	{"file:pin", "file:softhsm2.conf", "others than its owner"},
	{"file:pin", "file:absent", ":19: hsms[0].pin: "},
	{"certificate: dsc.pem", "certificate: pin",
	 ":32: keys[0].certificate: "},
	{"certificate: dsc.pem", "certificate: agreement.pem",
	 "its key usage has no digitalSignature"},
	{"alg: ES256", "alg: PS256", "its key is not for PS256"},
};

static void test_load_bad(void **state)
{
	char text[FIXTURE_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(BAD_FILES) / sizeof(BAD_FILES[0]); i++) {
		struct faults faults = {0};

		fixture_edit(good, BAD_FILES[i].old, BAD_FILES[i].new, text);
		assert_int_equal(load(text, &faults), SG_CONFIG);
		if (strstr(faults.text, BAD_FILES[i].fault) == NULL)
			fail_msg("\"%s\" for \"%s\" gave: %s", BAD_FILES[i].new,
				 BAD_FILES[i].old, faults.text);
	}
}

static struct config *load_with_crl(const char *named, long next_s)
{
	struct faults faults = {0};
	struct config *c;

	fixture_write(&fix, "signerd.yaml", good, 0644);
	fixture_new_crl(&fix, named, next_s);
	assert_int_equal(config_load(fixture_path(&fix, "signerd.yaml"), &c,
				     &faults, NULL, NULL),
			 SG_OK);
	return c;
}

/* Right but for the time, and what is only strange, is told apart. */
static void test_load_notes(void **state)
{
	struct config *c = load_with_crl("test", -60);

	(void)state;
	assert_string_equal(c->outdated,
			    "signerd.yaml:12: tls.crl: is past its next "
			    "update: all clients of its CA are refused\n");
	assert_null(strstr(c->doubts, "tls.crl: is of none"));
	/* The sandbox opens the directory. */
	assert_non_null(
		strstr(c->doubts, "tls.key: a PIN lies in its directory"));
	config_free(c);
	c = load_with_crl("another", 60);
	assert_string_equal(c->outdated, "");
	assert_non_null(strstr(c->doubts, ":12: tls.crl: is of none of the"));
	config_free(c);
	c = load_with_crl("test", 86400);
	assert_string_equal(c->outdated, "");
	assert_null(strstr(c->doubts, "tls.crl: is of none"));
	config_free(c);
}

static struct config *load_at(const char *old, const char *new)
{
	struct faults faults = {0};
	char text[FIXTURE_TEXT];
	struct config *c;

	fixture_edit(good, old, new, text);
	fixture_write(&fix, "signerd.yaml", text, 0644);
	assert_int_equal(config_load(fixture_path(&fix, "signerd.yaml"), &c,
				     &faults, NULL, NULL),
			 SG_OK);
	return c;
}

/* What the core reads lies where the server's key does. */
static void test_load_notes_of_core(void **state)
{
	static const char run[] = "run: run\n";
	static const char csca[] = "run: run\ncsca: ca.pem\n";
	struct config *c = load_at(run, csca);

	(void)state;
	assert_non_null(strstr(c->doubts, ": csca: tls.key lies in its dir"));
	assert_non_null(strstr(c->doubts, ": keys[0].certificate: tls.key li"));
	assert_non_null(strstr(c->doubts, ": keys[0].certificate: a PIN lies"));
	config_free(c);
	/* In a directory of its own. */
	assert_int_equal(mkdir(fixture_path(&fix, "own"), 0700), 0);
	assert_int_equal(rename(fixture_path(&fix, "dsc.pem"),
				fixture_path(&fix, "own/dsc.pem")),
			 0);
	c = load_at("certificate: dsc.pem", "certificate: own/dsc.pem");
	assert_null(strstr(c->doubts, "keys[0]"));
	config_free(c);
	assert_int_equal(rename(fixture_path(&fix, "own/dsc.pem"),
				fixture_path(&fix, "dsc.pem")),
			 0);
	assert_int_equal(rmdir(fixture_path(&fix, "own")), 0);
}

/* Behind a first block that is good: the fronts read them all. */
static void test_load_second_block(void **state)
{
	static const struct {
		const char *file;
		const char *block;
	} bad[] = {{"ca.pem", "CERTIFICATE"},
		   {"crl.pem", "X509 CRL"},
		   {"server.pem", "CERTIFICATE"}};
	static char text[2 * FIXTURE_TEXT];
	static struct faults faults;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *path = fixture_path(&fix, bad[i].file);
		uint8_t *old;
		size_t n;

		assert_int_equal(fileio_read(path, FIXTURE_TEXT, &old, &n),
				 SG_OK);
		(void)snprintf(
			text, sizeof(text),
			"%s-----BEGIN %s-----\ngarbage\n-----END %s-----\n",
			old, bad[i].block, bad[i].block);
		fixture_write(&fix, bad[i].file, text, 0644);
		memset(&faults, 0, sizeof(faults));
		assert_int_equal(load(good, &faults), SG_CONFIG);
		assert_non_null(strstr(faults.text, ": tls: "));
		assert_non_null(strstr(faults.text, bad[i].file));
		fixture_write(&fix, bad[i].file, (char *)old, 0644);
		free(old);
	}
	assert_int_equal(load(good, &faults), SG_OK);
}

/* Faults of the text and of the files it names, all in one go. */
static void test_load_both(void **state)
{
	char a[FIXTURE_TEXT];
	char b[FIXTURE_TEXT];
	struct faults faults = {0};

	(void)state;
	fixture_edit(good, "fronts: 2", "fronts: two", a);
	fixture_edit(a, "server.pem", "absent.pem", b);
	fixture_edit(b, "policy: policy.yaml", "policy: pin", a);
	assert_int_equal(load(a, &faults), SG_CONFIG);
	assert_non_null(strstr(faults.text, "signerd.yaml:5: "));
	assert_non_null(strstr(faults.text, "signerd.yaml:9: "));
	assert_non_null(strstr(faults.text, "\npin"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_load_nothing),
		cmocka_unit_test(test_load_notes),
		cmocka_unit_test(test_load_notes_of_core),
		cmocka_unit_test(test_load_bad),
		cmocka_unit_test(test_load_second_block),
		cmocka_unit_test(test_load_both),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
