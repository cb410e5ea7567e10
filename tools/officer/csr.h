/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TOOLS_CSR_H
#define SG_TOOLS_CSR_H

#include <jansson.h>

#include "base/err.h"

/* csr: the certificate request of the key LABEL in DOCUMENT, as PEM, to the
 * file PATH (NULL, "-": standard output).
 * Errors, with WHY: SG_NOT_FOUND (no such key, or no request yet), SG_IO,
 * SG_NO_MEMORY. */
SG_MUST_USE enum sg_err csr_write(const json_t *document, const char *label,
				  const char *path, char *why, size_t cap);

#endif /* SG_TOOLS_CSR_H */
