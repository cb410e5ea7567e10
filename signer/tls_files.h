/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TLS_FILES_H
#define SG_TLS_FILES_H

#include <openssl/types.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "front/front.h"
#include "front/tls_crls.h"

/*
 * tls_files: have the files of tls changed?  They are looked at once a second
 * rather than watched: so a file that is written anew, one that is renamed into
 * place and a link that points elsewhere are all the same.  A directory that
 * is replaced is seen, too, but fronts have leave for the one of their start
 * (sandbox/README.md) and refuse it.  Local file systems only: stat() of a
 * network's may wait for ever, and the supervisor with it.
 */
enum { TLS_FILES = 5 };

struct tls_files_look {
	struct {
		dev_t device;
		ino_t inode;
		off_t bytes; /* all 0: it is not there */
		struct timespec written, changed;
	} file[TLS_FILES];
};

/* What others are held against. */
struct tls_files_kept {
	struct tls_crls crls;
	/* Of the certificate, where its private key is in an HSM; else NULL. */
	EVP_PKEY *hsm_key;
};

struct tls_files {
	struct tls_files_look known, last;
	int64_t again; /* when those that were refused are valid; 0 */
	struct tls_files_kept force;
	bool proven; /* the key of it is the HSM's */
	/* Of those that a new configuration would bring. */
	struct tls_files_look tried_look;
	struct tls_files_kept tried;
};

/* At the start, before the fronts read them: as they are now, the files that S
 * names are known, and in force.  F is zeroed.
 * Owns: what F keeps; tls_files_forget(). */
void tls_files_know(struct tls_files *f, const struct front_settings *s);
/* A front serves with the files that S names, so that their key is the one in
 * the HSM: from the first time on others are held against it.  Until then they
 * are not, for what there was at the start may have been wrong. */
void tls_files_prove(struct tls_files *f, const struct front_settings *s);
/* Once a second: are they others than those that are known, and done with, the
 * same as the last time?  Or has the time come of those that were not valid
 * yet?  Then they are known. */
bool tls_files_changed(struct tls_files *f, const struct front_settings *s);

/* Could the fronts go on with them, and are their CRLs no older than those in
 * force?  Then they count as in force.  If not, REASON says why, as the log
 * may. */
bool tls_files_take(struct tls_files *f, const struct front_settings *s,
		    char *reason, size_t cap);
/* Could the fronts take S, the settings of a new configuration?  Then F keeps
 * them for tls_files_adopt().  If not, REASON says why. */
bool tls_files_try(struct tls_files *f, const struct front_settings *s,
		   char *reason, size_t cap);
/* Those that tls_files_try() found good last are known, and in force: they, and
 * not what stands there since, which nobody has checked.  That counts as a
 * change. */
void tls_files_adopt(struct tls_files *f);
/* Let go of what F keeps. */
void tls_files_forget(struct tls_files *f);

#endif /* SG_TLS_FILES_H */
