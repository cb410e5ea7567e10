/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_POLICY_LIMITS_H
#define SG_POLICY_LIMITS_H

#include "policy_reading.h"

/* policy_limits: how much a client of the file may have signed: its rate, its
 * quota, its alarm. */
enum {
	POLICY_RATE_MAX = 1000000,	    /* requests a second, and a burst */
	POLICY_QUOTA_MAX = 1000000000,	    /* certificates a day */
	POLICY_ALARM_FACTOR_MAX = 1000,	    /* times the usual hour */
	POLICY_ALARM_MINIMUM_MAX = 1000000, /* certificates an hour */
	POLICY_ALARM_MINIMUM = 1000	    /* without another one */
};

/* Read the limits of the client SOURCE, at PATH, into OUT: its own alarm, or
 * else the one that is for all. */
void policy_limits_read(struct reading *r, const char *path,
			const struct source_client *source, struct client *out);
/* Tell the faults of the alarm that is for all. */
void policy_limits_check_alarm(struct reading *r);

#endif /* SG_POLICY_LIMITS_H */
