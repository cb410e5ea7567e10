/* SPDX-License-Identifier: Apache-2.0 */
#include "literal.h"

#include <string.h>

#include "base/hex.h"

enum { DNS_NAME_MAX = 253 }; /* RFC 1035 s. 2.3.4, in text */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool literal_is_name(const char *text)
{
	size_t n = 0;

	for (; text[n] != '\0'; n++) {
		const char c = text[n];

		if (!is_digit(c) && (c < 'a' || c > 'z') &&
		    (c < 'A' || c > 'Z') && strchr("._-", c) == NULL)
			return false;
	}
	return n > 0 && n <= LITERAL_NAME_MAX;
}

int64_t literal_duration_s(const char *text)
{
	static const struct {
		char letter;
		int64_t seconds;
	} unit[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	const int64_t max = (int64_t)LITERAL_DAYS_MAX * 86400;
	int64_t value = 0;

	if (!is_digit(*text))
		return 0;
	for (; is_digit(*text); text++) {
		value = value * 10 + (*text - '0');
		if (value > max)
			return 0;
	}
	for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++)
		if (text[0] == unit[i].letter && text[1] == '\0')
			return value <= max / unit[i].seconds
				       ? value * unit[i].seconds
				       : 0;
	return 0;
}

bool literal_count(const char *text, int64_t max, int64_t *out)
{
	int64_t value = 0;

	if (*text < '1' || *text > '9')
		return false;
	for (; is_digit(*text); text++) {
		if (value > (max - (*text - '0')) / 10)
			return false;
		value = value * 10 + (*text - '0');
	}
	if (*text != '\0')
		return false;
	*out = value;
	return true;
}

bool literal_zone(const char *text, int32_t *seconds)
{
	enum { QUARTER = 15, ZONE_HOURS_MAX = 14 };
	int hours;
	int minutes;

	if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') ||
	    !is_digit(text[1]) || !is_digit(text[2]) || text[3] != ':' ||
	    !is_digit(text[4]) || !is_digit(text[5]))
		return false;
	hours = (text[1] - '0') * 10 + (text[2] - '0');
	minutes = (text[4] - '0') * 10 + (text[5] - '0');
	if (minutes >= 60 || minutes % QUARTER != 0 ||
	    hours * 60 + minutes > ZONE_HOURS_MAX * 60)
		return false;
	*seconds = (hours * 60 + minutes) * 60;
	if (text[0] == '-')
		*seconds = -*seconds;
	return true;
}

bool literal_decode_spki(char *text)
{
	return strlen(text) == (size_t)2 * LITERAL_SPKI_BYTES &&
	       hex_decode(text, (uint8_t *)text, LITERAL_SPKI_BYTES);
}

bool literal_is_uri(const char *text)
{
	const char *colon = strchr(text, ':');

	if (colon == NULL || colon == text || colon[1] == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

bool literal_is_dns(const char *text)
{
	size_t label = 0;

	if (strlen(text) > DNS_NAME_MAX)
		return false;
	for (; *text != '\0'; text++) {
		if (*text == '.' && (label == 0 || text[-1] == '-'))
			return false;
		if (*text != '.' && !is_digit(*text) && *text != '-' &&
		    (*text < 'a' || *text > 'z') &&
		    (*text < 'A' || *text > 'Z'))
			return false;
		if (label == 0 && *text == '-')
			return false;
		label = *text == '.' ? 0 : label + 1;
	}
	return label > 0 && text[-1] != '-';
}
