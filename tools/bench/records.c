/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/civil.h"
#include "flaws.h"
#include "policy/uvci.h"
#include "record_cbor.h"
#include "tools/common/times.h"

/* A name as written, and as ICAO 9303-3 s. 6 has it. */
struct name {
	const char *text;
	const char *plain;
};

static const struct name SURNAMES[] = {
	{"Nguyễn", "NGUYEN"}, {"Trần", "TRAN"},	  {"Lê", "LE"},
	{"Phạm", "PHAM"},     {"Hoàng", "HOANG"}, {"Huỳnh", "HUYNH"},
	{"Phan", "PHAN"},     {"Vũ", "VU"},	  {"Võ", "VO"},
	{"Đặng", "DANG"},     {"Bùi", "BUI"},	  {"Đỗ", "DO"},
	{"Hồ", "HO"},	      {"Ngô", "NGO"},	  {"Dương", "DUONG"},
	{"Lý", "LY"},	      {"Đinh", "DINH"},	  {"Trịnh", "TRINH"},
};

static const struct name MIDDLE[] = {
	{"Văn", "VAN"},	    {"Thị", "THI"},   {"Hữu", "HUU"},
	{"Đức", "DUC"},	    {"Minh", "MINH"}, {"Ngọc", "NGOC"},
	{"Thanh", "THANH"}, {"Quốc", "QUOC"}, {"Xuân", "XUAN"},
	{"Thu", "THU"},	    {"Bảo", "BAO"},   {"Gia", "GIA"},
};

static const struct name GIVEN[] = {
	{"An", "AN"},	    {"Bình", "BINH"},	  {"Châu", "CHAU"},
	{"Dũng", "DUNG"},   {"Đạt", "DAT"},	  {"Hà", "HA"},
	{"Hạnh", "HANH"},   {"Hiếu", "HIEU"},	  {"Hương", "HUONG"},
	{"Khánh", "KHANH"}, {"Lan", "LAN"},	  {"Linh", "LINH"},
	{"Mai", "MAI"},	    {"Nam", "NAM"},	  {"Phúc", "PHUC"},
	{"Quân", "QUAN"},   {"Sơn", "SON"},	  {"Thảo", "THAO"},
	{"Trang", "TRANG"}, {"Tuấn", "TUAN"},	  {"Vy", "VY"},
	{"Yến", "YEN"},	    {"Phương", "PHUONG"}, {"Thủy", "THUY"},
};

/* eHealth Network value sets 2.12.0, vaccine encoding instructions: triples
 * that belong together, of vaccines given in Viet Nam. */
struct vaccine {
	const char *mp, *ma, *vp;
	int doses;
};

static const struct vaccine VACCINES[] = {
	{"EU/1/20/1528", "ORG-100030215", "1119349007", 2},
	{"EU/1/20/1507", "ORG-100031184", "1119349007", 2},
	{"EU/1/21/1529", "ORG-100001699", "29061000087103", 2},
	{"EU/1/20/1525", "ORG-100001417", "29061000087103", 1},
	{"BBIBP-CorV", "ORG-100020693", "1157024006", 2},
	{"Sputnik-V", "Gamaleya-Research-Institute", "29061000087103", 2},
	{"Abdala", "CIGB", "28531000087107", 3},
};

static const char *const CENTRES[] = {
	"Trung tâm Kiểm soát bệnh tật Hà Nội",
	"Trung tâm Kiểm soát bệnh tật Đà Nẵng",
	"Viện Pasteur Thành phố Hồ Chí Minh",
	"Bệnh viện Trung ương Huế",
	"Bệnh viện Đa khoa Cần Thơ",
};

#define PICK(state, table)                                                     \
	(&(table)[below(state, sizeof(table) / sizeof((table)[0]))])

enum { DAY_S = 86400 };

/* splitmix64: enough for test data, and the same everywhere. */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static size_t below(uint64_t *state, size_t n)
{
	return (size_t)(next(state) % n);
}

void records_uvci(uint64_t run, uint64_t counter, char out[RECORDS_UVCI])
{
	static const char prefix[] = "URN:UVCI:01:VN:";
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
	enum {
		PREFIX = sizeof(prefix) - 1,
		RUN = 8,
		DIGITS = 10,
		HASH = PREFIX + RUN + DIGITS
	};

	_Static_assert(HASH + 2 == RECORDS_UVCI, "the parts fill it");
	memcpy(out, prefix, PREFIX);
	for (size_t i = 0; i < RUN; i++) {
		out[PREFIX + i] = letters[run & 31];
		run >>= 5;
	}
	for (size_t i = DIGITS; i > 0; i--) {
		out[PREFIX + RUN + i - 1] = (char)('0' + counter % 10);
		counter /= 10;
	}
	out[HASH] = '#';
	out[HASH + 1] = uvci_checksum(span_of(out, HASH));
}

static void date(int64_t days, char out[11])
{
	const struct civil c = civil_of(days);

	(void)snprintf(out, 11, "%04u-%02u-%02u", (unsigned)c.year % 10000,
		       (unsigned)c.month % 100, (unsigned)c.day % 100);
}

/* One entry of the kind; the UVCI's place is filled with '@'. */
static void entry(uint64_t *state, char kind, int64_t today, char *out,
		  size_t cap)
{
	static const char tail[] =
		"\"co\":\"VN\",\"is\":\"Bộ Y tế\","
		"\"ci\":\"@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\"";
	char from[11];
	char on[11];
	char until[11];

	if (kind == 'v') {
		const struct vaccine *v = PICK(state, VACCINES);

		date(today - 3 - (int64_t)below(state, 300), on);
		(void)snprintf(out, cap,
			       "{\"tg\":\"840539006\",\"vp\":\"%s\","
			       "\"mp\":\"%s\",\"ma\":\"%s\",\"dn\":%d,"
			       "\"sd\":%d,\"dt\":\"%s\",%s}",
			       v->vp, v->mp, v->ma,
			       1 + (int)below(state, (size_t)v->doses),
			       v->doses, on, tail);
	} else if (kind == 't') {
		date(today - 1 - (int64_t)below(state, 2), on);
		(void)snprintf(out, cap,
			       "{\"tg\":\"840539006\",\"tt\":\"LP6464-4\","
			       "\"nm\":\"Realtime RT-PCR\","
			       "\"sc\":\"%sT%02d:%02d:00+07:00\","
			       "\"tr\":\"260415000\",\"tc\":\"%s\",%s}",
			       on, 7 + (int)below(state, 10),
			       (int)below(state, 60), *PICK(state, CENTRES),
			       tail);
	} else {
		const int64_t first = today - 12 - (int64_t)below(state, 150);

		date(first, on);
		date(first + 11, from);
		date(first + 180, until);
		(void)snprintf(out, cap,
			       "{\"tg\":\"840539006\",\"fr\":\"%s\","
			       "\"df\":\"%s\",\"du\":\"%s\",%s}",
			       on, from, until, tail);
	}
}

static void make(uint64_t *state, char kind, int64_t today, struct record *r)
{
	const struct name *surname = PICK(state, SURNAMES);
	const struct name *middle = PICK(state, MIDDLE);
	const struct name *given = PICK(state, GIVEN);
	char inside[RECORDS_BODY_MAX / 2 + 1];
	char born[11];
	int n;

	/* Between 18 and 88 years ago. */
	date(today - 6600 - (int64_t)below(state, 25500), born);
	entry(state, kind, today, inside, sizeof(inside));
	n = snprintf(r->body, sizeof(r->body),
		     "{\"dcc\":{\"ver\":\"1.3.3\",\"nam\":{\"fn\":\"%s\","
		     "\"fnt\":\"%s\",\"gn\":\"%s %s\",\"gnt\":\"%s<%s\"},"
		     "\"dob\":\"%s\",\"%c\":[%s]}}",
		     surname->text, surname->plain, middle->text, given->text,
		     middle->plain, given->plain, born, kind, inside);
	assert(n > 0 && (size_t)n < sizeof(r->body));
	r->n = (size_t)n;
	r->flaw = NULL;
}

enum sg_err records_begin(struct records_source *s,
			  const struct records_settings *settings)
{
	const size_t nkinds = strlen(settings->kinds);

	if (nkinds == 0 || nkinds > 3 ||
	    strspn(settings->kinds, "vtr") != nkinds ||
	    settings->flawed > settings->n)
		return SG_CONFIG;
	*s = (struct records_source){.settings = *settings,
				     .state = settings->seed};
	date(settings->now / DAY_S, s->today);
	return SG_OK;
}

/* One that fits the kind; flaws that fit one kind only come as often. */
static const struct flaw *choose(struct records_source *s, char kind)
{
	const struct flaw *found = NULL;
	size_t seen = 0;

	for (size_t i = 0; flaw_at(i) != NULL; i++) {
		const struct flaw *f = flaw_at(i);

		if (strchr(f->kinds, kind) == NULL ||
		    (s->settings.plain && !f->plain))
			continue;
		/* The last of N is kept by one in N. */
		if (below(&s->state, ++seen) == 0)
			found = f;
	}
	return found;
}

void records_next(struct records_source *s, struct record *r)
{
	/* Of twelve certificates ten vaccinations, one test, one recovery. */
	static const char mix[] = "vvvvvtvvvvvr";
	const struct records_settings *set = &s->settings;
	char kind = mix[s->made % (sizeof(mix) - 1)];
	enum sg_err err = SG_OK;

	if (strchr(set->kinds, kind) == NULL)
		kind = set->kinds[s->made % strlen(set->kinds)];
	make(&s->state, kind, set->now / DAY_S, r);
	/* As many as are still wanted of as many as still come. */
	if (s->made < set->n &&
	    below(&s->state, set->n - s->made) < set->flawed - s->flawed) {
		err = flaw_apply(choose(s, kind), s->today, r);
		s->flawed++;
	}
	s->made++;
	if (err == SG_OK && set->form == RECORDS_CBOR)
		err = record_to_cbor(r);
	assert(err == SG_OK); /* the tables are ours */
	(void)snprintf(r->length, sizeof(r->length), "%zu", r->n);
	r->uvci_at = (size_t)((char *)memchr(r->body, '@', r->n) - r->body);
}

enum sg_err records_make(const struct records_settings *settings,
			 struct records *out)
{
	struct records_source source;
	enum sg_err err = records_begin(&source, settings);

	if (err != SG_OK)
		return err;
	out->n = (size_t)settings->n;
	out->record = calloc(out->n, sizeof(out->record[0]));
	if (out->record == NULL)
		return SG_NO_MEMORY;
	for (size_t i = 0; i < out->n; i++)
		records_next(&source, &out->record[i]);
	return SG_OK;
}

void record_put_uvci(const struct record *r, uint64_t run, uint64_t counter,
		     char *body)
{
	records_uvci(run, counter, body + r->uvci_at);
	if (r->flaw != NULL && r->flaw->uvci != NULL)
		r->flaw->uvci(body + r->uvci_at);
}

void records_free(struct records *r)
{
	free(r->record);
	*r = (struct records){0};
}
