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

/* --- what does not change by a reload ------------------------------------ */

static bool same_listen(const struct config *a, const struct config *b)
{
	return strcmp(a->address, b->address) == 0 && a->port == b->port &&
	       a->fronts == b->fronts;
}

static bool same_key(const struct core_key_settings *a,
		     const struct core_key_settings *b)
{
	return strcmp(a->label, b->label) == 0 && a->alg == b->alg &&
	       a->kinds == b->kinds && a->tls == b->tls &&
	       strcmp(a->country, b->country) == 0;
}

static bool same_keys(const struct config *a, const struct config *b)
{
	if (a->core.nkeys != b->core.nkeys)
		return false;
	/* The last one is the ledger's, of its own section. */
	for (size_t i = 0; i + 1 < a->core.nkeys; i++)
		if (!same_key(&a->core.key[i], &b->core.key[i]))
			return false;
	return true;
}

static bool same_worker_key(const struct worker_key_settings *a,
			    const struct worker_key_settings *b)
{
	return strcmp(a->label, b->label) == 0 && strcmp(a->uri, b->uri) == 0;
}

static size_t certificate_keys(const struct worker_settings *w)
{
	const size_t n = w->nkeys;

	return n > 0 && w->key[n - 1].ledger ? n - 1 : n;
}

/* The ledger's key stands in a section of its own, and comes last. */
static bool same_worker_keys(const struct worker_settings *a,
			     const struct worker_settings *b)
{
	const size_t na = certificate_keys(a);

	if (na != certificate_keys(b))
		return false;
	for (size_t i = 0; i < na; i++)
		if (!same_worker_key(&a->key[i], &b->key[i]))
			return false;
	return true;
}

static bool same_environment(const struct worker_settings *a,
			     const struct worker_settings *b)
{
	if (a->nenv != b->nenv)
		return false;
	for (size_t i = 0; i < a->nenv; i++)
		if (strcmp(a->env[i], b->env[i]) != 0)
			return false;
	return true;
}

static bool same_hsm(const struct config_hsm *a, const struct config_hsm *b)
{
	const struct worker_settings *x = &a->worker;
	const struct worker_settings *y = &b->worker;

	return a->processes == b->processes && strcmp(x->name, y->name) == 0 &&
	       strcmp(x->module, y->module) == 0 &&
	       strcmp(x->pin_file, y->pin_file) == 0 &&
	       strcmp(x->token, y->token) == 0 && x->sessions == y->sessions &&
	       x->hang_ms == y->hang_ms &&
	       x->session_copies == y->session_copies &&
	       same_environment(x, y) &&
	       config_same_access(&a->access, &b->access);
}

static bool same_hsms(const struct config *a, const struct config *b)
{
	if (a->nhsms != b->nhsms)
		return false;
	for (size_t i = 0; i < a->nhsms; i++)
		if (!same_hsm(&a->hsm[i], &b->hsm[i]))
			return false;
	return true;
}

/* Where a key lies is the hsm's to know, but it stands among the keys. */
static bool same_places(const struct config *a, const struct config *b)
{
	for (size_t i = 0; i < a->nhsms && i < b->nhsms; i++)
		if (!same_worker_keys(&a->hsm[i].worker, &b->hsm[i].worker))
			return false;
	return true;
}

/* The HSM that has the ledger's key, which is its last one; NULL: none. */
static const struct worker_settings *ledger_hsm(const struct config *c)
{
	for (size_t i = 0; i < c->nhsms; i++) {
		const struct worker_settings *w = &c->hsm[i].worker;

		if (certificate_keys(w) < w->nkeys)
			return w;
	}
	return NULL;
}

static bool same_ledger_key(const struct config *a, const struct config *b)
{
	const struct worker_settings *x = ledger_hsm(a);
	const struct worker_settings *y = ledger_hsm(b);

	return x != NULL && y != NULL && strcmp(x->name, y->name) == 0 &&
	       same_worker_key(&x->key[x->nkeys - 1], &y->key[y->nkeys - 1]);
}

static bool same_witnesses(const struct config *a, const struct config *b)
{
	if (a->witness.n != b->witness.n ||
	    strcmp(a->witness.ca, b->witness.ca) != 0)
		return false;
	for (size_t i = 0; i < a->witness.n; i++)
		if (strcmp(a->witness.url[i], b->witness.url[i]) != 0 ||
		    strcmp(a->core.ledger.witness[i],
			   b->core.ledger.witness[i]) != 0)
			return false;
	return true;
}

static bool same_officers(const struct core_ledger_settings *a,
			  const struct core_ledger_settings *b)
{
	if (a->nofficers != b->nofficers || a->approvals != b->approvals)
		return false;
	for (size_t i = 0; i < a->nofficers; i++)
		if (strcmp(a->officer[i], b->officer[i]) != 0)
			return false;
	return true;
}

static bool same_ledger(const struct config *a, const struct config *b)
{
	const struct core_ledger_settings *x = &a->core.ledger;
	const struct core_ledger_settings *y = &b->core.ledger;

	return strcmp(x->origin, y->origin) == 0 &&
	       x->checkpoint_ms == y->checkpoint_ms &&
	       x->stale_ms == y->stale_ms && x->witness_ms == y->witness_ms &&
	       x->quorum == y->quorum && same_officers(x, y) &&
	       strcmp(a->public_listen, b->public_listen) == 0 &&
	       same_witnesses(a, b) && same_ledger_key(a, b);
}

static void keep_ledger(const struct config *began, struct config *now)
{
	now->core.ledger = began->core.ledger;
	now->witness = began->witness;
	memcpy(now->public_listen, began->public_listen,
	       sizeof(now->public_listen));
	memcpy(now->front.ledger, began->front.ledger,
	       sizeof(now->front.ledger));
	now->front.public = began->front.public;
}

static void add_name(char *names, size_t cap, bool same, const char *name)
{
	const size_t n = strlen(names);

	if (!same)
		(void)snprintf(names + n, cap - n, "%s%s", n > 0 ? ", " : "",
			       name);
}

void config_keep_fixed(const struct config *began, struct config *now,
		       char *names, size_t cap)
{
	const bool keys_stay = same_keys(began, now) && same_places(began, now);

	names[0] = '\0';
	add_name(names, cap, same_listen(began, now), "listen");
	add_name(names, cap, strcmp(began->ops, now->ops) == 0, "ops");
	add_name(names, cap, strcmp(began->run, now->run) == 0, "run");
	add_name(names, cap, strcmp(began->core.state, now->core.state) == 0,
		 "state");
	add_name(names, cap, same_hsms(began, now), "hsms");
	add_name(names, cap, keys_stay, "keys");
	add_name(names, cap, same_ledger(began, now), "ledger");
	add_name(names, cap,
		 memcmp(&began->sandbox, &now->sandbox, sizeof(now->sandbox)) ==
			 0,
		 "sandbox");
	now->sandbox = began->sandbox;
	memcpy(now->address, began->address, sizeof(now->address));
	now->port = began->port;
	now->fronts = began->fronts;
	memcpy(now->ops, began->ops, sizeof(now->ops));
	memcpy(now->run, began->run, sizeof(now->run));
	memcpy(now->core.state, began->core.state, sizeof(now->core.state));
	memcpy(now->hsm, began->hsm, sizeof(now->hsm));
	now->nhsms = began->nhsms;
	memcpy(now->core.hsm, began->core.hsm, sizeof(now->core.hsm));
	now->core.nhsms = began->core.nhsms;
	keep_ledger(began, now);
	/* If the keys stay, their certificates may be new; the last one is the
	 * ledger's. */
	for (size_t i = 0; i < began->core.nkeys; i++)
		if (!keys_stay || i + 1 == began->core.nkeys)
			now->core.key[i] = began->core.key[i];
	now->core.nkeys = began->core.nkeys;
	if (now->front.key_alg != began->front.key_alg) {
		now->front.key_alg = began->front.key_alg;
		memcpy(now->front.key, began->front.key,
		       sizeof(now->front.key));
	}
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
