/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/request_id.h"
#include "ckr.h"
#include "copy.h"
#include "flood.h"
#include "vault_state.h"

enum { LANE_TRIES = 3 };

static void lane_close(const struct vault *v, struct lane *lane)
{
	for (size_t i = 0; i < v->tokens.n; i++)
		session_close(&lane->session[i]);
}

/* A session on every token, or none.  Returns the module's value. */
static CK_RV lane_open(struct vault *v, struct lane *lane, struct watch *w)
{
	for (size_t i = 0; i < v->tokens.n; i++) {
		const CK_RV rv =
			session_open(&lane->session[i], v->tokens.token[i], w);

		if (rv == CKR_OK)
			continue;
		while (i > 0)
			session_close(&lane->session[--i]);
		return rv;
	}
	return CKR_OK;
}

static enum sg_err parse_keys(const struct vault_settings *s, struct vault *v)
{
	v->keys.key = calloc(WORKER_KEYS_MAX, sizeof(v->keys.key[0]));
	if (v->keys.key == NULL)
		return SG_NO_MEMORY;
	for (size_t i = 0; i < s->nkeys; i++) {
		struct key *key = &v->keys.key[i];
		enum sg_err e;

		key->label = s->key[i].label;
		key->alg = s->key[i].alg;
		key->ledger = s->key[i].ledger;
		e = uri_parse(key->label, s->key[i].uri, &key->uri);
		if (e != SG_OK)
			return e;
		v->keys.n = v->configured = i + 1;
	}
	return SG_OK;
}

/* The tokens of the keys, and the one for keys that are made later. */
static enum sg_err find_tokens(struct vault *v, struct watch *w)
{
	struct uri *uris[WORKER_KEYS_MAX + 1];
	size_t which[WORKER_KEYS_MAX + 1];
	struct uri *made_on = NULL;
	size_t n = v->configured;
	enum sg_err e = SG_OK;

	for (size_t i = 0; i < n; i++)
		uris[i] = v->keys.key[i].uri;
	if (v->made_on != NULL) {
		e = uri_parse_token("new keys", v->made_on, span_of(NULL, 0),
				    &made_on);
		uris[n++] = made_on;
	}
	if (e == SG_OK)
		e = token_find(v->module, uris, n, &v->tokens, which, w);
	uri_free(made_on);
	if (e != SG_OK)
		return e;
	for (size_t i = 0; i < v->configured; i++)
		v->token_of[i] = which[i];
	v->made_token = which[n - 1]; /* if there is one */
	return SG_OK;
}

/* Where officers have keys made they have them destroyed, too, also those of
 * the configuration: the others sign on without.  It has been logged. */
static bool may_miss(struct vault *v, size_t number)
{
	struct key *key = &v->keys.key[number];

	if (v->made_on == NULL || key->ledger)
		return false;
	key->handle = CK_INVALID_HANDLE;
	key->gone = true;
	return true;
}

/* The first lane: by it the tokens are logged in and the keys found. */
static enum sg_err first_lane(struct vault *v, struct watch *w)
{
	struct lane *lane = &v->lane[0];
	enum sg_err e = SG_OK;
	CK_RV rv;

	for (size_t i = 0; i < v->keys.n; i++)
		if (v->keys.key[i].ledger)
			v->tokens.token[v->token_of[i]]->writes = true;
	rv = lane_open(v, lane, w);
	if (rv != CKR_OK) {
		ckr_note(rv);
		log_event(LOG_ERROR, "no-session", CKR_FMT, CKR_ARGS(rv));
		return SG_TOKEN_DOWN;
	}
	v->nlanes = 1;
	for (size_t i = 0; i < v->tokens.n && e == SG_OK; i++)
		e = token_login(v->tokens.token[i], lane->session[i].handle,
				v->keys.pin_file, w);
	for (size_t i = 0; i < v->keys.n && e == SG_OK; i++) {
		const size_t token = v->token_of[i];

		v->keys.key[i].token = v->tokens.token[token];
		e = key_find(&v->keys.key[i], lane->session[token].handle, w);
		if (e == SG_NOT_FOUND && may_miss(v, i))
			e = SG_OK;
	}
	for (size_t i = 0; i < v->tokens.n && e == SG_OK && v->keys.copies; i++)
		copy_make(v->tokens.token[i], v->keys.key, v->keys.n, w);
	return e;
}

/* One more lane, by several tries: an HSM that fails now and then would else
 * leave the process with few sessions for as long as it lives.  But one that
 * has no more of them has said so. */
static CK_RV add_lane(struct vault *v, struct watch *w)
{
	CK_RV rv = CKR_SESSION_COUNT;

	for (int i = 0; i < LANE_TRIES; i++) {
		rv = lane_open(v, &v->lane[v->nlanes], w);
		if (rv == CKR_OK || rv == CKR_SESSION_COUNT)
			return rv;
	}
	return rv;
}

static void more_lanes(struct vault *v, uint32_t wanted, struct watch *w)
{
	while (v->nlanes < wanted) {
		const CK_RV rv = add_lane(v, w);

		if (rv != CKR_OK) {
			log_event(LOG_WARNING, "sessions-short",
				  "wanted=%u got=%u " CKR_FMT, wanted,
				  v->nlanes, CKR_ARGS(rv));
			return;
		}
		v->nlanes++;
	}
}

/* Release what there is of V; its module is finalised. */
static void dispose(struct vault *v)
{
	for (uint32_t i = 0; i < v->nlanes; i++)
		lane_close(v, &v->lane[i]);
	for (size_t i = 0; i < v->tokens.n; i++)
		copy_end(v->tokens.token[i]);
	for (size_t i = 0; i < v->keys.n; i++)
		key_drop(&v->keys.key[i]);
	free(v->keys.key);
	free(v->lane);
	token_set_free(&v->tokens);
	module_unload(v->module);
	pthread_mutex_destroy(&v->finding);
	free(v);
}

enum sg_err vault_open(const struct vault_settings *settings, struct watch *w,
		       struct vault **out)
{
	const bool makes =
		settings->token != NULL && settings->token[0] != '\0';
	struct vault *v;
	enum sg_err e;

	*out = NULL;
	if ((settings->nkeys == 0 && !makes) ||
	    settings->nkeys > WORKER_KEYS_MAX || settings->sessions == 0 ||
	    settings->sessions > WORKER_SESSIONS_MAX)
		return SG_CONFIG;
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return SG_NO_MEMORY;
	pthread_mutex_init(&v->finding, NULL);
	v->made_on = makes ? settings->token : NULL;
	v->keys.pin_file = settings->pin_file;
	v->keys.copies = settings->session_copies;
	v->lane = aligned_alloc(_Alignof(struct lane),
				settings->sessions * sizeof(v->lane[0]));
	e = v->lane != NULL ? SG_OK : SG_NO_MEMORY;
	for (uint32_t i = 0; e == SG_OK && i < settings->sessions; i++)
		v->lane[i] = (struct lane){0};
	if (e == SG_OK)
		e = parse_keys(settings, v);
	if (e == SG_OK) {
		watch_enter(w, "loading the module", clock_mono_us());
		e = module_load(settings->module, &v->module);
		watch_leave(w);
	}
	if (e == SG_OK)
		e = find_tokens(v, w);
	if (e == SG_OK)
		e = first_lane(v, w);
	if (e != SG_OK) {
		watch_enter(w, "giving up", clock_mono_us());
		dispose(v);
		watch_leave(w);
		return e;
	}
	more_lanes(v, settings->sessions, w);
	*out = v;
	return SG_OK;
}

void vault_close(struct vault *v, struct watch *w)
{
	for (size_t i = 0; i < v->tokens.n; i++) {
		struct token *t = v->tokens.token[i];

		watch_enter(w, "logout", clock_mono_us());
		t->module->f->C_Logout(v->lane[0].session[i].handle);
		t->module->f->C_CloseAllSessions(t->slot);
		t->keeper = CK_INVALID_HANDLE;
	}
	for (uint32_t i = 0; i < v->nlanes; i++)
		for (size_t k = 0; k < v->tokens.n; k++)
			v->lane[i].session[k].handle = CK_INVALID_HANDLE;
	watch_enter(w, "finalising the module", clock_mono_us());
	dispose(v);
	watch_leave(w);
}

uint32_t vault_lanes(const struct vault *v)
{
	return v->nlanes;
}

size_t vault_keys(const struct vault *v)
{
	return v->keys.n;
}

size_t vault_configured(const struct vault *v)
{
	return v->configured;
}

const struct key *vault_key(const struct vault *v, size_t number)
{
	assert(number < v->keys.n);
	return &v->keys.key[number];
}

bool vault_has_anchor(const struct vault *v, size_t number)
{
	return number < v->keys.n && v->keys.key[number].ledger &&
	       v->keys.key[number].alg == COSE_EDDSA;
}

struct watch *vault_watch(struct vault *v, uint32_t lane)
{
	assert(lane < v->nlanes);
	return &v->lane[lane].watch;
}

CK_RV vault_sign_once(struct vault *v, uint32_t lane, size_t number,
		      struct span tbs, struct signature *out)
{
	assert(lane < v->nlanes && number < v->keys.n);
	return session_sign(&v->lane[lane].session[v->token_of[number]],
			    &v->keys.key[number], tbs, out,
			    &v->lane[lane].watch);
}

void vault_serves(struct vault *v, uint32_t lane, uint64_t name, uint32_t line)
{
	v->lane[lane].name = name;
	v->lane[lane].line = line;
}

static void log_failure(const struct vault *v, uint32_t lane, size_t number,
			const struct signature *sig)
{
	const struct lane *l = &v->lane[lane];
	char name[REQUEST_ID_TEXT];

	log_event(LOG_WARNING, "sign-failed",
		  "key=\"%s\" lane=%u copy=%d " CKR_FMT " request=%s",
		  v->keys.key[number].label, lane, sig->by_copy,
		  CKR_ARGS(sig->rv), request_id_text(l->name, l->line, name));
}

/* One attempt, counted, and logged where it fails. */
static enum ckr_fault attempt(struct vault *v, uint32_t lane, size_t number,
			      struct span tbs, struct signature *out)
{
	const CK_RV rv = vault_sign_once(v, lane, number, tbs, out);

	if (rv == CKR_OK) {
		metric_add(METRIC_SIGNATURES, 1);
		metric_time(HISTOGRAM_SIGN_TIME, out->sign_us);
		/* A store by every signature would make all threads wait for
		 * one cache line. */
		if (atomic_load_explicit(&v->failures, memory_order_relaxed))
			atomic_store(&v->failures, 0);
		return CKR_FAULT_NONE;
	}
	metric_add(METRIC_SIGN_ERRORS, 1);
	ckr_note(rv);
	if (flood_allows(&v->flood))
		log_failure(v, lane, number, out);
	/* Signing has no success but CKR_OK. */
	return ckr_fault(rv) != CKR_FAULT_NONE ? ckr_fault(rv)
					       : CKR_FAULT_RETRY;
}

/* Has OUT failed in a way in which the key itself may not? */
static bool blames_copy(enum ckr_fault fault, const struct signature *out)
{
	return out->by_copy && fault != CKR_FAULT_NONE &&
	       fault != CKR_FAULT_PROCESS && out->rv != CKR_DATA_LEN_RANGE &&
	       out->rv != CKR_DATA_INVALID;
}

/* What a last attempt that ended in FAULT means for the process. */
static enum sg_err verdict(struct vault *v, enum ckr_fault fault)
{
	switch (fault) {
	case CKR_FAULT_NONE: return SG_OK;
	case CKR_FAULT_JOB: return SG_INTERNAL;
	case CKR_FAULT_SESSION:
	case CKR_FAULT_PROCESS: return SG_TOKEN_DOWN;
	case CKR_FAULT_RETRY: break;
	}
	return atomic_fetch_add(&v->failures, 1) + 1 >= VAULT_FAILURES_MAX
		       ? SG_TOKEN_DOWN
		       : SG_INTERNAL;
}

enum sg_err vault_sign(struct vault *v, uint32_t lane, size_t number,
		       struct span tbs, struct signature *out)
{
	struct lane *l = &v->lane[lane];
	struct session *s = &l->session[v->token_of[number]];
	enum ckr_fault fault = attempt(v, lane, number, tbs, out);

	if (fault == CKR_FAULT_RETRY || fault == CKR_FAULT_SESSION) {
		if (session_renew(s, out->rv, &v->keys, &l->watch) != SG_OK)
			return SG_TOKEN_DOWN;
		metric_add(METRIC_REQUEUED, 1);
		fault = attempt(v, lane, number, tbs, out);
	}
	if (out->rv == CKR_KEY_FUNCTION_NOT_PERMITTED &&
	    vault_is_back(v, lane, number))
		fault = attempt(v, lane, number, tbs, out);
	if (blames_copy(fault, out)) {
		session_give_up_copy(s, &v->keys.key[number], out->rv,
				     &l->watch);
		fault = attempt(v, lane, number, tbs, out);
	}
	return verdict(v, fault);
}

static enum ckr_fault attempt_anchor(struct vault *v, uint32_t lane,
				     size_t number, struct span value,
				     struct anchor *out)
{
	struct lane *l = &v->lane[lane];
	const struct key *key = &v->keys.key[number];
	const CK_RV rv = anchor_keep(&l->session[v->token_of[number]], key,
				     value, out, &l->watch);

	if (rv == CKR_OK) {
		atomic_store(&v->failures, 0);
		return CKR_FAULT_NONE;
	}
	metric_add(METRIC_SIGN_ERRORS, 1);
	log_event(LOG_WARNING, "anchor-failed",
		  "key=\"%s\" lane=%u writing=%d " CKR_FMT, key->label, lane,
		  value.n > 0, CKR_ARGS(rv));
	return ckr_fault(rv) != CKR_FAULT_NONE ? ckr_fault(rv)
					       : CKR_FAULT_RETRY;
}

enum sg_err vault_anchor(struct vault *v, uint32_t lane, size_t number,
			 struct span value, struct anchor *out)
{
	struct lane *l = &v->lane[lane];
	enum ckr_fault fault;

	assert(lane < v->nlanes && vault_has_anchor(v, number));
	fault = attempt_anchor(v, lane, number, value, out);
	if (fault == CKR_FAULT_RETRY || fault == CKR_FAULT_SESSION) {
		if (session_renew(&l->session[v->token_of[number]], out->rv,
				  &v->keys, &l->watch) != SG_OK)
			return SG_TOKEN_DOWN;
		metric_add(METRIC_REQUEUED, 1);
		fault = attempt_anchor(v, lane, number, value, out);
	}
	return verdict(v, fault);
}
