/* SPDX-License-Identifier: Apache-2.0 */
/* What of the configuration does not change by a reload. */
#include <stdio.h>
#include <string.h>

#include "config_read.h"

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

/* Where KEY is in its HSM, which is one of C's. */
static const struct worker_key_settings *place_of(
	const struct config *c, const struct core_key_settings *key)
{
	for (size_t h = 0; h < c->nhsms; h++) {
		const struct worker_settings *w = &c->hsm[h].worker;

		for (size_t k = 0; k < w->nkeys; k++)
			if (strcmp(w->key[k].label, key->label) == 0)
				return &w->key[k];
	}
	return NULL;
}

static bool same_tls_key(const struct config *a, const struct config *b)
{
	const struct core_key_settings *x = config_tls_key(a);
	const struct core_key_settings *y = config_tls_key(b);
	const struct worker_key_settings *p = x != NULL ? place_of(a, x) : NULL;
	const struct worker_key_settings *q = y != NULL ? place_of(b, y) : NULL;

	return p != NULL && q != NULL && strcmp(x->hsm, y->hsm) == 0 &&
	       same_worker_key(p, q);
}

/* With the certificate, which is of that key. */
static void keep_tls_key(const struct front_settings *began,
			 struct front_settings *now)
{
	now->key_alg = began->key_alg;
	memcpy(now->key, began->key, sizeof(now->key));
	memcpy(now->certificate, began->certificate, sizeof(now->certificate));
	memcpy(now->ocsp, began->ocsp, sizeof(now->ocsp));
}

/* The core's key of the server has the certificate that the fronts show: also
 * where the keys stay as they began, and it alone is new. */
static void share_tls_certificate(struct config *now)
{
	for (size_t i = 0; i < now->core.nkeys; i++)
		if (now->core.key[i].tls)
			memcpy(now->core.key[i].certificate,
			       now->front.certificate,
			       sizeof(now->core.key[i].certificate));
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
	/* A file that is another one is read like any other. */
	const bool tls_stays =
		began->front.key_alg == now->front.key_alg &&
		(keys_stay || began->front.key_alg == COSE_NONE ||
		 same_tls_key(began, now));

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
	add_name(names, cap, tls_stays, "tls");
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
	if (!tls_stays)
		keep_tls_key(&began->front, &now->front);
	share_tls_certificate(now);
}
