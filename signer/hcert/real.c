/* SPDX-License-Identifier: Apache-2.0 */
#include "real.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * IEEE 754 binary16: 11 bits of significand, of which the first is implied;
 * the largest exponent, in the sense of frexp() (0.5 <= fraction < 1), and the
 * exponent of the last bit that any half can have.
 */
enum { HALF_DIGITS = 11, HALF_EXP_MAX = 16, HALF_LAST_BIT_EXP = -24 };

enum {
	HALF_SIGN = 0x8000,
	HALF_INFINITY = 0x7c00,
	HALF_NAN = 0x7e00,
	HALF_FIELD_SHIFT = HALF_DIGITS - 1, /* of the exponent's field */
	HALF_IMPLIED = 1 << HALF_FIELD_SHIFT
};

/* V, finite, as a multiple of 2^*LAST, the last bit of the half nearest in
 * size. */
static double scale(double v, int *last)
{
	int exp;
	const double fraction = frexp(v, &exp);

	*last = exp - HALF_DIGITS;
	if (*last < HALF_LAST_BIT_EXP)
		*last = HALF_LAST_BIT_EXP;
	return ldexp(fraction, exp - *last);
}

static bool fits_half(double v)
{
	int last;
	const double scaled = scale(v, &last);

	return last <= HALF_EXP_MAX - HALF_DIGITS && scaled == trunc(scaled);
}

uint16_t real_half(double v)
{
	const unsigned sign = signbit(v) ? HALF_SIGN : 0;
	unsigned significand;
	unsigned field = 0; /* of zero and of subnormal numbers */
	int last;

	if (isnan(v))
		return HALF_NAN;
	if (isinf(v))
		return (uint16_t)(sign | HALF_INFINITY);
	significand = (unsigned)fabs(scale(v, &last));
	if (significand >= HALF_IMPLIED) {
		significand -= HALF_IMPLIED;
		field = (unsigned)(last - HALF_LAST_BIT_EXP) + 1;
	}
	return (uint16_t)(sign | field << HALF_FIELD_SHIFT | significand);
}

static bool fits_single(double v)
{
	/* Beyond the range the conversion would be undefined. */
	return fabs(v) <= 0x1.fffffep+127 && (double)(float)v == v;
}

size_t real_shortest_bytes(double v)
{
	if (!isfinite(v) || fits_half(v))
		return 2;
	return fits_single(v) ? 4 : 8;
}
