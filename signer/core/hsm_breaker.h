/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_HSM_BREAKER_H
#define SG_HSM_BREAKER_H

#include "core.h"

/*
 * hsm_breaker: how long an HSM that fails stays out before its next test
 * signature.  The first failures are mended at once, for they are most often
 * accidents; one that signs its tests and fails again stays out for longer
 * each time.  Never so long that an HSM which is well again is missed.  One
 * for all processes of an HSM: what one of them suffers is rarely its own.
 * Pure: times are CLOCK_MONOTONIC microseconds that the caller gives.
 */
enum {
	HSM_BREAKER_AT_ONCE = 2,	      /* failures without a pause */
	HSM_BREAKER_FIRST_US = 50 * 1000,     /* then this, doubling */
	HSM_BREAKER_LONGEST_US = 2000 * 1000, /* up to this */
	/* What fails within this is one failure, of many requests. */
	HSM_BREAKER_TOGETHER_US = 20 * 1000,
	HSM_BREAKER_FORGET_US = 30 * 1000 * 1000
};

/* Zeroed: has never failed. */
struct hsm_breaker {
	char hsm[CORE_LABEL_MAX]; /* its name; empty: it has none */
	unsigned trips;		  /* lately */
	uint64_t tripped_us;	  /* the last of them */
	uint64_t until_us;	  /* no test before this */
};

/* It has failed at NOW_US: when may it be tested? */
uint64_t hsm_breaker_trip(struct hsm_breaker *b, uint64_t now_us);
/* The pause after the Nth (from 1) bad test signature in a row. */
uint64_t hsm_breaker_retest_us(unsigned n);

#endif /* SG_HSM_BREAKER_H */
