/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_UNCONST_H
#define SG_UNCONST_H

/* P without its const: for PKCS #11, whose templates and inputs have none
 * though they are only read, and for freeing what an owned span holds. */
static inline void *unconst(const void *p)
{
	const union {
		const void *in;
		void *out;
	} u = {.in = p};

	return u.out;
}

#endif /* SG_UNCONST_H */
