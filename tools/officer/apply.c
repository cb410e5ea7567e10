/* SPDX-License-Identifier: Apache-2.0 */
#include "apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csr.h"
#include "document.h"
#include "tools/common/printable.h"
#include "tools/common/times.h"

enum { OPT_CSR = OPT_DAEMON, OPT_COUNT };

static const struct arg_option OPTIONS[OPT_COUNT] = {
	COMMON_OPTIONS, DAEMON_OPTIONS,
	[OPT_CSR] = {"csr", "FILE", NULL,
		     "where the certificate request goes, PEM"}};

static int print_json(const json_t *j)
{
	char *text = printable_json(j, JSON_INDENT(2));

	if (text == NULL)
		return officer_trouble(err_text(SG_NO_MEMORY));
	(void)puts(text);
	free(text);
	return EXIT_GOOD;
}

/* What was set for another time, as KEY has it. */
static void print_later(const json_t *key)
{
	const int64_t activate = document_int(key, "activate");
	const int64_t retire = document_int(key, "retire");
	char text[TIMES_TEXT];

	if (activate != 0) {
		times_format(activate, text);
		printf(", and becomes active at %s", text);
	}
	if (retire != 0 && !document_is_in(key, "retired")) {
		times_format(retire, text);
		printf(", and is retired at %s", text);
	}
}

/* The keys whose kinds KEY, which became active, has taken over. */
static void print_retired(const json_t *document, const json_t *key)
{
	const json_t *keys = json_object_get(document, "keys");
	const int64_t since = document_int(key, "since");

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *other = json_array_get(keys, i);

		if (!document_is_in(other, "retired") ||
		    document_int(other, "since") != since ||
		    strcmp(document_text(other, "hsm"),
			   document_text(key, "hsm")) != 0)
			continue;
		(void)fputs("it has taken over from ", stdout);
		printable_put(stdout, span_str(document_text(other, "label")));
		(void)puts(", which is retired now");
	}
}

/* What the operation means for keys whose end is set: who is to follow. */
static void print_ends(const json_t *document)
{
	const json_t *keys = json_object_get(document, "keys");

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *key = json_array_get(keys, i);
		const char *text;

		if (document_int(key, "retire") == 0 ||
		    !document_is_in(key, "active"))
			continue;
		for (size_t w = 0; (text = document_warning(key, w)) != NULL;
		     w++) {
			(void)fputs("! ", stdout);
			printable_put(stdout,
				      span_str(document_text(key, "label")));
			(void)fputs(": ", stdout);
			printable_put(stdout, span_str(text));
			(void)putchar('\n');
		}
	}
}

/* What came of it beside that, where KEY is now. */
static void print_effects(const struct opfile *f, const json_t *document,
			  const json_t *key)
{
	if (f->operation.kind == OPERATION_ACTIVATE &&
	    document_is_in(key, "active"))
		print_retired(document, key);
	if (f->operation.kind == OPERATION_START &&
	    document_is_in(key, "published"))
		(void)puts("no time is set for its activation any more: the "
			   "stop has made it void");
	print_ends(document);
}

/* That it is done, and where the key is now. */
static int print_done(const struct opfile *f, const json_t *document)
{
	char label[ROLL_NAME_MAX];
	const json_t *key;

	printf("done: %s", operation_kind_name(f->operation.kind));
	if (f->operation.key.n == 0) {
		(void)putchar('\n');
		return EXIT_GOOD;
	}
	(void)snprintf(label, sizeof(label), "%.*s", (int)f->operation.key.n,
		       (const char *)f->operation.key.p);
	key = document_key(document, label);
	printf(" %s", label);
	if (key != NULL) {
		(void)fputs(": the key is ", stdout);
		printable_put(stdout, span_str(document_text(key, "state")));
		(void)fputs(" now", stdout);
		print_later(key);
	}
	(void)putchar('\n');
	if (key != NULL)
		print_effects(f, document, key);
	return EXIT_GOOD;
}

/* What nothing signs any more, if that is so. */
static void print_gap(const json_t *outcome)
{
	const char *kinds = document_text(outcome, "nothing-signs");

	if (*kinds == '\0')
		return;
	(void)fputs("NO KEY SIGNS THESE KINDS ANY MORE: ", stdout);
	printable_put(stdout, span_str(kinds));
	(void)putchar('\n');
}

/* That it holds for a while only, if that is so. */
static void print_outcome_warning(const json_t *outcome)
{
	const char *text = document_text(outcome, "warning");

	if (*text == '\0')
		return;
	(void)fputs("WARNING: ", stdout);
	printable_put(stdout, span_str(text));
	(void)putchar('\n');
}

static int write_csr(const struct opfile *f, const json_t *document,
		     const char *path)
{
	char label[ROLL_NAME_MAX];
	char why[WHY_MAX] = "";
	enum sg_err err;

	(void)snprintf(label, sizeof(label), "%.*s", (int)f->operation.key.n,
		       (const char *)f->operation.key.p);
	err = csr_write(document, label, path, why, sizeof(why));
	return err == SG_OK ? EXIT_GOOD : daemon_trouble(err, why);
}

int apply_operation(struct daemon *d, const struct opfile *f, const char *csr,
		    bool json)
{
	char why[WHY_MAX] = "";
	json_t *outcome = NULL;
	json_t *document = NULL;
	int status;
	enum sg_err err = daemon_operate(d, span_of(f->bytes, f->n), &outcome,
					 why, sizeof(why));

	if (err != SG_OK)
		return daemon_trouble(err, why);
	/* It is done, whatever can be seen of it. */
	if (daemon_document(d, &document, why, sizeof(why)) != SG_OK)
		document = NULL;
	status = json ? print_json(outcome) : print_done(f, document);
	if (!json) {
		print_outcome_warning(outcome);
		print_gap(outcome);
	}
	if (status == EXIT_GOOD && csr != NULL)
		status = write_csr(f, document, csr);
	json_decref(outcome);
	json_decref(document);
	return status;
}

static int run(const struct args *args)
{
	static struct opfile f;
	char why[WHY_MAX] = "";
	struct daemon *d = NULL;
	int status;
	enum sg_err err;

	if (args->n != 1)
		return officer_trouble("apply takes one file");
	if (opfile_read(args->rest[0], &f, why, sizeof(why)) != SG_OK)
		return officer_trouble(why);
	err = daemon_open(args, &d, why, sizeof(why));
	status = err == SG_OK ? apply_operation(d, &f, args->value[OPT_CSR],
						args->value[OPT_JSON] != NULL)
			      : daemon_trouble(err, why);
	daemon_close(d);
	free(f.bytes);
	return status;
}

const struct command APPLY_COMMAND = {
	.name = "apply",
	.usage = "FILE.op (--socket PATH | --server URL)",
	.about = "bring a signed operation to signerd, which does it",
	.more = "Whoever brings it: only the signatures count.  What is "
		"refused is said with its\nreason, and nothing has happened "
		"then.\n",
	.options = OPTIONS,
	.noptions = OPT_COUNT,
	.run = run};
