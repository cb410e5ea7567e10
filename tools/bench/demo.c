/* SPDX-License-Identifier: Apache-2.0 */
#include "demo.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	FILE_MAX = 65536,
	READY_US = 30000000,
	STOP_US = 30000000,
	POLL_US = 100000
};

/* Put the parts together; false if they do not fit. */
__attribute__((format(printf, 2, 3))) static bool join(char *out,
						       const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, DEMO_TEXT_MAX, fmt, ap);
	va_end(ap);
	return n > 0 && n < DEMO_TEXT_MAX;
}

/* The value of the first line "NAME: value", maybe a list's first member. */
static bool setting(const char *text, const char *name, char *out)
{
	const size_t n = strlen(name);

	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		line += strspn(line, " ");
		if (strncmp(line, "- ", 2) == 0)
			line += 2;
		if (strncmp(line, name, n) != 0 || line[n] != ':' ||
		    line[n + 1] != ' ')
			continue;
		line += n + 2;
		return join(out, "%.*s", (int)strcspn(line, "\n"), line);
	}
	return false;
}

/* What is relative is so to the directory. */
static bool place(const struct demo *d, const char *path, char *out)
{
	char copy[DEMO_TEXT_MAX];

	/* PATH may lie in OUT. */
	if (!join(copy, "%s", path))
		return false;
	return copy[0] == '/' ? join(out, "%s", copy)
			      : join(out, "%s/%s", d->dir, copy);
}

/* The lines "- NAME=VALUE"; a value that names a file becomes absolute. */
static bool read_environment(struct demo *d, const char *text)
{
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		char *out = d->environment[d->nenvironment];
		char file[DEMO_TEXT_MAX];
		const char *equals;
		int n;

		line += *line == '\n';
		line += strspn(line, " ");
		if (strncmp(line, "- ", 2) != 0)
			continue;
		line += 2;
		n = (int)strcspn(line, "\n");
		equals = memchr(line, '=', (size_t)n);
		if (equals == NULL || memchr(line, ':', (size_t)n) != NULL)
			continue;
		if (d->nenvironment == DEMO_ENVIRONMENT_MAX ||
		    !join(file, "%s/%.*s", d->dir,
			  (int)(n - (equals + 1 - line)), equals + 1))
			return false;
		if (access(file, F_OK) == 0
			    ? !join(out, "%.*s=%s", (int)(equals - line), line,
				    file)
			    : !join(out, "%.*s", n, line))
			return false;
		d->nenvironment++;
	}
	return true;
}

static bool take_settings(struct demo *d, const char *text)
{
	char value[DEMO_TEXT_MAX];

	if (!setting(text, "port", value) ||
	    !join(d->server, "https://localhost:%s", value))
		return false;
	/* The second "listen" has the address of the ops listener. */
	if (strstr(text, "\nops:") == NULL ||
	    !setting(strstr(text, "\nops:") + 1, "listen", value) ||
	    !join(d->metrics, "http://%s/metrics", value))
		return false;
	if (!setting(text, "module", d->module) ||
	    !place(d, d->module, d->module) || !setting(text, "uri", d->uri))
		return false;
	if (!setting(text, "pin", value) || strncmp(value, "file:", 5) != 0 ||
	    !place(d, value + 5, d->pin_file))
		return false;
	if (!setting(text, "alg", value))
		return false;
	d->alg = cose_alg_of(span_str(value));
	return d->alg != COSE_NONE && read_environment(d, text) &&
	       place(d, "ca.pem", d->ca) &&
	       place(d, "clients/issuer.pem", d->cert) &&
	       place(d, "clients/issuer.key", d->key);
}

static bool read_file(const char *path, char *text, size_t cap)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL)
		return false;
	n = fread(text, 1, cap - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	return n > 0 && n < cap - 1;
}

enum sg_err demo_read(const char *dir, struct demo *d, char *why, size_t cap)
{
	static char text[FILE_MAX];
	char path[DEMO_TEXT_MAX];
	char *absolute = realpath(dir, NULL);
	bool ok;

	*d = (struct demo){.pid = 0};
	ok = absolute != NULL && join(d->dir, "%s", absolute) &&
	     place(d, "signerd.yaml", path) &&
	     read_file(path, text, sizeof(text)) && take_settings(d, text);
	free(absolute);
	if (ok)
		return SG_OK;
	(void)snprintf(why, cap,
		       "%s: no directory that tools/quickstart has made", dir);
	return SG_CONFIG;
}

struct https_settings demo_client(const struct demo *d)
{
	return (struct https_settings){.server = d->server,
				       .cert = d->cert,
				       .key = d->key,
				       .ca = d->ca};
}

enum sg_err demo_environment(const struct demo *d)
{
	for (size_t i = 0; i < d->nenvironment; i++) {
		char name[DEMO_TEXT_MAX];
		char *equals;

		memcpy(name, d->environment[i], sizeof(name));
		equals = strchr(name, '=');
		*equals = '\0';
		if (setenv(/* NOLINT(concurrency-mt-unsafe): no thread yet */
			   name, equals + 1, 1) != 0)
			return SG_NO_MEMORY;
	}
	return SG_OK;
}

static bool ready(const struct demo *d)
{
	char url[DEMO_TEXT_MAX];
	char why[DEMO_TEXT_MAX];
	uint8_t *body;
	size_t n;

	if (!join(url, "%.*sreadyz",
		  (int)(strlen(d->metrics) - strlen("metrics")), d->metrics) ||
	    https_fetch_plain(url, &body, &n, why, sizeof(why)) != SG_OK)
		return false;
	free(body);
	return true;
}

/* In the child. */
static void become(const struct demo *d, const char *signerd)
{
	char config[DEMO_TEXT_MAX];
	char log[DEMO_TEXT_MAX];
	const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int fd = -1;

	/* A session of its own: Ctrl-C is for us, and ends it with us. */
	(void)setsid();
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (place(d, "run/signerd.log", log) &&
	    place(d, "signerd.yaml", config))
		fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0 && null >= 0 && dup2(null, 0) == 0 && dup2(fd, 1) == 1 &&
	    dup2(fd, 2) == 2)
		(void)execl(signerd, "signerd", "--config", config, NULL);
	_exit(127);
}

static enum sg_err await(struct demo *d, char *why, size_t cap)
{
	const uint64_t end = clock_mono_us() + READY_US;

	while (clock_mono_us() < end) {
		if (ready(d))
			return SG_OK;
		if (waitpid(d->pid, NULL, WNOHANG) == d->pid) {
			d->pid = 0;
			break;
		}
		(void)usleep(POLL_US);
	}
	(void)snprintf(why, cap,
		       "%s: signerd did not become ready: see run/signerd.log",
		       d->dir);
	demo_stop(d);
	return SG_TIMED_OUT;
}

enum sg_err demo_start(struct demo *d, const char *signerd, char *why,
		       size_t cap)
{
	if (ready(d))
		return SG_OK;
	if (access(signerd, X_OK) != 0) {
		(void)snprintf(why, cap, "%s: %s", signerd,
			       strerrordesc_np(errno));
		return SG_IO;
	}
	(void)fflush(NULL);
	d->pid = fork();
	if (d->pid == 0)
		become(d, signerd);
	if (d->pid < 0) {
		d->pid = 0;
		(void)snprintf(why, cap, "%s", strerrordesc_np(errno));
		return SG_IO;
	}
	return await(d, why, cap);
}

void demo_stop(struct demo *d)
{
	const uint64_t end = clock_mono_us() + STOP_US;

	if (d->pid == 0)
		return;
	(void)kill(d->pid, SIGTERM);
	while (waitpid(d->pid, NULL, WNOHANG) == 0) {
		if (clock_mono_us() > end)
			(void)kill(d->pid, SIGKILL);
		(void)usleep(POLL_US);
	}
	d->pid = 0;
}
