/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/uvci.h"

#include "judged.h"

static struct judged j;

static void check(const char *ci, const char *lines)
{
	judged_init(&j, DCC_RECOVERY, 0);
	judged_text(&j, DOC_CI, ci);
	judged_text(&j, DOC_CO, "VN");
	judged_check(&j, uvci_judge, lines);
}

static void test_checksum(void **state)
{
	(void)state;
	/* The example of the specification. */
	assert_int_equal(
		uvci_checksum(SPAN_LIT("URN:UVCI:01:NL:187/37512422923")), 'Z');
	assert_int_equal(uvci_checksum(SPAN_LIT("A")), 'A');
	assert_int_equal(uvci_checksum(SPAN_LIT("B")), '/' - 0);
	assert_int_equal(uvci_checksum(SPAN_LIT("a")), 0);
	assert_int_equal(uvci_checksum(SPAN_LIT("A#")), 0);
}

/* Each single wrong character is found; so is each swap of two neighbours, but
 * for the one pair that Luhn's algorithm cannot tell apart: 0 and BASE - 1. */
static void test_errors(void **state)
{
	const char text[] = "URN:UVCI:01:VN:B6/4BT2K9:07";
	const size_t n = sizeof(text) - 1;
	const char sum = uvci_checksum(span_of(text, n));
	const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:";

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char other[sizeof(text)];

		for (size_t k = 0; letters[k] != '\0'; k++) {
			memcpy(other, text, sizeof(text));
			other[i] = letters[k];
			if (other[i] != text[i])
				assert_int_not_equal(
					uvci_checksum(span_of(other, n)), sum);
		}
		if (i == 0 || text[i] == text[i - 1])
			continue;
		memcpy(other, text, sizeof(text));
		other[i] = text[i - 1];
		other[i - 1] = text[i];
		assert_int_not_equal(uvci_checksum(span_of(other, n)), sum);
	}
}

static void test_sound(void **state)
{
	char ci[96];
	const char *base = "URN:UVCI:01:VN:187/37512422923";

	(void)state;
	check(base, "");
	check("URN:UVCI:01:VN:1", "");
	check("URN:UVCI:01:VN:/:/", "");
	(void)snprintf(ci, sizeof(ci), "%s#%c", base,
		       uvci_checksum(span_str(base)));
	check(ci, "");
}

static void test_format(void **state)
{
	static const char *const bad[] = {
		"",
		"1",
		"URN:UVCI:01:VN:",
		"URN:UVCI:01:VN",
		"URN:UVCI:01:vn:1",
		"URN:UVCI:01:V1:1",
		"URN:UVCI:01:VNM:1",
		"URN:UVCI:02:VN:1",
		"URN:UVCI:V1:VN:1",
		"urn:uvci:01:VN:1",
		"01:VN:1",
		"URN:UVCI:01:VN:a",
		"URN:UVCI:01:VN:1-2",
		"URN:UVCI:01:VN:1 ",
		" URN:UVCI:01:VN:1",
		"URN:UVCI:01:VN:1#",
		"URN:UVCI:01:VN:#A",
		"URN:UVCI:01:VN:1#AB",
		"URN:UVCI:01:VN:1#A#A",
		"URN:UVCI:01:VN:1#a",
		"URN:UVCI:01:VN:1##",
		"URN:UVCI:01:VN:Đ",
		"#A",
		"A#A",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(bad[i], "uvci-format /dcc/r/0/ci\n");
}

static void test_country(void **state)
{
	(void)state;
	check("URN:UVCI:01:NL:1", "uvci-country /dcc/r/0/ci\n");
	judged_text(&j, DOC_CO, NULL); /* refused for that already */
	judged_check(&j, uvci_judge, "");
	judged_text(&j, DOC_CO, "NLD");
	judged_check(&j, uvci_judge, "uvci-country /dcc/r/0/ci\n");
}

static void test_wrong_checksum(void **state)
{
	(void)state;
	check("URN:UVCI:01:VN:187/37512422923#A",
	      "uvci-checksum /dcc/r/0/ci\n");
	check("URN:UVCI:01:NL:187/37512422923#Z", "uvci-country /dcc/r/0/ci\n");
	check("URN:UVCI:01:NL:187/37512422923#Y",
	      "uvci-country /dcc/r/0/ci\n"
	      "uvci-checksum /dcc/r/0/ci\n");
}

static void test_absent(void **state)
{
	(void)state;
	check(NULL, "");
	judged_text(&j, DOC_CI, "x");
	j.document.has_kind = false;
	judged_check(&j, uvci_judge, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_country),
		cmocka_unit_test(test_wrong_checksum),
		cmocka_unit_test(test_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
