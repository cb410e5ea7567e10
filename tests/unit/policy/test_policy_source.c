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
	struct yaml_text *yaml;
	struct source *s;
	const struct source_client *c;

	(void)state;
	assert_int_equal(source_read(span_str(WHOLE), "f", &s, &yaml, &faults),
			 SG_OK);
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
	assert_int_equal(yaml_text_line(yaml, "clients[0].kinds"), 10);
	yaml_text_free(yaml);
	source_free(s);
	source_free(NULL);
}

static void test_refused(void **state)
{
	struct faults faults = {.n = 0};
	struct yaml_text *yaml;
	struct source *s;

	(void)state;
	assert_int_equal(
		source_read(SPAN_LIT("clients: 5\n"), "f", &s, &yaml, &faults),
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
	struct yaml_text *yaml;
	struct source *s;

	(void)state;
	assert_non_null(text);
	n = (size_t)sprintf(text, "clients:\n");
	for (size_t i = 0; i < SOURCE_CLIENTS_MAX; i++, n += LINE)
		memcpy(text + n, "  - {}\n", LINE);
	assert_int_equal(source_read(span_of(text, n), "f", &s, &yaml, &faults),
			 SG_OK);
	assert_int_equal(s->nclients, SOURCE_CLIENTS_MAX);
	source_free(s);
	yaml_text_free(yaml);
	memcpy(text + n, "  - {}\n", LINE);
	assert_int_equal(
		source_read(span_of(text, n + LINE), "f", &s, &yaml, &faults),
		SG_CONFIG);
	assert_string_equal(faults.text,
			    "f:2: clients: more than 10000 entries\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_many_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
