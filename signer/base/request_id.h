/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_REQUEST_ID_H
#define SG_REQUEST_ID_H

#include <stdint.h>

/*
 * request_id: the name that a client's connection, and each request on it, has
 * in the log of every process: 64 bits in messages, text where somebody reads
 * it.
 *
 *	6 bits: the front's slot | 38 bits: the connection | 20 bits: the
 *request
 *
 * As text "0c5k3v9qa.17": the first two in base32, the request as a number from
 * 1 on, and "0c5k3v9qa.17:4" for the fourth line of a stream; a connection has
 * only the first part, and 0 is "-".  Connections are
 * numbered on from the time of the front's start, counted in 4 ms, so a name
 * comes back only where a front has taken more than 250 connections a second
 * for all of its life; the 2^20th request of a connection has the first one's
 * name.  No secret, and nothing is decided by it.  Pure.
 */
enum {
	REQUEST_ID_TEXT = 32,	    /* bytes, with the NUL */
	REQUEST_ID_REQUESTS = 20,   /* bits */
	REQUEST_ID_CONNECTIONS = 38 /* bits */
};

/* The name of the first connection of the front in SLOT, which starts at
 * WALL_MS (milliseconds since 1970). */
uint64_t request_id_begin(unsigned slot, int64_t wall_ms);
/* Of the connection after CONNECTION. */
uint64_t request_id_next_connection(uint64_t connection);
/* Of the connection that request ID came on. */
uint64_t request_id_connection(uint64_t id);
/* Of the request after LAST on the same connection; LAST is the connection's
 * own name before the first. */
uint64_t request_id_next(uint64_t last);
/* ID as text, with the LINE of a stream unless it is 0.  Returns TEXT. */
const char *request_id_text(uint64_t id, uint32_t line,
			    char text[REQUEST_ID_TEXT]);

#endif /* SG_REQUEST_ID_H */
