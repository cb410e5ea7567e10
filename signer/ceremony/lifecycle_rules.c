/* SPDX-License-Identifier: Apache-2.0 */
/* What the states say to an operation: the refusing half of lifecycle.h. */
#include "lifecycle_state.h"

static const char NO_CSR[] =
	"it has no certificate yet: ask for its CSR (csr), have a DSC made of "
	"it, and import that first";
static const char NO_CERTIFICATE[] =
	"it has no certificate yet: import its DSC first";
static const char NOT_PUBLISHED[] = "it is not published yet: publish it first";
static const char RETIRED[] =
	"it is retired and never signs again: generate another key";
static const char DESTROYED[] =
	"it is destroyed: there is nothing left of it in the HSM";
static const char STOPPED[] =
	"it is stopped: start it again first, or retire it, or declare it "
	"compromised";
static const char COMPROMISED[] =
	"it is declared compromised, which is for ever: it can only be "
	"destroyed";
static const char SIGNS[] = "it signs: retire it first";
static const char NEVER_SIGNED[] =
	"it has never signed: destroy it if it is not wanted";
static const char NOT_REQUESTED[] =
	"its CSR was never asked for: do that first (csr), and have its DSC "
	"made of it";
static const char PUBLISHED_AND_ACTIVE[] =
	"it is active, and published already";
static const char SIGNS_AS_IT_IS[] =
	"it signs, and with another certificate it had another kid, which no "
	"verifier knows yet: generate another key, which is published before "
	"it signs";
static const char KNOWN_AS_IT_IS[] =
	"it has signed, and verifiers go on by the certificate that it has";
static const char LAST[] =
	"nothing else signs its kinds then: have another key activated first, "
	"or say in the operation that it is the last one (retire --last)";
static const char COMPROMISED_ALREADY[] = "it is declared compromised already";
static const char NOT_STOPPED[] = "it is not stopped";
static const char CANNOT_SIGN[] =
	"it has no certificate yet and cannot sign: there is nothing to stop";

/* What a key in a state says to an operation: NULL, or why not. */
static const char *const STEPS[OPERATION_KINDS][KEY_STATE_COUNT] = {
	[OPERATION_REQUEST] = {[KEY_ACTIVE] = SIGNS_AS_IT_IS,
			       [KEY_RETIRED] = RETIRED,
			       [KEY_DESTROYED] = DESTROYED,
			       [KEY_STOPPED] = STOPPED,
			       [KEY_COMPROMISED] = COMPROMISED},
	[OPERATION_IMPORT] = {[KEY_GENERATED] = NOT_REQUESTED,
			      [KEY_RETIRED] = KNOWN_AS_IT_IS,
			      [KEY_ACTIVE] = SIGNS_AS_IT_IS,
			      [KEY_DESTROYED] = DESTROYED,
			      [KEY_STOPPED] = STOPPED,
			      [KEY_COMPROMISED] = COMPROMISED},
	[OPERATION_PUBLISH] = {[KEY_GENERATED] = NO_CSR,
			       [KEY_REQUESTED] = NO_CERTIFICATE,
			       [KEY_PUBLISHED] = "it is published already",
			       [KEY_ACTIVE] = PUBLISHED_AND_ACTIVE,
			       [KEY_RETIRED] = RETIRED,
			       [KEY_DESTROYED] = DESTROYED,
			       [KEY_STOPPED] = STOPPED,
			       [KEY_COMPROMISED] = COMPROMISED},
	[OPERATION_ACTIVATE] = {[KEY_GENERATED] = NO_CSR,
				[KEY_REQUESTED] = NO_CERTIFICATE,
				[KEY_CERTIFIED] = NOT_PUBLISHED,
				[KEY_ACTIVE] = "it is active already",
				[KEY_RETIRED] = RETIRED,
				[KEY_DESTROYED] = DESTROYED,
				[KEY_STOPPED] = STOPPED,
				[KEY_COMPROMISED] = COMPROMISED},
	[OPERATION_RETIRE] = {[KEY_GENERATED] = NEVER_SIGNED,
			      [KEY_REQUESTED] = NEVER_SIGNED,
			      [KEY_CERTIFIED] = NEVER_SIGNED,
			      [KEY_RETIRED] = "it is retired already",
			      [KEY_DESTROYED] = DESTROYED,
			      [KEY_COMPROMISED] = COMPROMISED},
	[OPERATION_DESTROY] = {[KEY_ACTIVE] = SIGNS,
			       [KEY_DESTROYED] = "it is destroyed already",
			       [KEY_STOPPED] = STOPPED},
	[OPERATION_STOP] = {[KEY_GENERATED] = CANNOT_SIGN,
			    [KEY_REQUESTED] = CANNOT_SIGN,
			    [KEY_RETIRED] = "it is retired, and signs no more",
			    [KEY_DESTROYED] = DESTROYED,
			    [KEY_STOPPED] = "it is stopped already",
			    [KEY_COMPROMISED] = COMPROMISED},
	[OPERATION_START] = {[KEY_GENERATED] = NOT_STOPPED,
			     [KEY_REQUESTED] = NOT_STOPPED,
			     [KEY_CERTIFIED] = NOT_STOPPED,
			     [KEY_PUBLISHED] = NOT_STOPPED,
			     [KEY_ACTIVE] = NOT_STOPPED,
			     [KEY_RETIRED] = RETIRED,
			     [KEY_DESTROYED] = DESTROYED,
			     [KEY_COMPROMISED] = COMPROMISED},
	[OPERATION_COMPROMISE] = {[KEY_DESTROYED] = DESTROYED,
				  [KEY_COMPROMISED] = COMPROMISED_ALREADY},
	[OPERATION_LOG_KEY] = {[KEY_ACTIVE] = "it signs the ledger already",
			       [KEY_RETIRED] = RETIRED,
			       [KEY_DESTROYED] = DESTROYED,
			       [KEY_COMPROMISED] = COMPROMISED},
};

static const char *generate_fault(const struct lifecycle *l,
				  const struct operation *o)
{
	if (life_find(l, o->key) != NULL || life_is_gone(l, o->key))
		return "there is or was a key of this label: choose another "
		       "one, since labels are used once";
	if (o->alg == COSE_PS256 && !operation_rsa_bits(o->bits))
		return "an RSA key has 2048, 3072 or 4096 bits";
	if (life_room(l) == LIFE_KEYS_MAX)
		return "there are as many keys as there can be: destroy one "
		       "that is not needed any more";
	return NULL;
}

static const char *configured_fault(const struct life *k,
				    enum operation_kind kind)
{
	if (!k->configured)
		return NULL;
	if (kind == OPERATION_REQUEST || kind == OPERATION_IMPORT)
		return "it stands in signerd.yaml, with its certificate: "
		       "change that there, or generate another key";
	return NULL;
}

static const char *activate_fault(const struct lifecycle *l,
				  const struct life *k,
				  const struct operation *o, int64_t now)
{
	const int64_t at = o->activate != 0 ? o->activate : now;

	if (o->activate != 0 && o->activate <= now)
		return "the time at which it is to be activated has passed";
	if (k->retire != 0 && k->retire <= at)
		return "it is to be retired before that: set another time to "
		       "retire it first";
	if (!o->override && at < k->published + (int64_t)l->roll.lead_s)
		return "it has not been published for as long as the officers' "
		       "terms ask for: bring this operation again later, or "
		       "set a time (activate --at), or override it";
	return NULL;
}

/* Would the operation leave a kind without a key? */
static const char *last_fault(const struct lifecycle *l, const struct life *k,
			      const struct operation *o, int64_t now)
{
	const int64_t at = o->retire != 0 ? o->retire : now;

	return o->last || life_gap(l, k, at, now) == 0 ? NULL : LAST;
}

static const char *retire_fault(const struct lifecycle *l, const struct life *k,
				const struct operation *o, int64_t now)
{
	if (o->retire != 0 && o->retire <= now)
		return "the time at which it is to be retired has passed";
	if (k->state == KEY_STOPPED && k->before != KEY_ACTIVE)
		return "it has never signed: start it again, or declare it "
		       "compromised";
	if (k->state == KEY_PUBLISHED && k->activate == 0)
		return NEVER_SIGNED;
	if (k->state == KEY_PUBLISHED &&
	    (o->retire == 0 || o->retire <= k->activate))
		return "it is not active yet: set a time (retire) after its "
		       "activation";
	return last_fault(l, k, o, now);
}

/* Is the ledger's key being changed? */
static bool is_changing(const struct lifecycle *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (life_signs_ledger(&l->key[i]) && l->key[i].retire != 0)
			return true;
	return false;
}

static const char *log_key_fault(const struct lifecycle *l,
				 const struct life *k,
				 const struct operation *o)
{
	if (!span_eq(o->spki, span_of(k->spki, k->spki_n)))
		return "its public key is not the one that officers signed";
	return is_changing(l) ? "the ledger's key is being changed: wait until "
				"the old one is retired"
			      : NULL;
}

/* What only a key of the ledger, or only one of certificates, can have done. */
static const char *purpose_fault(const struct lifecycle *l,
				 const struct life *k, enum operation_kind kind)
{
	switch (kind) {
	case OPERATION_LOG_KEY:
		return k->ledger ? NULL
				 : "it is for certificates: generate one for "
				   "the ledger (without kinds)";
	case OPERATION_RETIRE:
	case OPERATION_COMPROMISE:
		/* The ledger is never without a key.  A new one that is good
		 * for nothing can be given up, while the old one is there. */
		return life_signs_ledger(k) && k->retire == 0 &&
				       (kind == OPERATION_RETIRE ||
					!is_changing(l))
			       ? "the ledger has no other key: generate one "
				 "and have it sign (log-key) first"
			       : NULL;
	case OPERATION_DESTROY:
		return k->ledger && k->configured
			       ? "signerd.yaml names it: let that name the new "
				 "one, and destroy it with the HSM's own tools"
			       : NULL;
	case OPERATION_REQUEST:
	case OPERATION_IMPORT:
	case OPERATION_PUBLISH:
	case OPERATION_ACTIVATE:
	case OPERATION_STOP:
	case OPERATION_START:
		return k->ledger ? "it is a key of the ledger: what it can "
				   "have done is log-key, retire, compromise, "
				   "destroy"
				 : NULL;
	case OPERATION_GENESIS:
	case OPERATION_OFFICERS:
	case OPERATION_POLICY:
	case OPERATION_GENERATE:
	case OPERATION_KINDS:
	default: return NULL;
	}
}

static const char *key_fault(const struct lifecycle *l,
			     const struct operation *o, int64_t now)
{
	const struct life *k = life_find(l, o->key);
	const char *fault;

	if (k == NULL)
		return "there is no key of this label";
	fault = purpose_fault(l, k, o->kind);
	if (fault == NULL)
		fault = configured_fault(k, o->kind);
	if (fault == NULL)
		fault = STEPS[o->kind][k->state];
	if (fault != NULL)
		return fault;
	if (o->kind == OPERATION_ACTIVATE)
		return activate_fault(l, k, o, now);
	if (o->kind == OPERATION_RETIRE)
		return retire_fault(l, k, o, now);
	if (o->kind == OPERATION_LOG_KEY)
		return log_key_fault(l, k, o);
	return NULL;
}

const char *lifecycle_out_of_turn(const struct lifecycle *l,
				  const struct operation *o)
{
	if (o->kind == OPERATION_GENESIS && l->roll.n > 0)
		return "there are officers already: they replace themselves "
		       "by an operation `officers`";
	if (o->kind != OPERATION_GENESIS && l->roll.n == 0)
		return "there are no officers yet: a genesis comes first";
	return NULL;
}

const char *lifecycle_refuses(const struct lifecycle *l,
			      const struct operation *o, int64_t now)
{
	const char *fault = lifecycle_out_of_turn(l, o);

	if (fault != NULL)
		return fault;
	switch (o->kind) {
	case OPERATION_GENESIS:
	case OPERATION_OFFICERS: return roll_fault(&o->roll);
	case OPERATION_POLICY: return NULL;
	case OPERATION_GENERATE: return generate_fault(l, o);
	case OPERATION_REQUEST:
	case OPERATION_IMPORT:
	case OPERATION_PUBLISH:
	case OPERATION_ACTIVATE:
	case OPERATION_RETIRE:
	case OPERATION_DESTROY:
	case OPERATION_STOP:
	case OPERATION_START:
	case OPERATION_COMPROMISE:
	case OPERATION_LOG_KEY: return key_fault(l, o, now);
	case OPERATION_KINDS: break;
	}
	return "there is no such operation";
}
