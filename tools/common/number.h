/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_NUMBER_H
#define SG_TOOLS_NUMBER_H

#include <stdint.h>

/* number: numbers for people. */
enum { NUMBER_TEXT = 32 };

/* 1234567 as "1,234,567".  Returns OUT. */
const char *number_text(uint64_t n, char out[NUMBER_TEXT]);

#endif /* SG_TOOLS_NUMBER_H */
