/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_DAEMON_H
#define SG_TOOLS_DAEMON_H

#include <jansson.h>

#include "officer.h"

/*
 * daemon: the signerd that officers ask, and to which they bring what they have
 * signed: by its administration socket, or over HTTPS.  One thread; blocking.
 */
struct daemon; /* opaque */

/* The options that say where it is; the first of a command's own follows
 * OPT_DAEMON - 1. */
enum {
	OPT_SOCKET = OPT_COMMON,
	OPT_SERVER,
	OPT_CERT,
	OPT_TLS_KEY,
	OPT_CA,
	OPT_DAEMON
};

/* clang-format off */
#define DAEMON_OPTIONS                                                         \
	[OPT_SOCKET] = {"socket", "PATH", NULL,                                \
			"signerd's own socket, run/officer.sock; or"},         \
	[OPT_SERVER] = {"server", "URL", "SIGNER_SERVER",                      \
			"its https://host:port, with"},                        \
	[OPT_CERT] = {"cert", "FILE", "SIGNER_CERT",                           \
		      "a client's certificate, PEM"},                          \
	[OPT_TLS_KEY] = {"tls-key", "FILE", "SIGNER_KEY",                      \
			 "its private key, PEM"},                              \
	[OPT_CA] = {"ca", "FILE", "SIGNER_CA", "CA of the server, PEM"}
/* clang-format on */

/* Was any said? */
bool daemon_given(const struct args *args);
/*
 * Owns: *OUT is the caller's; daemon_close().
 * Errors, with WHY: SG_CONFIG (an option is missing or wrong), SG_IO, those of
 * https_open().
 */
SG_MUST_USE enum sg_err daemon_open(const struct args *args,
				    struct daemon **out, char *why, size_t cap);
void daemon_close(struct daemon *d); /* NULL is allowed */

/*
 * The document for officers; and, of APPROVED, what came of it.
 * Owns: *OUT is the caller's; json_decref().
 * Errors, with WHY: SG_REFUSED (the daemon says no); SG_IO (it cannot be heard:
 * it may have done it), SG_MALFORMED, SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err daemon_document(struct daemon *d, json_t **out,
					char *why, size_t cap);
SG_MUST_USE enum sg_err daemon_operate(struct daemon *d, struct span approved,
				       json_t **out, char *why, size_t cap);
/* The document, from the daemon that ARGS name; all in one. */
SG_MUST_USE enum sg_err daemon_look(const struct args *args, json_t **out,
				    char *why, size_t cap);

/* Print WHY on standard error, and return the exit status that goes with ERR
 * of a function above. */
int daemon_trouble(enum sg_err err, const char *why);

#endif /* SG_TOOLS_DAEMON_H */
