/* SPDX-License-Identifier: Apache-2.0 */
#include "flaws.h"
#include "policy/uvci.h"

#include <stdio.h>

enum { UVCI_HASH = RECORDS_UVCI - 2, UVCI_COUNTRY = 12 /* offsets */ };

static void wrong_check(char uvci[RECORDS_UVCI])
{
	char *check = &uvci[RECORDS_UVCI - 1];

	*check = *check == 'A' ? 'B' : 'A';
}

static void lower_case(char uvci[RECORDS_UVCI])
{
	for (size_t i = 0; i < RECORDS_UVCI; i++)
		if (uvci[i] >= 'A' && uvci[i] <= 'Z')
			uvci[i] = (char)(uvci[i] - 'A' + 'a');
}

static void foreign(char uvci[RECORDS_UVCI])
{
	uvci[UVCI_COUNTRY] = 'L';
	uvci[UVCI_COUNTRY + 1] = 'A';
	uvci[RECORDS_UVCI - 1] = uvci_checksum(span_of(uvci, UVCI_HASH));
}

/* Another entry, as of a person's first dose. */
#define OTHER_ENTRY                                                            \
	"{\"tg\":\"840539006\",\"vp\":\"1119349007\","                         \
	"\"mp\":\"EU/1/20/1528\",\"ma\":\"ORG-100030215\",\"dn\":1,\"sd\":2,"  \
	"\"dt\":\"2021-08-02\",\"co\":\"VN\",\"is\":\"Bộ Y tế\","          \
	"\"ci\":\"URN:UVCI:01:VN:FIRSTDOSE0000000001\"}"
/* More than 80 characters. */
#define LONG_NAME                                                                                   \
	"Trung tâm Kiểm soát bệnh tật, Sở Y tế, Ủy ban nhân dân Thành phố Hồ " \
	"Chí Minh, Việt Nam"

/* clang-format off */
static const struct flaw FLAWS[] = {
	{"null", "wrong-type", "vtr", true, "is", "null", NULL},
	{"dose-fraction", "wrong-type", "v", true, "dn", "2.5", NULL},
	{"dose-text", "wrong-type", "v", true, "sd", "\"&\"", NULL},
	{"dose-zero", "out-of-range", "v", true, "dn", "0", NULL},
	{"no-maker", "missing-field", "v", true, "ma", NULL, NULL},
	{"no-disease", "missing-field", "vtr", true, "tg", NULL, NULL},
	{"name-lower-case", "bad-format", "vtr", true, "fnt", "\"Nguyen\"", NULL},
	{"name-special", "bad-format", "vtr", true, "gnt", "\"~'\"", NULL},
	{"name-missing", "name-missing", "vtr", true, "nam",
	 "{\"fn\":\"Nguyễn\",\"gn\":\"Văn An\"}", NULL},
	{"birth-order", "bad-format", "vtr", true, "dob", "\"12/03/1984\"", NULL},
	{"country-lower-case", "bad-format", "vtr", true, "co", "\"vn\"", NULL},
	{"country-other", "country-not-allowed", "vtr", true, "co", "\"LA\"", NULL},
	{"issuer-other", "issuer-not-allowed", "vtr", true, "is", "\"BYT\"", NULL},
	{"issuer-long", "too-long", "vtr", true, "is", "\"" LONG_NAME "\"", NULL},
	{"entries", "entry-count", "v", true, "v", "[~," OTHER_ENTRY "]", NULL},
	{"extra", "unknown-field", "vtr", true, "tg", "&,\"lot\":\"FF2834\"", NULL},
	{"expired", "validity-in-past", "vtr", true, "dcc", "&,\"exp\":1600000000", NULL},
	{"too-long-valid", "validity-too-long", "vtr", true, "dcc", "&,\"exp\":4102444800", NULL},
	{"uvci-other", "uvci-not-allowed", "vtr", true, NULL, NULL, foreign},
	{"uvci-lower-case", "uvci-not-allowed", "vtr", true, NULL, NULL, lower_case},

	{"uvci-check", "uvci-checksum", "vtr", false, NULL, NULL, wrong_check},
	{"untrimmed", "untrimmed", "vtr", false, "fn", "\"~ \"", NULL},
	{"name-other", "name-transliteration", "vtr", false, "fnt", "\"PHAM<THI\"", NULL},
	{"date-impossible", "date-impossible", "v", false, "dt", "\"2021-02-30\"", NULL},
	{"date-order", "bad-format", "v", false, "dt", "\"12/09/2021\"", NULL},
	{"date-future", "date-in-future", "v", false, "dt", "\"2099-01-31\"", NULL},
	{"birth-late", "birth-after-event", "vtr", false, "dob", "\"^\"", NULL},
	{"dose-beyond", "dose-exceeds-series", "v", false, "dn", "9", NULL},
	{"product-unknown", "not-in-value-set", "v", false, "mp", "\"EU/1/20/9999\"", NULL},
	{"product-mixed", "inconsistent-vaccine", "v", false, "ma", "\"ORG-100013793\"", NULL},
	{"result-unknown", "not-in-value-set", "t", false, "tr", "\"negative\"", NULL},
};
/* clang-format on */

const struct flaw *flaw_at(size_t i)
{
	return i < sizeof(FLAWS) / sizeof(FLAWS[0]) ? &FLAWS[i] : NULL;
}

/* The length of the JSON value at the beginning of TEXT, which the generator
 * wrote: no escapes in it. */
static size_t value_length(struct span text)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.n; i++) {
		const char c = (char)text.p[i];

		if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']' || c == ',') &&
			 depth == 0)
			return i;
		else if (!quoted && (c == '}' || c == ']'))
			depth--;
		if (!quoted && depth == 0 && (c == '"' || c == '}' || c == ']'))
			return i + 1;
	}
	return text.n;
}

struct splice {
	char text[RECORDS_BODY_MAX];
	size_t n;
	bool overflow;
};

static void add(struct splice *s, const void *p, size_t n)
{
	if (n > sizeof(s->text) - s->n) {
		s->overflow = true;
		return;
	}
	memcpy(s->text + s->n, p, n);
	s->n += n;
}

static void add_value(struct splice *s, const char *value, struct span old,
		      const char *today)
{
	for (const char *c = value; *c != '\0'; c++) {
		if (*c == '&')
			add(s, old.p, old.n);
		else if (*c == '~')
			add(s, old.p + 1, old.n - 2);
		else if (*c == '^')
			add(s, today, strlen(today));
		else
			add(s, c, 1);
	}
}

/* Replace or remove F's member. */
static enum sg_err edit(const struct flaw *f, const char *today,
			struct record *r)
{
	struct splice s = {.n = 0};
	char label[16];
	const int label_n =
		snprintf(label, sizeof(label), "\"%s\":", f->member);
	const char *at = memmem(r->body, r->n, label, (size_t)label_n);
	struct span old;
	const char *rest;

	if (at == NULL)
		return SG_NOT_FOUND;
	rest = at + label_n;
	old = span_of(rest, r->n - (size_t)(rest - r->body));
	old.n = value_length(old);
	rest += old.n;
	if (f->value != NULL)
		at += label_n;
	else if (*rest == ',')
		rest++;
	else
		at--; /* the comma before it */
	add(&s, r->body, (size_t)(at - r->body));
	if (f->value != NULL)
		add_value(&s, f->value, old, today);
	add(&s, rest, r->n - (size_t)(rest - r->body));
	if (s.overflow)
		return SG_TOO_BIG;
	memcpy(r->body, s.text, s.n);
	r->n = s.n;
	return SG_OK;
}

enum sg_err flaw_apply(const struct flaw *f, const char *today,
		       struct record *r)
{
	r->flaw = f;
	return f->member != NULL ? edit(f, today, r) : SG_OK;
}
