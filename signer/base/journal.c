/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "logfmt.h"

enum { NAME_MAX_BYTES = 64 }; /* of a field, as journald has it */

#define PREFIX "SIGNERD_" /* ours, and none that journald knows itself */

struct entry {
	char *out;
	size_t n;
};

/* NAME=VALUE, or nothing. */
static void put(struct entry *e, const char *name, const char *value, size_t n)
{
	const size_t name_n = strlen(name);

	if (name_n + n + 2 > JOURNAL_ENTRY_MAX - e->n)
		return;
	memcpy(e->out + e->n, name, name_n);
	e->n += name_n;
	e->out[e->n++] = '=';
	if (n > 0)
		memcpy(e->out + e->n, value, n);
	e->n += n;
	e->out[e->n++] = '\n';
}

static void put_text(struct entry *e, const char *name, const char *text)
{
	put(e, name, text, strlen(text));
}

/* The name of a key of N bytes as a field's; false: it has none. */
static bool field_name(const char *key, size_t n, char name[NAME_MAX_BYTES + 1])
{
	const size_t prefix_n = sizeof(PREFIX) - 1;

	if (n == 0 || n > NAME_MAX_BYTES - prefix_n)
		return false;
	memcpy(name, PREFIX, prefix_n);
	for (size_t i = 0; i < n; i++) {
		const char c = key[i];

		if (c >= 'a' && c <= 'z')
			name[prefix_n + i] = (char)(c - 'a' + 'A');
		else if ((c >= '0' && c <= '9') || c == '_')
			name[prefix_n + i] = c;
		else
			return false;
	}
	name[prefix_n + n] = '\0';
	return true;
}

static void put_members(struct entry *e, const char *p, size_t n)
{
	char name[NAME_MAX_BYTES + 1];
	char value[JOURNAL_ENTRY_MAX];
	struct logfmt_pair pair;

	while (logfmt_next(&p, &n, &pair))
		if (field_name(pair.key, pair.key_n, name) &&
		    pair.value_n <= sizeof(value))
			put(e, name, value, logfmt_value(&pair, value));
}

size_t journal_entry(const struct journal_line *line,
		     char out[JOURNAL_ENTRY_MAX])
{
	struct entry e = {.out = out};
	const char priority[2] = {(char)('0' + line->priority), '\0'};

	put(&e, "MESSAGE", line->message, line->message_n);
	put_text(&e, "PRIORITY", priority);
	put_text(&e, "SYSLOG_IDENTIFIER", "signerd");
	put_text(&e, PREFIX "ROLE", line->role);
	put_text(&e, PREFIX "EVENT", line->event);
	put_members(&e, line->members, line->members_n);
	return e.n;
}

bool journal_is_stream(const char *word, int fd)
{
	char own[64];
	struct stat st;

	if (word == NULL || fstat(fd, &st) != 0)
		return false;
	(void)snprintf(own, sizeof(own), "%llu:%llu",
		       (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino);
	return strcmp(own, word) == 0;
}

bool journal_is_relay(int fd)
{
	int type = 0;
	socklen_t n = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
	       type == SOCK_SEQPACKET;
}

int journal_connect(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const size_t n = strlen(path);
	int fd;

	if (n >= sizeof(to.sun_path))
		return -1;
	memcpy(to.sun_path, path, n + 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to))) {
		(void)close(fd);
		return -1;
	}
	return fd;
}
