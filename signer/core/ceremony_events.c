/* SPDX-License-Identifier: Apache-2.0 */
/* What came by its time: the file "events", and what its writing needs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fileio.h"
#include "base/log.h"
#include "ceremony_store_state.h"

/* "TIME AFTER STATE LABEL" */
enum { EVENT_LINE_MAX = 24 + 8 + 16 + LIFE_LABEL_MAX };

void store_path(const struct ceremony_store *s, const char *name,
		char out[STORE_PATH_BYTES])
{
	(void)snprintf(out, STORE_PATH_BYTES, "%s/%s", s->dir, name);
}

void store_unwritten(const char *name)
{
	log_event(LOG_WARNING, "operations-unwritten", "file=%s errno=%d", name,
		  errno);
}

bool store_write_events(struct ceremony_store *s)
{
	char name[STORE_PATH_BYTES];
	char *text = malloc(s->nevents * EVENT_LINE_MAX + 1);
	size_t n = 0;

	for (size_t i = 0; text != NULL && i < s->nevents; i++)
		n += (size_t)snprintf(
			text + n, EVENT_LINE_MAX + 1, "%" PRId64 " %u %s %s\n",
			s->event[i].time, s->event[i].after,
			key_state_text(s->event[i].state), s->event[i].label);
	store_path(s, "events", name);
	s->events_unwritten =
		text == NULL || fileio_replace(name, span_of(text, n),
					       STORE_FILE_MODE) != SG_OK;
	free(text);
	if (s->events_unwritten)
		store_unwritten("events");
	return !s->events_unwritten;
}

bool ceremony_store_event(const struct ceremony_store *s, const char *label,
			  enum key_state state)
{
	for (size_t i = 0; i < s->nevents; i++) {
		const struct store_event *e = &s->event[i];

		if (e->state == state && strcmp(e->label, label) == 0)
			return true;
	}
	return false;
}

const struct store_event *ceremony_store_events(const struct ceremony_store *s,
						size_t *n)
{
	*n = s->nevents;
	return s->event;
}

void ceremony_store_set_events(struct ceremony_store *s,
			       const struct store_event *e, size_t n)
{
	s->nevents = n < STORE_EVENTS_MAX ? n : STORE_EVENTS_MAX;
	memcpy(s->event, e, s->nevents * sizeof(*e));
	(void)store_write_events(s); /* or with the next operation */
}

void ceremony_store_add_event(struct ceremony_store *s,
			      const struct store_event *e)
{
	if (s->nevents == STORE_EVENTS_MAX)
		return; /* the ledger has it */
	s->event[s->nevents++] = *e;
	(void)store_write_events(s); /* or with the next operation */
}

static bool read_event(char *line, struct store_event *out)
{
	char *after;
	char *state;
	char *label;

	out->time = strtoll(line, &after, 10);
	if (after == line || *after++ != ' ')
		return false;
	out->after = (unsigned)strtoul(after, &state, 10);
	if (state == after || *state != ' ')
		return false;
	label = strchr(++state, ' ');
	if (label == NULL)
		return false;
	*label++ = '\0';
	if (strlen(label) >= sizeof(out->label))
		return false;
	(void)snprintf(out->label, sizeof(out->label), "%s", label);
	for (int i = 0; i < KEY_STATE_COUNT; i++) {
		out->state = (enum key_state)i;
		if (strcmp(key_state_text(out->state), state) == 0)
			return true;
	}
	return false;
}

/* The ledger has them too, and what is not here is taken from there. */
enum sg_err store_read_events(struct ceremony_store *s)
{
	char name[STORE_PATH_BYTES];
	uint8_t *text = NULL;
	char *rest = NULL;
	size_t n = 0;
	bool whole = true;
	enum sg_err err;

	store_path(s, "events", name);
	err = fileio_read(name, (size_t)STORE_EVENTS_MAX * EVENT_LINE_MAX,
			  &text, &n);
	if (err == SG_NO_MEMORY || (err == SG_IO && errno == ENOENT))
		return err == SG_NO_MEMORY ? err : SG_OK;
	whole = err == SG_OK;
	for (char *line = whole ? strtok_r((char *)text, "\n", &rest) : NULL;
	     line != NULL && whole; line = strtok_r(NULL, "\n", &rest)) {
		whole = s->nevents < STORE_EVENTS_MAX &&
			read_event(line, &s->event[s->nevents]);
		s->nevents += whole;
	}
	free(text);
	if (!whole)
		log_event(LOG_WARNING, "events-damaged",
			  "read=%zu text=\"the others are taken from the "
			  "ledger\"",
			  s->nevents);
	return SG_OK;
}
