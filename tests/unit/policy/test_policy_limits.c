/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_limits.h"

#include "request.h"

#define HEAD "version: 1\nprofiles: [{name: p}]\n"
#define CLIENT(name, more)                                                     \
	"  - {name: " name ", identities: [\"uri:urn:" name "\"], "            \
	"operations: [issue], kinds: [v], countries: [VN], issuers: [x], "     \
	"profile: p, validity: {v: 1d}" more "}\n"

static struct policy_file f;

static void read_file(const char *text)
{
	static struct faults faults;

	memset(&faults, 0, sizeof(faults));
	if (policy_file_read(span_str(text), "p", &f, &faults) != SG_OK)
		fail_msg("%s", faults.text);
}

/* TEXT is refused with exactly these FAULTS. */
static void check(const char *text, const char *expected)
{
	static struct faults faults;

	memset(&faults, 0, sizeof(faults));
	assert_int_equal(policy_file_read(span_str(text), "p", &f, &faults),
			 SG_CONFIG);
	assert_string_equal(faults.text, expected);
}

static void test_limits(void **state)
{
	const struct client_limits *l;

	(void)state;
	read_file(HEAD "time_zone: \"-03:30\"\n"
		       "alarm: {factor: 3}\n"
		       "clients:\n" CLIENT(
			       "a", ", rate: {per_second: 50, burst: 1000000}, "
				    "quota: {per_day: 5000000}")
			       CLIENT("b", ", rate: {per_second: \"7\"}, "
					   "alarm: {factor: 1000, minimum: 1, "
					   "stop: true}") CLIENT("c", ""));
	assert_int_equal(f.zone_s, -12600);
	l = &f.client[0].limits;
	assert_int_equal(l->per_second, 50);
	assert_int_equal(l->burst, 1000000);
	assert_int_equal(l->per_day, 5000000);
	assert_int_equal(l->alarm_factor, 3);
	assert_int_equal(l->alarm_minimum, POLICY_ALARM_MINIMUM);
	assert_false(l->alarm_stop);
	l = &f.client[1].limits;
	assert_int_equal(l->per_second, 7);
	assert_int_equal(l->burst, 7); /* what a second brings */
	assert_int_equal(l->per_day, 0);
	assert_int_equal(l->alarm_factor, 1000);
	assert_int_equal(l->alarm_minimum, 1);
	assert_true(l->alarm_stop);
	l = &f.client[2].limits;
	assert_int_equal(l->per_second, 0);
	assert_int_equal(l->burst, 0);
	assert_int_equal(l->alarm_factor, 3);
	policy_file_clear(&f);
	/* Without anything. */
	read_file(HEAD "clients:\n" CLIENT("c", ""));
	assert_int_equal(f.zone_s, 0);
	assert_int_equal(f.client[0].limits.alarm_factor, 0);
	policy_file_clear(&f);
}

static void test_faults(void **state)
{
	(void)state;
	check(HEAD "time_zone: Asia/Ho_Chi_Minh\n"
		   "alarm: {factor: 0, stop: yes}\n"
		   "clients:\n" CLIENT("a", ", rate: {burst: 5}, quota: "
					    "{per_day: 1000000001}")
			   CLIENT("b", ", alarm: {minimum: 1000001}")
				   CLIENT("c", ", rate: {per_second: -1, "
					       "burst: 1000001}"),
	      "p:3: time_zone: must be an offset from UTC such as +07:00\n"
	      "p:4: alarm.factor: must be an integer from 1 to 1000\n"
	      "p:4: alarm.stop: must be true or false\n"
	      "p:6: clients[0].rate.per_second: is missing\n"
	      "p:6: clients[0].quota.per_day: must be an integer from 1 to "
	      "1000000000\n"
	      "p:7: clients[1].alarm.factor: is missing\n"
	      "p:7: clients[1].alarm.minimum: must be an integer from 1 to "
	      "1000000\n"
	      "p:8: clients[2].rate.per_second: must be an integer from 1 to "
	      "1000000\n"
	      "p:8: clients[2].rate.burst: must be an integer from 1 to "
	      "1000000\n");
	check(HEAD "alarm: {stop: true}\nclients:\n" CLIENT("a", ""),
	      "p:3: alarm.factor: is missing\n");
	check(HEAD "clients:\n" CLIENT("a", ", quota: {per_hour: 5}"),
	      "p:4: clients[0].quota: unknown key \"per_hour\" (known: "
	      "per_day)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
