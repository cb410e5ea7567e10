/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_UVCI_H
#define SG_UVCI_H

#include "rule.h"

/*
 * uvci: the unique vaccination certificate identifier (eHealth Network,
 * vaccination proofs, annex 2): URN:UVCI:01:CC: and an identifier of A-Z, 0-9,
 * / and :, then, if it has a checksum, # and one more of these.
 */

/* Is TEXT of that form?  *CHECKED: it has a checksum. */
bool uvci_parse(struct span text, bool *checked);
/*
 * The checksum of TEXT, which is all before the #: Luhn's algorithm modulo 38
 * over the alphabet of UVCIs (the ISO/IEC 7812-1 annex B way, with digits of
 * base 38).  0 if TEXT has other characters.
 */
char uvci_checksum(struct span text);

/* Does the UVCI have its form, the certificate's country, a checksum that is
 * right or none? */
void uvci_judge(const struct rule_context *x, struct verdict *v);

#endif /* SG_UVCI_H */
