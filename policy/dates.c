/* SPDX-License-Identifier: Apache-2.0 */
#include "dates.h"

#include "base/civil.h"
#include "calendar.h"
#include "place.h"

/* What a certificate of a kind is about. */
struct event {
	enum document_field field;
	int year, month; /* there was none before the first of that month */
};

static const struct event EVENT[DCC_KINDS] = {
	/* The first authorisation outside of trials: 2 December 2020. */
	[DCC_VACCINATION] = {DOC_DT, 2020, 12},
	/* The virus was first sequenced in January 2020. */
	[DCC_TEST] = {DOC_SC, 2020, 1},
	[DCC_RECOVERY] = {DOC_FR, 2020, 1},
};

/* Tell that FIELD, by WORD, is no date. */
static void report_none(const struct rule_context *x, struct verdict *v,
			enum document_field field, enum calendar_word word)
{
	place_report(x, v,
		     word == CALENDAR_FORM ? VIOLATION_BAD_FORMAT
					   : VIOLATION_DATE_IMPOSSIBLE,
		     field);
}

/* The date FIELD of X, if it is there; what is none is told. */
static bool read_date(const struct rule_context *x, struct verdict *v,
		      enum document_field field, int32_t *days)
{
	const struct document *d = x->document;
	enum calendar_word word;

	if (!d->present[field])
		return false;
	word = calendar_date(d->text[field], days);
	if (word != CALENDAR_OK)
		report_none(x, v, field, word);
	return word == CALENDAR_OK;
}

/* The first day that the date of birth may be, if anything is known of it. */
static bool read_birth(const struct rule_context *x, struct verdict *v,
		       int32_t *first)
{
	const struct document *d = x->document;
	enum calendar_word word;
	int32_t last;

	if (!d->present[DOC_DOB] || d->text[DOC_DOB].n == 0)
		return false;
	word = calendar_partial(d->text[DOC_DOB], first, &last);
	if (word == CALENDAR_NO_SUCH) /* the form is the schema's matter */
		report_none(x, v, DOC_DOB, word);
	return word == CALENDAR_OK;
}

/* The day of the event, as it is written, and whether it is yet to come. */
static bool read_event(const struct rule_context *x, struct verdict *v,
		       int64_t today, int32_t *days)
{
	const struct document *d = x->document;
	const enum document_field field = EVENT[d->kind].field;
	enum calendar_word word;
	int64_t seconds;
	bool future;

	if (field != DOC_SC) {
		if (!read_date(x, v, field, days))
			return false;
		future = *days > today;
	} else {
		if (!d->present[field])
			return false;
		word = calendar_time(d->text[field], &seconds, days);
		if (word != CALENDAR_OK) {
			report_none(x, v, field, word);
			return false;
		}
		future = seconds - DATES_SKEW_S > x->now;
	}
	if (future)
		place_report(x, v, VIOLATION_DATE_IN_FUTURE, field);
	return true;
}

/* Does the period of a recovery end after its beginning? */
static void judge_period(const struct rule_context *x, struct verdict *v)
{
	int32_t from = 0;
	int32_t until = 0;
	const bool has_from = read_date(x, v, DOC_DF, &from);
	const bool has_until = read_date(x, v, DOC_DU, &until);

	if (has_from && has_until && from >= until)
		place_report(x, v, VIOLATION_DATE_ORDER, DOC_DU);
}

/* Nobody is vaccinated on the day of the birth; but tested one may be. */
static bool is_before(int32_t birth, int32_t event, enum dcc_kind kind)
{
	return kind == DCC_VACCINATION ? birth < event : birth <= event;
}

void dates_judge(const struct rule_context *x, struct verdict *v)
{
	const struct document *d = x->document;
	const int64_t today = calendar_day_of(x->now, x->zone_s);
	const struct event *e = &EVENT[d->kind];
	int32_t birth = 0;
	int32_t event = 0;
	const bool has_birth = read_birth(x, v, &birth);

	if (has_birth && birth > today)
		place_report(x, v, VIOLATION_DATE_IN_FUTURE, DOC_DOB);
	if (!d->has_kind) /* refused, and there is no one event */
		return;
	if (read_event(x, v, today, &event)) {
		if (event < civil_days(e->year, e->month, 1))
			place_report(x, v, VIOLATION_DATE_TOO_EARLY, e->field);
		if (has_birth && !is_before(birth, event, d->kind))
			place_report(x, v, VIOLATION_BIRTH_AFTER_EVENT,
				     DOC_DOB);
	}
	if (d->kind == DCC_RECOVERY)
		judge_period(x, v);
}
