/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a note, a checkpoint, a verifier key and a proof.  The key that
 * some of the corpus is signed by is fixed; without its private half nothing
 * else verifies.  What is taken, written again, is the same bytes. */
#include <stdlib.h>

#include "ledger/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char KEY[] = "log.example+b31a9d31"
			  "+AYl+AX01pEL3qOQucyqNgOHr5BD/knaaeE7N3Ve/rC1t";

static void must(bool ok)
{
	if (!ok)
		abort();
}

static bool lies_in(struct span s, struct span in)
{
	return s.p >= in.p && s.n <= in.n && (size_t)(s.p - in.p) <= in.n - s.n;
}

static void read_note(struct span in, const struct note_key *key)
{
	struct checkpoint c;
	struct note n;

	if (note_parse(in, &n) != SG_OK)
		return;
	must(lies_in(n.text, in) && n.n > 0 && n.n <= NOTE_SIGNATURES_MAX);
	for (size_t i = 0; i < n.n; i++)
		must(lies_in(n.signature[i].line, in) &&
		     lies_in(n.signature[i].name, n.signature[i].line) &&
		     lies_in(n.signature[i].signature, n.signature[i].line));
	if (checkpoint_parse(n.text, &c) == SG_OK)
		must(lies_in(c.origin, n.text));
	if (checkpoint_open(in, key, &c, &n) == SG_OK)
		must(note_verify(&n, key, NULL) == SG_OK &&
		     span_is(c.origin, key->name));
}

static void read_key(struct span in)
{
	char text[NOTE_VKEY_MAX];
	struct note_key key;

	if (note_key_parse(in, &key) != SG_OK)
		return;
	note_key_text(&key, text);
	if (in.p[in.n - 1] == '\n')
		in.n--;
	must(span_is(in, text));
}

/* What of a checkpoint's text this program would write itself. */
static void read_text(struct span in)
{
	uint8_t out[CHECKPOINT_TEXT_MAX];
	struct checkpoint c;
	size_t n;

	if (checkpoint_parse(in, &c) != SG_OK ||
	    checkpoint_text(&c, out, sizeof(out), &n) != SG_OK)
		return;
	must(n <= in.n && span_eq(span_of(out, n), span_of(in.p, n)));
}

static void read_proof(struct span in)
{
	struct merkle_proof p;
	struct span checkpoint;
	uint64_t index;
	uint8_t *extra = malloc(in.n + 1);
	uint8_t *out = malloc(in.n + 1);
	size_t extra_n;
	size_t n;

	must(extra != NULL && out != NULL);
	if (checkpoint_proof_parse(in, &index, &p, &checkpoint, extra, in.n,
				   &extra_n) == SG_OK) {
		must(p.n <= MERKLE_PROOF_MAX && lies_in(checkpoint, in));
		/* And back. */
		must(checkpoint_proof_text(index, &p, checkpoint,
					   span_of(extra, extra_n), out, in.n,
					   &n) == SG_OK);
		must(span_eq(span_of(out, n), in));
		/* Where nobody wants the extra data, all else is the same. */
		must(checkpoint_proof_parse(in, &index, &p, &checkpoint, NULL,
					    0, NULL) == SG_OK);
	}
	free(out);
	free(extra);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span in = span_of(data, size);
	struct note_key key;

	must(note_key_parse(span_str(KEY), &key) == SG_OK);
	read_note(in, &key);
	read_key(in);
	read_text(in);
	read_proof(in);
	return 0;
}
