/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ledger/log_journal.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "ledger/journal.h"

static atomic_bool awake;

static void on_wake(void *ctx)
{
	(void)ctx;
	atomic_store(&awake, true);
}

static void on_committed(void *ctx, uint64_t last)
{
	(void)ctx;
	(void)last;
}

static void on_failed(void *ctx, uint64_t first, enum sg_err err,
		      int system_errno)
{
	(void)ctx;
	(void)fprintf(stderr,
		      "log_journal: the journal fails at %" PRIu64 ": %s, %d\n",
		      first, err_text(err), system_errno);
}

static void on_recovered(void *ctx)
{
	(void)ctx;
}

static enum sg_err append(struct journal *j, const struct record *r)
{
	const struct timespec moment = {0, 200000};
	uint64_t index;
	uint64_t offset;
	enum sg_err err;

	/* Both buffers are full until the disk has one of them. */
	while ((err = journal_append(j, r, (struct journal_wait){0}, &index,
				     &offset)) == SG_BUSY) {
		(void)nanosleep(&moment, NULL);
		if (atomic_exchange(&awake, false))
			journal_poll(j);
	}
	return err;
}

static enum sg_err add_record(struct journal *j, const struct log_maker *l,
			      uint64_t i, bool lie)
{
	uint8_t hashes[3][RECORD_HASH_BYTES];
	uint8_t entry[LOG_MAKER_ENTRY_MAX];
	char both[80];
	struct log_maker_certificate c;
	struct record r = {.index = i};
	enum sg_err err;
	size_t n;

	err = log_maker_entry(l, i, entry, &n);
	r.entry = span_of(entry, n);
	if (err != SG_OK || i < 2)
		return err != SG_OK ? err : append(j, &r);
	log_maker_fill(l, i, &c);
	n = (size_t)snprintf(both, sizeof(both), "VN%s", c.uvci);
	if (EVP_Digest(both + 2, n - 2, hashes[0], NULL, EVP_sha256(), NULL) !=
		    1 ||
	    EVP_Digest(both, n, hashes[1], NULL, EVP_sha256(), NULL) != 1 ||
	    EVP_Digest(c.sig_structure, sizeof(c.sig_structure), hashes[2],
		       NULL, EVP_sha256(), NULL) != 1)
		return SG_INTERNAL;
	c.signature[0] ^= lie ? 1 : 0;
	r.signature = c.c.signature;
	r.country = SPAN_LIT("VN");
	r.uci = hashes[0];
	r.country_uci = hashes[1];
	r.payload = hashes[2];
	return append(j, &r);
}

enum sg_err log_journal_make(const struct log_maker *l, const char *dir,
			     uint64_t n, uint64_t lie)
{
	static const struct journal_events events = {
		.committed = on_committed,
		.failed = on_failed,
		.recovered = on_recovered,
	};
	const struct journal_settings settings = {
		.dir = dir,
		.origin = l->note_key.name,
		.events = &events,
		.wake = on_wake,
	};
	struct journal *j;
	enum sg_err err = journal_open(&settings, &j);

	if (err != SG_OK)
		return err;
	for (uint64_t i = 0; i < n && err == SG_OK; i++)
		err = add_record(j, l, i, i == lie);
	journal_close(j);
	return err;
}
