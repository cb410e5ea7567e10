/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "lifecycle_state.h"

const char *key_state_text(enum key_state state)
{
	static const char *const texts[] = {
#define X(id, text) [KEY_##id] = (text),
		KEY_STATE_MAP(X)
#undef X
	};

	return (unsigned)state < KEY_STATE_COUNT ? texts[state] : "unknown";
}

/* --- keys ----------------------------------------------------------------- */

static void life_clear(struct life *k)
{
	free(k->csr);
	free(k->certificate);
	memset(k, 0, sizeof(*k));
}

void lifecycle_free(struct lifecycle *l)
{
	for (size_t i = 0; i < l->n; i++)
		life_clear(&l->key[i]);
	l->n = 0;
	free(l->gone);
	l->gone = NULL;
	l->ngone = l->gone_room = 0;
}

const struct life *life_find(const struct lifecycle *l, struct span label)
{
	for (size_t i = 0; i < l->n; i++)
		if (span_is(label, l->key[i].label))
			return &l->key[i];
	return NULL;
}

struct life *lifecycle_find(struct lifecycle *l, struct span label)
{
	const struct life *k = life_find(l, label);

	return k != NULL ? &l->key[k - l->key] : NULL;
}

bool life_is_gone(const struct lifecycle *l, struct span label)
{
	for (size_t i = 0; i < l->ngone; i++)
		if (span_is(label, l->gone[i]))
			return true;
	return false;
}

/* Its certificates have run out before it could be destroyed.  But what was
 * compromised must be known as that, the ledger's keys verify it for ever, and
 * signerd.yaml would bring back what stands there. */
static bool may_be_forgotten(const struct life *k)
{
	return k->state == KEY_DESTROYED && k->before != KEY_COMPROMISED &&
	       !k->ledger && !k->configured;
}

size_t life_room(const struct lifecycle *l)
{
	size_t oldest = LIFE_KEYS_MAX;

	if (l->n < LIFE_KEYS_MAX)
		return l->n;
	for (size_t i = 0; i < l->n; i++) {
		const struct life *k = &l->key[i];

		if (may_be_forgotten(k) && (oldest == LIFE_KEYS_MAX ||
					    k->since < l->key[oldest].since))
			oldest = i;
	}
	return oldest;
}

enum sg_err lifecycle_adopt(struct lifecycle *l, const struct life *key)
{
	struct life *k;

	if (life_find(l, span_str(key->label)) != NULL)
		return SG_DUPLICATE_KEY;
	if (l->n == LIFE_KEYS_MAX)
		return SG_TOO_BIG;
	k = &l->key[l->n++];
	*k = *key;
	k->configured = true;
	k->state = KEY_ACTIVE;
	k->before = KEY_ACTIVE;
	if (k->activated == 0)
		k->activated = k->since;
	k->csr = NULL;
	k->csr_n = 0;
	k->certificate = NULL;
	k->certificate_n = 0;
	return SG_OK;
}

/* --- steps ---------------------------------------------------------------- */

/* Does K sign, or would it but for an officer's stop? */
static bool in_use(const struct life *k)
{
	return k->state == KEY_ACTIVE ||
	       (k->state == KEY_STOPPED && k->before == KEY_ACTIVE);
}

static void enter(struct life *k, enum key_state state, int64_t at)
{
	k->before = k->state;
	k->state = state;
	k->since = at;
}

/* Nothing is set any more for K, whose end this is. */
static void end_in(struct life *k, enum key_state state, int64_t at)
{
	enter(k, state, at);
	k->activate = 0;
	k->retire = 0;
}

/* K signs from AT on: what it signs no other key of its HSM does, also one that
 * was stopped and may be started again. */
static void activate(struct lifecycle *l, struct life *k, int64_t at)
{
	enter(k, KEY_ACTIVE, at);
	k->activate = 0;
	k->activated = at; /* a key comes here once */
	for (size_t i = 0; i < l->n; i++) {
		struct life *other = &l->key[i];

		if (other == k || !in_use(other) ||
		    (other->kinds & k->kinds) == 0 ||
		    strcmp(other->hsm, k->hsm) != 0)
			continue;
		other->kinds &= ~k->kinds;
		if (other->kinds == 0)
			other->retire = at; /* by lifecycle_due() */
	}
}

/* K signs the ledger from AT on, and the one before it as long as the terms
 * say: so whoever checks the ledger by that one hears of K in time. */
static void activate_ledger(struct lifecycle *l, struct life *k, int64_t at)
{
	for (size_t i = 0; i < l->n; i++) {
		struct life *other = &l->key[i];

		if (!life_signs_ledger(other))
			continue;
		if (other->retire != 0) /* or three would sign */
			end_in(other, KEY_RETIRED, at);
		else
			other->retire = at + (int64_t)l->roll.lead_s;
	}
	enter(k, KEY_ACTIVE, at);
	k->activated = at;
}

/* The new key of the ledger is given up: the old one goes on. */
static void keep_ledger(struct lifecycle *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (life_signs_ledger(&l->key[i]))
			l->key[i].retire = 0;
}

/* *P and *N become a copy of S. */
static enum sg_err keep(struct span s, uint8_t **p, size_t *n)
{
	uint8_t *copy = malloc(s.n > 0 ? s.n : 1);

	if (copy == NULL)
		return SG_NO_MEMORY;
	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	free(*p);
	*p = copy;
	*n = s.n;
	return SG_OK;
}

static void copy_text(char *to, size_t cap, struct span from)
{
	const size_t n = from.n < cap ? from.n : cap - 1;

	if (n > 0)
		memcpy(to, from.p, n);
	to[n] = '\0';
}

/* Keep the label of key I, which another one takes the place of: labels are
 * used once, since what is on record names keys by them. */
static enum sg_err forget(struct lifecycle *l, size_t i)
{
	if (l->ngone == l->gone_room) {
		const size_t room = l->gone_room > 0 ? 2 * l->gone_room : 64;
		void *more = realloc(l->gone, room * sizeof(l->gone[0]));

		if (more == NULL)
			return SG_NO_MEMORY;
		l->gone = more;
		l->gone_room = room;
	}
	memcpy(l->gone[l->ngone++], l->key[i].label, sizeof(l->gone[0]));
	life_clear(&l->key[i]);
	return SG_OK;
}

static enum sg_err generate(struct lifecycle *l, const struct operation *o,
			    const struct outcome *out)
{
	const size_t i = life_room(l);
	struct life *k = &l->key[i];

	if (i == LIFE_KEYS_MAX || out->spki.n > sizeof(k->spki))
		return SG_TOO_BIG;
	if (i < l->n && forget(l, i) != SG_OK)
		return SG_NO_MEMORY;
	life_clear(k);
	if (i == l->n)
		l->n++;
	copy_text(k->label, sizeof(k->label), o->key);
	copy_text(k->hsm, sizeof(k->hsm), o->hsm);
	copy_text(k->country, sizeof(k->country), o->country);
	k->alg = o->alg;
	k->bits = o->bits;
	k->kinds = o->kinds;
	k->ledger = o->kinds == 0;
	k->signatures = o->signatures;
	k->period_s = o->period_s;
	k->state = KEY_GENERATED;
	k->before = KEY_GENERATED;
	k->since = out->time;
	if (out->spki.n > 0)
		memcpy(k->spki, out->spki.p, out->spki.n);
	k->spki_n = out->spki.n;
	return SG_OK;
}

static enum sg_err request(struct life *k, const struct outcome *out)
{
	const enum sg_err err = keep(out->csr, &k->csr, &k->csr_n);

	if (err == SG_OK && k->state == KEY_GENERATED)
		enter(k, KEY_REQUESTED, out->time);
	return err;
}

static enum sg_err import(struct life *k, const struct operation *o,
			  const struct outcome *out)
{
	const enum sg_err err =
		keep(o->certificate, &k->certificate, &k->certificate_n);

	if (err != SG_OK)
		return err;
	if (k->state == KEY_REQUESTED)
		enter(k, KEY_CERTIFIED, out->time);
	if (k->state == KEY_PUBLISHED) {
		/* Another certificate has another kid, of which verifiers are
		 * told only now; and whoever set a time knew the old one. */
		k->published = out->time;
		k->activate = 0;
		k->retire = 0;
		k->last = false;
	}
	return SG_OK;
}

static void stop(struct life *k, int64_t at)
{
	enter(k, KEY_STOPPED, at);
	/* A start must not make it sign at once because a time has come. */
	k->activate = 0;
	if (k->before != KEY_ACTIVE) {
		k->retire = 0;
		k->last = false;
	}
}

static void start(struct life *k, int64_t at)
{
	const enum key_state before = k->before;

	enter(k, before, at);
}

static enum sg_err apply_to_key(struct lifecycle *l, struct life *k,
				const struct operation *o,
				const struct outcome *out)
{
	switch (o->kind) {
	case OPERATION_REQUEST: return request(k, out);
	case OPERATION_IMPORT: return import(k, o, out);
	case OPERATION_PUBLISH:
		enter(k, KEY_PUBLISHED, out->time);
		k->published = out->time;
		break;
	case OPERATION_ACTIVATE:
		if (o->activate != 0)
			k->activate = o->activate;
		else
			activate(l, k, out->time);
		break;
	case OPERATION_RETIRE:
		k->last = o->last;
		if (o->retire != 0)
			k->retire = o->retire;
		else
			end_in(k, KEY_RETIRED, out->time);
		break;
	case OPERATION_DESTROY: end_in(k, KEY_DESTROYED, out->time); break;
	case OPERATION_STOP: stop(k, out->time); break;
	case OPERATION_START: start(k, out->time); break;
	case OPERATION_COMPROMISE:
		if (life_signs_ledger(k) && k->retire == 0)
			keep_ledger(l);
		end_in(k, KEY_COMPROMISED, out->time);
		break;
	case OPERATION_LOG_KEY: activate_ledger(l, k, out->time); break;
	case OPERATION_GENESIS:
	case OPERATION_OFFICERS:
	case OPERATION_POLICY:
	case OPERATION_GENERATE:
	case OPERATION_KINDS:
	default: return SG_INTERNAL;
	}
	return SG_OK;
}

enum sg_err lifecycle_apply(struct lifecycle *l, const struct operation *o,
			    const struct outcome *out)
{
	struct life *k;

	switch (o->kind) {
	case OPERATION_GENESIS:
	case OPERATION_OFFICERS: l->roll = o->roll; return SG_OK;
	case OPERATION_POLICY:
		memcpy(l->policy, o->policy, sizeof(l->policy));
		l->has_policy = true;
		return SG_OK;
	case OPERATION_GENERATE: return generate(l, o, out);
	default: break;
	}
	k = lifecycle_find(l, o->key);
	return k != NULL ? apply_to_key(l, k, o, out) : SG_INTERNAL;
}

/* --- what time brings ----------------------------------------------------- */

/* When K is to be retired; 0: nothing says so. */
static int64_t retired_at(const struct life *k)
{
	int64_t at = k->retire;

	if (!in_use(k))
		return 0;
	if (k->period_s > 0 && (at == 0 || k->activated + k->period_s < at))
		at = k->activated + k->period_s;
	return at;
}

static int64_t activated_at(const struct life *k)
{
	return k->state == KEY_PUBLISHED ? k->activate : 0;
}

bool lifecycle_due(struct lifecycle *l, int64_t now, struct life_event *out)
{
	struct life *first = NULL;
	bool activates = false;
	int64_t at = 0;

	/* Activations before all else of the same time: where one key comes
	 * and another one goes there is no moment without. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < l->n; i++) {
			struct life *k = &l->key[i];
			const int64_t t =
				pass == 0 ? activated_at(k) : retired_at(k);

			if (t == 0 || t > now || (first != NULL && t >= at))
				continue;
			first = k;
			activates = pass == 0;
			at = t;
		}
	if (first == NULL)
		return false;
	*out = (struct life_event){
		.key = first, .from = first->state, .at = at};
	if (activates)
		activate(l, first, at);
	else
		end_in(first, KEY_RETIRED, at);
	out->to = first->state;
	return true;
}

/* When it was due, as far as that can be told: by TIME. */
static int64_t due_by(int64_t due, int64_t time)
{
	return due != 0 && due < time ? due : time;
}

bool lifecycle_redo(struct lifecycle *l, struct span label, enum key_state to,
		    int64_t time)
{
	struct life *k = lifecycle_find(l, label);

	if (k == NULL)
		return false;
	if (to == KEY_ACTIVE && activated_at(k) != 0) {
		activate(l, k, due_by(k->activate, time));
		return true;
	}
	if (to == KEY_RETIRED && in_use(k)) {
		end_in(k, KEY_RETIRED, due_by(retired_at(k), time));
		return true;
	}
	return false;
}
