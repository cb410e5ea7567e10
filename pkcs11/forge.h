/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_FORGE_H
#define SG_FORGE_H

#include <p11-kit/pkcs11.h>

#include "base/err.h"
#include "ipc/wire.h"
#include "session.h"
#include "watch.h"
#include "worker.h"

/*
 * forge: one task of a smith on one token: a key is made, requested a
 * certificate for, or destroyed.  One thread; one forge a process.
 */
enum {
	FORGE_REASON_MAX = 200, /* bytes, with a NUL */
	/* With some modules a login fails, or a token is not to be seen, while
	 * another process logs in: so a token is tried that often. */
	FORGE_TRIES = 6,
	/* Between two of them.  Where the HSM has no session to spare it is
	 * doubled each time, to 6 s in all: sessions come back, if at all,
	 * when a process that had them ends. */
	FORGE_PAUSE_MS = 200
};

/* What a watch says while an RSA key is made, which may take long. */
extern const char FORGE_MAKING_RSA[];

/* What came of a task.  Zeroed: nothing yet. */
struct forged {
	enum sg_err err; /* SG_OK: it is done.  SG_PIN_REFUSED: nobody should
			    try again before the PIN has been corrected */
	CK_RV rv;	 /* what the module said when it failed; or 0 */
	char reason[FORGE_REASON_MAX]; /* when it failed: for officers */
	struct span spki;	       /* DER, or empty; owned */
	struct span csr;	       /* DER, or empty; owned */
};
void forged_drop(struct forged *f); /* what it owns */

/* The token with a session on it, logged in. */
struct forge {
	struct module *module; /* NULL: not loaded */
	struct token_set tokens;
	struct session session; /* read-write */
	const char *token_uri;
	bool copies; /* keys here are signed with by session copies */
	char label[KEY_LABEL_MAX]; /* of the task, for the log */
	struct watch *watch;
};

/*
 * Load the module of SETTINGS, open a session on its token, and log in.  OUT
 * gets what goes wrong, in its words for officers.  F is to be closed in any
 * case.
 */
SG_MUST_USE enum sg_err forge_open(struct forge *f,
				   const struct worker_settings *settings,
				   struct watch *w, struct forged *out);
/* What TASK is called in the log. */
const char *forge_task_name(const struct wire_forge *task);
/* Do TASK, whose spans the caller keeps; sets *OUT. */
void forge_do(struct forge *f, const struct wire_forge *task,
	      struct forged *out);
/* TASK was done, with OUT, and nobody has heard of it: destroy the key that it
 * has made, which nobody could ever use. */
void forge_undo(struct forge *f, const struct wire_forge *task,
		const struct forged *out);
/* Log out, finalise the module. */
void forge_close(struct forge *f);

/* For the parts of a task: it has failed with E, in the words of FORMAT. */
enum sg_err forge_fail(struct forged *out, enum sg_err e, const char *format,
		       ...) __attribute__((format(printf, 3, 4)));
/* CALL, as "C_Sign", has said RV. */
enum sg_err forge_fail_call(struct forged *out, const char *call, CK_RV rv);

/*
 * Find TASK's key on F's token by its label, check it as key_find() does, and
 * that its public key is there.  KEY is to be dropped (key_drop()) in any
 * case.  Errors, in OUT: SG_NOT_FOUND, SG_BAD_KEY, ...
 */
SG_MUST_USE enum sg_err forge_find(struct forge *f,
				   const struct wire_forge *task,
				   struct key *key, struct forged *out);

#endif /* SG_FORGE_H */
