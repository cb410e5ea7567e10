/* SPDX-License-Identifier: Apache-2.0 */
/* The section "ledger" of the configuration. */
#include "config_fixture.h"

/* Verifier keys of witnesses, and one of a log. */
#define WITNESS_ONE                                                            \
	"witness.example/one+8ad3428d+"                                        \
	"BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define WITNESS_TWO                                                            \
	"witness.example/two+16ad4dbd+"                                        \
	"BCAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/"
#define A_LOG                                                                  \
	"witness.example/ed+6370daed+"                                         \
	"AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

#define OFFICER_ONE                                                            \
	"officer-1+0b365fc4+"                                                  \
	"AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define OFFICER_TWO                                                            \
	"officer-2+259e1be0+"                                                  \
	"ASAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/"
#define OFFICER_ONE_AGAIN                                                      \
	"officer-3+2b9c2af2+"                                                  \
	"AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

static const char SECOND_HSM[] =
	"  - {name: second, module: module.so, pin: 'file:pin', processes: 1, "
	"sessions: 1}\n"
	"keys:\n";
static const char WITNESSES[] = "object=log\n"
				"  witnesses:\n"			/* 43 */
				"    - key: " WITNESS_ONE "\n"		/* 44 */
				"      url: https://one.example/api/\n" /* 45 */
				"    - key: " WITNESS_TWO "\n"		/* 46 */
				"      url: https://[::1]:8443\n"	/* 47 */
				"  quorum: 2\n"				/* 48 */
				"  witness_ca: ca.pem\n"		/* 49 */
				"  witness_interval: 5m\n";		/* 50 */

static const char OFFICERS[] = "object=log\n"
			       "  officers:\n"		  /* 43 */
			       "    - " OFFICER_ONE "\n"  /* 44 */
			       "    - " OFFICER_TWO "\n"; /* 45 */

static struct config *parse_good(const char *text)
{
	struct faults faults = {0};
	struct config *c = parse(text, &faults);

	if (c == NULL)
		fail_msg("%s", faults.text);
	return c;
}

static void test_defaults(void **state)
{
	struct config *c = parse_good(good);
	const struct core_ledger_settings *l = &c->core.ledger;
	const struct worker_settings *w = &c->hsm[0].worker;

	(void)state;
	assert_string_equal(l->origin, "test.example/log");
	assert_int_equal(l->checkpoint_ms, 1000);
	assert_int_equal(l->stale_ms, 60000);
	assert_int_equal(l->witness_ms, 60000);
	assert_int_equal(l->quorum, 0);
	assert_int_equal(l->nwitnesses, 0);
	assert_int_equal(c->witness.n, 0);
	assert_string_equal(c->witness.ca, "");
	assert_string_equal(c->public_listen, "");
	assert_false(c->front.public);
	assert_string_equal(c->front.ledger,
			    fixture_path(&fix, "state/ledger"));
	/* One more key of the core and of the HSM. */
	assert_int_equal(c->core.nkeys, 2);
	assert_false(c->core.key[0].ledger);
	assert_true(c->core.key[1].ledger);
	assert_string_equal(c->core.key[1].label, "ledger");
	assert_int_equal(c->core.key[1].alg, COSE_EDDSA);
	assert_int_equal(c->core.key[1].kinds, 0);
	assert_string_equal(c->core.key[1].certificate, "");
	assert_int_equal(w->nkeys, 2);
	assert_false(w->key[0].ledger);
	assert_true(w->key[1].ledger);
	assert_string_equal(w->key[1].label, "ledger");
	assert_string_equal(w->key[1].uri, "pkcs11:token=log;object=log");
	assert_int_equal(w->key[1].alg, COSE_EDDSA);
	config_free(c);
}

static void test_all_of_it(void **state)
{
	static char a[FIXTURE_TEXT];
	static char b[FIXTURE_TEXT];
	struct config *c;

	(void)state;
	fixture_edit(good, "object=log\n", WITNESSES, a);
	fixture_edit(a, "  hsm: demo\n  uri: pkcs11:token=log",
		     "  label: log-1\n  checkpoint: 500ms\n  stale: 2m\n"
		     "  public: 0.0.0.0:8480\n  hsm: second\n"
		     "  uri: pkcs11:serial=7;token=demo2",
		     b);
	fixture_edit(b, "keys:\n", SECOND_HSM, a);
	c = parse_good(a);
	assert_int_equal(c->core.ledger.checkpoint_ms, 500);
	assert_int_equal(c->core.ledger.stale_ms, 120000);
	assert_int_equal(c->core.ledger.witness_ms, 300000);
	assert_int_equal(c->core.ledger.quorum, 2);
	assert_int_equal(c->core.ledger.nwitnesses, 2);
	assert_string_equal(c->core.ledger.witness[0], WITNESS_ONE);
	assert_string_equal(c->core.ledger.witness[1], WITNESS_TWO);
	assert_int_equal(c->witness.n, 2);
	assert_string_equal(c->witness.url[0], "https://one.example/api");
	assert_string_equal(c->witness.url[1], "https://[::1]:8443");
	assert_string_equal(c->witness.ca, fixture_path(&fix, "ca.pem"));
	assert_string_equal(c->public_listen, "0.0.0.0:8480");
	assert_true(c->front.public);
	assert_string_equal(c->core.key[1].label, "log-1");
	assert_int_equal(c->hsm[0].worker.nkeys, 1);
	assert_int_equal(c->hsm[1].worker.nkeys, 1);
	assert_true(c->hsm[1].worker.key[0].ledger);
	config_free(c);
}

/* An edit of the good file, and the start of a fault that it must give. */
struct bad {
	const char *old;
	const char *new;
	const char *fault;
};

static const struct bad BAD[] = {
	{"ledger:\n  origin: test.example/log\n  hsm: demo\n"
	 "  uri: pkcs11:token=log;object=log\n",
	 "", ":1: ledger: is missing"},
	{"  origin: test.example/log\n", "", ":40: ledger.origin: is missing"},
	{"origin: test.example/log", "origin: a log",
	 ":40: ledger.origin: must be the name of a log"},
	{"origin: test.example/log", "origin: a+log",
	 ":40: ledger.origin: must be the name of a log"},
	{"  hsm: demo\n  uri: pkcs11:token=log", "  uri: pkcs11:token=log",
	 ":40: ledger.hsm: is missing"},
	{"  hsm: demo\n  uri: pkcs11:token=log",
	 "  hsm: other\n  uri: pkcs11:token=log",
	 ":41: ledger.hsm: there is no HSM"},
	{"  uri: pkcs11:token=log;object=log\n", "",
	 ":40: ledger.uri: is missing"},
	{"uri: pkcs11:token=log;object=log", "uri: ledger",
	 ":42: ledger.uri: must be a pkcs11: URI"},
	{"uri: pkcs11:token=log;object=log", "uri: pkcs11:object=log",
	 ":42: ledger.uri: must name its token"},
	{"uri: pkcs11:token=log;object=log",
	 "uri: pkcs11:object=log;token=demo",
	 ":42: ledger.uri: may be on the token of the key \"dsc-1\""},
	{"uri: pkcs11:token=log;object=log", "uri: pkcs11:token=d%65m%6F",
	 ":42: ledger.uri: may be on the token of the key \"dsc-1\""},
	/* Labels are padded with blanks (PKCS #11, CK_TOKEN_INFO). */
	{"uri: pkcs11:token=log;object=log", "uri: pkcs11:token=demo%20",
	 ":42: ledger.uri: may be on the token of the key \"dsc-1\""},
	{"pkcs11:token=demo;object=dsc-1", "pkcs11:object=dsc-1",
	 ":42: ledger.uri: may be on the token of the key \"dsc-1\""},
	{"object=log\n", "object=log\n  label: dsc-1\n",
	 ":43: ledger.label: another key has this label"},
	{"label: dsc-1", "label: ledger",
	 ":40: ledger.label: another key has this label"},
	{"object=log\n", "object=log\n  alg: EdDSA\n",
	 ":43: ledger: unknown key \"alg\""},
	{"object=log\n", "object=log\n  checkpoint: 50ms\n",
	 ":43: ledger.checkpoint: must be from"},
	{"object=log\n", "object=log\n  checkpoint: 5s\n  stale: 5s\n",
	 ":44: ledger.stale: must be more than ledger.checkpoint"},
	{"object=log\n", "object=log\n  public: here:80\n",
	 ":43: ledger.public: must be ADDRESS:PORT"},
	{"object=log\n", "object=log\n  public: unix:p\n",
	 ":43: ledger.public: must be ADDRESS:PORT"},
	{"object=log\n", "object=log\n  quorum: 1\n",
	 ":43: ledger.quorum: is more than the 0 witnesses"},
	{"object=log\n", "object=log\n  witnesses: []\n",
	 ":43: ledger.witnesses: must not be empty"},
};

static const struct bad BAD_WITNESS[] = {
	{WITNESS_ONE, "one", ":44: ledger.witnesses[0].key: must be the"},
	{"8ad3428d", "8ad3428e", ":44: ledger.witnesses[0].key: must be the"},
	{WITNESS_ONE, A_LOG, ":44: ledger.witnesses[0].key: must be the"},
	{WITNESS_TWO, WITNESS_ONE,
	 ":46: ledger.witnesses[1].key: another witness has this key"},
	{"https://one", "http://one", ":45: ledger.witnesses[0].url: must be"},
	{"https://one.example/api/", "https://",
	 ":45: ledger.witnesses[0].url: must be"},
	{"https://one.example/api/", "https:///api",
	 ":45: ledger.witnesses[0].url: must be"},
	{"/api/", "/api?key=1", ":45: ledger.witnesses[0].url: must be"},
	{"https://one", "https://me@one",
	 ":45: ledger.witnesses[0].url: must be"},
	{"      url: https://[::1]:8443\n", "",
	 ":46: ledger.witnesses[1].url: is missing"},
	{"quorum: 2", "quorum: 3", ":48: ledger.quorum: is more than the 2"},
	{"witness_interval: 5m", "witness_interval: 5",
	 ":50: ledger.witness_interval: must be a number with"},
};

/* Beyond this machine nothing goes unprotected. */
static void test_loopback(void **state)
{
	static const char *const good_hosts[] = {"127.0.0.1", "127.0.0.1:8080",
						 "[::1]:8080", "localhost/w"};
	static const char *const bad_hosts[] = {
		"127.0.0.1.example", "localhost.example", "127.0.0.2",
		"[::1]@example",     "LOCALHOST",	  ""};
	char with[FIXTURE_TEXT];
	char text[FIXTURE_TEXT];
	char url[64];
	struct config *c;

	(void)state;
	fixture_edit(good, "object=log\n", WITNESSES, with);
	for (size_t i = 0; i < sizeof(good_hosts) / sizeof(good_hosts[0]);
	     i++) {
		(void)snprintf(url, sizeof(url), "http://%s", good_hosts[i]);
		fixture_edit(with, "https://one.example/api/", url, text);
		c = parse_good(text);
		assert_string_equal(c->witness.url[0], url);
		config_free(c);
	}
	for (size_t i = 0; i < sizeof(bad_hosts) / sizeof(bad_hosts[0]); i++) {
		struct faults faults = {0};

		(void)snprintf(url, sizeof(url), "http://%s", bad_hosts[i]);
		fixture_edit(with, "https://one.example/api/", url, text);
		assert_int_equal(config_parse(span_str(text), "signerd.yaml",
					      fix.dir, &c, &faults),
				 SG_CONFIG);
		assert_non_null(strstr(faults.text, "http:// for a host on "
						    "loopback alone"));
	}
}

static const struct bad BAD_OFFICER[] = {
	{OFFICER_TWO, OFFICER_ONE, ":45: ledger.officers[1]: another officer"},
	{OFFICER_TWO, OFFICER_ONE_AGAIN,
	 ":45: ledger.officers[1]: another officer"},
	{OFFICER_TWO, WITNESS_ONE, ":45: ledger.officers[1]: must be the"},
	{OFFICER_TWO, "two", ":45: ledger.officers[1]: must be the"},
	{OFFICER_TWO "\n", OFFICER_TWO "\n  approvals: 3\n",
	 ":46: ledger.approvals: is more than the 2 officers"},
	{OFFICER_TWO "\n", OFFICER_TWO "\n  approvals: 0\n",
	 ":46: ledger.approvals: must be"},
};

static void check_bad(const char *base, const struct bad *bad, size_t n)
{
	char text[FIXTURE_TEXT];

	for (size_t i = 0; i < n; i++) {
		struct faults faults = {0};

		fixture_edit(base, bad[i].old, bad[i].new, text);
		assert_null(parse(text, &faults));
		if (strstr(faults.text, bad[i].fault) == NULL)
			fail_msg("\"%s\" for \"%s\" gave: %s", bad[i].new,
				 bad[i].old, faults.text);
	}
}

static void test_bad(void **state)
{
	char text[FIXTURE_TEXT];

	(void)state;
	check_bad(good, BAD, sizeof(BAD) / sizeof(BAD[0]));
	fixture_edit(good, "object=log\n", WITNESSES, text);
	check_bad(text, BAD_WITNESS,
		  sizeof(BAD_WITNESS) / sizeof(BAD_WITNESS[0]));
	fixture_edit(good, "object=log\n", OFFICERS, text);
	check_bad(text, BAD_OFFICER,
		  sizeof(BAD_OFFICER) / sizeof(BAD_OFFICER[0]));
}

static void test_officers(void **state)
{
	static char a[FIXTURE_TEXT];
	static char b[FIXTURE_TEXT];
	struct config *c = parse_good(good);

	(void)state;
	assert_int_equal(c->core.ledger.nofficers, 0);
	assert_int_equal(c->core.ledger.approvals, 0);
	config_free(c);
	fixture_edit(good, "object=log\n", OFFICERS, a);
	c = parse_good(a);
	assert_int_equal(c->core.ledger.nofficers, 2);
	assert_string_equal(c->core.ledger.officer[1], OFFICER_TWO);
	assert_int_equal(c->core.ledger.approvals, 2);
	config_free(c);
	fixture_edit(a, OFFICER_TWO "\n", OFFICER_TWO "\n  approvals: 1\n", b);
	c = parse_good(b);
	assert_int_equal(c->core.ledger.approvals, 1);
	config_free(c);
	fixture_edit(a, "    - " OFFICER_TWO "\n", "", b);
	c = parse_good(b);
	assert_int_equal(c->core.ledger.approvals, 1);
	config_free(c);
}

/* Two HSMs of one module are one: what is on a token is on it for both. */
static void test_one_module_twice(void **state)
{
	static char a[FIXTURE_TEXT];
	static char b[FIXTURE_TEXT];
	static struct faults faults;

	(void)state;
	fixture_edit(good, "keys:\n", SECOND_HSM, a);
	fixture_edit(a, "  hsm: demo\n  uri: pkcs11:token=log",
		     "  hsm: second\n  uri: pkcs11:token=demo", b);
	assert_null(parse(b, &faults));
	assert_non_null(strstr(faults.text, "may be on the token of the key"));
	fixture_edit(b, "module: module.so, pin", "module: other.so, pin", a);
	config_free(parse_good(a));
}

static void test_sockets(void **state)
{
	static const struct {
		const char *address;
		bool ops, bad;
	} cases[] = {{"127.0.0.1", false, true}, {"0.0.0.0", false, true},
		     {"[::]", false, true},	 {"127.0.0.2", false, false},
		     {"127.0.0.1", true, true},	 {"0.0.0.0", true, true},
		     {"127.0.0.2", true, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct faults faults = {0};
		char line[96];
		char text[FIXTURE_TEXT];
		struct config *c;

		(void)snprintf(line, sizeof(line),
			       "object=log\n  public: '%s:%u'\n",
			       cases[i].address,
			       cases[i].ops ? fix.ops_port : fix.port);
		fixture_edit(good, "object=log\n", line, text);
		c = parse(text, &faults);
		assert_int_equal(c == NULL, cases[i].bad);
		if (cases[i].bad)
			assert_non_null(strstr(
				faults.text,
				cases[i].ops ? ":43: ledger.public: is the "
					       "socket of ops"
					     : ":43: ledger.public: is the "
					       "socket of listen"));
		config_free(c);
	}
}

static void test_witness_ca(void **state)
{
	static char a[FIXTURE_TEXT];
	static char b[FIXTURE_TEXT];
	static struct faults faults;
	struct config *c;

	(void)state;
	fixture_edit(good, "object=log\n", WITNESSES, a);
	fixture_write(&fix, "signerd.yaml", a, 0644);
	assert_int_equal(config_load(fixture_path(&fix, "signerd.yaml"), &c,
				     &faults, NULL, NULL),
			 SG_OK);
	config_free(c);
	fixture_edit(a, "witness_ca: ca.pem", "witness_ca: policy.yaml", b);
	fixture_write(&fix, "signerd.yaml", b, 0644);
	assert_int_equal(config_load(fixture_path(&fix, "signerd.yaml"), &c,
				     &faults, NULL, NULL),
			 SG_CONFIG);
	assert_non_null(strstr(faults.text, ":49: ledger.witness_ca: "));
}

/* Nothing of it changes by a reload, and keys are keys still. */
static void test_stays(void **state)
{
	static const struct {
		const char *old, *new;
	} edits[] = {{"test.example/log", "test.example/other"},
		     {"token=log", "token=log2"},
		     {"object=log\n", "object=log\n  label: l\n"},
		     {"object=log\n", "object=log\n  checkpoint: 2s\n"},
		     {"object=log\n", "object=log\n  stale: 2m\n"},
		     {"object=log\n", "object=log\n  public: 127.0.0.3:1\n"},
		     {"object=log\n", WITNESSES}};
	char names[128];
	char text[FIXTURE_TEXT];
	char renewed[FIXTURE_TEXT];
	struct config *began = parse_good(good);

	(void)state;
	fixture_edit(good, "dsc.pem", "new-dsc.pem", renewed);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		struct config *now;

		fixture_edit(renewed, edits[i].old, edits[i].new, text);
		now = parse_good(text);
		config_keep_fixed(began, now, names, sizeof(names));
		assert_string_equal(names, "ledger");
		assert_string_equal(now->core.ledger.origin,
				    "test.example/log");
		assert_int_equal(now->core.ledger.checkpoint_ms, 1000);
		assert_int_equal(now->core.ledger.stale_ms, 60000);
		assert_int_equal(now->core.ledger.nwitnesses, 0);
		assert_int_equal(now->witness.n, 0);
		assert_false(now->front.public);
		assert_string_equal(now->public_listen, "");
		assert_string_equal(now->core.key[1].label, "ledger");
		assert_string_equal(now->hsm[0].worker.key[1].uri,
				    "pkcs11:token=log;object=log");
		/* What may change does. */
		assert_string_equal(now->core.key[0].certificate,
				    fixture_path(&fix, "new-dsc.pem"));
		config_free(now);
	}
	config_free(began);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_of_it),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_officers),
		cmocka_unit_test(test_one_module_twice),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_witness_ca),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_stays),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
