/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CIVIL_H
#define SG_CIVIL_H

#include <stdint.h>

/* civil: days as numbers and as dates of the proleptic Gregorian calendar.
 * Pure. */
struct civil {
	int64_t year;
	int month, day; /* from 1 */
};

/* Days from 1970-01-01 to the day, which may lie beyond its MONTH (1 to 12). */
int64_t civil_days(int64_t year, int month, int64_t day);
/* Back again. */
struct civil civil_of(int64_t days);
int civil_month_days(int64_t year, int month);
/* A in whole UNITs (above 0), rounded down also before 1970. */
int64_t civil_floor(int64_t a, int64_t unit);

#endif /* SG_CIVIL_H */
