/* SPDX-License-Identifier: Apache-2.0 */
#include "transliteration.h"

#include "hcert/utf8.h"
#include "pattern.h"

/* --- the tables ----------------------------------------------------------- */

/* A Latin letter's class: the capital that it becomes, or a small letter of
 * WAYS; UNKNOWN if no table has it. */
enum {
	UNKNOWN = '.',
	NOWHERE = '!' /* a letter in disguise: it becomes nothing at all */
};

/* U+00C0 to U+023F, 32 in a line: table 6.A, and what is made of a letter and
 * marks besides. */
static const char LATIN[] = "AAAAareCEEEEIIIIDnOOOOo.qUUUuYts"	/* 00C0 */
			    "AAAAareCEEEEIIIIDnOOOOo.qUUUuYtY"	/* 00E0 */
			    "AAAAAACCCCCCCCDDDDEEEEEEEEEEGGGG"	/* 0100 */
			    "GGGGHHHHIIIIIIIIIIiiJJKK.LLLLLLL"	/* 0120 */
			    "LLLNNNNNN.NNOOOOOOqqRRRRRRSSSSSS"	/* 0140 */
			    "SSTTTTTTUUUUUUUUUUUUWWYYYZZZZZZS"	/* 0160 */
			    ".........D......................"	/* 0180 */
			    "OO.............UU..............."	/* 01A0 */
			    ".............AAIIOOUUuuuuuuuu.aa"	/* 01C0 */
			    "AAee..GGKKOOOO..J...GG..NNrreeqq"	/* 01E0 */
			    "AAAAEEEEIIIIOOOORRRRUUUUSSTT..HH"	/* 0200 */
			    "......AAEEooOOOOOOYY............"; /* 0220 */
enum { LATIN_FIRST = 0x00C0 };

/* U+1E00 to U+1EFF: letters with marks; the Vietnamese ones from 1EA0 on. */
static const char LATIN_MORE[] = "AABBBBBBCCDDDDDDDDDDEEEEEEEEEEFF"  /* 1E00 */
				 "GGHHHHHHHHHHIIIIKKKKKKLLLLLLLLMM"  /* 1E20 */
				 "MMMMNNNNNNNNOOooOOOOPPPPRRRRRRRR"  /* 1E40 */
				 "SSSSSSSSSSTTTTTTTTUUUUUUUUuuVVVV"  /* 1E60 */
				 "WWWWWWWWWWXXXXYYZZZZZZHTWY.S..s."  /* 1E80 */
				 "AAAAAAAAAAAAAAAAAAAAAAAAEEEEEEEE"  /* 1EA0 */
				 "EEEEEEEEIIIIOOOOOOOOOOOOOOOOOOOO"  /* 1EC0 */
				 "OOOOUUUUUUUUUUUUUUYYYYYYYY......"; /* 1EE0 */
enum { LATIN_MORE_FIRST = 0x1E00 };

/* The ways to write a class, the recommended one first (table 6.A). */
static const char *latin_ways(char class)
{
	switch (class) {
	case 'a': return "AE|A";     /* A with diaeresis */
	case 'r': return "AA|A";     /* A with ring above */
	case 'e': return "AE";	     /* ligature AE */
	case 'n': return "N|NXX";    /* N with tilde */
	case 'o': return "OE|O";     /* O with diaeresis */
	case 'q': return "OE";	     /* O with stroke, ligature OE */
	case 'u': return "UE|UXX|U"; /* U with diaeresis */
	case 's': return "SS";	     /* sharp s */
	case 't': return "TH";	     /* thorn */
	default: return "IJ";	     /* ligature IJ */
	}
}

/* U+0400 to U+042F (table 6.B), in all languages that it names.  What it has
 * not: the hard and the soft sign in Bulgarian, and U+0403, for which it means
 * its U+0492; U+040B is the letter that it prints at U+0402. */
static const char *const CYRILLIC[] = {
	"E",	"E|IO",	    "D",    "G|GJ", "IE|YE", "DZ",   "I",     "I|YI",
	"J",	"LJ",	    "NJ",   "C|D",  "K|KJ",  "I|Y",  "U",     "DZ|DJ",
	"A",	"B",	    "V",    "G|H",  "D",     "E",    "ZH|Z",  "Z",
	"I|Y",	"I|Y",	    "K",    "L",    "M",     "N",    "O",     "P",
	"R",	"S",	    "T",    "U",    "F",     "KH|H", "TS|C",  "CH|C",
	"SH|S", "SHCH|SHT", "IE|A", "Y",    "|Y",    "E",    "IU|YU", "IA|YA",
};
enum {
	CYRILLIC_FIRST = 0x0400,
	CYRILLIC_SMALL = 0x0430,      /* of 0x0410 and on */
	CYRILLIC_SMALL_MORE = 0x0450, /* of 0x0400 and on */
	CYRILLIC_END = 0x0460
};

/* Letters whose mark makes another one of them: what is composed of both.  A
 * letter is its class, or its code point when it is Cyrillic. */
static const struct {
	uint16_t letter, mark, composed;
} COMPOSED[] = {
	{'A', 0x0308, 'a'},	  {'A', 0x030A, 'r'},
	{'N', 0x0303, 'n'},	  {'O', 0x0308, 'o'},
	{'U', 0x0308, 'u'},	  {0x0415, 0x0308, 0x0401},
	{0x0413, 0x0301, 0x0403}, {0x0406, 0x0308, 0x0407},
	{0x041A, 0x0301, 0x040C}, {0x0418, 0x0306, 0x0419},
	{0x0423, 0x0306, 0x040E},
};

/* --- characters ----------------------------------------------------------- */

enum character {
	LETTER,
	MARK,	   /* a combining one, of the letter before it */
	SEPARATOR, /* becomes '<' */
	COMMA,	   /* becomes '<' or nothing */
	DROPPED	   /* becomes nothing */
};

/* What C below U+0080 is; *LETTER as below. */
static enum character read_ascii(uint32_t c, uint16_t *letter)
{
	*letter = UNKNOWN;
	if ((c | 0x20U) >= 'a' && (c | 0x20U) <= 'z')
		*letter = (uint16_t)(c & ~0x20U);
	else if (c == ' ' || c == '-')
		return SEPARATOR;
	else if (c == ',')
		return COMMA;
	else if (c == '\'' || c == '`' || c == '.')
		return DROPPED;
	return LETTER;
}

/* The code point of the capital of C, from U+0400 on, if table 6.B has it. */
static uint16_t read_cyrillic(uint32_t c)
{
	if (c < CYRILLIC_SMALL)
		return (uint16_t)c;
	if (c < CYRILLIC_END)
		return (uint16_t)(c -
				  (c < CYRILLIC_SMALL_MORE ? 0x20U : 0x50U));
	switch (c & ~1U) { /* of a pair the capital is the even one */
	case 0x046A:
	case 0x0474:
	case 0x0490:
	case 0x0492:
	case 0x04BA: return (uint16_t)(c & ~1U);
	default: return UNKNOWN;
	}
}

static bool in_ranges(uint32_t c, const uint32_t (*range)[2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= range[i][0] && c <= range[i][1])
			return true;
	return false;
}

/* Latin letters for other ends than names, which read like the ones of names:
 * phonetic, styled, enclosed, wide. */
static bool is_disguised(uint32_t c)
{
	static const uint32_t range[][2] = {
		{0x0250, 0x02AF},   {0x1D00, 0x1DBF},	{0x2071, 0x209C},
		{0x2100, 0x214F},   {0x249C, 0x24E9},	{0x2C60, 0x2C7F},
		{0xA722, 0xA7FF},   {0xAB30, 0xAB6F},	{0xFB00, 0xFB06},
		{0xFF01, 0xFF5E},   {0x10780, 0x107BA}, {0x1D400, 0x1D7FF},
		{0x1DF00, 0x1DFFF}, {0x1F110, 0x1F1FF},
	};

	return in_ranges(c, range, sizeof(range) / sizeof(range[0]));
}

/* Combining marks beside U+0300 to U+036F. */
static bool is_more_marks(uint32_t c)
{
	static const uint32_t range[][2] = {
		{0x1AB0, 0x1AFF},
		{0x1DC0, 0x1DFF},
		{0x20D0, 0x20FF},
		{0xFE20, 0xFE2F},
	};

	return in_ranges(c, range, sizeof(range) / sizeof(range[0]));
}

/* What C from U+0080 on is that is no letter of a table. */
static enum character read_sign(uint32_t c, uint16_t *letter)
{
	switch (c) {
	case 0x00B4: /* acute accent, typed for an apostrophe */
	case 0x02BB: /* turned comma */
	case 0x02BC: /* apostrophe */
	case 0x2018:
	case 0x2019: /* single quotation marks */
	case 0x2032: /* prime */ return DROPPED;
	case 0x00A0: /* no-break space */
	case 0x202F: /* narrow no-break space */
	case 0x205F: /* mathematical space */
	case 0x2212: /* minus */
	case 0x3000: /* ideographic space */ return SEPARATOR;
	default:
		/* Spaces of all widths, and hyphens and dashes. */
		if ((c >= 0x2000 && c <= 0x200A) ||
		    (c >= 0x2010 && c <= 0x2015))
			return SEPARATOR;
		if (utf8_is_hidden(c))
			return DROPPED;
		if (is_more_marks(c))
			return MARK;
		*letter = is_disguised(c) ? NOWHERE : UNKNOWN;
		return LETTER;
	}
}

/* What C is; of a letter *LETTER: its class, its code point when it is
 * Cyrillic. */
static enum character read_character(uint32_t c, uint16_t *letter)
{
	if (c < 0x80)
		return read_ascii(c, letter);
	*letter = UNKNOWN;
	if (c >= 0x0300 && c < 0x0370)
		return MARK;
	if (c >= LATIN_FIRST && c - LATIN_FIRST < sizeof(LATIN) - 1)
		*letter = (uint8_t)LATIN[c - LATIN_FIRST];
	else if (c >= LATIN_MORE_FIRST &&
		 c - LATIN_MORE_FIRST < sizeof(LATIN_MORE) - 1)
		*letter = (uint8_t)LATIN_MORE[c - LATIN_MORE_FIRST];
	else if (c >= CYRILLIC_FIRST && c < 0x0500)
		*letter = read_cyrillic(c);
	else if (c == 0x212A) /* the Kelvin sign is a K, the next one an A */
		*letter = 'K';
	else if (c == 0x212B)
		*letter = 'r';
	else
		return read_sign(c, letter);
	return LETTER;
}

/* LETTER with MARK on it. */
static uint16_t compose(uint16_t letter, uint32_t mark)
{
	for (size_t i = 0; i < sizeof(COMPOSED) / sizeof(COMPOSED[0]); i++)
		if (COMPOSED[i].letter == letter && COMPOSED[i].mark == mark)
			return COMPOSED[i].composed;
	/* Of Cyrillic these make letters that are in no table. */
	if (letter >= CYRILLIC_FIRST &&
	    (mark == 0x0304 || mark == 0x0306 || mark == 0x0308 ||
	     mark == 0x030B || mark == 0x030F))
		return UNKNOWN;
	return letter;
}

/* --- matching ------------------------------------------------------------- */

/* Places in STANDARD, 0 to TRANSLITERATION_MAX: a bit each. */
struct places {
	uint64_t low, high;
};

enum { WORD = 64, FILLER = 26, SIGNS };

enum gap { NO_GAP, MAY_GAP, MUST_GAP };

struct match {
	size_t n;			/* characters of STANDARD */
	struct places where[SIGNS];	/* A to Z and '<' stand in it */
	struct places now;		/* where the name read may end */
	enum gap gap;			/* separators since the last letter */
	uint16_t letter;		/* read, but its marks are to come */
	bool pending, started, unknown; /* a letter; any; the last one */
	bool cut;			/* before a '<' that has no room */
};

static struct places none(void)
{
	return (struct places){0, 0};
}

static struct places all_of(struct places a, struct places b)
{
	return (struct places){a.low | b.low, a.high | b.high};
}

static bool is_empty(struct places s)
{
	return (s.low | s.high) == 0;
}

static bool has_place(struct places s, size_t i)
{
	return ((i < WORD ? s.low >> i : s.high >> (i - WORD)) & 1U) != 0;
}

static void add_place(struct places *s, size_t i)
{
	if (i < WORD)
		s->low |= (uint64_t)1 << i;
	else
		s->high |= (uint64_t)1 << (i - WORD);
}

/* S after one more SIGN.  What is beyond the last place is cut off. */
static struct places step(const struct match *m, struct places s, size_t sign)
{
	const uint64_t full = (uint64_t)1 << (TRANSLITERATION_MAX - WORD);
	const struct places hit = {s.low & m->where[sign].low,
				   s.high & m->where[sign].high};

	return (struct places){hit.low << 1, hit.high << 1 |
						     hit.low >> (WORD - 1) |
						     (s.high & full)};
}

/* A letter that may be written in WAYS, "AE|A". */
static void put_ways(struct match *m, const char *ways)
{
	struct places after = none();
	struct places way = m->now;

	for (; *ways != '\0'; ways++) {
		if (*ways == '|') {
			after = all_of(after, way);
			way = m->now;
		} else {
			way = step(m, way, (size_t)(*ways - 'A'));
		}
	}
	m->now = all_of(after, way);
}

/* Whatever a letter of no table becomes, it leaves behind what is before it. */
static void put_unknown(struct match *m)
{
	struct places *s = &m->now;

	if (s->low != 0) {
		/* From its lowest bit on. */
		s->low = ~((s->low & -s->low) - 1);
		s->high = ~(uint64_t)0;
	} else if (s->high != 0) {
		s->high = ~((s->high & -s->high) - 1);
	}
}

/* The separators before a letter: one '<' in all, none at the beginning. */
static void put_gap(struct match *m)
{
	const size_t last = TRANSLITERATION_MAX - 1;

	if (m->gap == NO_GAP)
		return;
	/* A '<' that would be the last of all may be left out as well. */
	if (m->n == last && has_place(m->now, last))
		m->cut = true;
	if (m->gap == MUST_GAP)
		m->now = step(m, m->now, FILLER);
	else
		m->now = all_of(m->now, step(m, m->now, FILLER));
}

/* The pending letter, now that its marks are known. */
static void put_letter(struct match *m)
{
	const uint16_t letter = m->letter;
	const bool unknown = letter == UNKNOWN;

	if (!m->pending)
		return;
	/* Next to a letter of no table separators belong to what it becomes. */
	if (m->started && !m->unknown && !unknown)
		put_gap(m);
	m->pending = false;
	m->started = true;
	m->unknown = unknown;
	m->gap = NO_GAP;
	if (unknown)
		put_unknown(m);
	else if (letter == NOWHERE)
		m->now = none();
	else if (letter >= 'A' && letter <= 'Z')
		m->now = step(m, m->now, (size_t)(letter - 'A'));
	else if (letter < CYRILLIC_FIRST)
		put_ways(m, latin_ways((char)letter));
	else if (letter < CYRILLIC_SMALL)
		put_ways(m, CYRILLIC[letter - CYRILLIC_FIRST]);
	else if (letter == 0x046A) /* big yus */
		put_ways(m, "U");
	else if (letter == 0x0474) /* izhitsa */
		put_ways(m, "Y");
	else if (letter == 0x04BA) /* shha */
		put_ways(m, "C");
	else if (letter == 0x0490) /* ghe with upturn */
		put_ways(m, "G");
	else /* ghe with stroke */
		put_ways(m, "G|GJ");
}

static void put_character(struct match *m, uint32_t c)
{
	uint16_t letter;
	const enum character what = read_character(c, &letter);

	if (what == MARK) {
		if (m->pending)
			m->letter = compose(m->letter, c);
		return;
	}
	put_letter(m);
	if (what == DROPPED)
		return;
	if (what == LETTER) {
		m->letter = letter;
		m->pending = true;
	} else if (what == SEPARATOR) {
		m->gap = MUST_GAP;
	} else if (m->gap == NO_GAP) {
		m->gap = MAY_GAP;
	}
}

/* Where which character is.  False if one is none of A to Z and '<'. */
static bool read_standard(struct match *m, struct span standard)
{
	for (size_t i = 0; i < standard.n; i++) {
		const uint8_t c = standard.p[i];

		if (c >= 'A' && c <= 'Z')
			add_place(&m->where[c - 'A'], i);
		else if (c == '<')
			add_place(&m->where[FILLER], i);
		else
			return false;
	}
	return true;
}

bool transliteration_matches(struct span name, struct span standard)
{
	struct match m = {.n = standard.n, .now = {.low = 1}};

	if (standard.n > TRANSLITERATION_MAX ||
	    pattern_longer(name, TRANSLITERATION_MAX) ||
	    !read_standard(&m, standard))
		return true;
	while (name.n > 0 && !is_empty(m.now))
		put_character(&m, utf8_next(&name));
	put_letter(&m);
	return m.cut || has_place(m.now, m.n);
}
