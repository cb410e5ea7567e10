/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CALENDAR_H
#define SG_CALENDAR_H

#include <stdint.h>

#include "base/span.h"

/*
 * calendar: dates and times in texts (RFC 3339, and what of ISO 8601 is in use
 * beside it), in the proleptic Gregorian calendar, years 0000 to 9999.  What
 * does not exist is not read.  Pure.
 */

enum calendar_word {
	CALENDAR_OK,
	CALENDAR_FORM,	  /* not written as a date or time */
	CALENDAR_NO_SUCH, /* written so, but there is none */
};

/* "YYYY-MM-DD", and nothing else, into days since 1970-01-01. */
enum calendar_word calendar_date(struct span text, int32_t *days);
/* The same, or "YYYY-MM" or "YYYY": the first and the last day that it may
 * be. */
enum calendar_word calendar_partial(struct span text, int32_t *first,
				    int32_t *last);
/*
 * "YYYY-MM-DDTHH:MM:SS" with any number of decimals of the second, and the
 * distance to UTC: Z, +HH:MM, +HHMM or +HH.  Into seconds since 1970
 * (decimals are dropped), and the day that the text itself names.  A leap
 * second is the second after it.
 */
enum calendar_word calendar_time(struct span text, int64_t *seconds,
				 int32_t *days);
/* Day number of SECONDS since 1970 where clocks are ZONE_S ahead of UTC. */
int64_t calendar_day_of(int64_t seconds, int32_t zone_s);

#endif /* SG_CALENDAR_H */
