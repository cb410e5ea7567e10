/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STATE/operations as a start finds it: two operations with what came of them,
 * which of them are on record, and what came by its time, a chunk each; one
 * without bytes is not there.  Where the outcome's chunk has the hash of no
 * operation it gets that of its own.
 */
#include <openssl/evp.h>
#include <stdlib.h>

#include "../files.h"
#include "base/log.h"
#include "ceremony/approval.h"
#include "core/ceremony_store.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DONE_MAX = 2048 };

static const char HASH[] = "dhashX "; /* CBOR: "hash", 32 bytes */

static void put(const char *name, struct span chunk)
{
	if (chunk.n > 0)
		files_put(name, chunk);
}

static void put_done(const char *name, struct span chunk, struct span of)
{
	uint8_t copy[DONE_MAX];
	const size_t head = sizeof(HASH) - 1;
	const size_t n = chunk.n < DONE_MAX ? chunk.n : DONE_MAX;

	if (n > 0)
		memcpy(copy, chunk.p, n);
	for (size_t i = 0; i + head + STORE_HASH_BYTES <= n; i++) {
		if (memcmp(copy + i, HASH, head) != 0)
			continue;
		if (EVP_Digest(of.p, of.n, copy + i + head, NULL, EVP_sha256(),
			       NULL) != 1)
			abort();
		break;
	}
	put(name, span_of(copy, n));
}

static void check_item(const struct store_item *item)
{
	if (item->nadopted > LIFE_KEYS_MAX)
		abort();
	for (size_t i = 0; i < item->nadopted; i++)
		if (item->adopted[i].spki == NULL)
			abort();
}

/* What was read is kept as it was. */
static void keep_again(struct ceremony_store *s, struct store_item *item)
{
	static uint8_t approved[APPROVED_BYTES_MAX];
	static struct store_item kept;
	const unsigned number = ceremony_store_last(s);

	/* The spans of ITEM live until S is used. */
	if (item->approved.n > 0)
		memcpy(approved, item->approved.p, item->approved.n);
	kept = (struct store_item){.approved =
					   span_of(approved, item->approved.n),
				   .outcome = {.time = item->outcome.time}};
	if (ceremony_store_add(s, &kept) != SG_OK)
		return;
	if (ceremony_store_last(s) != number + 1 ||
	    ceremony_store_read(s, number + 1, item) != SG_OK ||
	    item->outcome.time != kept.outcome.time ||
	    !span_eq(item->approved, kept.approved))
		abort();
	ceremony_store_drop(s);
}

static void read_all(struct ceremony_store *s)
{
	static struct store_item item;
	const unsigned last = ceremony_store_last(s);
	struct store_event event = {
		.time = 1, .state = KEY_ACTIVE, .label = "dsc"};
	const struct store_event *events;
	uint64_t leaf;
	size_t n;

	for (unsigned i = 1; i <= last; i++) {
		if (ceremony_store_read(s, i, &item) != SG_OK)
			continue;
		check_item(&item);
		(void)ceremony_store_leaf(s, i, item.approved, &leaf);
		if (ceremony_store_recorded(s) == i - 1)
			ceremony_store_note(s, i, item.approved, i);
		if (i == last)
			keep_again(s, &item);
	}
	events = ceremony_store_events(s, &n);
	for (size_t i = 0; i < n; i++)
		if (!ceremony_store_event(s, events[i].label, events[i].state))
			abort();
	ceremony_store_add_event(s, &event);
	ceremony_store_forget(s, 1);
	if (ceremony_store_recorded(s) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct ceremony_store *s;
	struct span approved;

	log_limit((enum log_level) - 1);
	files_begin();
	files_folder("operations");
	for (int i = 1; i <= 2; i++) {
		approved = files_chunk(&in);
		put(i == 1 ? "operations/00000001.cose"
			   : "operations/00000002.cose",
		    approved);
		put_done(i == 1 ? "operations/00000001.done"
				: "operations/00000002.done",
			 files_chunk(&in), approved);
	}
	put("operations/recorded", files_chunk(&in));
	put("operations/events", files_chunk(&in));
	if (ceremony_store_open(files_dir, &s) != SG_OK)
		return 0;
	read_all(s);
	ceremony_store_close(s);
	return 0;
}
