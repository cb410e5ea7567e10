/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "copy.h"
#include "vault_state.h"

/* The core asks until there is a key: what is missing is not told each time. */
enum { TELL_EVERY_US = 30 * 1000 * 1000 };

/* The number that LABEL has; that of the next key if it has none. */
static size_t number_of(const struct vault *v, struct span label)
{
	const size_t n = atomic_load(&v->keys.n);

	for (size_t i = 0; i < n; i++)
		if (span_eq(span_str(v->keys.key[i].label), label))
			return i;
	return n;
}

/* A key that has a number: is it still there? */
static enum sg_err look_again(const struct session *s, struct key *key,
			      const struct vault *v, struct watch *w)
{
	const bool was_gone = key->gone;
	enum sg_err e = session_refresh_key(s, key, w);

	if (e == SG_OK && key->gone)
		return SG_NOT_FOUND;
	if (e == SG_OK && was_gone && v->keys.copies)
		copy_add(key, w);
	return e;
}

/* The core goes on testing a key that it wants: each of these looks once more,
 * for nothing else would. */
bool vault_is_back(struct vault *v, uint32_t lane, size_t number)
{
	struct lane *l = &v->lane[lane];
	const struct session *s = &l->session[v->token_of[number]];
	struct key *key = &v->keys.key[number];
	bool back;

	pthread_rwlock_wrlock(&s->token->lock);
	back = key->gone && look_again(s, key, v, &l->watch) == SG_OK;
	pthread_rwlock_unlock(&s->token->lock);
	if (back)
		log_event(LOG_INFO, "key-back",
			  "key=\"%s\" token=\"%s\" number=%zu", key->label,
			  s->token->label, number);
	return back;
}

/* A key for place NUMBER, which nobody else knows yet. */
static enum sg_err take(struct vault *v, const struct session *s, size_t number,
			enum cose_alg alg, struct watch *w)
{
	const uint64_t now = clock_mono_us();
	struct key *key = &v->keys.key[number];
	enum sg_err e;

	memset(key, 0, sizeof(*key));
	key->label = v->found_label[number];
	key->alg = alg;
	key->found = true;
	/* Nothing else is made on its token. */
	key->ledger = s->token->writes;
	key->quiet = v->told_us != 0 && now - v->told_us < TELL_EVERY_US;
	key->token = s->token;
	e = uri_parse_token(key->label, v->made_on, span_str(key->label),
			    &key->uri);
	if (e == SG_OK)
		e = key_find(key, s->handle, w);
	if (e != SG_OK) {
		if (!key->quiet)
			v->told_us = now;
		key_drop(key);
		return e;
	}
	if (v->keys.copies)
		copy_add(key, w);
	v->token_of[number] = v->made_token;
	atomic_store(&v->keys.n, number + 1); /* from here on it is seen */
	log_event(LOG_INFO, "key-found", "key=\"%s\" token=\"%s\" number=%zu",
		  key->label, s->token->label, number);
	return SG_OK;
}

/* One attempt, with the token's lock alone: a handle dies with a login. */
static enum sg_err attempt(struct vault *v, const struct session *s,
			   size_t number, enum cose_alg alg, struct watch *w)
{
	enum sg_err e;

	pthread_rwlock_wrlock(&s->token->lock);
	if (number < atomic_load(&v->keys.n))
		e = look_again(s, &v->keys.key[number], v, w);
	else
		e = take(v, s, number, alg, w);
	pthread_rwlock_unlock(&s->token->lock);
	return e;
}

static enum sg_err find(struct vault *v, struct lane *lane, size_t number,
			enum cose_alg alg)
{
	struct session *s = &lane->session[v->made_token];
	enum sg_err e = attempt(v, s, number, alg, &lane->watch);

	if (e != SG_TOKEN_DOWN)
		return e;
	if (session_renew(s, CKR_SESSION_HANDLE_INVALID, &v->keys,
			  &lane->watch) != SG_OK)
		return SG_TOKEN_DOWN;
	e = attempt(v, s, number, alg, &lane->watch);
	/* Signing may go on all the same: it is not ended over this. */
	return e == SG_TOKEN_DOWN ? SG_NOT_FOUND : e;
}

/* Is it worth a look? */
static enum sg_err may_find(const struct vault *v, size_t number,
			    enum cose_alg alg)
{
	const bool known = number < atomic_load(&v->keys.n);

	if (known && v->keys.key[number].alg != alg)
		return SG_NOT_FOUND;
	if (!known && number == WORKER_KEYS_MAX)
		return SG_TOO_BIG;
	return known || v->made_on != NULL ? SG_OK : SG_NOT_FOUND;
}

enum sg_err vault_find(struct vault *v, uint32_t lane, struct span label,
		       enum cose_alg alg, size_t *number)
{
	enum sg_err e;

	assert(lane < v->nlanes && label.n < KEY_LABEL_MAX);
	pthread_mutex_lock(&v->finding);
	*number = number_of(v, label);
	e = may_find(v, *number, alg);
	/* Those of the settings are where they were, or were not. */
	if (e == SG_OK && *number < v->configured && v->keys.key[*number].gone)
		e = SG_NOT_FOUND;
	if (e == SG_OK && *number >= v->configured) {
		if (*number == atomic_load(&v->keys.n)) {
			memcpy(v->found_label[*number], label.p, label.n);
			v->found_label[*number][label.n] = '\0';
		}
		e = find(v, &v->lane[lane], *number, alg);
	}
	pthread_mutex_unlock(&v->finding);
	if (e == SG_OK || e == SG_TOO_BIG || e == SG_TOKEN_DOWN)
		return e;
	return SG_NOT_FOUND;
}
