/* SPDX-License-Identifier: Apache-2.0 */
#include "config_values.h"

#include <string.h>

#include "base/log.h"
#include "hcert/cose.h"
#include "hcert/dsc.h"

bool text_digits(struct span s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, 10U, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	}
	*out = v;
	return true;
}

static bool number(const struct yaml_at *at, const struct yaml_field *f,
		   uint64_t *out)
{
	struct span s;

	if (!yaml_text(at, &s))
		return false;
	if (text_digits(s, out) && *out >= f->min && *out <= f->max)
		return true;
	yaml_fault(at, "must be a number from %llu to %llu",
		   (unsigned long long)f->min, (unsigned long long)f->max);
	return false;
}

void value_u16(const struct yaml_at *at, void *member,
	       const struct yaml_field *f)
{
	uint64_t v;

	if (number(at, f, &v))
		*(uint16_t *)member = (uint16_t)v;
}

void value_u32(const struct yaml_at *at, void *member,
	       const struct yaml_field *f)
{
	uint64_t v;

	if (number(at, f, &v))
		*(uint32_t *)member = (uint32_t)v;
}

void value_size(const struct yaml_at *at, void *member,
		const struct yaml_field *f)
{
	uint64_t v;

	if (number(at, f, &v))
		*(size_t *)member = (size_t)v;
}

static bool parse_duration(struct span s, uint64_t *ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} unit[] = {{"ms", 1},
		    {"s", 1000},
		    {"m", 60000},
		    {"h", 3600000},
		    {"d", 86400000}};
	size_t digits = 0;
	struct span rest;

	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	if (!text_digits(span_of(s.p, digits), ms))
		return false;
	rest = span_of(s.p + digits, s.n - digits);
	for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++)
		if (span_is(rest, unit[i].unit))
			return !__builtin_mul_overflow(*ms, unit[i].ms, ms);
	return false;
}

void value_duration(const struct yaml_at *at, void *member,
		    const struct yaml_field *f)
{
	struct span s;
	uint64_t ms;

	if (!yaml_text(at, &s))
		return;
	if (!parse_duration(s, &ms))
		yaml_fault(at, "must be a number with one of ms, s, m, h, d");
	else if (ms < f->min || ms > f->max)
		yaml_fault(at, "must be from %llums to %llus",
			   (unsigned long long)f->min,
			   (unsigned long long)f->max / 1000);
	else
		*(uint32_t *)member = (uint32_t)ms;
}

bool text_is_word_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool text_is_word(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!text_is_word_byte(s.p[i]))
			return false;
	return s.n > 0;
}

void text_put(struct span s, char *out)
{
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

void value_label(const struct yaml_at *at, void *member,
		 const struct yaml_field *f)
{
	struct span s;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	if (s.n < CONFIG_LABEL_BYTES && text_is_word(s))
		text_put(s, (char *)member);
	else
		yaml_fault(at,
			   "must be 1 to %d letters, digits, '.', '_' or '-'",
			   CONFIG_LABEL_BYTES - 1);
}

void value_bool(const struct yaml_at *at, void *member,
		const struct yaml_field *f)
{
	struct span s;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	if (!span_is(s, "true") && !span_is(s, "false"))
		yaml_fault(at, "must be true or false");
	else
		*(bool *)member = span_is(s, "true");
}

void value_tls12(const struct yaml_at *at, void *member,
		 const struct yaml_field *f)
{
	struct span s;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	if (!span_is(s, "1.2") && !span_is(s, "1.3"))
		yaml_fault(at, "must be \"1.2\" or \"1.3\"");
	else
		*(bool *)member = span_is(s, "1.2");
}

void value_alg(const struct yaml_at *at, void *member,
	       const struct yaml_field *f)
{
	enum cose_alg alg;
	struct span s;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	alg = cose_alg_of(s);
	if (alg == COSE_NONE)
		yaml_fault(at, "must be one of ES256, PS256, EdDSA");
	else
		*(enum cose_alg *)member = alg;
}

static bool kind_of(struct span s, unsigned *bit)
{
	for (int k = 0; k < DCC_KINDS; k++) {
		const char letter = dcc_kind_letter((enum dcc_kind)k);

		if (s.n == 1 && s.p[0] == (uint8_t)letter) {
			*bit = DCC_KIND_BIT(k);
			return true;
		}
	}
	return false;
}

void value_kinds(const struct yaml_at *at, void *member,
		 const struct yaml_field *f)
{
	const size_t n = yaml_list(at, DCC_KINDS);
	unsigned kinds = 0;

	(void)f;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at item = yaml_item(at, i);
		struct span s;
		unsigned bit;

		if (!yaml_text(&item, &s))
			continue;
		if (!kind_of(s, &bit))
			yaml_fault(&item, "must be one of v, t, r");
		else if ((kinds & bit) != 0)
			yaml_fault(&item, "stands there twice");
		else
			kinds |= bit;
	}
	*(unsigned *)member = kinds;
}

void value_country(const struct yaml_at *at, void *member,
		   const struct yaml_field *f)
{
	struct span s;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	if (s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' &&
	    s.p[1] <= 'Z')
		text_put(s, (char *)member);
	else
		yaml_fault(at, "must be a country of two capital letters");
}

void value_one_in(const struct yaml_at *at, void *member,
		  const struct yaml_field *f)
{
	struct span s;
	uint64_t v;

	if (!yaml_text(at, &s))
		return;
	if (span_is(s, "all"))
		*(uint32_t *)member = 1;
	else if (text_digits(s, &v) && v >= f->min && v <= f->max)
		*(uint32_t *)member = (uint32_t)v;
	else
		yaml_fault(at, "must be \"all\", or a number from %llu to %llu",
			   (unsigned long long)f->min,
			   (unsigned long long)f->max);
}

void value_log_level(const struct yaml_at *at, void *member,
		     const struct yaml_field *f)
{
	static const char *const name[] = {[LOG_ERROR] = "error",
					   [LOG_WARNING] = "warning",
					   [LOG_INFO] = "info",
					   [LOG_DEBUG] = "debug"};
	struct span s;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	for (int i = LOG_ERROR; i <= LOG_DEBUG; i++)
		if (span_is(s, name[i])) {
			*(int *)member = i;
			return;
		}
	yaml_fault(at, "must be one of error, warning, info, debug");
}
