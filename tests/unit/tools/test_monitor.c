/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/bench/monitor.h"

enum { PAGES = 6, POLL_US = 5000, POLLS_MAX = 4000 };

/* A metrics page whose memory grows by a MiB each time it is read. */
struct page {
	int fd;
	char url[64];
	pthread_t thread;
	_Atomic unsigned served;
};

static void serve_one(int fd, unsigned number)
{
	char request[1024];
	char body[256];
	char text[512];
	const int body_n = snprintf(
		body, sizeof(body),
		"signer_process_cpu_microseconds_total{role=\"front\"} 1\n"
		"signer_process_resident_bytes{role=\"front\"} %u\n"
		"signer_process_resident_bytes{role=\"core\"} 4096\n",
		(10 + number) << 20);
	const int n = snprintf(text, sizeof(text),
			       "HTTP/1.1 200 OK\r\ncontent-length: %d\r\n"
			       "connection: close\r\n\r\n%s",
			       body_n, body);

	if (recv(fd, request, sizeof(request), 0) > 0)
		(void)!write(fd, text, (size_t)n);
}

static void *serve(void *arg)
{
	struct page *p = arg;
	int fd;

	while ((fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		serve_one(fd, atomic_load(&p->served));
		close(fd);
		atomic_fetch_add(&p->served, 1);
	}
	return NULL;
}

static void page_open(struct page *p)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);

	*p = (struct page){
		.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	assert_int_equal(bind(p->fd, (struct sockaddr *)&a, n), 0);
	assert_int_equal(listen(p->fd, 8), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&a, &n), 0);
	(void)snprintf(p->url, sizeof(p->url), "http://127.0.0.1:%u",
		       (unsigned)ntohs(a.sin_port));
	assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

static void page_close(struct page *p)
{
	(void)shutdown(p->fd, SHUT_RDWR);
	(void)pthread_join(p->thread, NULL);
	close(p->fd);
}

static void await(const struct page *p, unsigned served)
{
	for (size_t i = 0; i < POLLS_MAX && atomic_load(&p->served) < served;
	     i++)
		(void)usleep(POLL_US);
	assert_true(atomic_load(&p->served) >= served);
}

/* One sample each hundred records, in the phase of its time. */
static void test_by_records(void **state)
{
	struct bulk_progress progress = {.answers = 0};
	struct monitor_settings s = {.every = 100, .progress = &progress};
	struct page page;
	struct monitor *m;
	struct monitor_range r;

	(void)state;
	page_open(&page);
	s.metrics = page.url;
	atomic_store(&progress.phase, BULK_MEASURING);
	assert_int_equal(monitor_start(&s, &m), SG_OK);
	for (unsigned i = 1; i <= PAGES; i++) {
		await(&page, i);
		if (i == PAGES / 2)
			atomic_store(&progress.phase, BULK_DRAINING);
		atomic_fetch_add(&progress.answers, 100);
	}
	monitor_stop(m);
	page_close(&page);
	assert_in_range(monitor_count(m), PAGES, PAGES + 1);
	for (size_t i = 0; i < PAGES; i++) {
		assert_int_equal(monitor_at(m, i)->records, 100 * i);
		assert_int_equal(monitor_at(m, i)->resident[SCRAPE_CORE], 4096);
	}
	r = monitor_range(m, SCRAPE_FRONT, 0, BULK_PHASES);
	assert_int_equal(r.n, monitor_count(m));
	assert_int_equal(r.least, 10 << 20);
	assert_int_equal(r.most, (10 + r.n - 1) << 20);
	/* After the first records. */
	r = monitor_range(m, SCRAPE_FRONT, 200, BULK_PHASES);
	assert_int_equal(r.n, monitor_count(m) - 2);
	assert_int_equal(r.least, 12 << 20);
	r = monitor_range(m, SCRAPE_CORE, 0, BULK_PHASES);
	assert_true(r.least == 4096 && r.most == 4096);
	r = monitor_range(m, SCRAPE_FRONT, 0, BULK_DEAF);
	assert_int_equal(r.n, 0);
	r = monitor_range(m, SCRAPE_FRONT, 0, BULK_MEASURING);
	assert_in_range(r.n, 1, monitor_count(m) - 1);
	monitor_free(m);
}

/* A server that does not answer costs samples, nothing else. */
static void test_no_server(void **state)
{
	struct bulk_progress progress = {.phase = BULK_MEASURING};
	const struct monitor_settings s = {.metrics = "http://127.0.0.1:1",
					   .progress = &progress};
	struct monitor *m;

	(void)state;
	assert_int_equal(monitor_start(&s, &m), SG_OK);
	(void)usleep(POLL_US);
	monitor_stop(m);
	monitor_stop(m);
	assert_int_equal(monitor_count(m), 0);
	assert_int_equal(monitor_range(m, SCRAPE_FRONT, 0, BULK_PHASES).n, 0);
	monitor_free(m);
	monitor_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_records),
		cmocka_unit_test(test_no_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
