/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2,
	       "processes share these counters: no hidden lock may be in them");

enum { US_PER_S = 1000000, NS_PER_US = 1000, PIECE_SIZE = 512, HSM_MAX = 64 };

enum kind { KIND_C, KIND_G };

struct metrics_histogram {
	_Atomic uint64_t bucket[HISTOGRAM_BUCKETS]; /* each its own, no sums */
	_Atomic uint64_t sum_us;
};

struct metrics_page {
	_Atomic uint64_t metric[METRIC_COUNT];
	struct metrics_histogram histogram[HISTOGRAM_COUNT];
	_Atomic uint64_t samples;
	_Atomic char hsm[HSM_MAX]; /* its HSM's name, or empty */
};

struct metric_row {
	enum kind kind;
	unsigned roles; /* enum metrics_roles */
	const char *family;
	const char *labels;
	const char *help;
};

static const struct metric_row METRICS[METRIC_COUNT] = {
#define X(id, kind, roles, family, labels, help)                               \
	[METRIC_##id] = {KIND_##kind, (roles), (family), (labels), (help)},
	METRICS_MAP(X)
#undef X
};

static const struct metric_row HISTOGRAMS[HISTOGRAM_COUNT] = {
#define H(id, roles, family, help)                                             \
	[HISTOGRAM_##id] = {KIND_C, (roles), (family), "", (help)},
	METRICS_HISTOGRAM_MAP(H)
#undef H
};

static struct metrics_page private_page;
static struct metrics_page *_Atomic own_page = &private_page;

static struct metrics_page *own(void)
{
	return atomic_load_explicit(&own_page, memory_order_relaxed);
}

size_t metrics_page_bytes(void)
{
	return sizeof(struct metrics_page);
}

int metrics_memfd(void)
{
	const int fd = memfd_create("metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	/* Sealed in size, so that no process can cut the page away under the
	 * others that have it mapped. */
	if (ftruncate(fd, (off_t)sizeof(struct metrics_page)) != 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) !=
		    0) {
		const int saved = errno;

		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

struct metrics_page *metrics_map(int fd, int writable)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) != 0)
		return NULL;
	if (st.st_size < (off_t)sizeof(struct metrics_page)) {
		errno = EINVAL;
		return NULL;
	}
	p = mmap(NULL, sizeof(struct metrics_page),
		 writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd,
		 0);
	return p == MAP_FAILED ? NULL : p;
}

void metrics_set_hsm(struct metrics_page *page, const char *name)
{
	const size_t n = strnlen(name, HSM_MAX - 1);

	for (size_t i = 0; i < n; i++)
		atomic_store_explicit(&page->hsm[i], name[i],
				      memory_order_relaxed);
	atomic_store_explicit(&page->hsm[n], '\0', memory_order_relaxed);
}

void metrics_clear_gauges(struct metrics_page *page)
{
	for (size_t i = 0; i < METRIC_COUNT; i++)
		if (METRICS[i].kind == KIND_G)
			atomic_store_explicit(&page->metric[i], 0,
					      memory_order_relaxed);
}

void metrics_install(struct metrics_page *page)
{
	/* What the process before this one had open is gone with it. */
	metrics_clear_gauges(page);
	atomic_store_explicit(&own_page, page, memory_order_release);
}

void metrics_add_to(struct metrics_page *page, enum metric_id id, uint64_t n)
{
	(void)atomic_fetch_add_explicit(&page->metric[id], n,
					memory_order_relaxed);
}

void metrics_set_in(struct metrics_page *page, enum metric_id id,
		    uint64_t value)
{
	atomic_store_explicit(&page->metric[id], value, memory_order_relaxed);
}

void metric_add(enum metric_id id, uint64_t n)
{
	metrics_add_to(own(), id, n);
}

void metric_set(enum metric_id id, uint64_t value)
{
	metrics_set_in(own(), id, value);
}

void metric_sub(enum metric_id id, uint64_t n)
{
	(void)atomic_fetch_sub_explicit(&own()->metric[id], n,
					memory_order_relaxed);
}

/* The first bucket whose bound 2^(i + FIRST_SHIFT) is not below US. */
static size_t bucket_of(uint64_t us)
{
	size_t i = 0;

	while (i < HISTOGRAM_BUCKETS - 1 &&
	       us > UINT64_C(1) << (i + HISTOGRAM_FIRST_SHIFT))
		i++;
	return i;
}

void metric_time(enum histogram_id id, uint64_t us)
{
	struct metrics_histogram *h = &own()->histogram[id];

	(void)atomic_fetch_add_explicit(&h->bucket[bucket_of(us)], 1,
					memory_order_relaxed);
	(void)atomic_fetch_add_explicit(&h->sum_us, us, memory_order_relaxed);
}

uint64_t metric_get(const struct metrics_page *page, enum metric_id id)
{
	return atomic_load_explicit(&page->metric[id], memory_order_relaxed);
}

static uint64_t time_us(struct timeval t)
{
	return (uint64_t)t.tv_sec * US_PER_S + (uint64_t)t.tv_usec;
}

/* The page outlives the process: add what this process used since last time. */
static void sample_cpu(void)
{
	static _Atomic uint64_t last_us;
	struct rusage usage;
	uint64_t total_us;

	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return;
	total_us = time_us(usage.ru_utime) + time_us(usage.ru_stime);
	metric_add(METRIC_CPU_US,
		   total_us - atomic_exchange(&last_us, total_us));
}

/* The descriptor is kept: a sandbox may forbid to open it later. */
static void sample_rss(void)
{
	static int fd = -1;
	char text[128]; /* seven numbers: size, resident, ... in pages */
	const char *resident;
	ssize_t n;

	if (fd < 0)
		fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return;
	text[n] = '\0';
	resident = strchr(text, ' ');
	if (resident != NULL)
		metric_set(METRIC_RSS_BYTES,
			   strtoull(resident, NULL, 10) *
				   (uint64_t)sysconf(_SC_PAGESIZE));
}

void metrics_sample_process(void)
{
	sample_cpu();
	sample_rss();
	atomic_fetch_add_explicit(&own()->samples, 1, memory_order_relaxed);
}

void metrics_sample_thread(enum metric_id id)
{
	static _Thread_local uint64_t last_us;
	struct timespec used;
	uint64_t us;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) != 0)
		return;
	us = (uint64_t)used.tv_sec * US_PER_S +
	     (uint64_t)used.tv_nsec / NS_PER_US;
	metric_add(id, us - last_us);
	last_us = us;
}

uint64_t metrics_samples(const struct metrics_page *page)
{
	return atomic_load_explicit(&page->samples, memory_order_relaxed);
}

/* --- exposition ---------------------------------------------------------- */

struct text {
	char *p;
	size_t cap;
	size_t len; /* bytes wanted so far */
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t,
						      const char *fmt, ...)
{
	char piece[PIECE_SIZE];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = (size_t)vsnprintf(piece, sizeof(piece), fmt, ap);
	va_end(ap);
	assert(n < sizeof(piece)); /* all of it comes from our own tables */
	if (n > 0 && t->len <= t->cap && n <= t->cap - t->len)
		memcpy(t->p + t->len, piece, n);
	t->len += n;
}

static unsigned role_bit(const char *role)
{
	static const struct {
		const char *name;
		unsigned bit;
	} known[] = {{"supervisor", METRICS_SUPERVISOR},
		     {"front", METRICS_FRONT},
		     {"core", METRICS_CORE},
		     {"hsm", METRICS_HSM},
		     {"witness", METRICS_WITNESS},
		     {"smith", METRICS_SMITH}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, role) == 0)
			return known[i].bit;
	return 0;
}

static void put_family(struct text *t, const struct metric_row *row,
		       const char *type)
{
	put(t, "# HELP %s %s\n# TYPE %s %s\n", row->family, row->help,
	    row->family, type);
}

/* The name of the HSM of PAGE; false: it has none.  The process itself can
 * write to its page: what is no word is left out. */
static bool read_hsm(const struct metrics_page *page, char out[HSM_MAX])
{
	size_t n = 0;

	for (; n < HSM_MAX - 1; n++) {
		const char c = atomic_load_explicit(&page->hsm[n],
						    memory_order_relaxed);

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
			break;
		out[n] = c;
	}
	out[n] = '\0';
	return n > 0;
}

/* A page of the supervisor's that has an HSM's name is of that HSM. */
static bool has(const struct metrics_source *s, const struct metric_row *row)
{
	unsigned bit = role_bit(s->role);
	char hsm[HSM_MAX];

	if (bit == METRICS_SUPERVISOR && read_hsm(s->page, hsm))
		bit = METRICS_OF_HSM;
	return (row->roles & bit) != 0;
}

static bool any_has(const struct metrics_source *sources, size_t n,
		    const struct metric_row *row)
{
	for (size_t i = 0; i < n; i++)
		if (has(&sources[i], row))
			return true;
	return false;
}

/* NAME{role="front",slot="0",... without the closing brace. */
static void put_name(struct text *t, const char *name, const char *suffix,
		     const struct metrics_source *s)
{
	char hsm[HSM_MAX];

	put(t, "%s%s{role=\"%s\",slot=\"%u\"", name, suffix, s->role, s->slot);
	if (read_hsm(s->page, hsm))
		put(t, ",hsm=\"%s\"", hsm);
}

static void put_metric(struct text *t, enum metric_id id,
		       const struct metrics_source *sources, size_t n)
{
	const struct metric_row *row = &METRICS[id];

	if (!any_has(sources, n, row))
		return;
	if (id == 0 || strcmp(METRICS[id - 1].family, row->family) != 0)
		put_family(t, row, row->kind == KIND_C ? "counter" : "gauge");
	for (size_t i = 0; i < n; i++) {
		if (!has(&sources[i], row))
			continue;
		put_name(t, row->family, "", &sources[i]);
		put(t, "%s%s} %" PRIu64 "\n", row->labels[0] != '\0' ? "," : "",
		    row->labels, metric_get(sources[i].page, id));
	}
}

static void put_histogram(struct text *t, enum histogram_id id,
			  const struct metrics_source *s)
{
	const char *family = HISTOGRAMS[id].family;
	const struct metrics_histogram *h = &s->page->histogram[id];
	uint64_t sum_us;
	uint64_t count = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		const uint64_t bound = UINT64_C(1)
				       << (i + HISTOGRAM_FIRST_SHIFT);

		count += atomic_load_explicit(&h->bucket[i],
					      memory_order_relaxed);
		put_name(t, family, "_bucket", s);
		if (i < HISTOGRAM_BUCKETS - 1)
			put(t, ",le=\"%" PRIu64 ".%06" PRIu64 "\"",
			    bound / US_PER_S, bound % US_PER_S);
		else
			put(t, ",le=\"+Inf\"");
		put(t, "} %" PRIu64 "\n", count);
	}
	sum_us = atomic_load_explicit(&h->sum_us, memory_order_relaxed);
	put_name(t, family, "_sum", s);
	put(t, "} %" PRIu64 ".%06" PRIu64 "\n", sum_us / US_PER_S,
	    sum_us % US_PER_S);
	put_name(t, family, "_count", s);
	put(t, "} %" PRIu64 "\n", count);
}

enum sg_err metrics_render(const struct metrics_source *sources, size_t n,
			   char *out, size_t cap, size_t *len)
{
	struct text t = {.p = out, .cap = cap};

	for (unsigned id = 0; id < METRIC_COUNT; id++)
		put_metric(&t, (enum metric_id)id, sources, n);
	for (unsigned id = 0; id < HISTOGRAM_COUNT; id++) {
		if (!any_has(sources, n, &HISTOGRAMS[id]))
			continue;
		put_family(&t, &HISTOGRAMS[id], "histogram");
		for (size_t i = 0; i < n; i++)
			if (has(&sources[i], &HISTOGRAMS[id]))
				put_histogram(&t, (enum histogram_id)id,
					      &sources[i]);
	}
	*len = t.len;
	return t.len <= cap ? SG_OK : SG_TOO_BIG;
}
