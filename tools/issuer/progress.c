/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "tools/common/number.h"

enum {
	US = 1000000,
	BAR_EVERY_US = 200000,
	LINE_EVERY_US = 10 * US,
	BAR_WIDTH = 20,
	DEFAULT_COLUMNS = 80,
	LONGEST_S = 99 * 3600
};

void progress_begin(struct progress *p, bool quiet, const char *good_word,
		    const struct progress_state *state)
{
	*p = (struct progress){
		.quiet = quiet,
		.tty = isatty(STDERR_FILENO) == 1,
		.good_word = good_word,
		.start_us = clock_mono_us(),
		.start_records = state->tally->records,
		.start_bytes = state->bytes,
	};
	p->last_us = p->start_us;
}

static double share(const struct progress_state *s)
{
	return s->size == 0 || s->bytes > s->size
		       ? 1.0
		       : (double)s->bytes / (double)s->size;
}

/* "1:02:03" of what is left, by the bytes done since the start; "" if that
 * cannot be told. */
static void time_left(const struct progress *p, const struct progress_state *s,
		      uint64_t elapsed_us, char out[32])
{
	const uint64_t done = s->bytes - p->start_bytes;
	double left;
	unsigned seconds;

	out[0] = '\0';
	if (s->size == 0 || s->bytes < p->start_bytes || done == 0 ||
	    s->bytes > s->size)
		return;
	left = (double)(s->size - s->bytes) / (double)done *
	       (double)elapsed_us / US;
	if (left > LONGEST_S)
		left = LONGEST_S;
	seconds = (unsigned)left;
	if (seconds >= 3600)
		(void)snprintf(out, 32, ", %u:%02u:%02u left", seconds / 3600,
			       seconds / 60 % 60, seconds % 60);
	else
		(void)snprintf(out, 32, ", %u:%02u left", seconds / 60,
			       seconds % 60);
}

void progress_line(const struct progress *p, const struct progress_state *s,
		   uint64_t elapsed_us, char *out)
{
	const struct tally *t = s->tally;
	const double seconds = (double)elapsed_us / US;
	const uint64_t done = t->records - p->start_records;
	char n[5][32];
	char later[48] = "";
	char left[32];
	uint64_t rate = 0;

	if (seconds > 0)
		rate = (uint64_t)((double)done / seconds);
	time_left(p, s, elapsed_us, left);
	if (t->again > 0)
		(void)snprintf(later, sizeof(later), ", %s for later",
			       number_text(t->again, n[4]));
	(void)snprintf(out, PROGRESS_TEXT,
		       "%s records: %s %s, %s refused%s; %s/s%s%s%.80s",
		       number_text(t->records, n[0]),
		       number_text(t->good, n[1]), p->good_word,
		       number_text(t->refused, n[2]), later,
		       number_text(rate, n[3]), left,
		       s->note[0] != '\0' ? "; " : "", s->note);
}

static void draw_bar(const struct progress *p, const struct progress_state *s,
		     uint64_t elapsed_us)
{
	const int full = (int)(share(s) * BAR_WIDTH);
	struct winsize size = {0};
	char line[PROGRESS_TEXT];
	char bar[BAR_WIDTH + 16] = "";
	int columns = DEFAULT_COLUMNS;
	int n = 0;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		columns = size.ws_col;
	if (s->size > 0)
		n = snprintf(bar, sizeof(bar), "[%.*s%*s] %3d%% ", full,
			     "====================", BAR_WIDTH - full, "",
			     (int)(share(s) * 100));
	progress_line(p, s, elapsed_us, line);
	if (n < 0 || columns - 1 - n < 0)
		return;
	(void)fprintf(stderr, "\r\033[K%s%.*s", bar, columns - 1 - n, line);
	(void)fflush(stderr);
}

void progress_show(struct progress *p, const struct progress_state *s)
{
	const uint64_t now = clock_mono_us();
	char line[PROGRESS_TEXT];

	if (p->quiet || now - p->last_us < (uint64_t)(p->tty ? BAR_EVERY_US
							     : LINE_EVERY_US))
		return;
	p->last_us = now;
	if (p->tty) {
		draw_bar(p, s, now - p->start_us);
		return;
	}
	progress_line(p, s, now - p->start_us, line);
	(void)fprintf(stderr, "%s\n", line);
}

void progress_end(struct progress *p)
{
	if (!p->quiet && p->tty)
		(void)fputs("\r\033[K", stderr);
}

double progress_rate(const struct progress *p, const struct tally *t,
		     double *seconds)
{
	*seconds = (double)(clock_mono_us() - p->start_us) / US;
	return *seconds > 0 ? (double)(t->records - p->start_records) / *seconds
			    : 0;
}
