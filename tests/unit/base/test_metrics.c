/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"

static struct metrics_page *fresh_page(void)
{
	const int fd = metrics_memfd();
	struct metrics_page *page;

	assert_true(fd >= 0);
	page = metrics_map(fd, 1);
	assert_non_null(page);
	(void)close(fd);
	return page;
}

static void release_page(struct metrics_page *page)
{
	assert_int_equal(munmap(page, metrics_page_bytes()), 0);
}

/* Before a page is installed, updates are allowed and go nowhere. */
static void test_private(void **state)
{
	struct metrics_page *page = fresh_page();

	(void)state;
	metric_add(METRIC_ISSUED, 5);
	metrics_install(page);
	assert_int_equal(metric_get(page, METRIC_ISSUED), 0);
	metric_add(METRIC_ISSUED, 2);
	metric_add(METRIC_ISSUED, 3);
	assert_int_equal(metric_get(page, METRIC_ISSUED), 5);
	metric_set(METRIC_CONNECTIONS, 7);
	metric_sub(METRIC_CONNECTIONS, 3);
	assert_int_equal(metric_get(page, METRIC_CONNECTIONS), 4);
}

static void test_shared(void **state)
{
	const int fd = metrics_memfd();
	struct metrics_page *writer = metrics_map(fd, 1);
	const struct metrics_page *reader = metrics_map(fd, 0);

	(void)state;
	assert_non_null(writer);
	assert_non_null(reader);
	assert_ptr_not_equal(writer, reader);
	metrics_install(writer);
	metric_add(METRIC_REFUSED, 9);
	assert_int_equal(metric_get(reader, METRIC_REFUSED), 9);
	/* No process may cut the page away under another. */
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 1 << 20), -1);
	(void)close(fd);
}

static void test_short_file(void **state)
{
	const int fd = memfd_create("short", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)metrics_page_bytes() - 1), 0);
	assert_null(metrics_map(fd, 0));
	assert_int_equal(errno, EINVAL);
	(void)close(fd);
}

/* A restart keeps counters and sets gauges to 0. */
static void test_install_again(void **state)
{
	struct metrics_page *page = fresh_page();

	(void)state;
	metrics_install(page);
	metric_add(METRIC_ISSUED, 3);
	metric_set(METRIC_IN_FLIGHT, 4);
	metrics_install(page);
	assert_int_equal(metric_get(page, METRIC_ISSUED), 3);
	assert_int_equal(metric_get(page, METRIC_IN_FLIGHT), 0);
}

static uint64_t time_us(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

static void work(uint64_t us)
{
	const uint64_t until = clock_mono_us() + us;

	while (clock_mono_us() < until)
		continue;
	metrics_sample_process();
}

/* One life of a role, which samples several times.  Returns the CPU time that
 * the system has counted for it. */
static uint64_t live(struct metrics_page *page)
{
	const pid_t pid = fork();
	struct rusage usage;
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		metrics_install(page);
		for (int i = 0; i < 4; i++)
			work(30000);
		_exit(0);
	}
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_int_equal(status, 0);
	return time_us(usage.ru_utime) + time_us(usage.ru_stime);
}

static void test_cpu_over_restarts(void **state)
{
	struct metrics_page *page = fresh_page();
	uint64_t used;
	uint64_t first;
	uint64_t second;

	(void)state;
	used = live(page);
	first = metric_get(page, METRIC_CPU_US);
	assert_in_range(first, used / 2, used);
	assert_true(metric_get(page, METRIC_RSS_BYTES) > 100000);
	used += live(page);
	second = metric_get(page, METRIC_CPU_US);
	assert_true(second > first);
	assert_in_range(second, used / 2, used);
	release_page(page);
}

enum { THREADS = 4, ROUNDS = 20000 };

static void *add_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		metric_add(METRIC_SIGNATURES, 1);
		metric_time(HISTOGRAM_SIGN_TIME, 1);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct metrics_page *page = fresh_page();
	pthread_t threads[THREADS];

	(void)state;
	metrics_install(page);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, add_many, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(metric_get(page, METRIC_SIGNATURES), THREADS * ROUNDS);
}

/* --- the exposition ------------------------------------------------------- */

static char *render(const struct metrics_source *sources, size_t n)
{
	size_t len;
	size_t again;
	char *text;

	assert_int_equal(metrics_render(sources, n, NULL, 0, &len), SG_TOO_BIG);
	text = malloc(len + 1);
	assert_non_null(text);
	assert_int_equal(metrics_render(sources, n, text, len - 1, &again),
			 SG_TOO_BIG);
	assert_int_equal(again, len);
	text[len] = '#';
	assert_int_equal(metrics_render(sources, n, text, len, &again), SG_OK);
	assert_int_equal(again, len);
	assert_int_equal(text[len], '#');
	text[len] = '\0';
	return text;
}

static size_t count(const char *text, const char *needle)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, needle)) != NULL; p++)
		n++;
	return n;
}

static void test_exposition(void **state)
{
	struct metrics_page *page = fresh_page();
	struct metrics_page *other = fresh_page();
	const struct metrics_source sources[] = {{page, "front", 0},
						 {other, "front", 1}};
	char *text;

	(void)state;
	metrics_install(page);
	metric_add(METRIC_HTTP_4XX, 12);
	metric_set(METRIC_CONNECTIONS, 34);
	text = render(sources, 2);
	assert_int_equal(
		count(text, "# HELP signer_http_responses_total HTTP responses "
			    "by class of status\n"
			    "# TYPE signer_http_responses_total counter\n"),
		1);
	assert_int_equal(count(text, "# TYPE signer_http_responses_total"), 1);
	/* All of a family stands together: "2xx" of both, then "4xx". */
	assert_non_null(strstr(
		text, "signer_http_responses_total{role=\"front\",slot=\"1\","
		      "class=\"2xx\"} 0\n"
		      "signer_http_responses_total{role=\"front\",slot=\"0\","
		      "class=\"4xx\"} 12\n"
		      "signer_http_responses_total{role=\"front\",slot=\"1\","
		      "class=\"4xx\"} 0\n"));
	assert_non_null(strstr(text, "# TYPE signer_connections gauge\n"
				     "signer_connections{role=\"front\","
				     "slot=\"0\"} 34\n"));
	assert_int_equal(count(text, "# HELP "), count(text, "# TYPE "));
	free(text);
	release_page(other);
}

/* A series stands for those that own it, and a family for nobody does not. */
static void test_roles(void **state)
{
	struct metrics_page *page = fresh_page();
	const struct metrics_source sources[] = {{page, "supervisor", 0},
						 {page, "core", 0},
						 {page, "front", 1},
						 {page, "hsm", 2}};
	char *text;

	(void)state;
	text = render(sources, 4);
	assert_int_equal(count(text, "signer_process_up{"), 4);
	assert_int_equal(count(text, "signer_ready{"), 1);
	assert_int_equal(count(text, "signer_ready{role=\"core\""), 1);
	assert_int_equal(
		count(text, "signer_dsc_expires_seconds{role=\"core\""), 1);
	assert_int_equal(count(text, "signer_tls_certificate_expires_seconds{"),
			 1);
	assert_int_equal(
		count(text,
		      "signer_tls_certificate_expires_seconds{role=\"front\""),
		1);
	assert_int_equal(count(text, "signer_signatures_requeued_total{"), 2);
	assert_int_equal(count(text, "signer_reloads_total{"), 3);
	assert_int_equal(count(text, "signer_sign_queue_seconds_count{"), 1);
	assert_int_equal(
		count(text, "signer_sign_queue_seconds_count{role=\"core\""),
		1);
	free(text);
	text = render(&sources[3], 1);
	assert_null(strstr(text, "signer_ready"));
	assert_null(strstr(text, "signer_request_seconds"));
	assert_non_null(strstr(text, "signer_sign_execution_seconds"));
	assert_int_equal(count(text, "# HELP "), count(text, "# TYPE "));
	free(text);
}

/* What the supervisor writes on the page of another. */
static void test_pages_of_others(void **state)
{
	struct metrics_page *own = fresh_page();
	struct metrics_page *other = fresh_page();

	(void)state;
	metrics_install(own);
	metric_set(METRIC_PROCESS_UP, 1);
	metrics_add_to(other, METRIC_STARTS, 2);
	metrics_set_in(other, METRIC_PROCESS_UP, 1);
	metrics_set_in(other, METRIC_RSS_BYTES, 4096);
	assert_int_equal(metric_get(own, METRIC_STARTS), 0);
	assert_int_equal(metric_get(other, METRIC_PROCESS_UP), 1);
	metrics_clear_gauges(other);
	assert_int_equal(metric_get(other, METRIC_STARTS), 2);
	assert_int_equal(metric_get(other, METRIC_PROCESS_UP), 0);
	assert_int_equal(metric_get(other, METRIC_RSS_BYTES), 0);
	assert_int_equal(metric_get(own, METRIC_PROCESS_UP), 1);
	release_page(other);
}

/* A duration of a bound is in that bound's bucket; one more is not. */
static void test_histogram(void **state)
{
	static const uint64_t times[] = {
		0, 8, 9, 1000000, UINT64_C(1) << 25, (UINT64_C(1) << 25) + 1};
	struct metrics_page *page = fresh_page();
	const struct metrics_source source = {page, "hsm", 3};
	char *text;

	(void)state;
	metrics_install(page);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		metric_time(HISTOGRAM_SIGN_TIME, times[i]);
	text = render(&source, 1);
#define SERIES(suffix, labels, value)                                          \
	assert_int_equal(count(text, "signer_sign_execution_seconds" suffix    \
				     "{role=\"hsm\",slot=\"3\"" labels         \
				     "} " value "\n"),                         \
			 1)
	SERIES("_bucket", ",le=\"0.000008\"", "2");
	SERIES("_bucket", ",le=\"0.000016\"", "3");
	SERIES("_bucket", ",le=\"0.524288\"", "3");
	SERIES("_bucket", ",le=\"1.048576\"", "4");
	SERIES("_bucket", ",le=\"33.554432\"", "5");
	SERIES("_bucket", ",le=\"+Inf\"", "6");
	SERIES("_sum", "", "68.108882");
	SERIES("_count", "", "6");
#undef SERIES
	assert_int_equal(
		count(text, "# TYPE signer_sign_execution_seconds histogram\n"),
		1);
	assert_int_equal(count(text, "signer_sign_execution_seconds_bucket"),
			 HISTOGRAM_BUCKETS);
	free(text);
}

/* Whatever the process has made of its name, it is a word or left out. */
static void test_hsm(void **state)
{
	struct metrics_page *page = fresh_page();
	const struct metrics_source source = {page, "hsm", 3};
	char *text;

	(void)state;
	metrics_set_hsm(page, "vault-1.a");
	text = render(&source, 1);
	assert_int_equal(count(text, "signer_process_up{role=\"hsm\","
				     "slot=\"3\",hsm=\"vault-1.a\"} "),
			 1);
	free(text);
	metrics_set_hsm(page, "a\"} 1\n");
	text = render(&source, 1);
	assert_int_equal(count(text,
			       "signer_process_up{role=\"hsm\",slot=\"3\","
			       "hsm=\"a\"} "),
			 1);
	free(text);
	metrics_set_hsm(page, "");
	text = render(&source, 1);
	assert_int_equal(count(text, "hsm=\"\""), 0);
	free(text);
	release_page(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_private),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_short_file),
		cmocka_unit_test(test_install_again),
		cmocka_unit_test(test_cpu_over_restarts),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_exposition),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_pages_of_others),
		cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_hsm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
