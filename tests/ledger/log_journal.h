/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_LOG_JOURNAL_H
#define SG_LOG_JOURNAL_H

#include "tests/ledger/log_maker.h"

/* Write the journal of the first N entries of L into DIR; the record LIE has a
 * signature that is not its entry's (UINT64_MAX: none). */
SG_MUST_USE enum sg_err log_journal_make(const struct log_maker *l,
					 const char *dir, uint64_t n,
					 uint64_t lie);

#endif /* SG_LOG_JOURNAL_H */
