/* SPDX-License-Identifier: Apache-2.0 */
#include "scrape.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/common/https.h"

static const char *const ROLE_NAMES[SCRAPE_ROLES] = {"front", "core", "hsm",
						     "supervisor"};

const char *scrape_role_name(enum scrape_role role)
{
	return ROLE_NAMES[role];
}

static bool begins(struct span s, const char *prefix)
{
	const size_t n = strlen(prefix);

	return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

/* The role of a series NAME{...role="front"...}; SCRAPE_ROLES: another. */
static enum scrape_role role_of(struct span line)
{
	static const char label[] = "role=\"";
	const uint8_t *at = memmem(line.p, line.n, label, sizeof(label) - 1);
	struct span rest;

	if (at == NULL)
		return SCRAPE_ROLES;
	at += sizeof(label) - 1;
	rest = span_of(at, line.n - (size_t)(at - line.p));
	for (int role = 0; role < SCRAPE_ROLES; role++) {
		const size_t n = strlen(ROLE_NAMES[role]);

		if (begins(rest, ROLE_NAMES[role]) && rest.n > n &&
		    rest.p[n] == '"')
			return (enum scrape_role)role;
	}
	return SCRAPE_ROLES;
}

/* The number at the end of LINE. */
static bool value_of(struct span line, uint64_t *out)
{
	char text[32];
	char *end;
	double v;
	size_t n = 0;

	while (n < line.n && n < sizeof(text) - 1 &&
	       line.p[line.n - 1 - n] != ' ')
		n++;
	if (n == 0 || n == line.n)
		return false;
	memcpy(text, line.p + line.n - n, n);
	text[n] = '\0';
	v = strtod(text, &end);
	if (*end != '\0' || !(v >= 0 && v < 1.8e19))
		return false;
	*out = (uint64_t)v;
	return true;
}

/* Add V to the one of the N sums whose LABEL stands in LINE. */
static void add_labelled(struct span line, const char *const *labels, size_t n,
			 uint64_t v, uint64_t *sums)
{
	for (size_t i = 0; i < n; i++)
		if (memmem(line.p, line.n, labels[i], strlen(labels[i])) !=
		    NULL)
			sums[i] += v;
}

/* What the ledger costs the core. */
static void take_ledger(struct span line, uint64_t v, struct scrape *out)
{
	static const char *const threads[SCRAPE_THREADS] = {
		"thread=\"loop\"", "thread=\"journal\"", "thread=\"scribe\""};
	static const char *const parts[SCRAPE_PARTS] = {"part=\"journal\"",
							"part=\"tiles\""};

	if (begins(line, "signer_core_cpu_microseconds_total{"))
		add_labelled(line, threads, SCRAPE_THREADS, v, out->thread_us);
	else if (begins(line, "signer_ledger_loop_cpu_microseconds_total{"))
		out->ledger_loop_us += v;
	else if (begins(line, "signer_ledger_bytes_total{"))
		add_labelled(line, parts, SCRAPE_PARTS, v, out->ledger_bytes);
}

static void take_line(struct span line, struct scrape *out)
{
	const enum scrape_role role = role_of(line);
	uint64_t v;

	if (role == SCRAPE_ROLES || !value_of(line, &v))
		return;
	if (begins(line, "signer_process_cpu_microseconds_total{")) {
		out->cpu_us[role] += v;
		out->cpu_present = true;
	} else if (begins(line, "signer_process_resident_bytes{")) {
		out->resident_bytes[role] += v;
	} else if (begins(line, "signer_connections{")) {
		out->connections += v;
	} else if (begins(line, "signer_certificates_issued_total{")) {
		out->issued += v;
	} else {
		take_ledger(line, v, out);
	}
}

void scrape_read(struct span page, struct scrape *out)
{
	*out = (struct scrape){0};
	while (page.n > 0) {
		const uint8_t *end = memchr(page.p, '\n', page.n);
		const size_t n = end != NULL ? (size_t)(end - page.p) : page.n;

		take_line(span_of(page.p, n), out);
		if (end == NULL)
			return;
		page = span_of(end + 1, page.n - n - 1);
	}
}

enum sg_err scrape_fetch(const char *url, struct scrape *out, char *why,
			 size_t cap)
{
	const char *host = strstr(url, "://");
	char full[512];
	uint8_t *body;
	size_t n;
	enum sg_err err;

	if (host == NULL) {
		(void)snprintf(why, cap, "--metrics: not a URL");
		return SG_CONFIG;
	}
	(void)snprintf(full, sizeof(full), "%s%s", url,
		       strchr(host + 3, '/') == NULL ? "/metrics" : "");
	err = https_fetch_plain(full, &body, &n, why, cap);
	if (err != SG_OK)
		return err;
	scrape_read(span_of(body, n), out);
	free(body);
	if (!out->cpu_present) {
		(void)snprintf(why, cap, "%s: no metrics of a signing server",
			       full);
		return SG_MALFORMED;
	}
	return SG_OK;
}
