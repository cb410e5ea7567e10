/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_QUOTA_H
#define SG_QUOTA_H

#include "policy/policy.h"

/*
 * quota: how much each client has had signed: the day's count, the bucket of
 * its rate, the hours of its last week for the alarm.  By the client's name, so
 * that a new policy, or a client that is taken out of it and put back, begins
 * nothing anew.
 *
 * The day's count is exact: what is on record on that day, by the time of its
 * entry, and what is reserved, which counts on whatever day it is.  Time that
 * runs backwards comes to a day with its own count.
 *
 * Memory: an account a client, 0.8 KiB, made with its first request.  Loop
 * thread only; before it is counted, the thread that counts.
 */
struct quota;	      /* opaque */
struct quota_account; /* opaque; lives as long as the quota, while in use */

enum { QUOTA_ACCOUNTS_MAX = 32768 };

/* Both clocks of a request. */
struct quota_time {
	int64_t wall_s;	  /* since 1970 */
	uint64_t mono_us; /* CLOCK_MONOTONIC */
};

enum quota_word {
	QUOTA_ROOM,	/* it may be signed, and its token is taken */
	QUOTA_USED_UP,	/* the day's count is */
	QUOTA_TOO_FAST, /* the bucket is empty */
	QUOTA_STOPPED	/* by its alarm */
};

struct quota_answer {
	enum quota_word word;
	uint64_t wait_us; /* until it may be asked again; ROOM: 0 */
};

/* Owns: *OUT is the caller's; quota_free().  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err quota_create(const struct policy *p,
				     struct quota **out);
void quota_free(struct quota *q); /* NULL is allowed */

/* P is in force from WALL_S on.  If it is another one, those that an alarm has
 * stopped go on, and have no alarm any more in this hour.  Where its time zone
 * is another, what is on record of today and yesterday is today's. */
void quota_set_policy(struct quota *q, const struct policy *p, int64_t wall_s);
/* Is what is on record counted?  It is at first; nothing may be asked while it
 * is not. */
void quota_set_counted(struct quota *q, bool counted);
bool quota_counted(const struct quota *q);
/* Forget all that is on record; nothing is reserved. */
void quota_forget(struct quota *q);
/* The beginning of the day of WALL_S, seconds since 1970. */
int64_t quota_day_begins(const struct quota *q, int64_t wall_s);

/* May client C have one more signed?  Errors: SG_NO_MEMORY (too many clients),
 * SG_LEDGER_DOWN (not counted yet). */
SG_MUST_USE enum sg_err quota_ask(struct quota *q, const struct client *c,
				  const struct quota_time *now,
				  struct quota_answer *out);
/* Reserve one for C.  *OUT is to be ended once, by quota_give_back() or
 * quota_record().  Errors: SG_RATE (none is left), and those of quota_ask(). */
SG_MUST_USE enum sg_err quota_reserve(struct quota *q, const struct client *c,
				      int64_t wall_s,
				      struct quota_account **out);
/* It comes to nothing. */
void quota_give_back(struct quota_account *a);
/* Its entry has TIME_MS (since 1970); C is the client that it was reserved
 * for.  Raises C's alarm where it is due. */
void quota_record(struct quota *q, struct quota_account *a,
		  const struct client *c, int64_t time_ms);
/* The entry of TIME_MS has been lost: it is on no record. */
void quota_lost(const struct quota *q, struct quota_account *a,
		int64_t time_ms);
/* On record for the client NAME at TIME_MS: counted after a start.  Errors:
 * SG_NO_MEMORY. */
SG_MUST_USE enum sg_err quota_count(struct quota *q, struct span name,
				    int64_t time_ms);

/* N were on record for the client NAME in HOUR (since 1970), before the day
 * that quota_count() counts.  Errors: SG_NO_MEMORY. */
SG_MUST_USE enum sg_err quota_count_hour(struct quota *q, struct span name,
					 int64_t hour, uint32_t n);
/* Give EACH the hours of all clients in which there was anything, a client's
 * from the oldest to the newest. */
void quota_each_hour(const struct quota *q,
		     void (*each)(void *ctx, const char *name, int64_t hour,
				  uint32_t n),
		     void *ctx);

/* What is left to C on the day of WALL_S, and until when.  False: C has no
 * quota, or it is not counted. */
bool quota_usage(struct quota *q, const struct client *c, int64_t wall_s,
		 struct policy_usage *out);

#endif /* SG_QUOTA_H */
