/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_EVIL_MESSAGES_H
#define SG_EVIL_MESSAGES_H

#include "evil.h"
#include "ipc/wire.h"

/* messages: what an evil front says, in the form that the wire asks for. */

/* Append a message of TYPE, which need not be one that there is, nor one that
 * a front may send.  Well-formed where TYPE is known. */
void messages_put_type(struct wire_packet *w, unsigned type);
/* Append a question for a certificate in E's name and words. */
void messages_put_issue(struct wire_packet *w, uint64_t id,
			const struct evil *e);
/* Append a question of another kind in E's name. */
void messages_put_ask(struct wire_packet *w, uint64_t id,
		      enum wire_question question, const struct evil *e);

#endif /* SG_EVIL_MESSAGES_H */
