/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_ERR_H
#define SG_ERR_H

/*
 * Every failure in the program, in one table:
 *	X(id, HTTP status, problem name, client may retry, text)
 * The problem name is the last part of the RFC 9457 type, /problems/NAME.
 * The text is safe to show to a client: it never carries request data.
 */
#define SG_ERR_MAP(X)                                                          \
	X(OK, 200, "", 0, "success")                                           \
	X(MALFORMED, 400, "malformed", 0, "request is not well-formed")        \
	X(DUPLICATE_KEY, 400, "malformed", 0, "a map has the same key twice")  \
	X(UNAUTHENTICATED, 401, "unauthenticated", 0,                          \
	  "the client certificate is not accepted")                            \
	X(FORBIDDEN, 403, "forbidden", 0, "the policy does not allow this")    \
	X(NOT_FOUND, 404, "not-found", 0, "there is nothing at this path")     \
	X(BAD_METHOD, 405, "method-not-allowed", 0,                            \
	  "this path does not take this method")                               \
	X(NOT_ACCEPTABLE, 406, "not-acceptable", 0,                            \
	  "none of the accepted media types can be made")                      \
	X(SLOW_CLIENT, 408, "timeout", 1, "the request came too slowly")       \
	X(CONFLICT, 409, "conflict", 0, "the UVCI is already in use")          \
	X(TOO_BIG, 413, "too-large", 0, "the request exceeds a limit")         \
	X(BAD_MEDIA_TYPE, 415, "unsupported-media-type", 0,                    \
	  "this media type is not taken here")                                 \
	X(REFUSED, 422, "policy", 0, "refused by the issuance policy")         \
	X(RATE, 429, "rate", 1, "more requests than the policy allows")        \
	X(INTERNAL, 500, "internal", 0, "internal error")                      \
	X(BUSY, 503, "unavailable", 1, "as much is in flight as fits")         \
	X(CLOSED, 503, "unavailable", 1, "server is shutting down")            \
	X(NO_MEMORY, 503, "unavailable", 1, "out of memory")                   \
	X(CORE_DOWN, 503, "unavailable", 1, "the core is restarting")          \
	X(TOKEN_DOWN, 503, "unavailable", 1, "signing token is not available") \
	X(PIN_REFUSED, 503, "unavailable", 1,                                  \
	  "signing token is not available")                                    \
	X(NO_KEY, 503, "unavailable", 1, "no signing key for this kind")       \
	X(CLOCK_BEHIND, 503, "unavailable", 1,                                 \
	  "the server's clock is behind its records")                          \
	X(LEDGER_DOWN, 503, "unavailable", 1,                                  \
	  "the ledger cannot record signatures now")                           \
	X(NOT_YET, 503, "unavailable", 1,                                      \
	  "no checkpoint covers this entry yet")                               \
	X(TIMED_OUT, 504, "deadline", 1, "deadline passed before a signature") \
	X(IO, 500, "internal", 0, "input or output failed")                    \
	X(CONFIG, 500, "internal", 0, "the configuration has faults")          \
	X(BAD_SIGNATURE, 500, "internal", 0, "a signature does not verify")    \
	X(EXPIRED, 500, "internal", 0, "outside of its time of validity")      \
	X(BAD_PREFIX, 500, "internal", 0, "does not begin with HC1:")          \
	X(BAD_BASE45, 500, "internal", 0, "not base45")                        \
	X(BAD_ZLIB, 500, "internal", 0, "not a zlib stream")                   \
	X(BAD_KEY, 500, "internal", 0, "the key does not fit its use")

enum sg_err {
#define X(id, http, problem, retry, text) SG_##id,
	SG_ERR_MAP(X)
#undef X
		SG_ERR_COUNT /* keep last */
};

/* Put on every function that returns enum sg_err. */
#define SG_MUST_USE __attribute__((warn_unused_result))

/* HTTP status of E; 500 for a value outside of the table. */
int err_http(enum sg_err e);
/* Last part of the problem type; "internal" outside of the table. */
const char *err_problem(enum sg_err e);
/* May the same request succeed later, unchanged? */
int err_retry(enum sg_err e);
/* Text safe for a client.  Static. */
const char *err_text(enum sg_err e);

#endif /* SG_ERR_H */
