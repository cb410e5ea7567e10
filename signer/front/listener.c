/* SPDX-License-Identifier: Apache-2.0 */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "connection.h"

enum { BACKLOG = 1024 };

struct listener {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	struct front *front;
	enum door door;
};

static void on_connection(uv_stream_t *stream, int status)
{
	const struct listener *l = stream->data;

	if (status != 0) {
		log_event(LOG_WARNING, "accept-failed", "reason=\"%s\"",
			  uv_strerror(status));
		return;
	}
	connection_accept(l->front, stream, l->door);
}

static int open_stream(struct listener *l, int fd)
{
	uv_loop_t *loop = l->front->loop;
	int domain = 0;
	socklen_t len = sizeof(domain);
	int rv;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0)
		return UV_ENOTSOCK;
	if (domain == AF_UNIX) {
		rv = uv_pipe_init(loop, &l->uv.pipe, 0);
		return rv != 0 ? rv : uv_pipe_open(&l->uv.pipe, fd);
	}
	rv = uv_tcp_init(loop, &l->uv.tcp);
	return rv != 0 ? rv : uv_tcp_open(&l->uv.tcp, fd);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

enum sg_err listener_open(struct front *f, int fd, enum door door,
			  struct listener **out)
{
	struct listener *l = calloc(1, sizeof(*l));
	int rv;

	if (l == NULL)
		return SG_NO_MEMORY;
	l->front = f;
	l->door = door;
	rv = open_stream(l, fd);
	if (l->uv.handle.type == UV_UNKNOWN_HANDLE) {
		free(l);
		return SG_IO;
	}
	l->uv.handle.data = l;
	if (rv == 0)
		rv = uv_listen(&l->uv.stream, BACKLOG, on_connection);
	if (rv != 0) {
		log_event(LOG_ERROR, "listen-failed", "reason=\"%s\"",
			  uv_strerror(rv));
		listener_close(l);
		return SG_IO;
	}
	*out = l;
	return SG_OK;
}

void listener_second(struct front *f)
{
	const int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0) {
		(void)close(fd);
		f->descriptors_out = false;
		return;
	}
	if ((errno != EMFILE && errno != ENFILE) || f->descriptors_out)
		return;
	f->descriptors_out = true;
	log_event(LOG_ERROR, "accept-failed",
		  "reason=\"%s\" connections=%zu text=\"new connections are "
		  "closed at once: raise LimitNOFILE, or lower "
		  "limits.connections\"",
		  strerrordesc_np(errno), f->connections_of[DOOR_CLIENTS]);
}

void listener_close(struct listener *l)
{
	if (l != NULL && !uv_is_closing(&l->uv.handle))
		uv_close(&l->uv.handle, on_closed);
}
