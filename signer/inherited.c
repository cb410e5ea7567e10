/* SPDX-License-Identifier: Apache-2.0 */
#include "inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/log.h"

unsigned inherited_count(void)
{
	const int n = sd_listen_fds(0);

	return n > 0 ? (unsigned)n : 0;
}

static bool is_known(const char *name)
{
	return strcmp(name, "tls") == 0 || strcmp(name, "ops") == 0 ||
	       strcmp(name, "public") == 0;
}

static enum sg_err take_one(struct inherited *out, int fd, const char *name)
{
	const char *why = NULL;
	int flags;

	out->fd[out->n] = fd;
	(void)snprintf(out->name[out->n], sizeof(out->name[0]), "%s", name);
	out->n++;
	if (!is_known(name))
		why = "FileDescriptorName= must be tls, ops or public";
	else if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
		why = "it is no listening stream socket";
	if (why != NULL) {
		log_event(LOG_ERROR, "listen-failed",
			  "inherited=" LOG_Q " reason=\"%s\"", name, why);
		return SG_CONFIG;
	}
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return SG_IO;
	return SG_OK;
}

enum sg_err inherited_take(struct inherited *out)
{
	char **names = NULL;
	const int n = sd_listen_fds_with_names(1, &names);
	enum sg_err e = SG_OK;

	out->n = 0;
	if (n > INHERITED_MAX) {
		log_event(LOG_ERROR, "listen-failed",
			  "reason=\"more than %d inherited sockets\"",
			  INHERITED_MAX);
		e = SG_CONFIG;
	}
	for (int i = 0; i < n; i++) {
		const int fd = SD_LISTEN_FDS_START + i;

		if (e == SG_OK)
			e = take_one(out, fd, names[i]);
		else
			(void)close(fd);
		free(names[i]);
	}
	free(names);
	if (e != SG_OK)
		inherited_close(out);
	return n < 0 ? SG_IO : e;
}

int inherited_next(struct inherited *from, const char *name)
{
	for (size_t i = 0; i < from->n; i++) {
		const int fd = from->fd[i];

		if (fd >= 0 && strcmp(from->name[i], name) == 0) {
			from->fd[i] = -1;
			return fd;
		}
	}
	return -1;
}

void inherited_close(struct inherited *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (from->fd[i] >= 0)
			(void)close(from->fd[i]);
	from->n = 0;
}
