/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_source.h"

#include "request.h"

static const char WHOLE[] =
	"version: 1\n"
	"profiles:\n"
	"  - name: full\n"
	"    rules: {unknown-field: error, validity-in-past: off}\n"
	"  - name: bare\n"
	"clients:\n"
	"  - name: issuer\n"
	"    identities: [\"uri:urn:a\", \"dns:b\"]\n"
	"    operations: [issue]\n"
	"    kinds: [v, t, r]\n"
	"    countries: [VN]\n"
	"    issuers: [\"Bộ Y tế\"]\n"
	"    uvci_prefixes: [\"URN:UVCI:01:VN:\"]\n"
	"    profile: full\n"
	"    validity: {v: 365d, r: 180d}\n"
	"  - name: other\n";

static void test_whole(void **state)
{
	struct faults faults = {.n = 0};
	struct source *s;
	const struct source_client *c;

	(void)state;
	assert_int_equal(source_read(span_str(WHOLE), "f", &s, &faults), SG_OK);
	assert_int_equal(faults.n, 0);
	assert_string_equal(s->version, "1");
	assert_int_equal(s->nprofiles, 2);
	assert_string_equal(s->profiles[0].name, "full");
	assert_string_equal(s->profiles[0].rules.level[RULE_UNKNOWN_FIELD],
			    "error");
	assert_string_equal(s->profiles[0].rules.level[RULE_VALIDITY_IN_PAST],
			    "off");
	assert_null(s->profiles[0].rules.level[RULE_VALIDITY_TOO_LONG]);
	assert_null(s->profiles[1].rules.level[RULE_UNKNOWN_FIELD]);
	assert_int_equal(s->nclients, 2);
	c = &s->clients[0];
	assert_string_equal(c->name, "issuer");
	assert_int_equal(c->identities.n, 2);
	assert_string_equal(c->identities.text[1], "dns:b");
	assert_int_equal(c->kinds.n, 3);
	assert_string_equal(c->issuers.text[0], "Bộ Y tế");
	assert_string_equal(c->profile, "full");
	assert_string_equal(c->validity.kind[DCC_VACCINATION], "365d");
	assert_null(c->validity.kind[DCC_TEST]);
	assert_string_equal(c->validity.kind[DCC_RECOVERY], "180d");
	assert_int_equal(s->clients[1].issuers.n, 0);
	assert_null(s->clients[1].profile);
	assert_int_equal(yaml_line(&s->tree, "clients[0].kinds"), 10);
	source_free(s);
	source_free(NULL);
}

static void test_refused(void **state)
{
	struct faults faults = {.n = 0};
	struct source *s;

	(void)state;
	assert_int_equal(
		source_read(SPAN_LIT("clients: 5\n"), "f", &s, &faults),
		SG_CONFIG);
	assert_null(s);
	assert_string_equal(faults.text, "f:1: clients: must be a list\n");
}

static void test_too_many_clients(void **state)
{
	enum { LINE = sizeof("  - {}\n") - 1 };
	struct faults faults = {.n = 0};
	char *text = calloc(1, 16 + (size_t)LINE * (SOURCE_CLIENTS_MAX + 1));
	size_t n;
	struct source *s;

	(void)state;
	assert_non_null(text);
	n = (size_t)sprintf(text, "clients:\n");
	for (size_t i = 0; i < SOURCE_CLIENTS_MAX; i++, n += LINE)
		memcpy(text + n, "  - {}\n", LINE);
	assert_int_equal(source_read(span_of(text, n), "f", &s, &faults),
			 SG_OK);
	assert_int_equal(s->nclients, SOURCE_CLIENTS_MAX);
	source_free(s);
	memcpy(text + n, "  - {}\n", LINE);
	/* Its items are judged all the same. */
	memcpy(text + strlen("clients:\n"), "  - 12\n", LINE);
	assert_int_equal(source_read(span_of(text, n + LINE), "f", &s, &faults),
			 SG_CONFIG);
	assert_string_equal(faults.text,
			    "f:2: clients: has 10001 items, at most 10000 are "
			    "allowed\n"
			    "f:2: clients[0]: must be a mapping of keys to "
			    "values\n");
	free(text);
}

/* TEXT is refused with exactly FAULTS; NULL: it is not. */
static void check(const char *text, const char *expected)
{
	struct faults faults = {.n = 0};
	struct source *s;
	const enum sg_err err = source_read(span_str(text), "f", &s, &faults);

	assert_string_equal(faults.text, expected != NULL ? expected : "");
	assert_int_equal(err, expected != NULL ? SG_CONFIG : SG_OK);
	assert_true((s != NULL) == (err == SG_OK));
	source_free(s);
}

static void test_shapes(void **state)
{
	(void)state;
	check("{}", NULL);
	check("[a]", "f:1: must be a mapping of keys to values\n");
	check("version: [1]\n", "f:1: version: must be a single value\n");
	check("version: ''\n", "f:1: version: has no value\n");
	check("version: \"1\\0\"\n",
	      "f:1: version: has a control character in it\n");
	check("clients:\n  - kinds: v\n",
	      "f:2: clients[0].kinds: must be a list\n");
	check("clients: [x]\n", "f:1: clients[0]: must be a mapping of keys to "
				"values\n");
	check("clients:\n  - kinds: [v, [t]]\n",
	      "f:2: clients[0].kinds[1]: must be a single value\n");
	check("version: 1\nversion: 1\n", "f:2: repeated key \"version\"\n");
	check("profiles:\n  - rules: x\n", "f:2: profiles[0].rules: must be a "
					   "mapping of keys to values\n");
}

static void test_long_text(void **state)
{
	char text[SOURCE_TEXT_MAX + 32];
	const int head = sprintf(text, "version: ");

	(void)state;
	memset(text + head, 'x', SOURCE_TEXT_MAX + 1);
	text[head + SOURCE_TEXT_MAX + 1] = '\0';
	check(text, "f:1: version: longer than 1024 bytes\n");
	text[head + SOURCE_TEXT_MAX] = '\0';
	check(text, NULL);
}

static void test_all_at_once(void **state)
{
	(void)state;
	check("clients:\n  - kinds: ['', x]\n  - 2\n  - name: {}\n"
	      "profiles: []\nother: 1\nclients: 1\n",
	      "f:2: clients[0].kinds[0]: has no value\n"
	      "f:3: clients[1]: must be a mapping of keys to values\n"
	      "f:4: clients[2].name: must be a single value\n"
	      "f:5: profiles: must not be empty\n"
	      "f:6: unknown key \"other\" (known: version, time_zone, alarm, "
	      "profiles, gateways, clients, value_sets, certlogic)\n"
	      "f:7: repeated key \"clients\"\n");
}

/* They are faults, but hide no others: what there is can be looked at. */
static void test_unknown_keys(void **state)
{
	struct faults faults = {.n = 0};
	struct source *s;

	(void)state;
	assert_int_equal(source_read(SPAN_LIT("x: 1\nversion: 1\nclients:\n"
					      "  - name: a\n    e: {f: [g]}\n"),
				     "f", &s, &faults),
			 SG_OK);
	assert_int_equal(faults.n, 2);
	assert_string_equal(s->clients[0].name, "a");
	source_forget_lines(s);
	source_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_many_clients),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_unknown_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
