/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CERTLOGIC_TIME_H
#define SG_CERTLOGIC_TIME_H

#include "base/span.h"

/*
 * certlogic_time: the dates and date-times of CertLogic (specification 1.3.3,
 * "Offset date-time", "DCC Date of birth"), in milliseconds since 1970, UTC.
 * Pure.  Stricter than the specification where it leaves the behaviour
 * undefined: what does not exist (2021-02-30, 24:00:00) is no date.
 */
enum certlogic_unit {
	CERTLOGIC_YEAR,
	CERTLOGIC_MONTH,
	CERTLOGIC_DAY,
	CERTLOGIC_HOUR,
	CERTLOGIC_UNITS
};

enum { CERTLOGIC_TIME_TEXT = 32 };

/* "year", ...; static. */
const char *certlogic_unit_name(enum certlogic_unit unit);

/* TEXT is YYYY, YYYY-MM, YYYY-MM-DD (of a partial date the last day that it
 * may mean), or YYYY-MM-DDThh:mm:ss with an optional fraction, cut to
 * milliseconds, and an optional Z or offset, Z without one. */
bool certlogic_time_read(struct span text, int64_t *ms);
/* The same without the forms that have a time of day. */
bool certlogic_birth_read(struct span text, int64_t *ms);
/* MS and AMOUNT units: months and years by the calendar, where a day that the
 * month does not have runs over into the next one (ECMA-262, setUTCMonth).
 * False when the result is out of the years 0 to 9999 by far. */
bool certlogic_time_plus(int64_t ms, int64_t amount, enum certlogic_unit unit,
			 int64_t *out);
/* SECONDS since 1970 as "2026-11-26T08:00:00Z" in BUF.  Empty when it is not in
 * the years 0 to 9999. */
struct span certlogic_time_text(int64_t seconds, char buf[CERTLOGIC_TIME_TEXT]);

#endif /* SG_CERTLOGIC_TIME_H */
