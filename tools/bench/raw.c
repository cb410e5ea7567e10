/* SPDX-License-Identifier: Apache-2.0 */
#include "raw.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/ckr.h"
#include "pkcs11/vault.h"
#include "tools/common/args.h"

enum {
	MESSAGE_BYTES = 32, /* a digest; for EdDSA the message itself */
	READY_MS = 60000,   /* for a child to load, log in and sign once */
	LIST_MAX = 16,
	DEFAULT_SECONDS = 3
};

/* --- in a child --- */

struct result {
	uint64_t signatures;
	uint64_t us;
};

struct runner {
	struct vault *vault;
	uint32_t lane;
	const _Atomic bool *stop;
	uint64_t signatures;
	CK_RV rv;
};

static void *run(void *arg)
{
	static const uint8_t message[MESSAGE_BYTES] = "to be signed";
	struct runner *r = arg;
	struct signature sig;

	while (r->rv == CKR_OK &&
	       !atomic_load_explicit(r->stop, memory_order_relaxed)) {
		r->rv = vault_sign_once(r->vault, r->lane, 0,
					span_of(message, sizeof(message)),
					&sig);
		r->signatures += r->rv == CKR_OK;
	}
	return NULL;
}

static void nap(double seconds)
{
	struct timespec t = {.tv_sec = (time_t)seconds};

	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

/* All lanes of V for the time asked. */
static enum sg_err sign_for(struct vault *v, double seconds,
			    struct result *result)
{
	const uint32_t n = vault_lanes(v);
	struct runner *runners = calloc(n, sizeof(runners[0]));
	pthread_t *threads = calloc(n, sizeof(threads[0]));
	_Atomic bool stop = false;
	enum sg_err e = SG_OK;
	uint32_t started = 0;
	uint64_t begun_us;

	if (runners == NULL || threads == NULL)
		e = SG_NO_MEMORY;
	begun_us = clock_mono_us();
	while (e == SG_OK && started < n) {
		runners[started] = (struct runner){
			.vault = v, .lane = started, .stop = &stop};
		if (pthread_create(&threads[started], NULL, run,
				   &runners[started]) != 0)
			e = SG_NO_MEMORY;
		else
			started++;
	}
	if (e == SG_OK)
		nap(seconds);
	atomic_store(&stop, true);
	*result = (struct result){0};
	for (uint32_t i = 0; i < started; i++) {
		pthread_join(threads[i], NULL);
		result->signatures += runners[i].signatures;
		if (runners[i].rv == CKR_OK)
			continue;
		(void)fprintf(stderr, "C_Sign: " CKR_FMT "\n",
			      CKR_ARGS(runners[i].rv));
		e = SG_TOKEN_DOWN;
	}
	result->us = clock_mono_us() - begun_us;
	free(runners);
	free(threads);
	return e;
}

/* Say that we are ready, wait for the others, sign, tell the result. */
static enum sg_err child(const struct bench_raw_options *o, int fd)
{
	struct worker_key_settings key = {.label = "raw", .alg = o->alg};
	const struct vault_settings settings = {.module = o->module,
						.pin_file = o->pin_file,
						.sessions = o->threads,
						.session_copies =
							o->session_copies,
						.nkeys = 1,
						.key = &key};
	struct watch watch = {0};
	struct vault *v;
	struct result result;
	char go;
	enum sg_err e;

	log_role("signer-bench");
	if (strlen(o->uri) >= sizeof(key.uri))
		return SG_CONFIG;
	memcpy(key.uri, o->uri, strlen(o->uri) + 1);
	e = vault_open(&settings, &watch, &v);
	if (e != SG_OK)
		return e;
	e = sign_for(v, 0, &result); /* warm up */
	if (e == SG_OK && send(fd, "r", 1, MSG_NOSIGNAL) == 1 &&
	    recv(fd, &go, 1, 0) == 1) {
		e = sign_for(v, o->seconds, &result);
		if (e == SG_OK && send(fd, &result, sizeof(result),
				       MSG_NOSIGNAL) != sizeof(result))
			e = SG_IO;
	}
	vault_close(v, &watch);
	return e;
}

/* --- in the parent --- */

struct children {
	size_t n;
	struct {
		pid_t pid;
		int fd;
	} child[BENCH_RAW_PROCESSES_MAX];
};

/* One message of N bytes within MS. */
static enum sg_err expect(int fd, void *buf, size_t n, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int r;

	do
		r = poll(&p, 1, ms);
	while (r < 0 && errno == EINTR);
	if (r != 1 || recv(fd, buf, n, 0) != (ssize_t)n)
		return SG_TOKEN_DOWN;
	return SG_OK;
}

static enum sg_err spawn(const struct bench_raw_options *o, struct children *c)
{
	const pid_t parent = getpid();
	int pair[2];
	char ready;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return SG_IO;
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != parent)
			_exit(1);
		_exit(child(o, pair[1]) == SG_OK ? 0 : 1);
	}
	(void)close(pair[1]);
	if (pid < 0) {
		(void)close(pair[0]);
		return SG_IO;
	}
	c->child[c->n].pid = pid;
	c->child[c->n++].fd = pair[0];
	return expect(pair[0], &ready, 1, READY_MS);
}

/* Let all sign at once, and add up. */
static enum sg_err gather(const struct bench_raw_options *o,
			  const struct children *c, double *rate)
{
	const int ms = READY_MS + (int)(o->seconds * 1000);

	*rate = 0;
	for (size_t i = 0; i < c->n; i++)
		if (send(c->child[i].fd, "g", 1, MSG_NOSIGNAL) != 1)
			return SG_TOKEN_DOWN;
	for (size_t i = 0; i < c->n; i++) {
		struct result r;
		enum sg_err e = expect(c->child[i].fd, &r, sizeof(r), ms);

		if (e != SG_OK || r.us == 0)
			return SG_TOKEN_DOWN;
		*rate += (double)r.signatures * 1e6 / (double)r.us;
	}
	return SG_OK;
}

/* A child that has not told its result is not waited for. */
static enum sg_err reap(const struct children *c, enum sg_err e)
{
	for (size_t i = 0; i < c->n; i++) {
		int status = -1;

		(void)close(c->child[i].fd);
		if (e != SG_OK)
			(void)kill(c->child[i].pid, SIGKILL);
		while (waitpid(c->child[i].pid, &status, 0) < 0 &&
		       errno == EINTR)
			;
		if (e == SG_OK && status != 0)
			e = SG_TOKEN_DOWN;
	}
	return e;
}

static enum sg_err measure_one(const struct bench_raw_options *o, double *rate)
{
	struct children c = {0};
	enum sg_err e = SG_OK;

	while (e == SG_OK && c.n < o->processes)
		e = spawn(o, &c);
	if (e == SG_OK)
		e = gather(o, &c, rate);
	return reap(&c, e);
}

static unsigned cpus(void)
{
	const long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (n < 1)
		return 1;
	return n < BENCH_RAW_PROCESSES_MAX ? (unsigned)n
					   : BENCH_RAW_PROCESSES_MAX;
}

/* What usually is the best of a token on this machine. */
static enum sg_err measure_usual(const struct bench_raw_options *o,
				 double *best)
{
	const struct {
		unsigned threads, processes;
	} usual[] = {{1, 1}, {2, 1}, {1, cpus()}};

	*best = 0;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		struct bench_raw_options one = *o;
		double rate = 0;
		enum sg_err e;

		one.threads = usual[i].threads;
		one.processes = usual[i].processes;
		e = measure_one(&one, &rate);
		if (e != SG_OK)
			return e;
		if (rate > *best)
			*best = rate;
	}
	return SG_OK;
}

enum sg_err bench_raw_measure(const struct bench_raw_options *o, double *rate)
{
	if (!(o->seconds > 0 && o->seconds <= 3600))
		return SG_CONFIG;
	if (o->threads == 0 && o->processes == 0)
		return measure_usual(o, rate);
	if (o->threads == 0 || o->threads > BENCH_RAW_THREADS_MAX ||
	    o->processes == 0 || o->processes > BENCH_RAW_PROCESSES_MAX)
		return SG_CONFIG;
	return measure_one(o, rate);
}

/* --- the command --- */

enum {
	OPT_MODULE,
	OPT_PIN,
	OPT_URI,
	OPT_ALG,
	OPT_THREADS,
	OPT_PROCESSES,
	OPT_SECONDS,
	OPT_COPIES,
	OPT_JSON,
	OPT_HELP,
	NOPTIONS
};

static const struct arg_option OPTIONS[NOPTIONS] = {
	[OPT_MODULE] = {"module", "PATH", NULL, "the PKCS #11 module"},
	[OPT_PIN] = {"pin-file", "FILE", NULL, "its user PIN"},
	[OPT_URI] = {"uri", "URI", NULL, "token and private key (RFC 7512)"},
	[OPT_ALG] = {"alg", "ALG", NULL, "ES256, PS256 or EdDSA"},
	[OPT_THREADS] = {"threads", "LIST", NULL,
			 "in one process, a session each (1,2)"},
	[OPT_PROCESSES] = {"processes", "LIST", NULL,
			   "of one thread each (the number of CPUs)"},
	[OPT_SECONDS] = {"seconds", "N", NULL, "for each of them (3)"},
	[OPT_COPIES] = {"session-copies", NULL, NULL,
			"on a session copy, not on the token's own key"},
	[OPT_JSON] = {"json", NULL, NULL, "one JSON object"},
	[OPT_HELP] = {"help", NULL, NULL, "this text"},
};

/* "1,2,8": counts from 1 to MAX. */
struct list {
	size_t n;
	unsigned value[LIST_MAX];
};

static bool list_parse(const char *text, unsigned max, struct list *out)
{
	char word[8];

	out->n = 0;
	for (;;) {
		const size_t n = strcspn(text, ",");
		uint64_t value;

		if (n >= sizeof(word) || out->n == LIST_MAX)
			return false;
		memcpy(word, text, n);
		word[n] = '\0';
		if (!args_number(word, 1, max, &value))
			return false;
		out->value[out->n++] = (unsigned)value;
		if (text[n] == '\0')
			return true;
		text += n + 1;
	}
}

struct report {
	struct bench_raw_options options;
	bool json;
	size_t n; /* lines so far */
	double best;
};

static void print_line(const struct report *r, double rate)
{
	const struct bench_raw_options *o = &r->options;

	if (!r->json)
		printf("%-6s %3u process%s x %3u thread%s %12.1f/s\n",
		       cose_alg_name(o->alg), o->processes,
		       o->processes == 1 ? "  " : "es", o->threads,
		       o->threads == 1 ? " " : "s", rate);
	else
		printf("%s{\"processes\":%u,\"threads\":%u,\"rate\":%.1f}",
		       r->n > 0 ? "," : "", o->processes, o->threads, rate);
}

static enum sg_err report_one(struct report *r, unsigned processes,
			      unsigned threads)
{
	double rate = 0;
	enum sg_err e;

	r->options.processes = processes;
	r->options.threads = threads;
	(void)fprintf(stderr, "%s: %u process(es) x %u thread(s), %.0f s\n",
		      cose_alg_name(r->options.alg), processes, threads,
		      r->options.seconds);
	e = bench_raw_measure(&r->options, &rate);
	if (e != SG_OK) {
		(void)fprintf(stderr, "signer-bench raw: %s\n", err_text(e));
		return e;
	}
	print_line(r, rate);
	r->n++;
	if (rate > r->best)
		r->best = rate;
	return SG_OK;
}

static enum sg_err report_all(struct report *r, const struct list *threads,
			      const struct list *processes)
{
	enum sg_err e = SG_OK;

	if (r->json)
		printf("{\"alg\":\"%s\",\"runs\":[",
		       cose_alg_name(r->options.alg));
	for (size_t i = 0; i < threads->n && e == SG_OK; i++)
		e = report_one(r, 1, threads->value[i]);
	for (size_t i = 0; i < processes->n && e == SG_OK; i++)
		/* One process with one thread may have been among the above. */
		if (processes->value[i] > 1 || threads->n == 0)
			e = report_one(r, processes->value[i], 1);
	if (r->json)
		printf("],\"best\":%.1f}\n", r->best);
	else if (e == SG_OK)
		printf("best %.1f/s\n", r->best);
	return e;
}

static int usage(const char *why)
{
	(void)fprintf(stderr,
		      "signer-bench raw: %s\n"
		      "\"signer-bench raw --help\" tells more\n",
		      why);
	return 2;
}

static int help(void)
{
	printf("usage: signer-bench raw --module PATH --pin-file FILE "
	       "--uri URI --alg ALG [OPTIONS]\n\n"
	       "Signatures a second of a token's own key, straight on the "
	       "module: the limit\nof everything above it.\n\noptions:\n");
	args_help(stdout, OPTIONS, NOPTIONS);
	return 0;
}

int bench_raw(int argc, char **argv)
{
	struct args args;
	struct report r = {.options.seconds = DEFAULT_SECONDS};
	struct list threads = {2, {1, 2}};
	struct list processes = {1, {cpus()}};
	uint64_t seconds;

	if (args_parse(OPTIONS, NOPTIONS, argc - 1, argv + 1, &args) != SG_OK)
		return usage(args.why);
	if (args.value[OPT_HELP] != NULL)
		return help();
	for (size_t i = OPT_MODULE; i <= OPT_ALG; i++)
		if (args.value[i] == NULL)
			return usage("--module, --pin-file, --uri and --alg "
				     "are needed");
	r.options.module = args.value[OPT_MODULE];
	r.options.pin_file = args.value[OPT_PIN];
	r.options.uri = args.value[OPT_URI];
	r.options.alg = cose_alg_of(span_str(args.value[OPT_ALG]));
	r.options.session_copies = args.value[OPT_COPIES] != NULL;
	r.json = args.value[OPT_JSON] != NULL;
	if (args.n > 0)
		return usage("it takes options only");
	if (r.options.alg == COSE_NONE)
		return usage("the algorithm is ES256, PS256 or EdDSA");
	if (args.value[OPT_THREADS] != NULL &&
	    !list_parse(args.value[OPT_THREADS], BENCH_RAW_THREADS_MAX,
			&threads))
		return usage("--threads is a list such as 1,2,8");
	if (args.value[OPT_PROCESSES] != NULL &&
	    !list_parse(args.value[OPT_PROCESSES], BENCH_RAW_PROCESSES_MAX,
			&processes))
		return usage("--processes is a list such as 1,2,4");
	if (args.value[OPT_SECONDS] != NULL) {
		if (!args_number(args.value[OPT_SECONDS], 1, 3600, &seconds))
			return usage("--seconds is a number from 1 to 3600");
		r.options.seconds = (double)seconds;
	}
	return report_all(&r, &threads, &processes) == SG_OK ? 0 : 1;
}
