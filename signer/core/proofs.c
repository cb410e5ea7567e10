/* SPDX-License-Identifier: Apache-2.0 */
#include "proofs.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/throttle.h"
#include "caller.h"
#include "ledger/tiles.h"

enum {
	LINE_BYTES = 45, /* of a hash in base64, with its line end */
	TEXT_MAX = CHECKPOINT_NOTE_MAX + MERKLE_PROOF_MAX * LINE_BYTES + 128
};

struct proofs {
	struct tiles *tiles;
	struct merkle *merkle;
	struct throttle faults;
	uint8_t checkpoint[CHECKPOINT_NOTE_MAX];
	uint8_t text[TEXT_MAX];
};

enum sg_err proofs_create(const char *dir, struct proofs **out)
{
	struct proofs *p = calloc(1, sizeof(*p));
	enum sg_err err;

	*out = NULL;
	if (p == NULL)
		return SG_NO_MEMORY;
	err = merkle_create(&p->merkle);
	if (err == SG_OK)
		err = tiles_open(dir, true, &p->tiles);
	if (err != SG_OK) {
		proofs_free(p);
		return err;
	}
	*out = p;
	return SG_OK;
}

void proofs_free(struct proofs *p)
{
	if (p == NULL)
		return;
	tiles_close(p->tiles);
	merkle_free(p->merkle);
	free(p);
}

/* ERR of READING is not the asker's fault. */
static enum sg_err fail(struct proofs *p, enum sg_err err, const char *reading)
{
	uint64_t dropped;

	if (err == SG_NO_MEMORY)
		return err;
	if (throttle_allows(&p->faults, clock_wall_s(), &dropped))
		log_event(LOG_ERROR, "proof-failed",
			  "reading=\"%s\" reason=\"%s\" unlogged=%llu", reading,
			  err_text(err), (unsigned long long)dropped);
	return SG_INTERNAL;
}

/* The newest checkpoint, as NOTE and taken apart; one of size 0 where there is
 * none yet. */
static enum sg_err read_checkpoint(struct proofs *p, struct span *note,
				   struct checkpoint *out)
{
	struct note parts;
	size_t n;
	enum sg_err err = tiles_read_file(p->tiles, "checkpoint", p->checkpoint,
					  sizeof(p->checkpoint), &n);

	*out = (struct checkpoint){0};
	*note = span_of(p->checkpoint, n);
	if (err == SG_NOT_FOUND)
		return SG_OK;
	if (err == SG_OK)
		err = note_parse(*note, &parts);
	if (err == SG_OK)
		err = checkpoint_parse(parts.text, out);
	return err == SG_OK ? SG_OK : fail(p, err, "checkpoint");
}

enum sg_err proofs_answer(struct proofs *p, uint64_t index,
			  uint64_t journal_end, struct span *text)
{
	struct merkle_source source;
	struct merkle_proof proof;
	struct checkpoint c;
	struct span note;
	size_t n;
	enum sg_err err = read_checkpoint(p, &note, &c);

	if (err != SG_OK)
		return err;
	if (index >= c.size)
		return index < journal_end ? SG_NOT_YET : SG_NOT_FOUND;
	source = tiles_source(p->tiles, p->merkle, c.size);
	err = merkle_prove(p->merkle, &source, c.size, index, &proof);
	if (err != SG_OK)
		return fail(p, err, "tiles");
	err = checkpoint_proof_text(index, &proof, note, p->text,
				    sizeof(p->text), &n);
	if (err != SG_OK)
		return fail(p, err, "checkpoint");
	*text = span_of(p->text, n);
	return SG_OK;
}

enum sg_err proofs_admit(const struct policy *policy, struct span identity)
{
	const struct client *client;

	return identity.n == 0 ? SG_OK : caller_find(policy, identity, &client);
}
