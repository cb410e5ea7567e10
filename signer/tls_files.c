/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_files.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "front/tls.h"

static void look(const struct front_settings *s, struct tls_files_look *out)
{
	const char *const path[TLS_FILES] = {s->certificate, s->key,
					     s->client_ca, s->crl, s->ocsp};

	memset(out, 0, sizeof(*out)); /* for memcmp() */
	for (size_t i = 0; i < TLS_FILES; i++) {
		struct stat st;

		if (path[i][0] == '\0' || stat(path[i], &st) != 0)
			continue;
		out->file[i].device = st.st_dev;
		out->file[i].inode = st.st_ino;
		out->file[i].bytes = st.st_size;
		out->file[i].written = st.st_mtim;
		out->file[i].changed = st.st_ctim;
	}
}

static void let_go(struct tls_files_kept *k)
{
	EVP_PKEY_free(k->hsm_key);
	k->hsm_key = NULL;
}

/* Keep of T what others are held against.  Its private key is not the
 * supervisor's to have. */
static void keep(struct tls_files_kept *k, const struct tls_context *t)
{
	EVP_PKEY *key = tls_context_hsm_key(t);

	if (key != NULL)
		(void)EVP_PKEY_up_ref(key);
	let_go(k);
	k->hsm_key = key;
	k->crls = *tls_context_crls(t);
}

/* Keep what S names, as it is now.  False: it cannot be used. */
static bool keep_now(struct tls_files_kept *k, const struct front_settings *s)
{
	char reason[TLS_REASON_BYTES];
	struct tls_context *t;

	if (tls_context_create(s, &t, reason) != SG_OK)
		return false;
	keep(k, t);
	tls_context_free(t);
	return true;
}

void tls_files_forget(struct tls_files *f)
{
	let_go(&f->force);
	let_go(&f->tried);
}

void tls_files_know(struct tls_files *f, const struct front_settings *s)
{
	look(s, &f->known);
	f->last = f->known;
	(void)keep_now(&f->force, s);
}

void tls_files_prove(struct tls_files *f, const struct front_settings *s)
{
	if (!f->proven && s->key_alg != COSE_NONE)
		f->proven = keep_now(&f->force, s);
}

static bool key_changes(const struct tls_files *f, const struct tls_context *t)
{
	return f->proven && tls_context_key_changes(t, f->force.hsm_key);
}

bool tls_files_changed(struct tls_files *f, const struct front_settings *s)
{
	struct tls_files_look now;
	bool same;

	look(s, &now);
	same = memcmp(&now, &f->last, sizeof(now)) == 0;
	f->last = now;
	if (!same)
		return false;
	if (memcmp(&now, &f->known, sizeof(now)) == 0 &&
	    (f->again == 0 || clock_wall_s() < f->again))
		return false;
	f->known = now;
	f->again = 0;
	return true;
}

static const char *fault_of(struct tls_files *f, const struct tls_context *t)
{
	const struct tls_times *times = tls_context_times(t);
	const char *early = tls_context_early(t);

	if (key_changes(f, t))
		return TLS_KEY_CHANGES;
	if (times->own < clock_wall_s())
		return "the server's certificate has expired";
	if (tls_context_crl_expired(t))
		return "the CRL is past its next update";
	/* Whoever wants one of these says so by SIGHUP. */
	if (tls_context_crl_missing(t))
		return "the CRL is of none of the CAs in tls.client_ca";
	if (tls_crls_older(tls_context_crls(t), &f->force.crls))
		return "a CRL is older than the one of its issuer that is in "
		       "force";
	if (early != NULL)
		f->again = times->own_from > times->crl_from ? times->own_from
							     : times->crl_from;
	return early;
}

bool tls_files_take(struct tls_files *f, const struct front_settings *s,
		    char *reason, size_t cap)
{
	char text[TLS_REASON_BYTES];
	struct tls_context *t;
	const char *fault;

	if (tls_context_create(s, &t, text) != SG_OK) {
		(void)snprintf(reason, cap, "%s", text);
		return false;
	}
	fault = fault_of(f, t);
	if (fault == NULL)
		keep(&f->force, t);
	else
		(void)snprintf(reason, cap, "%s", fault);
	tls_context_free(t);
	return fault == NULL;
}

bool tls_files_try(struct tls_files *f, const struct front_settings *s,
		   char *reason, size_t cap)
{
	char text[TLS_REASON_BYTES];
	struct tls_context *t;
	bool good;

	look(s, &f->tried_look);
	if (tls_context_create(s, &t, text) != SG_OK) {
		(void)snprintf(reason, cap, "%s", text);
		return false;
	}
	good = !key_changes(f, t);
	if (good)
		keep(&f->tried, t);
	else
		(void)snprintf(reason, cap, "%s", TLS_KEY_CHANGES);
	tls_context_free(t);
	return good;
}

void tls_files_adopt(struct tls_files *f)
{
	f->known = f->last = f->tried_look;
	f->again = 0;
	let_go(&f->force);
	f->force = f->tried;
	f->tried = (struct tls_files_kept){0};
}
