/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "account.h"
#include "base/hex.h"
#include "row.h"
#include "tools/common/bytes.h"
#include "tools/common/number.h"

enum { NUMBER = 32, MS = 1000, DURATION = 48 };

/* "2 h 5 min"; the two units that matter. */
static const char *duration(int64_t ms, char out[DURATION])
{
	const int64_t s = ms / MS;

	if (ms < 0)
		(void)snprintf(out, DURATION, "%s", "-");
	else if (s >= 86400)
		(void)snprintf(out, DURATION, "%" PRId64 " d %d h", s / 86400,
			       (int)(s % 86400 / 3600));
	else if (s >= 3600)
		(void)snprintf(out, DURATION, "%d h %d min", (int)(s / 3600),
			       (int)(s % 3600 / 60));
	else if (s >= 60)
		(void)snprintf(out, DURATION, "%d min %d s", (int)(s / 60),
			       (int)(s % 60));
	else
		(void)snprintf(out, DURATION, "%d.%03d s", (int)s,
			       (int)(ms % MS));
	return out;
}

static void when(struct sheet *s, const struct survey_event *e)
{
	char time[ROW_TIME];

	sheet_cell(s, span_str(row_time(e->time_ms, time)));
	sheet_cellf(s, "%" PRIu64, e->index);
}

static bool has_event(const struct survey *v, unsigned types)
{
	for (size_t i = 0; i < v->nevents; i++)
		if ((types & 1U << (unsigned)v->event[i].type) != 0)
			return true;
	return false;
}

static void print_policies(const struct survey *v, struct sheet *s)
{
	static const char *const heads[] = {"@time", ">entry",
					    "#policy now in force (SHA-256)"};
	char hex[HEX_TEXT(ENTRY_HASH_BYTES)];

	sheet_heading(s, "Policies put in force");
	if (v->has_policy)
		sheet_para(s, "In force as the period began: %s",
			   hex_encode(v->policy, ENTRY_HASH_BYTES, hex));
	if (!has_event(v, 1U << ENTRY_POLICY)) {
		sheet_para(s, "None in the period.");
		return;
	}
	sheet_para(s, "The server names its policy at each start, and whenever "
		      "another one is loaded.");
	sheet_table(s, sizeof(heads) / sizeof(heads[0]), heads);
	for (size_t i = 0; i < v->nevents; i++) {
		if (v->event[i].type != ENTRY_POLICY)
			continue;
		when(s, &v->event[i]);
		sheet_cell(s, span_str(hex_encode(v->event[i].hash,
						  ENTRY_HASH_BYTES, hex)));
	}
	sheet_table_end(s);
}

static const char *what_of(enum entry_type type)
{
	switch (type) {
	case ENTRY_CEREMONY: return "operation of officers";
	case ENTRY_REVOCATION: return "revocation";
	default: return "";
	}
}

/* What happened, in a line. */
static void print_what(const struct survey_event *e, struct sheet *s)
{
	char kid[BYTES_BASE64(COSE_KID_BYTES)] = "";
	char id[HEX_TEXT(ENTRY_HASH_BYTES)];
	char text[CEREMONY_TEXT];
	const char *what;

	if (e->type == ENTRY_KEY_EVENT) {
		if (e->has_kid)
			(void)bytes_base64(e->kid, sizeof(e->kid), kid);
		sheet_cellf(s, "key %s is %s%s%s%s%.*s", e->label, e->state,
			    e->has_kid ? ", kid " : "", kid,
			    e->has_operation ? ", by operation " : "",
			    e->has_operation ? CEREMONY_ID_SHOWN : 0,
			    hex_encode(e->hash, sizeof(e->hash), id));
		return;
	}
	what = ceremony_speaks(&e->ceremony) ? ceremony_text(&e->ceremony, text)
					     : what_of(e->type);
	if (e->refusal[0] != '\0')
		sheet_cellf(s, "REFUSED (%s): %s", e->refusal, what);
	else
		sheet_cell(s, span_str(what));
}

static void print_operations(const struct survey *v, struct sheet *s)
{
	static const char *const heads[] = {"@time", ">entry", "what", ">bytes",
					    "#operation (SHA-256)"};
	const unsigned types = 1U << ENTRY_KEY_EVENT | 1U << ENTRY_CEREMONY |
			       1U << ENTRY_REVOCATION;
	char hex[HEX_TEXT(ENTRY_HASH_BYTES)];

	sheet_heading(s, "Keys, ceremonies and revocations");
	if (!has_event(v, types)) {
		sheet_para(s, "None in the period.");
		return;
	}
	sheet_para(s, "An operation is recorded with the bytes that the "
		      "officers signed. Compare its hash with that of the "
		      "document that they have. An officer is named by the "
		      "beginning of the SHA-256 of his public key. Whose "
		      "signatures a refused one bears is claimed, and proven "
		      "of nobody. After a recovery of the ledger "
		      "the entries that were known beyond those it went on "
		      "with are lost.");
	sheet_table(s, sizeof(heads) / sizeof(heads[0]), heads);
	for (size_t i = 0; i < v->nevents; i++) {
		const struct survey_event *e = &v->event[i];

		if ((types & 1U << (unsigned)e->type) == 0)
			continue;
		when(s, e);
		print_what(e, s);
		if (ceremony_is(e->type)) {
			sheet_cellf(s, "%zu", e->bytes);
			sheet_cell(s, span_str(hex_encode(
					      e->hash, ENTRY_HASH_BYTES, hex)));
		} else {
			sheet_cell(s, span_of(NULL, 0));
			sheet_cell(s, span_of(NULL, 0));
		}
	}
	sheet_table_end(s);
}

static void print_start(const struct survey_event *e, struct sheet *s)
{
	char time[ROW_TIME];
	char length[DURATION];

	if (!e->follows)
		sheet_cellf(s, "%s",
			    e->index == 0
				    ? "the first start of the ledger"
				    : "what was before was not looked at");
	else if (e->unclean)
		sheet_cellf(s,
			    "NO STOP IS RECORDED (a crash, a power cut, or "
			    "forced): last entry %s, %s before",
			    row_time(e->follows_ms, time),
			    duration(survey_length(e->follows_ms, e->time_ms),
				     length));
	else
		sheet_cellf(s, "stopped since %s, for %s",
			    row_time(e->follows_ms, time),
			    duration(survey_length(e->follows_ms, e->time_ms),
				     length));
}

static void print_runs(const struct survey *v, struct sheet *s)
{
	static const char *const heads[] = {"@time", ">entry", "what",
					    "remark"};
	const unsigned types = 1U << ENTRY_STARTED | 1U << ENTRY_STOPPED;

	sheet_heading(s, "Starts and stops");
	if (!has_event(v, types)) {
		sheet_para(s, "None in the period.");
		return;
	}
	sheet_table(s, sizeof(heads) / sizeof(heads[0]), heads);
	for (size_t i = 0; i < v->nevents; i++) {
		const struct survey_event *e = &v->event[i];

		if ((types & 1U << (unsigned)e->type) == 0)
			continue;
		when(s, e);
		sheet_cell(s, span_str(e->type == ENTRY_STARTED ? "started"
								: "stopped"));
		if (e->type == ENTRY_STARTED)
			print_start(e, s);
		else
			sheet_cell(s, span_of(NULL, 0));
	}
	sheet_table_end(s);
}

static void print_gaps(const struct survey *v, struct sheet *s)
{
	static const char *const heads[] = {"@from", "@to", ">length",
					    ">ends with entry"};
	char from[ROW_TIME];
	char to[ROW_TIME];
	char length[DURATION];
	char n[NUMBER];

	sheet_heading(s, "Gaps");
	sheet_para(s,
		   "Times of more than %s without any entry while the server "
		   "was running. A quiet night is one; so is a network that "
		   "was down. Entries cannot be missing from a gap: the ledger "
		   "numbers them without holes.",
		   duration(v->gap_ms, length));
	if (v->gaps == 0) {
		sheet_para(s, "None in the period.");
		return;
	}
	if (v->gaps > v->ngaps)
		sheet_para(s, "There are %s; these are the longest %zu.",
			   number_text(v->gaps, n), v->ngaps);
	sheet_table(s, sizeof(heads) / sizeof(heads[0]), heads);
	for (size_t i = 0; i < v->ngaps; i++) {
		const struct survey_gap *g = &v->gap[i];

		sheet_cell(s, span_str(row_time(g->from_ms, from)));
		sheet_cell(s, span_str(row_time(g->to_ms, to)));
		sheet_cell(s, span_str(duration(
				      survey_length(g->from_ms, g->to_ms),
				      length)));
		sheet_cellf(s, "%" PRIu64, g->index);
	}
	sheet_table_end(s);
}

static void print_clock(const struct survey *v, struct sheet *s)
{
	char length[DURATION];
	char n[NUMBER];

	sheet_heading(s, "The clock");
	if (v->back == 0) {
		sheet_para(s, "No entry is dated before the one in front of "
			      "it.");
		return;
	}
	sheet_para(s,
		   "Entries that are dated before the one in front of them: "
		   "%s, by %s at most. Fractions of a second come from "
		   "signatures that are made side by side; more than that "
		   "means that the server's clock was set back.",
		   number_text(v->back, n), duration(v->back_most_ms, length));
}

void account_events(const struct account *a, struct sheet *s)
{
	const struct survey *v = a->survey;
	char n[NUMBER];

	print_policies(v, s);
	print_operations(v, s);
	print_runs(v, s);
	if (v->more_events > 0)
		sheet_para(s,
			   "ATTENTION: %s further events are not in these "
			   "lists. Choose a shorter period to see them.",
			   number_text(v->more_events, n));
	print_gaps(v, s);
	print_clock(v, s);
}
