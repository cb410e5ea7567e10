/* SPDX-License-Identifier: Apache-2.0 */
#include "plot.h"

/* Pixels. */
enum {
	WIDTH = 1080,
	HEADER = 84,
	PANEL_HEAD = 58,
	ROW = 34,
	BAR = 22,
	PANEL_FOOT = 26,
	PANEL = PANEL_HEAD + SUITE_STEPS * ROW + PANEL_FOOT,
	NAMES = 160, /* right end of the steps' names */
	RATES = 172,
	RATES_WIDTH = 400,
	CPU = 700,
	CPU_WIDTH = 236
};

struct part {
	enum scrape_role role;
	const char *colour;
};

static const struct part PARTS[] = {
	{SCRAPE_FRONT, "#3b6fb6"},
	{SCRAPE_CORE, "#e0862e"},
	{SCRAPE_HSM, "#9aa3ad"},
};
enum { NPARTS = sizeof(PARTS) / sizeof(PARTS[0]) };

static const char SIGNS[] = "#2f7f5f";
static const char SIGNS_NOT[] = "#a9cdbb";

static void text(FILE *to, double x, double y, const char *attributes,
		 const char *words)
{
	(void)fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", x, y,
		      attributes, words);
}

static void bar(FILE *to, double x, double y, double width, const char *colour)
{
	(void)fprintf(to,
		      "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
		      "height=\"%d\" fill=\"%s\"/>\n",
		      x, y, width, BAR, colour);
}

/* "12 345": the thousands apart. */
static void thousands(double v, char *out, size_t cap)
{
	const unsigned long long n = v > 0 ? (unsigned long long)(v + 0.5) : 0;

	if (n >= 1000000)
		(void)snprintf(out, cap, "%llu %03llu %03llu", n / 1000000,
			       n / 1000 % 1000, n % 1000);
	else if (n >= 1000)
		(void)snprintf(out, cap, "%llu %03llu", n / 1000, n % 1000);
	else
		(void)snprintf(out, cap, "%llu", n);
}

/* Records a second at the right end of the scale. */
static double rates_end(const struct suite_alg *a)
{
	double most = suite_raw(a);

	for (int step = 0; step < SUITE_STEPS; step++)
		if (suite_step_signs((enum suite_step)step) &&
		    a->row[step].rate > most)
			most = a->row[step].rate;
	return most > 0 ? most * 1.12 : 1;
}

static double cpu_of(const struct suite_row *r)
{
	double sum = 0;

	for (size_t i = 0; i < NPARTS; i++)
		sum += r->cpu_us[PARTS[i].role];
	return sum;
}

static double cpu_end(const struct suite_alg *a)
{
	double most = 0;

	for (int step = 0; step < SUITE_STEPS; step++)
		if (cpu_of(&a->row[step]) > most)
			most = cpu_of(&a->row[step]);
	return most > 0 ? most : 1;
}

static void draw_rate(FILE *to, const struct suite_alg *a, enum suite_step step,
		      double y)
{
	const double raw = suite_raw(a);
	const double rate = a->row[step].rate;
	const double share = rate / rates_end(a);
	const bool cut = share > 1;
	const double width = RATES_WIDTH * (cut ? 1 : share);
	const bool signs = suite_step_signs(step);
	char number[32];
	char label[96];

	bar(to, RATES, y, width, signs ? SIGNS : SIGNS_NOT);
	if (cut) /* two slanted gaps near the end */
		for (int i = 0; i < 2; i++)
			(void)fprintf(
				to,
				"<path d=\"M%.1f %.1f l8 %d\" stroke=\"#fff\" "
				"stroke-width=\"3\"/>\n",
				RATES + width - 30 + i * 9, y, BAR);
	thousands(rate, number, sizeof(number));
	if (signs && raw > 0)
		(void)snprintf(label, sizeof(label),
			       "%s/s <tspan fill=\"#666\">(%.2f)</tspan>",
			       number, rate / raw);
	else
		(void)snprintf(label, sizeof(label), "%s/s", number);
	/* Inside of a bar that comes near the limit's line. */
	if (signs && share > 0.32) {
		(void)snprintf(label, sizeof(label), "%s/s (%.2f)", number,
			       raw > 0 ? rate / raw : 0);
		text(to, RATES + width - 8, y + 16,
		     "text-anchor=\"end\" fill=\"#fff\"", label);
	} else {
		text(to, RATES + width + 8, y + 16, "", label);
	}
}

static void draw_cpu(FILE *to, const struct suite_alg *a, enum suite_step step,
		     double y)
{
	const struct suite_row *r = &a->row[step];
	const double scale = CPU_WIDTH / cpu_end(a);
	double x = CPU;
	char label[96];

	for (size_t i = 0; i < NPARTS; i++) {
		const double width = r->cpu_us[PARTS[i].role] * scale;

		bar(to, x, y, width, PARTS[i].colour);
		x += width;
	}
	(void)snprintf(label, sizeof(label),
		       "%.1f µs <tspan fill=\"#666\">(%.1f)</tspan>", cpu_of(r),
		       suite_cpu_outside_hsm(r));
	text(to, x + 8, y + 16, "", label);
}

static void draw_limit(FILE *to, const struct suite_alg *a, double y)
{
	const double x = RATES + RATES_WIDTH * suite_raw(a) / rates_end(a);
	char number[32];
	char label[96];

	if (suite_raw(a) <= 0)
		return;
	(void)fprintf(to,
		      "<path d=\"M%.1f %.1f v%d\" stroke=\"#b3261e\" "
		      "stroke-width=\"2\" stroke-dasharray=\"5 3\"/>\n",
		      x, y - 8, SUITE_STEPS * ROW + 10);
	thousands(suite_raw(a), number, sizeof(number));
	(void)snprintf(label, sizeof(label), "bare token %s/s", number);
	text(to, x, y - 14, "text-anchor=\"middle\" fill=\"#b3261e\"", label);
}

static void draw_panel(FILE *to, const struct suite_alg *a, double top)
{
	const double rows = top + PANEL_HEAD;

	(void)fprintf(to, "<path d=\"M24 %.1f h%d\" stroke=\"#ddd\"/>\n", top,
		      WIDTH - 48);
	text(to, 24, top + 30, "font-size=\"18\" font-weight=\"bold\"",
	     cose_alg_name(a->alg));
	for (int step = 0; step < SUITE_STEPS; step++) {
		const enum suite_step one = (enum suite_step)step;
		const double y = rows + step * ROW;

		text(to, NAMES, y + 16, "text-anchor=\"end\"",
		     suite_step_name(one));
		draw_rate(to, a, one, y);
		draw_cpu(to, a, one, y);
	}
	draw_limit(to, a, rows);
}

static void draw_header(FILE *to, const struct suite_result *r)
{
	char about[128];
	double x = CPU;

	text(to, 24, 34, "font-size=\"20\" font-weight=\"bold\"",
	     "signerd: records a second, and CPU a record");
	(void)snprintf(about, sizeof(about),
		       "%u CPUs shared by server, token and load client; %u s "
		       "a step",
		       r->cpus, r->seconds);
	text(to, 24, 54, "fill=\"#666\"", about);
	text(to, RATES, 76, "fill=\"#666\"",
	     "records a second (part of the bare token's rate)");
	for (size_t i = 0; i < NPARTS; i++) {
		(void)fprintf(to,
			      "<rect x=\"%.1f\" y=\"46\" width=\"12\" "
			      "height=\"12\" fill=\"%s\"/>\n",
			      x, PARTS[i].colour);
		text(to, x + 17, 57, "", scrape_role_name(PARTS[i].role));
		x += 70;
	}
	text(to, CPU, 76, "fill=\"#666\"",
	     "CPU time of a record (of it outside of hsm)");
}

void plot_write(const struct suite_result *r, FILE *to)
{
	const int height = HEADER + (int)r->n * PANEL + 10;

	(void)fprintf(to,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" "
		      "width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
		      "font-family=\"sans-serif\" font-size=\"13\" "
		      "fill=\"#222\">\n"
		      "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
		      WIDTH, height, WIDTH, height, WIDTH, height);
	draw_header(to, r);
	for (size_t i = 0; i < r->n; i++)
		draw_panel(to, &r->alg[i], HEADER + (double)i * PANEL);
	(void)fputs("</svg>\n", to);
}
