/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_QUOTA_STATE_H
#define SG_QUOTA_STATE_H

#include <sys/queue.h>

#include "hours.h"
#include "quota.h"

/*
 * quota_state: the common inside of quota.c (what clients have had signed, and
 * may) and quota_policy.c (what becomes of it when another policy comes).
 */
enum {
	DAY_S = 86400,
	HOUR_S = 3600,
	MS_PER_S = 1000,
	US_PER_S = 1000000,
	TOKEN = US_PER_S,    /* so that a rate fills exactly, microsecond by
				microsecond */
	NAME_MAX_BYTES = 64, /* of a client, in a policy */
	BUCKETS = 4096,	     /* a power of two */
	DAYS = 2,
	/* What an alarm stopped may ask again when an officer has looked. */
	STOPPED_S = 3600
};

struct quota_day {
	int64_t number; /* since 1970, of the policy's zone */
	uint64_t recorded;
};

struct quota_account {
	LIST_ENTRY(quota_account) entry;
	char name[NAME_MAX_BYTES + 1];
	bool known; /* to the policy; while the others are swept away */
	uint64_t reserved;
	struct quota_day day[DAYS]; /* by the number's lowest bit */
	uint64_t level;		    /* of the bucket, in 1/TOKEN of a token */
	uint64_t level_us;	    /* when it was that; 0: it is full */
	struct hours hours;
	int64_t forgiven; /* in this hour there is no alarm */
	bool alarmed;	  /* in the newest hour */
	bool stopped;
};

LIST_HEAD(account_list, quota_account);

struct quota {
	int32_t zone_s;
	uint8_t policy_hash[32];
	bool uncounted;
	size_t accounts, stopped;
	struct account_list bucket[BUCKETS];
};

/* The account of NAME; NULL: there is none. */
struct quota_account *quota_find(struct quota *q, struct span name);
/* Free A, which nobody holds. */
void quota_drop(struct quota *q, struct quota_account *a);
/* The day of WALL_S, since 1970, where the policy's days begin. */
int64_t quota_day_of(const struct quota *q, int64_t wall_s);
/* Where the count of day NUMBER is, or would be. */
struct quota_day *quota_slot_of(struct quota_account *a, int64_t number);

#endif /* SG_QUOTA_STATE_H */
