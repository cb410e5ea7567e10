/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "document.h"
#include "ipc/wire.h"
#include "tools/common/https.h"
#include "tools/common/printable.h"

enum {
	PATIENCE_S = 90, /* an HSM may take long over a key */
	HTTP_GOOD = 200,
	HTTP_BEYOND = 300
};

struct daemon {
	int fd; /* of the socket; -1: HTTPS it is */
	struct https *https;
	uint8_t packet[WIRE_PACKET_MAX];
};

/* --- where it is ---------------------------------------------------------- */

bool daemon_given(const struct args *args)
{
	return args->value[OPT_SOCKET] != NULL ||
	       args->value[OPT_SERVER] != NULL;
}

static enum sg_err connect_to(struct daemon *d, const char *path, char *why,
			      size_t cap)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = PATIENCE_S};

	if (strlen(path) >= sizeof(a.sun_path)) {
		(void)snprintf(why, cap,
			       "%.400s: too long for a socket's path; go there "
			       "and name it from there",
			       path);
		return SG_CONFIG;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	d->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (d->fd >= 0 &&
	    setsockopt(d->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) == 0 &&
	    setsockopt(d->fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		       sizeof(patience)) == 0 &&
	    connect(d->fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return SG_OK;
	(void)snprintf(why, cap, "%s: %s", path, strerrordesc_np(errno));
	return SG_IO;
}

static enum sg_err open_https(struct daemon *d, const struct args *args,
			      char *why, size_t cap)
{
	const struct https_settings settings = {.server =
							args->value[OPT_SERVER],
						.cert = args->value[OPT_CERT],
						.key = args->value[OPT_TLS_KEY],
						.ca = args->value[OPT_CA]};

	if (settings.cert == NULL || settings.key == NULL) {
		(void)snprintf(why, cap,
			       "--server takes --cert and --tls-key; the "
			       "variables SIGNER_CERT and SIGNER_KEY may stand "
			       "in for them");
		return SG_CONFIG;
	}
	return https_open(&settings, &d->https, why, cap);
}

enum sg_err daemon_open(const struct args *args, struct daemon **out, char *why,
			size_t cap)
{
	struct daemon *d = calloc(1, sizeof(*d));
	enum sg_err err = SG_CONFIG;

	*out = NULL;
	if (d == NULL)
		return SG_NO_MEMORY;
	d->fd = -1;
	if (args->value[OPT_SOCKET] != NULL)
		err = connect_to(d, args->value[OPT_SOCKET], why, cap);
	else if (args->value[OPT_SERVER] != NULL)
		err = open_https(d, args, why, cap);
	else
		(void)snprintf(why, cap,
			       "which signerd?  Say --socket run/officer.sock, "
			       "or --server URL");
	if (err != SG_OK)
		daemon_close(d);
	else
		*out = d;
	return err;
}

void daemon_close(struct daemon *d)
{
	if (d == NULL)
		return;
	if (d->fd >= 0)
		(void)close(d->fd);
	https_close(d->https);
	free(d);
}

/* --- by the socket -------------------------------------------------------- */

static enum sg_err no_answer(char *why, size_t cap, const char *what)
{
	(void)snprintf(why, cap, "no answer from signerd: %s", what);
	return SG_IO;
}

static enum sg_err take_message(const struct wire_msg *m, json_t **out,
				char *why, size_t cap)
{
	struct wire_problem p;
	struct wire_answer a;

	if (m->type == WIRE_ANSWER && wire_get_answer(m, &a) == SG_OK &&
	    document_json(a.document, out) == SG_OK)
		return SG_OK;
	if (m->type != WIRE_PROBLEM || wire_get_problem(m, &p) != SG_OK)
		return no_answer(why, cap,
				 "what it says makes no sense; is it "
				 "of another version?");
	if (p.detail.n > 0)
		(void)snprintf(why, cap, "%.*s", (int)p.detail.n,
			       (const char *)p.detail.p);
	else
		(void)snprintf(why, cap, "%s", err_text((enum sg_err)p.err));
	return SG_REFUSED;
}

/* Send W, which lies in D's packet, and wait for the answer. */
static enum sg_err exchange(struct daemon *d, const struct wire_packet *w,
			    json_t **out, char *why, size_t cap)
{
	struct span rest;
	struct wire_msg m;
	ssize_t n = send(d->fd, w->buf, w->len, MSG_NOSIGNAL);

	if (n == (ssize_t)w->len)
		n = recv(d->fd, d->packet, sizeof(d->packet), 0);
	if (n < 0)
		return no_answer(why, cap, strerrordesc_np(errno));
	rest = span_of(d->packet, (size_t)n);
	if (n == 0 || wire_next(&rest, &m) != SG_OK)
		return no_answer(why, cap, "it has hung up");
	return take_message(&m, out, why, cap);
}

/* --- over HTTPS ----------------------------------------------------------- */

/* What a problem (RFC 9457) says, or else its status. */
static void say_problem(const json_t *problem, int status, char *why,
			size_t cap)
{
	const char *text = document_text(problem, "detail");

	if (text[0] == '\0')
		text = document_text(problem, "title");
	if (text[0] != '\0')
		(void)snprintf(why, cap, "%s", text);
	else
		(void)snprintf(why, cap, "HTTP status %d", status);
}

static enum sg_err ask(struct daemon *d, struct span body, json_t **out,
		       char *why, size_t cap)
{
	const struct https_request r = {.path = "/v1/operations",
					.content_type = body.n > 0
								? "application/"
								  "cose"
								: NULL,
					.accept = "application/json",
					.body = body};
	struct https_reply reply;
	json_t *j;
	enum sg_err err = https_ask(d->https, &r, &reply, why, cap);

	if (err != SG_OK)
		return err;
	j = json_loadb((const char *)reply.body, reply.n, 0, NULL);
	free(reply.body);
	if (reply.status >= HTTP_GOOD && reply.status < HTTP_BEYOND &&
	    j != NULL) {
		*out = j;
		return SG_OK;
	}
	say_problem(j, reply.status, why, cap);
	json_decref(j);
	return SG_REFUSED;
}

/* --- either --------------------------------------------------------------- */

enum sg_err daemon_document(struct daemon *d, json_t **out, char *why,
			    size_t cap)
{
	const struct wire_ask m = {.question = WIRE_ASK_CEREMONY};
	struct wire_packet w = {.buf = d->packet, .cap = sizeof(d->packet)};
	enum sg_err err;

	*out = NULL;
	if (d->fd < 0)
		return ask(d, span_of(NULL, 0), out, why, cap);
	err = wire_put_ask(&w, 1, &m);
	return err == SG_OK ? exchange(d, &w, out, why, cap) : err;
}

enum sg_err daemon_operate(struct daemon *d, struct span approved, json_t **out,
			   char *why, size_t cap)
{
	const struct wire_operate m = {.operation = approved};
	struct wire_packet w = {.buf = d->packet, .cap = sizeof(d->packet)};
	enum sg_err err;

	*out = NULL;
	if (d->fd < 0)
		return ask(d, approved, out, why, cap);
	err = wire_put_operate(&w, 1, &m);
	return err == SG_OK ? exchange(d, &w, out, why, cap) : err;
}

enum sg_err daemon_look(const struct args *args, json_t **out, char *why,
			size_t cap)
{
	struct daemon *d;
	enum sg_err err = daemon_open(args, &d, why, cap);

	*out = NULL;
	if (err == SG_OK)
		err = daemon_document(d, out, why, cap);
	daemon_close(d);
	return err;
}

int daemon_trouble(enum sg_err err, const char *why)
{
	if (why[0] == '\0')
		why = err_text(err);
	(void)fputs("signer-officer: ", stderr);
	printable_put(stderr, span_str(why));
	(void)fputc('\n', stderr);
	return err == SG_REFUSED ? EXIT_REFUSED : EXIT_TROUBLE;
}
