/* SPDX-License-Identifier: Apache-2.0 */
/* What a role process says, as the supervisor reads it and writes it to the
 * journal: the entry has the fields of one line and no others, whatever is in
 * it. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/journal.h"
#include "base/logline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool begins(const char *p, size_t n, const char *word)
{
	return strlen(word) <= n && memcmp(p, word, strlen(word)) == 0;
}

/* Each field has a name of ours, and a value that is the rest of its line. */
static void check_fields(const char *p, size_t n)
{
	static const char *const first[] = {
		"MESSAGE=", "PRIORITY=6\n", "SYSLOG_IDENTIFIER=signerd\n",
		"SIGNERD_ROLE=front/0\n", "SIGNERD_EVENT=event\n"};

	for (unsigned i = 0; n > 0; i++) {
		const char *end = (const char *)memchr(p, '\n', n);
		const char *name = i < 5 ? first[i] : "SIGNERD_";
		size_t line_n;

		if (end == NULL || !begins(p, n, name))
			abort();
		line_n = (size_t)(end - p) + 1;
		p += line_n;
		n -= line_n;
	}
}

static bool has_controls(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < 0x20)
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	char entry[JOURNAL_ENTRY_MAX];
	struct logline l;
	struct journal_line out;

	if (!logline_read(text, size, &l))
		return 0;
	if (size > LOGLINE_MAX || l.role == 0 || l.role + l.role_n >= l.event ||
	    l.event + l.event_n != l.members || l.members > size ||
	    has_controls(text + l.event, l.event_n))
		abort();
	if (has_controls(text, size)) /* log_relay() takes them away */
		return 0;
	out = (struct journal_line){.priority = 6,
				    .role = "front/0",
				    .event = "event",
				    .message = text + l.role,
				    .message_n = size - l.role,
				    .members = text + l.members,
				    .members_n = size - l.members};
	check_fields(entry, journal_entry(&out, entry));
	return 0;
}
