/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "ledger/checkpoint.h"
#include "tests/ledger/log_journal.h"
#include "tests/ledger/log_maker.h"
#include "tools/common/args.h"

/*
 * make_log DIR N [CHECKPOINTS [JOURNAL]]: a log of N plausible entries in DIR,
 * signed by a fresh key; CHECKPOINTS of them on the way (1), so that older
 * partial tiles stand there, each kept as checkpoint.SIZE; and the same entries
 * in a journal in the directory JOURNAL.
 */
static const char ORIGIN[] = "make-log.test/trial";

/* Each of several checkpoints is kept as checkpoint.SIZE, too. */
static enum sg_err keep_checkpoint(struct log_maker *l)
{
	uint8_t note[CHECKPOINT_NOTE_MAX];
	char name[40];
	size_t n;
	const enum sg_err err =
		tiles_read_file(l->tiles, "checkpoint", note, sizeof(note), &n);

	(void)snprintf(name, sizeof(name), "checkpoint.%" PRIu64,
		       tree_size(l->tree));
	return err != SG_OK
		       ? err
		       : tiles_write_file(l->tiles, name, span_of(note, n));
}

static enum sg_err make(const char *dir, uint64_t n, uint64_t checkpoints,
			const char *journal)
{
	struct log_maker l;
	enum sg_err err = log_maker_open(&l, dir, ORIGIN, NULL, 0);

	for (uint64_t i = 1; i <= checkpoints && err == SG_OK; i++) {
		err = log_maker_grow(
			&l, i == checkpoints ? n : n / checkpoints * i);
		if (err == SG_OK)
			err = log_maker_publish(&l);
		if (err == SG_OK && checkpoints > 1)
			err = keep_checkpoint(&l);
	}
	if (err == SG_OK && journal != NULL)
		err = log_journal_make(&l, journal, n, UINT64_MAX);
	log_maker_close(&l);
	return err;
}

int main(int argc, char *argv[])
{
	uint64_t checkpoints = 1;
	enum sg_err err;
	uint64_t n;

	if (argc < 3 || argc > 5 ||
	    !args_number(argv[2], 0, UINT64_C(1) << 40, &n) ||
	    (argc >= 4 && !args_number(argv[3], 1, 1 << 20, &checkpoints))) {
		(void)fputs("usage: make_log DIR N [CHECKPOINTS [JOURNAL]]\n",
			    stderr);
		return 2;
	}
	err = make(argv[1], n, checkpoints, argc == 5 ? argv[4] : NULL);
	if (err == SG_OK)
		return 0;
	(void)fprintf(stderr, "make_log: %s\n", err_text(err));
	return 1;
}
