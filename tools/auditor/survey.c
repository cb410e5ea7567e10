/* SPDX-License-Identifier: Apache-2.0 */
#include "survey.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 86400000, DAY_BYTES = 8 };

enum sg_err survey_create(int64_t from_ms, int64_t to_ms, int64_t gap_ms,
			  struct survey **out)
{
	struct survey *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return SG_NO_MEMORY;
	s->from_ms = from_ms;
	s->to_ms = to_ms;
	s->gap_ms = gap_ms;
	if (bag_create(SURVEY_CLIENTS, &s->clients) != SG_OK ||
	    bag_create(SURVEY_KEYS, &s->keys) != SG_OK ||
	    bag_create(SURVEY_POLICIES, &s->policies) != SG_OK ||
	    bag_create(SURVEY_DAYS, &s->days) != SG_OK ||
	    bag_create(SURVEY_CODES, &s->codes) != SG_OK) {
		survey_free(s);
		return SG_NO_MEMORY;
	}
	*out = s;
	return SG_OK;
}

void survey_free(struct survey *s)
{
	if (s == NULL)
		return;
	bag_free(s->clients);
	bag_free(s->keys);
	bag_free(s->policies);
	bag_free(s->days);
	bag_free(s->codes);
	free(s);
}

int64_t survey_length(int64_t from_ms, int64_t to_ms)
{
	int64_t length;

	/* Its negative is to be a number, too. */
	if (!__builtin_sub_overflow(to_ms, from_ms, &length) &&
	    length != INT64_MIN)
		return length;
	return to_ms > from_ms ? INT64_MAX : -INT64_MAX;
}

/* --- what is counted ------------------------------------------------------ */

static struct bag_cell *see_day(struct survey *s, const struct walk_entry *e)
{
	int64_t day = e->e.time_ms / DAY_MS;
	uint64_t key;
	uint8_t bytes[DAY_BYTES];

	if (e->e.time_ms % DAY_MS < 0)
		day--;
	key = (uint64_t)day ^ 1ULL << 63; /* in the order of days */
	for (int i = 0; i < DAY_BYTES; i++)
		bytes[i] = (uint8_t)(key >> 8 * (DAY_BYTES - 1 - i));
	return bag_see(s->days, span_of(bytes, sizeof(bytes)), e->index,
		       e->e.time_ms);
}

int64_t survey_day(const struct bag_cell *c)
{
	uint64_t key = 0;

	for (int i = 0; i < DAY_BYTES; i++)
		key = key << 8 | c->key[i];
	return (int64_t)(key ^ 1ULL << 63);
}

static struct bag_cell *see_key(struct survey *s, const struct walk_entry *e)
{
	const struct span alg = span_str(cose_alg_name(e->e.alg));
	uint8_t key[COSE_KID_BYTES + 16];

	memcpy(key, e->e.kid, COSE_KID_BYTES);
	memcpy(key + COSE_KID_BYTES, alg.p, alg.n);
	return bag_see(s->keys, span_of(key, COSE_KID_BYTES + alg.n), e->index,
		       e->e.time_ms);
}

static void add_certificate(struct survey *s, const struct walk_entry *e)
{
	const unsigned which =
		(e->e.type == ENTRY_RENEWED ? SURVEY_RENEWED : SURVEY_ISSUED) +
		(unsigned)e->e.kind;
	uint64_t *const counts[] = {
		s->total,
		bag_see(s->clients, e->e.client, e->index, e->e.time_ms)->count,
		see_key(s, e)->count,
		bag_see(s->policies,
			span_of(e->e.policy_hash, ENTRY_HASH_BYTES), e->index,
			e->e.time_ms)
			->count,
		see_day(s, e)->count,
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		counts[i][which]++;
		counts[i][SURVEY_ATTESTED] += e->e.attestation != NULL;
	}
}

static void add_refused(struct survey *s, const struct walk_entry *e)
{
	const struct entry_refused *r = &e->e.refused;
	uint8_t key[BAG_KEY_MAX];

	s->total[SURVEY_REFUSED] += r->records;
	bag_see(s->clients, e->e.client, e->index, e->e.time_ms)
		->count[SURVEY_REFUSED] += r->records;
	see_day(s, e)->count[SURVEY_REFUSED] += r->records;
	for (size_t i = 0; i < r->n; i++) {
		const struct span code = r->code[i].code;
		size_t n = e->e.client.n;

		/* Entries keep to ENTRY_NAME_MAX and ENTRY_CODE_MAX. */
		if (n + 1 + code.n > sizeof(key))
			continue;
		if (n > 0)
			memcpy(key, e->e.client.p, n);
		key[n++] = '\0';
		if (code.n > 0)
			memcpy(key + n, code.p, code.n);
		bag_see(s->codes, span_of(key, n + code.n), e->index,
			e->e.time_ms)
			->count[0] += r->code[i].count;
	}
}

void survey_code(const struct bag_cell *c, struct span *client,
		 struct span *code)
{
	const uint8_t *nul = memchr(c->key, '\0', c->n);
	const size_t n = nul != NULL ? (size_t)(nul - c->key) : c->n;

	*client = span_of(c->key, n);
	*code = nul != NULL ? span_of(nul + 1, c->n - n - 1) : span_of(NULL, 0);
}

/* --- what happened -------------------------------------------------------- */

/* What entry_decode() has bounded. */
static void keep_text(struct span text, char *out)
{
	if (text.n > 0)
		memcpy(out, text.p, text.n);
	out[text.n] = '\0';
}

static void keep_key_event(const struct entry *e, struct survey_event *v)
{
	keep_text(e->label, v->label);
	keep_text(e->state, v->state);
	v->has_kid = e->kid != NULL;
	if (e->kid != NULL)
		memcpy(v->kid, e->kid, sizeof(v->kid));
	v->has_operation = e->operation_hash != NULL;
	if (e->operation_hash != NULL)
		memcpy(v->hash, e->operation_hash, sizeof(v->hash));
}

static void add_event(struct survey *s, const struct walk_entry *e)
{
	struct survey_event v = {
		.type = e->e.type,
		.index = e->index,
		.time_ms = e->e.time_ms,
	};

	if (e->e.type == ENTRY_POLICY) {
		memcpy(v.hash, e->e.policy_hash, sizeof(v.hash));
	} else if (ceremony_is(e->e.type)) {
		(void)SHA256(e->e.operation.p, e->e.operation.n, v.hash);
		v.bytes = e->e.operation.n;
		v.ceremony = ceremony_of(&e->e);
		keep_text(e->e.refusal, v.refusal);
	} else if (e->e.type == ENTRY_KEY_EVENT) {
		keep_key_event(&e->e, &v);
	} else if (e->e.type == ENTRY_STARTED && s->has_before) {
		v.follows = true;
		v.follows_ms = s->before_ms;
		v.unclean = s->before_type != ENTRY_STOPPED;
		s->unclean += v.unclean;
	}
	if (s->nevents == SURVEY_EVENTS)
		s->more_events++;
	else
		s->event[s->nevents++] = v;
}

static int64_t length_of(const struct survey_gap *g)
{
	return survey_length(g->from_ms, g->to_ms);
}

static void add_gap(struct survey *s, const struct walk_entry *e)
{
	const int64_t length = survey_length(s->before_ms, e->e.time_ms);
	size_t at = s->ngaps;

	s->gaps++;
	if (s->ngaps < SURVEY_GAPS) {
		s->ngaps++;
	} else {
		at = 0;
		for (size_t i = 1; i < s->ngaps; i++)
			if (length_of(&s->gap[i]) < length_of(&s->gap[at]))
				at = i;
		if (length_of(&s->gap[at]) >= length)
			return;
		/* In the order of the log. */
		memmove(&s->gap[at], &s->gap[at + 1],
			(s->ngaps - 1 - at) * sizeof(s->gap[0]));
		at = s->ngaps - 1;
	}
	s->gap[at] = (struct survey_gap){e->index, s->before_ms, e->e.time_ms};
}

/* What E and the entry before it say together. */
static void add_step(struct survey *s, const struct walk_entry *e)
{
	const int64_t step = survey_length(s->before_ms, e->e.time_ms);

	if (step < 0) {
		s->back++;
		if (-step > s->back_most_ms)
			s->back_most_ms = -step;
	}
	if (step > s->gap_ms && s->before_type != ENTRY_STOPPED &&
	    e->e.type != ENTRY_STARTED)
		add_gap(s, e);
}

static void add_inside(struct survey *s, const struct walk_entry *e)
{
	if (s->has_before)
		add_step(s, e);
	if (s->entries++ == 0) {
		s->first = e->index;
		s->first_ms = e->e.time_ms;
		s->first_leaf = *e->leaf;
	}
	s->last = e->index;
	s->last_ms = e->e.time_ms;
	s->last_leaf = *e->leaf;
	if (e->e.type == ENTRY_ISSUED || e->e.type == ENTRY_RENEWED)
		add_certificate(s, e);
	else if (e->e.type == ENTRY_REFUSED)
		add_refused(s, e);
	else
		add_event(s, e);
}

void survey_add(struct survey *s, const struct walk_entry *e)
{
	/* Where entries are left out, nothing is known of what lies between. */
	if (s->has_before && e->index != s->before + 1)
		s->has_before = false;
	if (e->e.time_ms >= s->from_ms && e->e.time_ms < s->to_ms) {
		add_inside(s, e);
	} else if (e->e.time_ms < s->from_ms && s->entries == 0 &&
		   e->e.type == ENTRY_POLICY) {
		s->has_policy = true;
		memcpy(s->policy, e->e.policy_hash, sizeof(s->policy));
	}
	s->has_before = true;
	s->before = e->index;
	s->before_ms = e->e.time_ms;
	s->before_type = e->e.type;
}

uint64_t survey_sum(const uint64_t *count, enum survey_count first)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < DCC_KINDS; i++)
		n += count[first + i];
	return n;
}
