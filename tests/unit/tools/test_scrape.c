/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/bench/scrape.h"

static void test_read(void **state)
{
	static const char page[] =
		"# HELP signer_process_cpu_microseconds_total CPU\n"
		"# TYPE signer_process_cpu_microseconds_total counter\n"
		"signer_process_cpu_microseconds_total{role=\"front\",slot="
		"\"0\"} "
		"100\n"
		"signer_process_cpu_microseconds_total{role=\"front\",slot="
		"\"1\"} "
		"20\n"
		"signer_process_cpu_microseconds_total{role=\"hsm\",slot=\"0\"}"
		" "
		"7\n"
		"signer_process_cpu_microseconds_total{role=\"frontier\"} 1\n"
		"signer_process_cpu_microseconds_total{role=\"core\"} x\n"
		"signer_process_cpu_microseconds_total{role=\"core\"}\n"
		"signer_process_cpu_microseconds_totals{role=\"core\"} 5\n"
		"signer_process_resident_bytes{role=\"front\",slot=\"0\"} 1e6\n"
		"signer_connections_total{role=\"front\",slot=\"0\"} 9\n"
		"signer_core_cpu_microseconds_total{role=\"core\",slot=\"0\","
		"thread=\"loop\"} 11\n"
		"signer_core_cpu_microseconds_total{role=\"core\",slot=\"0\","
		"thread=\"scribe\"} 12\n"
		"signer_ledger_loop_cpu_microseconds_total{role=\"core\","
		"slot=\"0\"} 13\n"
		"signer_ledger_bytes_total{role=\"core\",slot=\"0\","
		"part=\"tiles\"} 14\n"
		"signer_certificates_issued_total{role=\"core\",slot=\"0\"} "
		"15\n"
		"signer_connections{role=\"front\",slot=\"0\"} 3";
	struct scrape s;

	(void)state;
	scrape_read(span_str(page), &s);
	assert_true(s.cpu_present);
	assert_int_equal(s.cpu_us[SCRAPE_FRONT], 120);
	assert_int_equal(s.cpu_us[SCRAPE_HSM], 7);
	assert_int_equal(s.cpu_us[SCRAPE_CORE], 0);
	assert_int_equal(s.resident_bytes[SCRAPE_FRONT], 1000000);
	assert_int_equal(s.connections, 3);
	assert_int_equal(s.thread_us[SCRAPE_LOOP], 11);
	assert_int_equal(s.thread_us[SCRAPE_JOURNAL], 0);
	assert_int_equal(s.thread_us[SCRAPE_SCRIBE], 12);
	assert_int_equal(s.ledger_loop_us, 13);
	assert_int_equal(s.ledger_bytes[SCRAPE_TILES], 14);
	assert_int_equal(s.ledger_bytes[SCRAPE_JOURNAL_FILES], 0);
	assert_int_equal(s.issued, 15);
	scrape_read(span_str("\n\nhello\nworld 1\n"), &s);
	assert_false(s.cpu_present);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
