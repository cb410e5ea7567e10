/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/dates.h"

#include "judged.h"

enum { NOW = 1640000000 }; /* 2021-12-20T11:33:20Z */

static struct judged j;

static void check_vaccination(const char *dob, const char *dt,
			      const char *lines)
{
	judged_init(&j, DCC_VACCINATION, NOW);
	judged_text(&j, DOC_DOB, dob);
	judged_text(&j, DOC_DT, dt);
	judged_check(&j, dates_judge, lines);
}

static void check_test(const char *dob, const char *sc, const char *lines)
{
	judged_init(&j, DCC_TEST, NOW);
	judged_text(&j, DOC_DOB, dob);
	judged_text(&j, DOC_SC, sc);
	judged_check(&j, dates_judge, lines);
}

static void check_recovery(const char *fr, const char *df, const char *du,
			   const char *lines)
{
	judged_init(&j, DCC_RECOVERY, NOW);
	judged_text(&j, DOC_DOB, "1990-02-28");
	judged_text(&j, DOC_FR, fr);
	judged_text(&j, DOC_DF, df);
	judged_text(&j, DOC_DU, du);
	judged_check(&j, dates_judge, lines);
}

static void test_sound(void **state)
{
	(void)state;
	check_vaccination("1979-04-14", "2021-12-20", "");
	check_vaccination("1979-04", "2020-12-01", "");
	check_vaccination("1979", "2021-11-01", "");
	check_vaccination("", "2021-11-01", "");
	check_vaccination(NULL, "2021-11-01", "");
	check_vaccination("1979-04-14", NULL, "");
	check_test("1979-04-14", "2021-12-20T11:33:20Z", "");
	check_recovery("2021-11-01", "2021-11-12", "2022-05-01", "");
	/* The period may begin in the future. */
	check_recovery("2021-12-19", "2021-12-30", "2022-06-01", "");
}

static void test_impossible(void **state)
{
	(void)state;
	check_vaccination("1979-02-29", "2021-11-31",
			  "date-impossible /dcc/dob\n"
			  "date-impossible /dcc/v/0/dt\n");
	check_vaccination("1979-13", "01.11.2021",
			  "date-impossible /dcc/dob\n"
			  "bad-format /dcc/v/0/dt\n");
	/* The schema has told of this one. */
	check_vaccination("13.04.1979", "2021-11-01", "");
	check_test("", "2021-11-01T25:00:00Z", "date-impossible /dcc/t/0/sc\n");
	check_test("", "2021-11-01", "bad-format /dcc/t/0/sc\n");
	check_recovery("2021-11-00", "2021-02-30", "x",
		       "date-impossible /dcc/r/0/fr\n"
		       "date-impossible /dcc/r/0/df\n"
		       "bad-format /dcc/r/0/du\n");
}

static void test_future(void **state)
{
	(void)state;
	check_vaccination("2021-12-21", "2021-12-22",
			  "date-in-future /dcc/dob\n"
			  "date-in-future /dcc/v/0/dt\n");
	check_recovery("2021-12-21", "2021-12-22", "2021-12-23",
		       "date-in-future /dcc/r/0/fr\n");
	/* Our clock and theirs may differ by a minute. */
	check_test("", "2021-12-20T11:34:20Z", "");
	check_test("", "2021-12-20T11:34:21Z", "date-in-future /dcc/t/0/sc\n");
	check_test("", "2021-12-20T18:34:20+07:00", "");
	check_test("", "2021-12-20T12:00:00+01:00", "");
	check_test("", "2021-12-20T11:00:00-01:00",
		   "date-in-future /dcc/t/0/sc\n");
}

/* Where the sun rises earlier it is tomorrow already. */
static void test_zone(void **state)
{
	(void)state;
	judged_init(&j, DCC_VACCINATION, NOW + 6 * 3600); /* 17:33 UTC */
	judged_text(&j, DOC_DT, "2021-12-21");
	judged_check(&j, dates_judge, "date-in-future /dcc/v/0/dt\n");
	j.context.zone_s = 7 * 3600;
	judged_check(&j, dates_judge, "");
	judged_text(&j, DOC_DT, "2021-12-22");
	judged_check(&j, dates_judge, "date-in-future /dcc/v/0/dt\n");
	j.context.zone_s = -11 * 3600;
	judged_init(&j, DCC_VACCINATION, NOW - 9 * 3600); /* 02:33 UTC */
	j.context.zone_s = -11 * 3600;
	judged_text(&j, DOC_DT, "2021-12-20");
	judged_check(&j, dates_judge, "date-in-future /dcc/v/0/dt\n");
}

static void test_early(void **state)
{
	(void)state;
	check_vaccination("", "2020-11-30", "date-too-early /dcc/v/0/dt\n");
	check_vaccination("", "0000-01-01", "date-too-early /dcc/v/0/dt\n");
	check_test("", "2020-01-01T00:00:00Z", "");
	/* The day that the text names counts, not the one in Greenwich. */
	check_test("", "2020-01-01T00:00:00+07:00", "");
	check_test("", "2019-12-31T23:59:59-07:00",
		   "date-too-early /dcc/t/0/sc\n");
	check_recovery("2019-12-31", "2021-01-01", "2021-06-01",
		       "date-too-early /dcc/r/0/fr\n");
}

static void test_birth(void **state)
{
	(void)state;
	check_vaccination("2021-05-02", "2021-05-01",
			  "birth-after-event /dcc/dob\n");
	check_vaccination("2021-05-01", "2021-05-01",
			  "birth-after-event /dcc/dob\n");
	check_vaccination("2021-05-01", "2021-05-02", "");
	check_vaccination("2021-06", "2021-05-31",
			  "birth-after-event /dcc/dob\n");
	check_vaccination("2021-05", "2021-05-31", "");
	check_vaccination("2021", "2021-05-31", "");
	check_vaccination("2021", "2020-12-31", "birth-after-event /dcc/dob\n");
	/* A newborn may be tested at once. */
	check_test("2021-05-01", "2021-05-01T00:10:00+07:00", "");
	check_test("2021-05-02", "2021-05-01T23:10:00+07:00",
		   "birth-after-event /dcc/dob\n");
}

static void test_order(void **state)
{
	(void)state;
	check_recovery("2021-11-01", "2021-11-12", "2021-11-13", "");
	check_recovery("2021-11-01", "2021-11-12", "2021-11-12",
		       "date-order /dcc/r/0/du\n");
	check_recovery("2021-11-01", "2022-11-12", "2021-11-12",
		       "date-order /dcc/r/0/du\n");
	check_recovery("2021-11-01", "2021-11-12", NULL, "");
	check_recovery("2021-11-01", "x", "2021-11-12",
		       "bad-format /dcc/r/0/df\n");
}

/* Without exactly one kind there is no event, but there is a birth. */
static void test_no_kind(void **state)
{
	(void)state;
	judged_init(&j, DCC_VACCINATION, NOW);
	j.document.has_kind = false;
	judged_text(&j, DOC_DOB, "1979-02-30");
	judged_text(&j, DOC_DT, "x");
	judged_check(&j, dates_judge, "date-impossible /dcc/dob\n");
}

static void test_levels(void **state)
{
	(void)state;
	check_vaccination("1979-04-14", "2020-01-01",
			  "date-too-early /dcc/v/0/dt\n");
	rule_profile_set(&j.profile, RULE_DATE_TOO_EARLY, RULE_WARNING);
	judged_check(&j, dates_judge, "date-too-early /dcc/v/0/dt warning\n");
	rule_profile_set(&j.profile, RULE_DATE_TOO_EARLY, RULE_OFF);
	judged_check(&j, dates_judge, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_future),
		cmocka_unit_test(test_zone),
		cmocka_unit_test(test_early),
		cmocka_unit_test(test_birth),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_no_kind),
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
