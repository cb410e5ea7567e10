/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "document.h"
#include "table.h"
#include "tools/common/printable.h"
#include "tools/common/times.h"

enum { DATE_CHARS = 10 };

static const struct arg_option OPTIONS[OPT_DAEMON] = {COMMON_OPTIONS,
						      DAEMON_OPTIONS};

/* --- keys ----------------------------------------------------------------- */

static enum table_mood mood_of(const char *state)
{
	static const struct {
		const char *state;
		enum table_mood mood;
	} moods[] = {
		{"active", TABLE_GOOD},	    {"stopped", TABLE_BAD},
		{"compromised", TABLE_BAD}, {"good", TABLE_GOOD},
		{"probing", TABLE_CARE},    {"down", TABLE_BAD},
	};

	for (size_t i = 0; i < sizeof(moods) / sizeof(moods[0]); i++)
		if (strcmp(moods[i].state, state) == 0)
			return moods[i].mood;
	return TABLE_PLAIN;
}

static void cell_day(struct table *t, int64_t time)
{
	char text[TIMES_TEXT];

	times_format(time, text);
	table_cell(t, TABLE_PLAIN, "%.*s", DATE_CHARS, time != 0 ? text : "-");
}

/* It signs no more, and never will. */
static bool is_over(const json_t *key)
{
	return document_is_in(key, "retired") ||
	       document_is_in(key, "destroyed") ||
	       document_is_in(key, "compromised");
}

/* Until when KEY signs at most: its period's end, that of its certificate, or
 * when it is to be retired, whichever is first; 0: nothing is set, or it signs
 * no more. */
static int64_t signs_until(const json_t *key)
{
	static const char *const ends[] = {"usedUntil", "notAfter", "retire"};
	int64_t first = 0;

	for (size_t i = 0; !is_over(key) && i < sizeof(ends) / sizeof(ends[0]);
	     i++) {
		const int64_t end = document_int(key, ends[i]);

		if (end != 0 && (first == 0 || end < first))
			first = end;
	}
	return first;
}

static void cell_signed(struct table *t, const json_t *key)
{
	const int64_t n = document_int(key, "signed");
	const int64_t limit = document_int(key, "limit");

	if (limit > 0)
		table_cell(t, n >= limit ? TABLE_BAD : TABLE_PLAIN,
			   "%lld of %lld", (long long)n, (long long)limit);
	else
		table_cell(t, TABLE_PLAIN, "%lld", (long long)n);
}

static void row_key(struct table *t, const json_t *key)
{
	const char *state = document_text(key, "state");
	const char *country = document_text(key, "country");
	const char *kinds = document_text(key, "kinds");
	const char *kid = document_text(key, "kid");

	table_row(t);
	table_cell(t, TABLE_PLAIN, "%s", document_text(key, "label"));
	table_cell(t, TABLE_PLAIN, "%s", document_text(key, "hsm"));
	table_cell(t, mood_of(state), "%s", state);
	table_cell(t, TABLE_PLAIN, "%s", kinds[0] != '\0' ? kinds : "-");
	table_cell(t, TABLE_PLAIN, "%s", country[0] != '\0' ? country : "-");
	table_cell(t, TABLE_PLAIN, "%s", document_text(key, "alg"));
	table_cell(t, TABLE_PLAIN, "%s", kid[0] != '\0' ? kid : "-");
	cell_day(t, signs_until(key));
	cell_day(t, document_int(key, "notAfter"));
	cell_signed(t, key);
	if (strcmp(state, "destroyed") == 0)
		table_cell(t, TABLE_PLAIN, "-"); /* none looks for it */
	else
		table_cell(t, TABLE_PLAIN, "%lld",
			   (long long)document_int(key, "good"));
}

static void print_keys(struct table *t, const json_t *keys)
{
	static const char *const heads[] = {
		"KEY", "HSM",	      "STATE",	   "KINDS",  "FOR",	 "ALG",
		"KID", "SIGNS UNTIL", "DSC UNTIL", "SIGNED", "PROCESSES"};

	table_row(t);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, TABLE_PLAIN, "%s", heads[i]);
	for (size_t i = 0; i < json_array_size(keys); i++)
		row_key(t, json_array_get(keys, i));
	table_print(t);
}

static void print_warning(const struct table *t, const json_t *key,
			  const char *text)
{
	printf("%s  ! ", table_mood(TABLE_CARE, t->colour));
	printable_put(stdout, span_str(document_text(key, "label")));
	printf(": ");
	printable_put(stdout, span_str(text));
	printf("%s\n", table_mood(TABLE_PLAIN, t->colour));
}

static void print_time(const json_t *key, const char *what, int64_t time)
{
	char text[TIMES_TEXT];

	times_format(time, text);
	printf("  ");
	printable_put(stdout, span_str(document_text(key, "label")));
	printf(": %s %s\n", what, text);
}

static void print_next(const json_t *key, const char *text)
{
	printf("  ");
	printable_put(stdout, span_str(document_text(key, "label")));
	printf(": next: %s\n", text);
}

/* KEY waits for the lead time of the roll in DOCUMENT. */
static void print_published(const json_t *document, const json_t *key)
{
	const int64_t lead =
		document_int(json_object_get(document, "roll"), "lead");
	const int64_t from = document_int(key, "published") + lead;

	print_time(key, "published at", document_int(key, "published"));
	if (document_int(document, "time") >= from)
		print_next(key, "signer-officer propose activate");
	else
		print_time(key, "next: signer-officer propose activate, from",
			   from);
}

/* What officers have to do before KEY can sign; nothing where they have set a
 * time for it. */
static void print_step(const json_t *document, const json_t *key)
{
	static const struct {
		const char *state;
		const char *next;
	} steps[] = {
		{"generated",
		 "signer-officer propose csr, and apply it with --csr"},
		{"requested", "have the CSCA sign its request (signer-officer "
			      "csr), then signer-officer propose import"},
		{"certified", "signer-officer propose publish"},
	};
	/* A key of certificates has kinds until another one takes them over. */
	const bool ledger = document_text(key, "kinds")[0] == '\0';

	if (document_is_in(key, "generated") && ledger) {
		print_next(key, "signer-officer propose log-key");
		return;
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (document_is_in(key, steps[i].state))
			print_next(key, steps[i].next);
	if (document_is_in(key, "published") &&
	    document_int(key, "activate") == 0)
		print_published(document, key);
}

/* What is set for a key. */
static void print_plans(const json_t *document, const json_t *key)
{
	const int64_t activate = document_int(key, "activate");
	const int64_t retire = document_int(key, "retire");

	if (activate != 0)
		print_time(key, "becomes active at", activate);
	/* What goes on past its time has a warning. */
	if (!is_over(key) && retire > document_int(document, "time"))
		print_time(key, "is retired at", retire);
}

/* What is set for the keys, what comes next, and what their owner is to know of
 * them. */
static void print_notes(const struct table *t, const json_t *document)
{
	const json_t *keys = json_object_get(document, "keys");

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *key = json_array_get(keys, i);
		const char *text;

		print_plans(document, key);
		print_step(document, key);
		if (document_is_in(key, "active") &&
		    document_int(key, "good") == 0)
			print_warning(t, key, "no HSM signs with it now");
		for (size_t w = 0; (text = document_warning(key, w)) != NULL;
		     w++)
			print_warning(t, key, text);
	}
}

/* --- HSMs ----------------------------------------------------------------- */

static void row_hsm(struct table *t, const json_t *hsm)
{
	const char *state = document_text(hsm, "state");
	const int64_t up = document_int(hsm, "up");
	const int64_t processes = document_int(hsm, "processes");
	const int64_t errors = document_int(hsm, "errors");
	const int64_t us = document_int(hsm, "signatureUs");

	table_row(t);
	table_cell(t, TABLE_PLAIN, "%s", document_text(hsm, "name"));
	table_cell(t, mood_of(state), "%s", state);
	table_cell(t, up < processes ? TABLE_CARE : TABLE_PLAIN, "%lld of %lld",
		   (long long)up, (long long)processes);
	table_cell(t, TABLE_PLAIN, "%lld",
		   (long long)document_int(hsm, "sessions"));
	if (us > 0)
		table_cell(t, TABLE_PLAIN, "%lld us", (long long)us);
	else
		table_cell(t, TABLE_PLAIN, "-"); /* none was measured yet */
	table_cell(t, errors > 0 ? TABLE_CARE : TABLE_PLAIN, "%lld",
		   (long long)errors);
	table_cell(t, TABLE_PLAIN, "%s",
		   json_is_true(json_object_get(hsm, "makesKeys")) ? "yes"
								   : "no");
}

static void print_hsms(struct table *t, const json_t *hsms)
{
	static const char *const heads[] = {
		"HSM",	     "STATE",  "PROCESSES", "SESSIONS",
		"SIGNATURE", "ERRORS", "MAKES KEYS"};

	(void)putchar('\n');
	table_row(t);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, TABLE_PLAIN, "%s", heads[i]);
	for (size_t i = 0; i < json_array_size(hsms); i++)
		row_hsm(t, json_array_get(hsms, i));
	table_print(t);
}

/* --- the rest ------------------------------------------------------------- */

static void print_roll(const json_t *roll)
{
	const json_t *officers = json_object_get(roll, "officers");

	if (json_array_size(officers) == 0) {
		printf("\nofficers: none yet; signer-officer propose genesis "
		       "names the first\n");
		return;
	}
	printf("\nofficers, %lld of whom decide: ",
	       (long long)document_int(roll, "threshold"));
	for (size_t i = 0; i < json_array_size(officers); i++) {
		printf("%s", i > 0 ? ", " : "");
		printable_put(stdout,
			      span_str(document_text(
				      json_array_get(officers, i), "name")));
	}
	(void)putchar('\n');
}

static void print_ledger(const json_t *document)
{
	printf("ledger: ");
	printable_put(stdout, span_str(document_text(document, "origin")));
	printf(", %lld entries\n", (long long)document_int(document, "size"));
}

static int print(const json_t *document, bool json)
{
	static struct table t;
	char *text;

	if (json) {
		text = printable_json(document, JSON_INDENT(2));
		if (text == NULL)
			return officer_trouble(err_text(SG_NO_MEMORY));
		(void)puts(text);
		free(text);
		return EXIT_GOOD;
	}
	t.to = stdout;
	t.colour = table_colours(stdout);
	print_keys(&t, json_object_get(document, "keys"));
	print_notes(&t, document);
	print_hsms(&t, json_object_get(document, "hsms"));
	print_roll(json_object_get(document, "roll"));
	print_ledger(document);
	return EXIT_GOOD;
}

static int run(const struct args *args)
{
	char why[WHY_MAX] = "";
	json_t *document;
	int status;
	enum sg_err err;

	if (args->n != 0)
		return officer_trouble("keys takes options only");
	err = daemon_look(args, &document, why, sizeof(why));
	if (err != SG_OK)
		return daemon_trouble(err, why);
	status = print(document, args->value[OPT_JSON] != NULL);
	json_decref(document);
	return status;
}

const struct command KEYS_COMMAND = {
	.name = "keys",
	.usage = "(--socket PATH | --server URL)",
	.about = "show keys, HSMs and officers at a glance",
	.options = OPTIONS,
	.noptions = OPT_DAEMON,
	.run = run};
