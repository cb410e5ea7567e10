/* SPDX-License-Identifier: Apache-2.0 */
#include "assembly.h"

#include <stdlib.h>

#include "hcert/cwt.h"

/* N bytes to write to; NULL: no memory. */
static uint8_t *reserve(struct assembly *a, size_t n)
{
	a->more = NULL;
	if (n <= sizeof(a->fixed))
		return a->fixed;
	a->more = malloc(n);
	return a->more;
}

static struct span append(uint8_t *buf, size_t *at, struct span s)
{
	const struct span copy = span_of(buf + *at, s.n);

	if (s.n > 0)
		memcpy(buf + *at, s.p, s.n);
	*at += s.n;
	return copy;
}

enum sg_err assembly_make(struct assembly *a,
			  const struct assembly_parts *parts,
			  uint8_t scratch[ASSEMBLY_SCRATCH])
{
	const struct cwt_claims claims = {.iss = parts->country,
					  .has_exp = true,
					  .exp = parts->exp,
					  .has_iat = true,
					  .iat = parts->iat,
					  .dcc = parts->dcc};
	const struct span prot = parts->prot;
	size_t payload_n = 0;
	size_t n = 0;
	uint8_t *buf;
	enum sg_err err;

	err = cwt_encode(&claims, scratch, ASSEMBLY_SCRATCH, &payload_n);
	if (err != SG_OK)
		return err;
	buf = reserve(a, payload_n + ASSEMBLY_WRAP_MAX + prot.n +
				 parts->uvci.n + parts->warnings.n);
	if (buf == NULL)
		return SG_NO_MEMORY;
	err = cose_sig_structure(prot, span_of(NULL, 0),
				 span_of(scratch, payload_n), buf,
				 payload_n + ASSEMBLY_WRAP_MAX, &n);
	if (err != SG_OK) {
		assembly_clear(a);
		return err;
	}
	a->sig_structure = span_of(buf, n);
	/* The payload is the Sig_structure's last field: kept once. */
	a->payload = span_of(buf + n - payload_n, payload_n);
	a->prot = append(buf, &n, prot);
	memcpy(a->kid, parts->kid, sizeof(a->kid));
	a->uvci = append(buf, &n, parts->uvci);
	a->warnings = append(buf, &n, parts->warnings);
	return SG_OK;
}

enum sg_err assembly_sign1(const struct assembly *a, struct span signature,
			   uint8_t scratch[ASSEMBLY_SCRATCH], struct span *cose)
{
	size_t n = 0;
	const enum sg_err err = cose_sign1_encode(
		a->prot, a->payload, signature, scratch, ASSEMBLY_SCRATCH, &n);

	if (err == SG_OK)
		*cose = span_of(scratch, n);
	return err;
}

void assembly_replace(struct assembly *a, struct assembly *fresh)
{
	struct span *const part[] = {&a->sig_structure, &a->payload, &a->prot,
				     &a->uvci, &a->warnings};

	assembly_clear(a);
	*a = *fresh;
	fresh->more = NULL;
	if (a->more != NULL)
		return;
	/* What lay in its own buffer lies in A's now. */
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		part[i]->p = a->fixed + (part[i]->p - fresh->fixed);
}

void assembly_clear(struct assembly *a)
{
	free(a->more);
	a->more = NULL;
}
