/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "batches.h"
#include "beside.h"
#include "filter.h"
#include "row.h"
#include "tools/common/bytes.h"
#include "tools/common/times.h"
#include "uvcis.h"

enum {
	OPT_FILTER = OPT_LOG,
	OPT_WALK = OPT_FILTER + FILTER_OPTION_COUNT,
	OPT_HASH_TYPE = OPT_WALK + WALK_OPTION_COUNT,
	OPT_JOURNAL,
	OPT_COUNTRY,
	OPT_UVCI,
	OPT_RENEWALS,
	OPT_OUT,
	OPT_REVOCATIONS
};

static const struct arg_option OPTIONS[OPT_REVOCATIONS] = {
	COMMON_OPTIONS,
	LOG_OPTIONS,
	FILTER_OPTIONS(OPT_FILTER),
	WALK_OPTIONS(OPT_WALK),
	[OPT_HASH_TYPE] = {"hash-type", "TYPE", NULL,
			   "SIGNATURE (default), UCI or COUNTRYCODEUCI"},
	[OPT_JOURNAL] = {"journal", "DIR", NULL,
			 "the server's journal: for the last two, --uvci-hash "
			 "and --renewals"},
	[OPT_COUNTRY] = {"country", "CC", NULL,
			 "the certificates' country; with a journal only those "
			 "of it"},
	[OPT_UVCI] = {"uvci-hash", "LIST", NULL,
		      "only of these UVCIs: their SHA-256, or @FILE"},
	[OPT_RENEWALS] = {"renewals", NULL, NULL,
			  "and all other signatures of the same certificates, "
			  "made before or since"},
	[OPT_OUT] = {"out", "DIR", NULL,
		     "write a file a batch there; else all to standard "
		     "output"},
};

struct job {
	struct filter filter;
	struct uvcis uvcis;
	enum batches_type type;
	const char *country; /* or NULL */
	const char *out;     /* a directory, or NULL */
	struct walk *walk;
	struct beside *beside; /* NULL: from the entries alone */
	/* With --renewals there are two walks: the first only finds out which
	 * certificates it is about, the second takes all that is theirs. */
	bool only_learn;
	struct uvcis learnt;
	struct batches *batches;
	int64_t now;
	uint64_t certificates;
	uint64_t run_out; /* of them */
};

static bool is_country(struct span s)
{
	return s.n == BATCHES_COUNTRY && s.p[0] >= 'A' && s.p[0] <= 'Z' &&
	       s.p[1] >= 'A' && s.p[1] <= 'Z';
}

static bool is_selected(struct job *j, const struct walk_entry *e,
			const struct record *r)
{
	if (j->learnt.n > 0 && !j->only_learn)
		return uvcis_find(&j->learnt, r->uci);
	return filter_match(&j->filter, &e->e) &&
	       (j->country == NULL || span_is(r->country, j->country)) &&
	       (j->uvcis.n == 0 || uvcis_find(&j->uvcis, r->uci));
}

static enum sg_err add(struct job *j, const struct batches_item *item,
		       char *why)
{
	const enum sg_err err = batches_add(j->batches, item);

	j->certificates++;
	j->run_out += item->exp < j->now;
	if (err != SG_OK)
		(void)snprintf(why, WHY_MAX, "%s",
			       err == SG_TOO_BIG ? "too many keys for one run"
						 : err_text(err));
	return err;
}

/* E, with what the journal has to say about it. */
static enum sg_err take_beside(struct job *j, const struct walk_entry *e,
			       struct batches_item *item, char *why)
{
	struct record r;
	enum sg_err err = beside_record(j->beside, e, &r, why);

	if (err != SG_OK || !is_selected(j, e, &r))
		return err;
	if (j->only_learn) {
		err = uvcis_add(&j->learnt, r.uci);
		if (err != SG_OK)
			(void)snprintf(why, WHY_MAX, "%s", err_text(err));
		return err;
	}
	if (!is_country(r.country)) {
		(void)snprintf(why, WHY_MAX,
			       "entry %" PRIu64 ": its issuer is no country of "
			       "two letters, which a batch needs",
			       e->index);
		return SG_CONFIG;
	}
	memcpy(item->country, r.country.p, sizeof(item->country));
	if (j->type != BATCHES_SIGNATURE)
		memcpy(item->hash,
		       j->type == BATCHES_UCI ? r.uci : r.country_uci,
		       sizeof(item->hash));
	return add(j, item, why);
}

static enum sg_err take_one(void *ctx, const struct walk_entry *e,
			    char why[WHY_MAX])
{
	struct job *j = ctx;
	struct batches_item item = {.exp = e->e.exp};

	if (e->e.type != ENTRY_ISSUED && e->e.type != ENTRY_RENEWED)
		return SG_OK;
	/* The journal is looked at only where it must be. */
	if ((j->learnt.n == 0 || j->only_learn) &&
	    !filter_match(&j->filter, &e->e))
		return SG_OK;
	memcpy(item.kid, e->e.kid, sizeof(item.kid));
	memcpy(item.hash, e->e.revocation, sizeof(item.hash));
	if (j->beside != NULL)
		return take_beside(j, e, &item, why);
	memcpy(item.country, j->country, sizeof(item.country));
	return add(j, &item, why);
}

static enum sg_err walk(struct job *j, char why[WHY_MAX])
{
	static const struct ranges all = {0};
	enum sg_err err = walk_run(j->walk, &j->filter.index, take_one, j, why);

	if (err != SG_OK || !j->only_learn)
		return err;
	j->only_learn = false;
	uvcis_sort(&j->learnt);
	return j->learnt.n == 0 ? SG_OK
				: walk_run(j->walk, &all, take_one, j, why);
}

/* --- what comes out ------------------------------------------------------- */

static int print_batches(const struct job *j)
{
	const struct batches_key *k;
	bool first = true;

	(void)fputc('[', stdout);
	for (size_t i = 0; (k = batches_key(j->batches, i)) != NULL; i++)
		for (uint64_t n = 0; n < k->batches; n++) {
			(void)fputs(first ? "\n" : ",\n", stdout);
			first = false;
			if (batches_write(j->batches, i, n, stdout) != SG_OK)
				return auditor_trouble("cannot write");
		}
	(void)fputs("\n]\n", stdout);
	return EXIT_GOOD;
}

/* What is there is not replaced: it may have been sent already. */
static int write_batch(const struct job *j, size_t i, uint64_t n)
{
	const struct batches_key *k = batches_key(j->batches, i);
	char kid[HEX_TEXT(COSE_KID_BYTES)];
	char path[WHY_MAX / 2];
	char why[WHY_MAX];
	int fd;
	FILE *to;
	bool good;

	(void)hex_encode(k->kid, sizeof(k->kid), kid);
	if (snprintf(path, sizeof(path), "%s/%.2s-%s-%s-%05" PRIu64 ".json",
		     j->out, k->country, kid, batches_type_name(j->type),
		     n + 1) >= (int)sizeof(path))
		return auditor_trouble("--out: too long a name");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	to = fd >= 0 ? fdopen(fd, "w") : NULL;
	good = to != NULL && batches_write(j->batches, i, n, to) == SG_OK &&
	       fputc('\n', to) != EOF && fflush(to) == 0 && fsync(fd) == 0;
	if (!good)
		(void)snprintf(why, sizeof(why), "%s: %s", path,
			       strerror(/* NOLINT(concurrency-mt-unsafe) */
					errno));
	if (to != NULL)
		good = fclose(to) == 0 && good;
	else if (fd >= 0)
		(void)close(fd);
	return good ? EXIT_GOOD : auditor_trouble(why);
}

static int write_batches(const struct job *j)
{
	const struct batches_key *k;
	char why[WHY_MAX];

	if (mkdir(j->out, 0755) != 0 && errno != EEXIST) {
		(void)snprintf(why, sizeof(why), "%.300s: %s", j->out,
			       strerror(/* NOLINT(concurrency-mt-unsafe) */
					errno));
		return auditor_trouble(why);
	}
	for (size_t i = 0; (k = batches_key(j->batches, i)) != NULL; i++)
		for (uint64_t n = 0; n < k->batches; n++) {
			const int status = write_batch(j, i, n);

			if (status != EXIT_GOOD)
				return status;
		}
	return EXIT_GOOD;
}

struct totals {
	uint64_t hashes, batches;
};

static struct totals count(const struct job *j)
{
	struct totals t = {0};
	const struct batches_key *k;

	for (size_t i = 0; (k = batches_key(j->batches, i)) != NULL; i++) {
		t.hashes += k->hashes;
		t.batches += k->batches;
	}
	return t;
}

static void summarise_json(const struct job *j, FILE *to)
{
	const struct checkpoint *c = &walk_head(j->walk)->checkpoint.c;
	const struct totals t = count(j);
	const struct batches_key *k;
	char text[BYTES_BASE64(MERKLE_HASH_BYTES)];

	(void)fprintf(to,
		      "{\"certificates\": %" PRIu64 ", \"hashType\": \"%s\", "
		      "\"hashes\": %" PRIu64 ", \"batches\": %" PRIu64
		      ", \"run_out\": %" PRIu64 ", \"uvci_hashes_not_found\": "
		      "%zu, \"keys\": [",
		      j->certificates, batches_type_name(j->type), t.hashes,
		      t.batches, j->run_out, uvcis_missing(&j->uvcis));
	for (size_t i = 0; (k = batches_key(j->batches, i)) != NULL; i++)
		(void)fprintf(to,
			      "%s{\"country\": \"%.2s\", \"kid\": \"%s\", "
			      "\"certificates\": %" PRIu64 ", \"hashes\": "
			      "%" PRIu64 ", \"batches\": %" PRIu64
			      ", \"expires\": %" PRId64 "}",
			      i > 0 ? ", " : "", k->country,
			      bytes_base64(k->kid, sizeof(k->kid), text),
			      k->certificates, k->hashes, k->batches, k->exp);
	(void)fputs("], \"log\": {\"origin\": ", to);
	row_json_text(to, c->origin);
	(void)fprintf(to, ", \"size\": %" PRIu64 ", \"root\": \"%s\"}}\n",
		      c->size,
		      bytes_base64(c->root.b, MERKLE_HASH_BYTES, text));
}

static const char *plural(uint64_t n, const char *ending)
{
	return n == 1 ? "" : ending;
}

static void summarise_text(const struct job *j, FILE *to)
{
	const struct totals t = count(j);
	const struct batches_key *k;
	char kid[BYTES_BASE64(COSE_KID_BYTES)];
	char expires[TIMES_TEXT];

	(void)fprintf(to,
		      "%" PRIu64 " certificate%s, %" PRIu64
		      " %s hash%s, %" PRIu64 " batch%s\n",
		      j->certificates, plural(j->certificates, "s"), t.hashes,
		      batches_type_name(j->type), plural(t.hashes, "es"),
		      t.batches, plural(t.batches, "es"));
	for (size_t i = 0; (k = batches_key(j->batches, i)) != NULL; i++) {
		times_format(k->exp, expires);
		(void)fprintf(to,
			      "  %.2s  key %s: %" PRIu64 " certificate%s, "
			      "%" PRIu64 " hash%s, %" PRIu64
			      " batch%s, the last runs out %s\n",
			      k->country,
			      bytes_base64(k->kid, sizeof(k->kid), kid),
			      k->certificates, plural(k->certificates, "s"),
			      k->hashes, plural(k->hashes, "es"), k->batches,
			      plural(k->batches, "es"), expires);
	}
	if (j->run_out > 0)
		(void)fprintf(to,
			      "  %" PRIu64 " of the certificates %s run out "
			      "already\n",
			      j->run_out, j->run_out == 1 ? "has" : "have");
}

/* --- the command ---------------------------------------------------------- */

static enum sg_err read_options(const struct args *args, struct job *j,
				char why[WHY_MAX])
{
	const char *type = args->value[OPT_HASH_TYPE];
	const char *journal = args->value[OPT_JOURNAL];
	const char *wrong = NULL;
	enum sg_err err;

	j->type = type != NULL ? batches_type_of(type) : BATCHES_SIGNATURE;
	j->country = args->value[OPT_COUNTRY];
	j->out = args->value[OPT_OUT];
	j->only_learn = args->value[OPT_RENEWALS] != NULL;
	j->now = clock_wall_s();
	if (args->n != 1)
		wrong = "one log is needed: a directory or a URL";
	else if (j->type == BATCHES_TYPES)
		wrong = "--hash-type: not SIGNATURE, UCI or COUNTRYCODEUCI";
	else if (j->country != NULL && !is_country(span_str(j->country)))
		wrong = "--country: not two capital letters";
	else if (journal == NULL && j->type != BATCHES_SIGNATURE)
		wrong = "these hashes are in the journal only: --journal";
	else if (journal == NULL && args->value[OPT_UVCI] != NULL)
		wrong = "--uvci-hash needs --journal";
	else if (journal == NULL && j->only_learn)
		wrong = "--renewals needs --journal";
	else if (journal == NULL && j->country == NULL)
		wrong = "without --journal the country has to be told: "
			"--country";
	if (wrong != NULL) {
		(void)snprintf(why, WHY_MAX, "%s", wrong);
		return SG_CONFIG;
	}
	err = filter_read(args, OPT_FILTER, &j->filter, why, WHY_MAX);
	if (err == SG_OK && args->value[OPT_UVCI] != NULL)
		err = uvcis_read(args->value[OPT_UVCI], &j->uvcis, why,
				 WHY_MAX);
	if (err == SG_OK && journal != NULL)
		err = beside_open(journal, &j->beside, why);
	if (err == SG_OK)
		err = batches_create(j->type, &j->batches);
	return err;
}

static int finish(const struct args *args, struct job *j)
{
	FILE *to = j->out != NULL ? stdout : stderr;
	int status;

	batches_seal(j->batches);
	status = j->out != NULL ? write_batches(j) : print_batches(j);
	if (status != EXIT_GOOD)
		return status;
	if (args->value[OPT_JSON] != NULL)
		summarise_json(j, to);
	else
		summarise_text(j, to);
	if (uvcis_missing(&j->uvcis) == 0)
		return EXIT_GOOD;
	(void)fprintf(stderr,
		      "signer-auditor: %zu of the UVCI hashes are of none of "
		      "these certificates\n",
		      uvcis_missing(&j->uvcis));
	return EXIT_REFUSED;
}

static int run(const struct args *args)
{
	struct job j = {0};
	char why[WHY_MAX] = "";
	enum sg_err err = read_options(args, &j, why);
	int status;

	if (err == SG_OK)
		err = walk_open(args, OPT_WALK, args->rest[0], &j.walk, why);
	if (err == SG_OK)
		err = walk(&j, why);
	status = err == SG_OK
			 ? finish(args, &j)
			 : walk_trouble(err,
					why[0] != '\0' ? why : err_text(err));
	walk_close(j.walk);
	batches_free(j.batches);
	beside_close(j.beside);
	uvcis_clear(&j.uvcis);
	uvcis_clear(&j.learnt);
	filter_clear(&j.filter);
	return status;
}

const struct command AUDIT_REVOCATIONS_COMMAND = {
	"revocations",
	"[OPTIONS] LOG",
	"make DCC revocation lists of a selection of certificates",
	"JSON batches as the EU's gateway takes them (unsigned), of at most "
	"1,000 hashes,\neach of one country and key.  Renewed certificates "
	"belong to it like others.\nEvery bundle of entries that is read is "
	"proven against the log's signed checkpoint,\nand every record of the "
	"journal is held against its entry.\n",
	OPTIONS,
	OPT_REVOCATIONS,
	run,
};
