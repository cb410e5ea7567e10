/* SPDX-License-Identifier: Apache-2.0 */
#include "bar.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "tools/common/number.h"

enum {
	US = 1000000,
	BAR_EVERY_US = 200000,
	LINE_EVERY_US = 10 * US,
	BAR_WIDTH = 20,
	LONGEST_S = 99 * 3600
};

void bar_begin(struct bar *b, bool quiet, const char *what, uint64_t total)
{
	*b = (struct bar){
		.quiet = quiet,
		.tty = isatty(STDERR_FILENO) == 1,
		.what = what,
		.total = total,
		.start_us = clock_mono_us(),
	};
	b->last_us = b->start_us;
}

double bar_seconds(const struct bar *b)
{
	return (double)(clock_mono_us() - b->start_us) / US;
}

void bar_line(const struct bar *b, uint64_t done, uint64_t elapsed_us,
	      char out[BAR_TEXT])
{
	const double seconds = (double)elapsed_us / US;
	const double rate = seconds > 0 ? (double)done / seconds : 0;
	char n[3][32];
	char left[40] = "";
	double wait;

	if (b->total > done && rate > 0) {
		wait = (double)(b->total - done) / rate;
		if (wait > LONGEST_S)
			wait = LONGEST_S;
		(void)snprintf(left, sizeof(left), ", %u:%02u:%02u left",
			       (unsigned)wait / 3600, (unsigned)wait / 60 % 60,
			       (unsigned)wait % 60);
	}
	if (b->total > 0)
		(void)snprintf(out, BAR_TEXT, "%s of %s %s; %s/s%s",
			       number_text(done, n[0]),
			       number_text(b->total, n[1]), b->what,
			       number_text((uint64_t)rate, n[2]), left);
	else
		(void)snprintf(out, BAR_TEXT, "%s %s; %s/s",
			       number_text(done, n[0]), b->what,
			       number_text((uint64_t)rate, n[2]));
}

static void draw(const struct bar *b, uint64_t done, const char *line)
{
	const double share =
		b->total == 0 ? 0
			      : (double)(done < b->total ? done : b->total) /
					(double)b->total;
	const int full = (int)(share * BAR_WIDTH);

	(void)fputs("\r\033[K", stderr);
	if (b->total > 0)
		(void)fprintf(stderr, "[%.*s%*s] %3d%% ", full,
			      "====================", BAR_WIDTH - full, "",
			      (int)(share * 100));
	(void)fputs(line, stderr);
	(void)fflush(stderr);
}

void bar_show(struct bar *b, uint64_t done)
{
	const uint64_t now = clock_mono_us();
	char line[BAR_TEXT];

	if (b->quiet || now - b->last_us < (uint64_t)(b->tty ? BAR_EVERY_US
							     : LINE_EVERY_US))
		return;
	b->last_us = now;
	bar_line(b, done, now - b->start_us, line);
	if (!b->tty) {
		(void)fprintf(stderr, "%s\n", line);
		return;
	}
	draw(b, done, line);
	b->drawn = true;
}

void bar_end(struct bar *b)
{
	if (b->drawn)
		(void)fputs("\r\033[K", stderr);
	b->drawn = false;
}
