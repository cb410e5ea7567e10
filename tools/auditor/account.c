/* SPDX-License-Identifier: Apache-2.0 */
#include "account.h"

#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "row.h"
#include "tools/common/bytes.h"
#include "tools/common/number.h"
#include "tools/common/times.h"

enum { NUMBER = 32, MS = 1000 };

static void row(struct sheet *s, const char *name, const char *value)
{
	sheet_cell(s, span_str(name));
	sheet_cell(s, span_str(value));
}

static const char *second_of(int64_t ms, char out[TIMES_TEXT])
{
	times_format(ms >= 0 ? ms / MS : -((-ms + MS - 1) / MS), out);
	return out;
}

/* --- what it is about ----------------------------------------------------- */

static void print_period(const struct account *a, struct sheet *s)
{
	static const char *const heads[] = {"", "#"};
	const struct survey *v = a->survey;
	char time[ROW_TIME];
	char second[TIMES_TEXT];
	char text[SHEET_TEXT_MAX];
	char n[NUMBER];

	sheet_para(s,
		   "This report is made from the signed ledger of a signing "
		   "server for health certificates. Every signature that the "
		   "server gives out has an entry there, as have its refusals "
		   "(counted), starts, stops, policies and key operations. The "
		   "ledger holds no personal data, and neither does this "
		   "report. All times are UTC.");
	sheet_table(s, 2, heads);
	row(s, "Ledger", a->where);
	row(s, "From",
	    v->from_ms == INT64_MIN ? "its beginning"
				    : second_of(v->from_ms, second));
	row(s, "To (not included)",
	    v->to_ms == INT64_MAX ? "its end" : second_of(v->to_ms, second));
	row(s, "Entries of the period", number_text(v->entries, n));
	if (v->entries > 0) {
		(void)snprintf(text, sizeof(text),
			       "number %" PRIu64 " (%s) to number %" PRIu64,
			       v->first, row_time(v->first_ms, time), v->last);
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       " (%s)", row_time(v->last_ms, time));
		row(s, "First and last entry", text);
	}
	row(s, "Report made", second_of(a->made_ms, second));
	sheet_table_end(s);
	if (a->selected)
		sheet_para(s, "Only a selection of the ledger's entries was "
			      "looked at (--index). What lies outside of it is "
			      "not counted here.");
}

static void number_row(struct sheet *s, const char *name, uint64_t n)
{
	char text[NUMBER];

	row(s, name, number_text(n, text));
}

static void print_summary(const struct account *a, struct sheet *s)
{
	static const char *const heads[] = {"", ">"};
	const struct survey *v = a->survey;
	const uint64_t *t = v->total;
	const uint64_t issued = survey_sum(t, SURVEY_ISSUED);
	const uint64_t renewed = survey_sum(t, SURVEY_RENEWED);

	sheet_heading(s, "Summary");
	sheet_table(s, 2, heads);
	number_row(s, "Certificates issued", issued);
	number_row(s, "- of vaccination", t[SURVEY_ISSUED + DCC_VACCINATION]);
	number_row(s, "- of a test", t[SURVEY_ISSUED + DCC_TEST]);
	number_row(s, "- of recovery", t[SURVEY_ISSUED + DCC_RECOVERY]);
	number_row(s, "Certificates renewed", renewed);
	number_row(s, "Signatures with a proof of the holder's identity",
		   t[SURVEY_ATTESTED]);
	number_row(s, "Requests refused", t[SURVEY_REFUSED]);
	number_row(s, "Clients", bag_keys(v->clients));
	number_row(s, "Signing keys used", bag_keys(v->keys));
	number_row(s, "Policies applied", bag_keys(v->policies));
	number_row(s, "Starts of the server without a recorded stop before",
		   v->unclean);
	number_row(s, "Gaps: long times without any entry", v->gaps);
	number_row(s, "Entries dated before the one in front of them", v->back);
	sheet_table_end(s);
}

/* --- what to hold it against ---------------------------------------------- */

/* Who signature I of the note is by, and whether it is good. */
static void print_signature(const struct walk_head *h, size_t i,
			    struct sheet *s)
{
	const struct trust *t = &h->trust;
	const char *checked = "another's, such as a witness's: not checked "
			      "here";
	char time[TIMES_TEXT];
	enum sg_err err;
	int64_t at;

	sheet_cell(s, h->note.signature[i].name);
	sheet_cellf(s, "%08" PRIx32, h->note.signature[i].hash);
	if (h->note.signature[i].hash == t->key.hash &&
	    span_is(h->note.signature[i].name, t->key.name)) {
		sheet_cell(s, SPAN_LIT("the ledger's own signature: good"));
		return;
	}
	for (size_t k = 0; k < t->nwitnesses; k++) {
		if (h->note.signature[i].hash != t->witness[k].hash ||
		    !span_is(h->note.signature[i].name, t->witness[k].name))
			continue;
		err = note_verify(&h->note, &t->witness[k], &at);
		if (err != SG_OK) {
			checked = err == SG_NO_MEMORY
					  ? "a known witness's: not checked, "
					    "for want of memory"
					  : "a known witness's: WRONG";
			break;
		}
		times_format(at, time);
		sheet_cellf(s, "a known witness's, of %s: good", time);
		return;
	}
	sheet_cell(s, span_str(checked));
}

static void print_signatures(const struct account *a, struct sheet *s)
{
	static const char *const heads[] = {"#signed by", "@key id", "checked"};

	sheet_table(s, sizeof(heads) / sizeof(heads[0]), heads);
	for (size_t i = 0; i < a->head->note.n; i++)
		print_signature(a->head, i, s);
	sheet_table_end(s);
}

static void print_checkpoint(const struct account *a, struct sheet *s)
{
	static const char *const heads[] = {"", "#"};
	const struct checkpoint *c = &a->head->checkpoint.c;
	const struct survey *v = a->survey;
	char vkey[NOTE_VKEY_MAX];
	char hex[HEX_TEXT(MERKLE_HASH_BYTES)];
	char base64[BYTES_BASE64(MERKLE_HASH_BYTES)];
	char n[NUMBER];

	note_key_text(&a->head->trust.key, vkey);
	sheet_table(s, 2, heads);
	sheet_cell(s, span_str("Name of the ledger (origin)"));
	sheet_cell(s, c->origin);
	row(s, "Entries it had when this was made (size)",
	    number_text(c->size, n));
	row(s, "Root hash", bytes_base64(c->root.b, MERKLE_HASH_BYTES, base64));
	row(s, "Root hash in hex",
	    hex_encode(c->root.b, MERKLE_HASH_BYTES, hex));
	row(s, "Ledger's public key (vkey)", vkey);
	if (v->entries > 0) {
		row(s, "Hash of the period's first entry",
		    hex_encode(v->first_leaf.b, MERKLE_HASH_BYTES, hex));
		row(s, "Hash of the period's last entry",
		    hex_encode(v->last_leaf.b, MERKLE_HASH_BYTES, hex));
	}
	sheet_table_end(s);
}

static void print_anchors(const struct account *a, struct sheet *s)
{
	char vkey[NOTE_VKEY_MAX];

	note_key_text(&a->head->trust.key, vkey);
	sheet_heading(s, "What to check it against");
	sheet_para(s,
		   "The numbers in this report are as good as the ledger they "
		   "come from. The ledger signs its own state, the checkpoint: "
		   "its size and one hash, the root, that depends on every "
		   "entry. Every entry used here has been shown to belong to "
		   "this root. Nobody can change, remove or insert one of them "
		   "without changing the root.");
	if (a->head->trust.given)
		sheet_para(s, "The signature was checked with a key that was "
			      "given by whoever made this report.");
	else
		sheet_para(s,
			   "ATTENTION: the signature was checked with the key "
			   "that stands beside the ledger itself. Compare it "
			   "with the key that you were given when the ledger "
			   "was set up.");
	print_checkpoint(a, s);
	print_signatures(a, s);
	sheet_para(s, "To check the whole ledger, and that it is still the one "
		      "that you knew before:");
	sheet_command(s,
		      "signer-auditor verify --vkey %s --since OLD-CHECKPOINT "
		      "%s",
		      vkey, a->where);
	sheet_para(s, "To see the entries of this period:");
	sheet_command(s,
		      "signer-auditor export --csv --index %" PRIu64
		      "..%" PRIu64 " %s",
		      a->survey->first, a->survey->last, a->where);
}

static void print_words(struct sheet *s)
{
	static const char *const heads[] = {"@word", "what it means"};

	sheet_heading(s, "Words used");
	sheet_table(s, 2, heads);
	row(s, "client",
	    "a system that asks for certificates, by its name in "
	    "the policy");
	row(s, "issued, renewed",
	    "a certificate signed for the first time; the same content signed "
	    "again with new dates");
	row(s, "refused",
	    "a request that the policy did not allow; nothing "
	    "was signed. One request can have several faults, so "
	    "the faults may be more than the requests");
	row(s, "key (kid)",
	    "the short name of a signing key, as every "
	    "certificate shows it");
	row(s, "policy",
	    "the rules by which the server decides; each version "
	    "of its file is named by its hash (SHA-256)");
	row(s, "hash",
	    "a fingerprint: two different files or entries never "
	    "have the same");
	row(s, "witness",
	    "an independent party that signs the ledger's state, "
	    "too, and would notice if it were rewritten");
	sheet_table_end(s);
}

enum sg_err account_print(const struct account *a, enum sheet_form form,
			  FILE *to)
{
	char title[NOTE_NAME_MAX + 64];
	struct sheet *s;
	enum sg_err err;

	(void)snprintf(title, sizeof(title), "Report on the ledger %.*s",
		       (int)a->head->checkpoint.c.origin.n,
		       (const char *)a->head->checkpoint.c.origin.p);
	err = sheet_begin(to, form, span_str(title), &s);
	if (err != SG_OK)
		return err;
	print_period(a, s);
	print_summary(a, s);
	account_counts(a, s);
	account_events(a, s);
	print_anchors(a, s);
	print_words(s);
	return sheet_end(s);
}
