/* SPDX-License-Identifier: Apache-2.0 */
#include "uvci.h"

#include "place.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:";
static const char PREFIX[] = "URN:UVCI:01:";

enum {
	BASE = sizeof(ALPHABET) - 1,
	PREFIX_CHARS = sizeof(PREFIX) - 1,
	COUNTRY_CHARS = 2,
	DIGIT_NONE = -1
};

/* The place of C in ALPHABET. */
static int digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '0' && c <= '9')
		return 26 + (c - '0');
	if (c == '/')
		return 36;
	return c == ':' ? 37 : DIGIT_NONE;
}

static bool all_digits(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (digit(text.p[i]) == DIGIT_NONE)
			return false;
	return true;
}

bool uvci_parse(struct span text, bool *checked)
{
	const size_t head = PREFIX_CHARS + COUNTRY_CHARS + 1;
	size_t n = text.n;

	*checked = n >= 2 && text.p[n - 2] == '#';
	if (*checked && digit(text.p[n - 1]) == DIGIT_NONE)
		return false;
	if (*checked)
		n -= 2;
	if (n <= head || memcmp(text.p, PREFIX, PREFIX_CHARS) != 0 ||
	    text.p[head - 1] != ':')
		return false;
	for (size_t i = PREFIX_CHARS; i < head - 1; i++)
		if (text.p[i] < 'A' || text.p[i] > 'Z')
			return false;
	return all_digits(span_of(text.p + head, n - head));
}

char uvci_checksum(struct span text)
{
	int factor = 2; /* of the last character, before the checksum's 1 */
	int sum = 0;

	for (size_t i = text.n; i > 0; i--) {
		const int value = digit(text.p[i - 1]);

		if (value == DIGIT_NONE)
			return 0;
		sum = (sum + value * factor / BASE + value * factor % BASE) %
		      BASE;
		factor = 3 - factor;
	}
	return ALPHABET[(BASE - sum) % BASE];
}

void uvci_judge(const struct rule_context *x, struct verdict *v)
{
	const struct document *d = x->document;
	struct span ci;
	bool checked;

	if (!d->has_kind || !d->present[DOC_CI])
		return;
	ci = d->text[DOC_CI];
	if (!uvci_parse(ci, &checked)) {
		place_report(x, v, VIOLATION_UVCI_FORMAT, DOC_CI);
		return;
	}
	if (d->present[DOC_CO] &&
	    !span_eq(span_of(ci.p + PREFIX_CHARS, COUNTRY_CHARS),
		     d->text[DOC_CO]))
		place_report(x, v, VIOLATION_UVCI_COUNTRY, DOC_CI);
	if (checked &&
	    (char)ci.p[ci.n - 1] != uvci_checksum(span_of(ci.p, ci.n - 2)))
		place_report(x, v, VIOLATION_UVCI_CHECKSUM, DOC_CI);
}
