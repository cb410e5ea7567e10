/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <string.h>

#include "pkcs11/ckr.h"

#define HOUR_NS UINT64_C(3600000000000)
#define CALLS_MAX UINT64_C(1000000000000)

bool fault_number(struct span text, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (text.n == 0)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		const uint64_t digit = (uint64_t)text.p[i] - '0';

		if (text.p[i] < '0' || text.p[i] > '9' || digit > max ||
		    value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

bool fault_time(struct span text, uint64_t *ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = {{"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
	size_t digits = 0;

	while (digits < text.n && text.p[digits] >= '0' &&
	       text.p[digits] <= '9')
		digits++;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t count;

		if (!span_is(span_of(text.p + digits, text.n - digits),
			     units[i].unit))
			continue;
		if (!fault_number(span_of(text.p, digits),
				  HOUR_NS / units[i].ns, &count))
			return false;
		*ns = count * units[i].ns;
		return true;
	}
	return false;
}

/* The part of *REST before the next SEPARATOR, which goes with it. */
static struct span cut(struct span *rest, char separator)
{
	struct span part = *rest;

	for (size_t i = 0; i < rest->n; i++) {
		if (rest->p[i] != (uint8_t)separator)
			continue;
		part.n = i;
		*rest = span_of(rest->p + i + 1, rest->n - i - 1);
		return part;
	}
	*rest = span_of(NULL, 0);
	return part;
}

static bool read_when(struct span when, struct fault *f)
{
	struct span rest = when;
	bool range = false;

	if (when.n > 1 && when.p[0] == '*')
		return fault_number(span_of(when.p + 1, when.n - 1), CALLS_MAX,
				    &f->every) &&
		       f->every > 0;
	for (size_t i = 0; i < when.n; i++)
		range = range || when.p[i] == '-';
	if (!fault_number(cut(&rest, '-'), CALLS_MAX, &f->from) || f->from == 0)
		return false;
	f->to = f->from;
	if (!range)
		return true;
	if (rest.n == 0) {
		f->to = UINT64_MAX;
		return true;
	}
	return fault_number(rest, CALLS_MAX, &f->to) && f->to >= f->from;
}

/* "0x" and 8 digits: for values that ckr.c has no name for. */
static bool read_hex(struct span text, CK_RV *rv)
{
	*rv = 0;
	if (text.n != 10 || text.p[0] != '0' || text.p[1] != 'x')
		return false;
	for (size_t i = 2; i < text.n; i++) {
		const char *digits = "0123456789abcdef";
		const char *at = strchr(digits, text.p[i]);

		if (text.p[i] == '\0' || at == NULL)
			return false;
		*rv = *rv << 4 | (CK_RV)(at - digits);
	}
	return *rv != CKR_OK;
}

/* The standard's values end with this one; vendors' begin at 0x80000000. */
static bool read_ckr(struct span text, CK_RV *rv)
{
	if (read_hex(text, rv))
		return true;
	for (CK_RV i = CKR_CANCEL; i <= CKR_FUNCTION_REJECTED; i++) {
		if (span_is(text, ckr_name(i)) && !span_is(text, "unknown")) {
			*rv = i;
			return true;
		}
	}
	if (span_is(text, "CKR_VENDOR_DEFINED")) {
		*rv = CKR_VENDOR_DEFINED;
		return true;
	}
	return false;
}

static bool kind_of(struct span key, enum fault_kind *kind)
{
	static const char *const names[] = {[FAULT_FAIL] = "fail",
					    [FAULT_HANG] = "hang",
					    [FAULT_CRASH] = "crash",
					    [FAULT_LOSE] = "lose",
					    [FAULT_FORGE] = "forge"};

	for (int i = 0; i <= (int)FAULT_FORGE; i++) {
		if (span_is(key, names[i])) {
			*kind = (enum fault_kind)i;
			return true;
		}
	}
	return false;
}

const char *fault_add(struct fault_set *set, struct span key, struct span value,
		      bool *known)
{
	struct span rest = value;
	struct fault f = {.kind = FAULT_FAIL};

	*known = kind_of(key, &f.kind);
	if (!*known)
		return "unknown key";
	if (set->n == FAULTS_MAX)
		return "too many faults";
	if (!call_of(cut(&rest, ':'), &f.call))
		return "names no function that can fail";
	if (f.kind == FAULT_FORGE && f.call != CALL_C_Sign)
		return "can only be asked of C_Sign";
	if (!read_when(cut(&rest, ':'), &f))
		return "which calls must be N, N-M, N- or *N";
	if (f.kind == FAULT_FAIL && !read_ckr(rest, &f.rv))
		return "names no CKR value";
	if (f.kind == FAULT_LOSE && !fault_time(rest, &f.ns))
		return "needs a time such as 5s";
	if (f.kind != FAULT_FAIL && f.kind != FAULT_LOSE && rest.n > 0)
		return "has a part too many";
	set->fault[set->n++] = f;
	return NULL;
}

const struct fault *fault_find(const struct fault_set *set, enum call call,
			       uint64_t n)
{
	for (uint32_t i = 0; i < set->n && i < FAULTS_MAX; i++) {
		const struct fault *f = &set->fault[i];

		if (f->call != call)
			continue;
		if (f->every > 0 ? n % f->every == 0
				 : n >= f->from && n <= f->to)
			return f;
	}
	return NULL;
}
