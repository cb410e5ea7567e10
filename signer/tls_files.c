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

void tls_files_know(struct tls_files *f, const struct front_settings *s)
{
	look(s, &f->known);
	f->last = f->known;
}

bool tls_files_changed(struct tls_files *f, const struct front_settings *s)
{
	struct tls_files_look now;
	bool same;

	look(s, &now);
	same = memcmp(&now, &f->last, sizeof(now)) == 0;
	f->last = now;
	if (!same || memcmp(&now, &f->known, sizeof(now)) == 0)
		return false;
	f->known = now;
	return true;
}

static const char *fault_of(const struct tls_context *t)
{
	if (tls_context_times(t)->own < clock_wall_s())
		return "the server's certificate has expired";
	if (tls_context_crl_expired(t))
		return "the CRL is past its next update";
	/* Whoever wants that says so by SIGHUP. */
	if (tls_context_crl_missing(t))
		return "the CRL is of none of the CAs in tls.client_ca";
	return NULL;
}

bool tls_files_are_good(const struct front_settings *s, char *reason,
			size_t cap)
{
	char text[TLS_REASON_BYTES];
	struct tls_context *t;
	const char *fault;

	if (tls_context_create(s, &t, text) != SG_OK) {
		(void)snprintf(reason, cap, "%s", text);
		return false;
	}
	fault = fault_of(t);
	if (fault != NULL)
		(void)snprintf(reason, cap, "%s", fault);
	tls_context_free(t);
	return fault == NULL;
}
