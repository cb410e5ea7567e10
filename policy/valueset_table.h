/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_VALUESET_TABLE_H
#define SG_VALUESET_TABLE_H

#include "valueset.h"

/*
 * valueset_table: the EU's value sets as data (ehn-dcc-valuesets 2.12.0).  What
 * they call inactive or deprecated is among them: who was given a product that
 * has been withdrawn since has a right to a certificate, and to its renewal.
 * Of test devices there are none: their list is kept elsewhere and changes.
 */
extern const struct valueset VALUESET_TABLE[VALUESET_COUNT];

/* The vaccines of the encoding instructions, an entry for each mp, ma, vp. */
extern const struct vaccine VALUESET_VACCINES[];
extern const size_t VALUESET_NVACCINES;

#endif /* SG_VALUESET_TABLE_H */
