/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CLOCK_H
#define SG_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC, microseconds: deadlines and durations.  The same clock in
 * every process of the machine.  Thread-safe. */
uint64_t clock_mono_us(void);
/* US microseconds, as calls of the system take them. */
struct timespec clock_timespec(uint64_t us);
/* CLOCK_REALTIME, seconds and milliseconds since 1970: dates and log lines. */
int64_t clock_wall_s(void);
int64_t clock_wall_ms(void);

#endif /* SG_CLOCK_H */
