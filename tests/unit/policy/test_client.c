/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/client.h"

#include "request.h"

static struct text_set set_of(struct span *text, const char *const *from,
			      size_t n)
{
	for (size_t i = 0; i < n; i++)
		text[i] = span_str(from[i]);
	return (struct text_set){.n = n, .text = text};
}

static void test_zeroes_grant_nothing(void **state)
{
	const struct client c = {.name = "nobody"};

	(void)state;
	assert_string_equal(client_name(&c), "nobody");
	for (unsigned i = 0; i <= CLIENT_OPERATION_COUNT; i++)
		assert_false(client_may(&c, (enum client_operation)i));
	for (unsigned i = 0; i < DCC_KINDS; i++)
		assert_false(client_may_kind(&c, (enum dcc_kind)i));
	assert_false(client_may_country(&c, SPAN_LIT("AA")));
	assert_false(client_may_country(&c, SPAN_LIT("")));
	assert_false(client_may_issuer(&c, SPAN_LIT("")));
	assert_false(client_may_uvci(&c, SPAN_LIT("")));
}

static void test_operations(void **state)
{
	const struct client c = {.operations = 1U << CLIENT_VALIDATE |
					       1U << CLIENT_OFFICER};

	(void)state;
	assert_false(client_may(&c, CLIENT_ISSUE));
	assert_true(client_may(&c, CLIENT_VALIDATE));
	assert_false(client_may(&c, CLIENT_RENEW));
	assert_false(client_may(&c, CLIENT_AUDIT));
	assert_true(client_may(&c, CLIENT_OFFICER));
	assert_string_equal(client_operation_name(CLIENT_ISSUE), "issue");
	assert_string_equal(client_operation_name(CLIENT_OFFICER), "officer");
}

static void test_countries(void **state)
{
	struct client c = {.name = "c"};

	(void)state;
	client_grant_country(&c, client_country(SPAN_LIT("VN")));
	client_grant_country(&c, client_country(SPAN_LIT("AA")));
	client_grant_country(&c, client_country(SPAN_LIT("ZZ")));
	for (int i = 0; i < CLIENT_COUNTRIES; i++) {
		const char code[3] = {(char)('A' + i / 26),
				      (char)('A' + i % 26), '\0'};
		const bool granted = strcmp(code, "VN") == 0 ||
				     strcmp(code, "AA") == 0 ||
				     strcmp(code, "ZZ") == 0;

		assert_int_equal(client_country(span_str(code)), i);
		assert_int_equal(client_may_country(&c, span_str(code)),
				 granted);
	}
	assert_int_equal(client_country(SPAN_LIT("vn")), -1);
	assert_int_equal(client_country(SPAN_LIT("V")), -1);
	assert_int_equal(client_country(SPAN_LIT("VNM")), -1);
	assert_int_equal(client_country(SPAN_LIT("V[")), -1);
	assert_int_equal(client_country(SPAN_LIT("@V")), -1);
	assert_false(client_may_country(&c, SPAN_LIT("vn")));
	c.any_country = true;
	assert_true(client_may_country(&c, SPAN_LIT("anything")));
}

static void test_issuers(void **state)
{
	static const char *const granted_names[] = {"Bộ Y tế", "AB", "A",
						    "ABC"};
	struct span text[4];
	struct client c = {.issuers = set_of(text, granted_names, 4)};

	(void)state;
	assert_true(text_set_sort(&c.issuers));
	for (size_t i = 0; i < 4; i++)
		assert_true(client_may_issuer(&c, span_str(granted_names[i])));
	assert_false(client_may_issuer(&c, SPAN_LIT("")));
	assert_false(client_may_issuer(&c, SPAN_LIT("ABCD")));
	assert_false(client_may_issuer(&c, SPAN_LIT("Bộ Y tế ")));
	assert_false(client_may_issuer(&c, SPAN_LIT("bộ y tế")));
	assert_false(client_may_issuer(&c, SPAN_LIT("\xFF")));
	c.any_issuer = true;
	assert_true(client_may_issuer(&c, SPAN_LIT("x")));
}

static void test_twice(void **state)
{
	static const char *const granted_names[] = {"b", "a", "b", "a", "b"};
	struct span text[5];
	struct text_set s = set_of(text, granted_names, 5);

	(void)state;
	assert_false(text_set_sort(&s));
	assert_int_equal(s.n, 2);
	assert_true(text_set_sort(&s));
	s.n = 0;
	assert_true(text_set_sort(&s));
}

/* Every set of the prefixes below against every text of the letters a, b. */
static void test_prefixes(void **state)
{
	static const char *const all[] = {"a", "aa", "ab", "aab",
					  "b", "ba", "bab"};
	enum { N = sizeof(all) / sizeof(all[0]), LENGTH = 5 };

	(void)state;
	for (unsigned chosen = 0; chosen < 1U << N; chosen++) {
		const char *names[N];
		struct span text[N];
		struct client c = {.name = "c"};
		size_t n = 0;

		for (unsigned i = 0; i < N; i++)
			if ((chosen & 1U << i) != 0)
				names[n++] = all[N - 1 - i];
		c.prefixes = set_of(text, names, n);
		assert_true(text_set_sort(&c.prefixes));
		text_set_cover(&c.prefixes);
		for (unsigned word = 0; word < 1U << LENGTH; word++) {
			char uvci[LENGTH + 1] = "";
			bool expected = false;

			for (unsigned i = 0; i < LENGTH; i++)
				uvci[i] = (word & 1U << i) != 0 ? 'b' : 'a';
			uvci[word % (LENGTH + 1)] = '\0';
			for (size_t i = 0; i < n; i++)
				expected = expected ||
					   strncmp(uvci, names[i],
						   strlen(names[i])) == 0;
			assert_int_equal(client_may_uvci(&c, span_str(uvci)),
					 expected);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroes_grant_nothing),
		cmocka_unit_test(test_operations),
		cmocka_unit_test(test_countries),
		cmocka_unit_test(test_issuers),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
