/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fileio.h"
#include "config_read.h"
#include "config_values.h"

/* The lines before the text proper, for the roles. */
static const char BASE_LINE[] = "# base: ";
static const char BEGAN_LINE[] = "# bytes of the text at start: ";

enum { LINE_MAX_BYTES = 64, JOINED_BYTES_MAX = 2 * CONFIG_BYTES_MAX + 65536 };

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* Parse into a fresh config and leave the tree for the checks. */
static enum sg_err parse_tree(struct yaml_tree *t, struct span text,
			      const char *name, const char *base,
			      struct config **out)
{
	struct faults *faults = t->faults;
	const size_t before = faults->n;
	struct config *c;
	enum sg_err e;

	c = (struct config *)malloc(sizeof(*c));
	if (c == NULL)
		return SG_NO_MEMORY;
	e = yaml_tree_load(t, text, name, base, faults);
	if (e != SG_OK) {
		free(c);
		return e;
	}
	config_defaults(c, base);
	config_read(t, c);
	*out = c;
	return faults->n == before ? SG_OK : SG_CONFIG;
}

enum sg_err config_parse(struct span text, const char *name, const char *base,
			 struct config **out, struct faults *faults)
{
	struct yaml_tree t = {.faults = faults};
	struct config *c = NULL;
	enum sg_err e;

	*out = NULL;
	e = parse_tree(&t, text, name, base, &c);
	if (c == NULL)
		return e;
	yaml_tree_free(&t);
	if (e == SG_OK)
		*out = c;
	else
		config_free(c);
	return e;
}

/* The directory of PATH, absolute, links resolved. */
static enum sg_err base_of(const char *path, char *out, size_t cap,
			   struct faults *faults)
{
	char *real = realpath(path, NULL);
	char *slash;
	enum sg_err e = SG_OK;

	if (real == NULL) {
		faults_add(faults, path, 0, "%s", strerrordesc_np(errno));
		return SG_CONFIG;
	}
	slash = strrchr(real, '/');
	*(slash == real ? slash + 1 : slash) = '\0';
	if (strlen(real) >= cap || strpbrk(real, "\r\n") != NULL) {
		faults_add(faults, path, 0, "its directory has no usable path");
		e = SG_CONFIG;
	} else {
		memcpy(out, real, strlen(real) + 1);
	}
	free(real);
	return e;
}

/* "# base: DIR\n" and TEXT. */
static enum sg_err with_base(const char *base, struct span text,
			     struct span *out)
{
	const size_t cap = sizeof(BASE_LINE) + strlen(base) + 1 + text.n;
	char *p = (char *)malloc(cap);
	int n;

	if (p == NULL)
		return SG_NO_MEMORY;
	n = snprintf(p, cap, "%s%s\n", BASE_LINE, base);
	memcpy(p + n, text.p, text.n);
	*out = span_of(p, (size_t)n + text.n);
	return SG_OK;
}

static enum sg_err read_file(const char *path, struct span *out,
			     struct faults *faults)
{
	uint8_t *p;
	size_t n;
	const enum sg_err e = fileio_read(path, CONFIG_BYTES_MAX, &p, &n);

	if (e == SG_OK)
		*out = span_of(p, n);
	else if (e == SG_IO)
		faults_add(faults, path, 0, "%s", strerrordesc_np(errno));
	else if (e == SG_TOO_BIG)
		faults_add(faults, path, 0, "has more than %d bytes",
			   CONFIG_BYTES_MAX);
	return e == SG_OK || e == SG_NO_MEMORY ? e : SG_CONFIG;
}

void config_text_free(struct span *s)
{
	if (s == NULL)
		return;
	/* The span borrows by its type; here it is the owner. */
	free((void *)(uintptr_t)s->p); /* NOLINT(performance-no-int-to-ptr) */
	*s = (struct span){0};
}

enum sg_err config_load(const char *path, struct config **out,
			struct faults *faults, struct span *text,
			struct span *policy)
{
	struct yaml_tree t = {.faults = faults};
	char base[FRONT_PATH_MAX];
	struct span raw = {0};
	struct config *c = NULL;
	enum sg_err checked = SG_OK;
	enum sg_err e;

	*out = NULL;
	if (text != NULL)
		*text = (struct span){0};
	if (policy != NULL)
		*policy = (struct span){0};
	e = base_of(path, base, sizeof(base), faults);
	if (e != SG_OK)
		return e;
	e = read_file(path, &raw, faults);
	if (e != SG_OK)
		return e;
	e = parse_tree(&t, raw, last_part(path), base, &c);
	if (c != NULL) {
		/* Also after faults: all of them at once. */
		checked = config_check(&t, c, policy);
		yaml_tree_free(&t);
	}
	if (e == SG_OK)
		e = checked;
	if (e == SG_OK && text != NULL)
		e = with_base(base, raw, text);
	if (e == SG_OK) {
		*out = c;
	} else {
		config_text_free(policy);
		config_free(c);
	}
	config_text_free(&raw);
	return e;
}

void config_free(struct config *c)
{
	free(c);
}

unsigned config_hsm_slots(const struct config *c)
{
	unsigned n = 0;

	for (size_t i = 0; i < c->nhsms; i++)
		n += c->hsm[i].processes;
	return n;
}

const struct config_hsm *config_hsm_of(const struct config *c, unsigned slot)
{
	for (size_t i = 0; i < c->nhsms; i++) {
		if (slot < c->hsm[i].processes)
			return &c->hsm[i];
		slot -= c->hsm[i].processes;
	}
	return NULL;
}

/* --- the text for the roles ---------------------------------------------- */

/* Take the line that begins with WORD from *REST; its remainder in *OUT. */
static bool take_line(struct span *rest, const char *word, struct span *out)
{
	const size_t n = strlen(word);
	const uint8_t *end;

	if (rest->n < n || memcmp(rest->p, word, n) != 0)
		return false;
	end = (const uint8_t *)memchr(rest->p, '\n', rest->n);
	if (end == NULL)
		return false;
	*out = span_of(rest->p + n, (size_t)(end - rest->p) - n);
	*rest = span_of(end + 1, (size_t)(rest->p + rest->n - (end + 1)));
	return true;
}

enum sg_err config_join(struct span began, struct span now, struct span *out)
{
	struct span base;
	struct span old_base;
	size_t cap;
	char *p;
	int n;

	if (!take_line(&now, BASE_LINE, &base) ||
	    !take_line(&began, BASE_LINE, &old_base))
		return SG_INTERNAL;
	cap = base.n + began.n + now.n + 2 * (size_t)LINE_MAX_BYTES;
	p = (char *)malloc(cap);
	if (p == NULL)
		return SG_NO_MEMORY;
	n = snprintf(p, cap, "%s%.*s\n%s%zu\n", BASE_LINE, (int)base.n,
		     (const char *)base.p, BEGAN_LINE, began.n);
	memcpy(p + n, began.p, began.n);
	memcpy(p + n + began.n, now.p, now.n);
	*out = span_of(p, (size_t)n + began.n + now.n);
	return SG_OK;
}

static enum sg_err parse_joined(struct span text, struct config **out,
				struct faults *faults)
{
	static const char name[] = "signerd.yaml";
	char base[FRONT_PATH_MAX];
	char changed[LINE_MAX_BYTES];
	struct config *began = NULL;
	struct span line;
	uint64_t n;
	enum sg_err e;

	if (!take_line(&text, BASE_LINE, &line) || line.n >= sizeof(base))
		return SG_CONFIG;
	text_put(line, base);
	if (!take_line(&text, BEGAN_LINE, &line))
		return config_parse(text, name, base, out, faults);
	if (!text_digits(line, &n) || n > text.n)
		return SG_CONFIG;
	e = config_parse(span_of(text.p, n), name, base, &began, faults);
	if (e != SG_OK)
		return e;
	e = config_parse(span_of(text.p + n, text.n - n), name, base, out,
			 faults);
	if (e == SG_OK)
		config_keep_fixed(began, *out, changed, sizeof(changed));
	config_free(began);
	return e;
}

enum sg_err config_from_fd(int fd, struct config **out, struct faults *faults)
{
	uint8_t *text;
	size_t n;
	enum sg_err e;

	*out = NULL;
	e = fileio_read_fd(fd, JOINED_BYTES_MAX, &text, &n);
	if (e != SG_OK)
		return e;
	e = parse_joined(span_of(text, n), out, faults);
	free(text);
	return e;
}
