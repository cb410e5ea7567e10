/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>

#include "command_fixture.h"
#include "log_fixture.h"

extern const struct command AUDIT_REVOCATIONS_COMMAND;

enum {
	ENTRIES = 40000,
	EVERY = 5,	/* of them one is the fraudulent client's */
	WINDOW = 25000, /* entries long: 5,000 are to be found */
	FIRST = 9000,
	HASH = 16
};
static const int64_t START_MS = 1790000000000;

/* --- a log, and what is to be found in it --------------------------------- */

struct wanted {
	uint8_t signature[HASH], uci[HASH], country_uci[HASH];
	const char *country;
	uint8_t kid;
};
static struct wanted wanted[ENTRIES];
static size_t nwanted;

/* The hashes, from the certificate itself. */
static void want(const struct log_certificate *c, size_t index)
{
	struct wanted *w = &wanted[nwanted++];
	uint8_t signature[64];
	uint8_t digest[32];
	char text[128];
	const int n = snprintf(text, sizeof(text), "%s%s", c->country, c->uvci);

	log_signature(index, signature);
	(void)SHA256(signature, c->alg == COSE_ES256 ? 32 : 64, digest);
	memcpy(w->signature, digest, HASH);
	(void)SHA256((const uint8_t *)c->uvci, strlen(c->uvci), digest);
	memcpy(w->uci, digest, HASH);
	(void)SHA256((const uint8_t *)text, (size_t)n, digest);
	memcpy(w->country_uci, digest, HASH);
	w->country = c->country;
	w->kid = c->kid;
}

/* Of the fraud's certificates every tenth is a renewal of the one before it;
 * they are by two keys, and of two countries. */
static void make(void)
{
	char uvci[64];
	char last[64] = "";

	nwanted = 0;
	for (size_t i = 0; i < ENTRIES; i++) {
		const bool fraud = i % EVERY == 0;
		const bool renewal = fraud && i % (EVERY * 10) == 0 && i > 0;
		const bool inside = i >= FIRST && i < FIRST + WINDOW;
		struct log_certificate c = {
			.type = renewal ? ENTRY_RENEWED : ENTRY_ISSUED,
			.time_ms = START_MS + (int64_t)i * 1000,
			.client = fraud ? "pharmacy" : "ministry",
			.kid = i % 2 == 0 ? 0x11 : 0x22,
			.alg = i % 2 == 0 ? COSE_ES256 : COSE_PS256,
			.kind = (enum dcc_kind)(i % 3),
			.country = i % 7 == 0 ? "LA" : "VN",
			.uvci = renewal ? last : uvci,
			.exp = START_MS / 1000 + 31536000 + (int64_t)i,
		};

		(void)snprintf(uvci, sizeof(uvci), "URN:UVCI:01:VN:%zu", i);
		log_certificate(&c);
		if (fraud && inside)
			want(&c, i);
		if (fraud)
			(void)snprintf(last, sizeof(last), "%s", c.uvci);
	}
	log_publish();
}

static int setup(void **state)
{
	if (log_setup(state) != 0)
		return 1;
	make();
	return 0;
}

/* --- what came out -------------------------------------------------------- */

struct found {
	char country[3];
	uint8_t kid;
	uint8_t hash[HASH];
};
static struct found found[ENTRIES];
static size_t nfound;

static void take_batch(const json_t *batch, const char *type)
{
	const char *country =
		json_string_value(json_object_get(batch, "country"));
	const char *kid = json_string_value(json_object_get(batch, "kid"));
	const json_t *entries = json_object_get(batch, "entries");
	uint8_t bytes[32];
	const json_t *entry;
	size_t i;
	size_t n;

	assert_string_equal(
		json_string_value(json_object_get(batch, "hashType")), type);
	assert_true(json_array_size(entries) >= 1);
	assert_true(json_array_size(entries) <= 1000);
	assert_true(base64_decode(span_str(kid), bytes, &n));
	assert_int_equal(n, 8);
	json_array_foreach(entries, i, entry)
	{
		struct found *f = &found[nfound++];
		const char *hash =
			json_string_value(json_object_get(entry, "hash"));

		f->kid = bytes[0];
		(void)snprintf(f->country, sizeof(f->country), "%s", country);
		assert_int_equal(strlen(hash), 24);
	}
	nfound -= json_array_size(entries);
	json_array_foreach(entries, i, entry)
	{
		assert_true(
			base64_decode(span_str(json_string_value(
					      json_object_get(entry, "hash"))),
				      bytes, &n));
		assert_int_equal(n, HASH);
		memcpy(found[nfound++].hash, bytes, HASH);
	}
}

static void take_all(const char *text, const char *type)
{
	json_t *all = json_loads(text, 0, NULL);
	const json_t *batch;
	size_t i;

	assert_true(json_is_array(all));
	nfound = 0;
	json_array_foreach(all, i, batch) take_batch(batch, type);
	json_decref(all);
}

static int compare(const void *pa, const void *pb)
{
	const struct found *a = pa;
	const struct found *b = pb;
	const int by_country = strcmp(a->country, b->country);

	if (by_country != 0)
		return by_country;
	if (a->kid != b->kid)
		return a->kid < b->kid ? -1 : 1;
	return memcmp(a->hash, b->hash, HASH);
}

static size_t sort_unique(struct found *f, size_t n)
{
	size_t at = 0;

	qsort(f, n, sizeof(*f), compare);
	for (size_t i = 1; i < n; i++)
		if (compare(&f[at], &f[i]) != 0)
			f[++at] = f[i];
	return n == 0 ? 0 : at + 1;
}

/* FOUND are exactly the hashes at OFFSET of all that are wanted. */
static void compare_all(size_t offset, const char *country)
{
	static struct found want_sorted[ENTRIES];
	size_t n = 0;

	for (size_t i = 0; i < nwanted; i++) {
		const struct wanted *w = &wanted[i];

		(void)snprintf(want_sorted[n].country, 3, "%s",
			       country != NULL ? country : w->country);
		want_sorted[n].kid = w->kid;
		memcpy(want_sorted[n++].hash, (const uint8_t *)w + offset,
		       HASH);
	}
	n = sort_unique(want_sorted, n);
	assert_int_equal(nfound, n);
	assert_int_equal(sort_unique(found, nfound), n); /* each once */
	for (size_t i = 0; i < n; i++)
		assert_int_equal(compare(&found[i], &want_sorted[i]), 0);
}

#define SELECTION                                                              \
	log_dir, "--quiet", "--vkey", log_vkey, "--client", "pharmacy",        \
		"--from", "1790009000", "--to", "1790034000"

/* The drill: a client went bad between two times. */
static void test_drill(void **state)
{
	char *out;

	(void)state;
	assert_int_equal(nwanted, WINDOW / EVERY);
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, &out, SELECTION,
				 "--country", "VN"),
			 EXIT_GOOD);
	take_all(out, "SIGNATURE");
	free(out);
	assert_int_equal(nfound, WINDOW / EVERY);
	compare_all(offsetof(struct wanted, signature), "VN");

	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, &out, SELECTION,
				 "--journal", log_journal),
			 EXIT_GOOD);
	take_all(out, "SIGNATURE");
	free(out);
	compare_all(offsetof(struct wanted, signature), NULL);

	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, &out, SELECTION,
				 "--journal", log_journal, "--hash-type",
				 "UCI"),
			 EXIT_GOOD);
	take_all(out, "UCI");
	free(out);
	compare_all(offsetof(struct wanted, uci), NULL);

	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, &out, SELECTION,
				 "--journal", log_journal, "--hash-type",
				 "COUNTRYCODEUCI"),
			 EXIT_GOOD);
	take_all(out, "COUNTRYCODEUCI");
	free(out);
	compare_all(offsetof(struct wanted, country_uci), NULL);
}

static void test_files(void **state)
{
	char dir[128];
	char path[512];
	char *out;
	json_t *summary;
	const struct dirent *e;
	DIR *d;
	size_t files = 0;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/batches", log_base);
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, &out, SELECTION,
				 "--journal", log_journal, "--out", dir,
				 "--json"),
			 EXIT_GOOD);
	summary = json_loads(out, 0, NULL);
	free(out);
	assert_int_equal(
		json_integer_value(json_object_get(summary, "certificates")),
		WINDOW / EVERY);
	assert_int_equal(json_array_size(json_object_get(summary, "keys")), 4);
	nfound = 0;
	d = opendir(dir);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		json_t *batch;

		if (e->d_name[0] == '.')
			continue;
		files++;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		batch = json_load_file(path, 0, NULL);
		assert_non_null(batch);
		take_batch(batch, "SIGNATURE");
		json_decref(batch);
	}
	(void)closedir(d);
	assert_int_equal(
		json_integer_value(json_object_get(summary, "batches")), files);
	json_decref(summary);
	compare_all(offsetof(struct wanted, signature), NULL);
	/* What was written is not replaced. */
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, NULL, SELECTION,
				 "--journal", log_journal, "--out", dir),
			 EXIT_TROUBLE);
	(void)strcat(dir, "-one"); /* which is not several */
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, &out, log_dir,
				 "--journal", log_journal, "--index", "45..45",
				 "--out", dir),
			 EXIT_GOOD);
	assert_non_null(strstr(out, "1 hash, 1 batch, the last runs"));
	free(out);
}

/* One UVCI by its hash: the certificate and its renewals. */
static void test_uvci(void **state)
{
	static const char UVCI[] = "URN:UVCI:01:VN:45"; /* renewed as 50 */
	uint8_t digest[32];
	char base64[64];
	char *out;

	(void)state;
	(void)SHA256((const uint8_t *)UVCI, strlen(UVCI), digest);
	base64[base64_encode(span_of(digest, 32), BASE64_STANDARD, base64)] =
		'\0';
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, &out, log_dir,
				 "--quiet", "--journal", log_journal,
				 "--uvci-hash", base64),
			 EXIT_GOOD);
	take_all(out, "SIGNATURE");
	free(out);
	assert_int_equal(nfound, 2);
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, &out, log_dir,
				 "--quiet", "--journal", log_journal, "--index",
				 "0..100", "--uvci-hash",
				 "00000000000000000000000000000000"),
			 EXIT_REFUSED);
	take_all(out, "SIGNATURE");
	free(out);
	assert_int_equal(nfound, 0);
}

/* A renewal made long after the period that is looked at, or before it. */
static void test_renewals(void **state)
{
	char *out;

	(void)state;
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, &out, log_dir,
				 "--quiet", "--journal", log_journal, "--index",
				 "40..49", "--client", "pharmacy"),
			 EXIT_GOOD);
	take_all(out, "SIGNATURE");
	free(out);
	assert_int_equal(nfound, 2); /* 40, 45 */
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, &out, log_dir,
				 "--quiet", "--journal", log_journal, "--index",
				 "40..49", "--client", "pharmacy",
				 "--renewals"),
			 EXIT_GOOD);
	take_all(out, "SIGNATURE");
	free(out);
	assert_int_equal(nfound, 3); /* 50 renews 45 */
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, &out, log_dir,
				 "--quiet", "--journal", log_journal, "--index",
				 "50", "--renewals", "--hash-type", "UCI"),
			 EXIT_GOOD);
	take_all(out, "UCI");
	free(out);
	assert_int_equal(nfound, 2); /* the same hash, by each key */
	assert_memory_equal(found[0].hash, found[1].hash, HASH);
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, &out, log_dir,
				 "--quiet", "--journal", log_journal,
				 "--client", "nobody", "--renewals"),
			 EXIT_GOOD);
	take_all(out, "SIGNATURE");
	free(out);
	assert_int_equal(nfound, 0);
}

static void test_country(void **state)
{
	char *out;

	(void)state;
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, &out, log_dir,
				 "--quiet", "--journal", log_journal,
				 "--country", "LA", "--index", "0..699"),
			 EXIT_GOOD);
	take_all(out, "SIGNATURE");
	free(out);
	assert_int_equal(nfound, 100);
	for (size_t i = 0; i < nfound; i++)
		assert_string_equal(found[i].country, "LA");
}

static void test_usage(void **state)
{
	(void)state;
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, NULL, log_dir),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, NULL, log_dir,
				 "--country", "VN", "--hash-type", "UCI"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, NULL, log_dir,
				 "--country", "vn"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, NULL, log_dir,
				 "--country", "VN", "--uvci-hash",
				 "00000000000000000000000000000000"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, NULL, log_dir,
				 "--country", "VN", "--hash-type", "MD5"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, NULL, log_dir,
				 "--journal", "/nowhere/at/all"),
			 EXIT_TROUBLE);
}

/* A byte of the journal at AT, from its end, is another. */
static void flip(off_t at)
{
	char name[SEGMENT_NAME_SIZE];
	char path[128];
	uint8_t b;
	int fd;

	segment_name(0, name);
	(void)snprintf(path, sizeof(path), "%s/%s", log_journal, name);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	at = lseek(fd, 0, SEEK_END) - at;
	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= 1;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	(void)close(fd);
}

static void test_damaged_journal(void **state)
{
	(void)state;
	flip(200);
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, NULL, log_dir,
				 "--quiet", "--journal", log_journal),
			 EXIT_REFUSED);
	flip(200);
}

/* A journal that is whole, but of other entries. */
static void test_other_journal(void **state)
{
	char name[SEGMENT_NAME_SIZE];
	char path[160];
	char other[96];
	const struct segment_head head = {.origin = SPAN_LIT(LOG_ORIGIN),
					  .newest_s = INT64_MIN};
	static uint8_t bytes[RECORD_BYTES_MAX];
	uint8_t signature[64];
	struct record r = {
		.country = SPAN_LIT("VN"),
		.uci = bytes,
		.country_uci = bytes,
		.payload = bytes,
		.signature = span_of(signature, sizeof(signature)),
	};
	size_t n;
	FILE *f;

	(void)state;
	segment_name(0, name);
	(void)snprintf(other, sizeof(other), "%s/other", log_base);
	assert_int_equal(mkdir(other, 0700), 0);
	for (int wrong = 0; wrong < 3; wrong++) {
		/* 0: all is right; 1: another entry; 2: another signature */
		const size_t e = wrong == 1 ? 5 : 0;

		(void)snprintf(path, sizeof(path), "%s/%s", other, name);
		f = fopen(path, "wb");
		assert_non_null(f);
		assert_int_equal(segment_head_encode(&head, bytes, &n), SG_OK);
		assert_int_equal(fwrite(bytes, 1, n, f), n);
		log_signature(wrong == 2 ? 5 : 0, signature);
		r.entry = span_of(log_entries[e].b, log_entries[e].n);
		assert_int_equal(record_encode(&r, bytes, sizeof(bytes), &n),
				 SG_OK);
		assert_int_equal(fwrite(bytes, 1, n, f), n);
		assert_int_equal(fclose(f), 0);
		assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, NULL,
					 log_dir, "--quiet", "--journal", other,
					 "--index", "0"),
				 wrong == 0 ? EXIT_GOOD : EXIT_REFUSED);
	}
	/* It ends too early. */
	assert_int_equal(COMMAND(&AUDIT_REVOCATIONS_COMMAND, NULL, log_dir,
				 "--quiet", "--journal", other, "--index", "1"),
			 EXIT_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drill),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_uvci),
		cmocka_unit_test(test_renewals),
		cmocka_unit_test(test_country),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_damaged_journal),
		cmocka_unit_test(test_other_journal),
	};
	return cmocka_run_group_tests(tests, setup, log_teardown);
}
