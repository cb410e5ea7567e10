/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_LIFECYCLE_H
#define SG_LIFECYCLE_H

#include "operation.h"

/*
 * lifecycle: the states of the signing keys, and of what else officers decide.
 * It is a fold over the operations that were accepted, in their order, with
 * what came of each; so the files of the operations are all that is kept.
 * Pure, thread-safe; no clock of its own.
 *
 *	X(id, text in documents and in the ledger)
 */
#define KEY_STATE_MAP(X)                                                       \
	X(GENERATED, "generated")     /* in the HSM, nothing else */           \
	X(REQUESTED, "requested")     /* its CSR is out */                     \
	X(CERTIFIED, "certified")     /* its DSC is here */                    \
	X(PUBLISHED, "published")     /* verifiers are told */                 \
	X(ACTIVE, "active")	      /* signs */                              \
	X(RETIRED, "retired")	      /* signs no more, still verifies */      \
	X(DESTROYED, "destroyed")     /* gone from the HSM */                  \
	X(STOPPED, "stopped")	      /* an officer pulled the cord */         \
	X(COMPROMISED, "compromised") /* never to be trusted again */

enum key_state {
#define X(id, text) KEY_##id,
	KEY_STATE_MAP(X)
#undef X
		KEY_STATE_COUNT
};

/* Static; "unknown" outside of the table. */
const char *key_state_text(enum key_state state);

enum {
	LIFE_KEYS_MAX = 63,  /* with the ledger's; one more signs TLS */
	LIFE_LABEL_MAX = 64, /* bytes, with a NUL */
	LIFE_SPKI_MAX = 600
};

/* A key's life. */
struct life {
	char label[LIFE_LABEL_MAX];
	char hsm[LIFE_LABEL_MAX];
	enum cose_alg alg;
	uint32_t bits;
	unsigned kinds; /* DCC_KIND_BIT()s that it signs; those that a newer key
			   of its HSM has taken over are gone */
	char country[3];
	bool ledger;	 /* for the ledger's checkpoints: no kinds, no
			    certificate */
	bool configured; /* stands in signerd.yaml, with its certificate */
	enum key_state state;
	enum key_state before; /* that it was in before this one: of STOPPED
				  what a start brings back, of DESTROYED
				  whether it was compromised */
	int64_t since;	       /* of that state; seconds since 1970 */
	int64_t published;     /* when, with the certificate that it has; 0: not
				  yet */
	int64_t activate;      /* it becomes active then; 0: nothing set */
	int64_t retire;	       /* it is retired then; 0: nothing set */
	bool last;	       /* and then although nothing else signs one of
				  its kinds */
	int64_t activated;     /* when it first was; 0: never */
	uint64_t signatures;   /* limits; 0: none */
	int64_t period_s;
	size_t spki_n; /* 0: not known */
	uint8_t spki[LIFE_SPKI_MAX];
	size_t csr_n; /* owned */
	uint8_t *csr;
	size_t certificate_n; /* owned; DER */
	uint8_t *certificate;
};

/* All zeroes: nothing was ever decided. */
struct lifecycle {
	struct roll roll;
	bool has_policy; /* POLICY is the one that officers have approved */
	uint8_t policy[OPERATION_HASH_BYTES];
	size_t n;
	struct life key[LIFE_KEYS_MAX];
	/* Labels of keys that others have taken the places of; owned. */
	size_t ngone, gone_room;
	char (*gone)[LIFE_LABEL_MAX];
};

/* Does L know of that label no more than that it was used? */
bool life_is_gone(const struct lifecycle *l, struct span label);

/* What came of an operation: known only afterwards, and kept with it. */
struct outcome {
	int64_t time;	  /* when it was accepted: seconds since 1970 */
	struct span spki; /* of GENERATE */
	struct span csr;  /* of REQUEST */
};

void lifecycle_free(struct lifecycle *l); /* what it owns */
/* The key of that label; NULL: none. */
struct life *lifecycle_find(struct lifecycle *l, struct span label);
/* The same, to look at. */
const struct life *life_find(const struct lifecycle *l, struct span label);

/* Was K declared compromised, whatever became of it? */
static inline bool life_is_compromised(const struct life *k)
{
	return k->state == KEY_COMPROMISED ||
	       (k->state == KEY_DESTROYED && k->before == KEY_COMPROMISED);
}

/* A key of signerd.yaml, active as it stands there; CSR and CERTIFICATE are
 * not taken over.  Where two of them are for one kind and HSM, so they stay.
 * Errors: SG_TOO_BIG (too many keys), SG_DUPLICATE_KEY. */
SG_MUST_USE enum sg_err lifecycle_adopt(struct lifecycle *l,
					const struct life *key);

/* Does K sign the ledger?  Two keys do from an operation LOG_KEY on, until the
 * old one is retired: it is the one that has a time for that. */
static inline bool life_signs_ledger(const struct life *k)
{
	return k->ledger && k->state == KEY_ACTIVE;
}

/*
 * Before lifecycle_refuses() and lifecycle_apply() all that is due at their
 * time must be done, by lifecycle_due(), also where operations are replayed: so
 * the same operations at the same times come to the same states.
 *
 * May O be done at NOW, by the states alone?  NULL, or why not: static, for
 * officers.  Says no to what is not the next step: an unknown or known label, a
 * key that is not certified to be published, one that is not published for the
 * roll's lead time (but for `override`) to be activated before that, ACTIVATE
 * or RETIRE at a time that has passed, the last key of a kind to be retired
 * (but for `last`), one that is active to be destroyed, a
 * genesis where there is a roll, anything else where there is none, ...  See
 * README.md for what each state allows.
 * Whether its last certificate has run out (DESTROY), and whether a certificate
 * is good (IMPORT), is the core's to know.
 */
const char *lifecycle_refuses(const struct lifecycle *l,
			      const struct operation *o, int64_t now);
/* What of that neither a clock nor a key has a say in, so that it can be asked
 * of what was accepted, too: a genesis where there is a roll, anything else
 * where there is none.  NULL, or why not, as above. */
const char *lifecycle_out_of_turn(const struct lifecycle *l,
				  const struct operation *o);
/* Do O, which lifecycle_refuses() has passed at OUT->time.  A new key may take
 * the place in L of one that was destroyed, once there are LIFE_KEYS_MAX.
 * Errors: SG_NO_MEMORY, SG_TOO_BIG (OUT's SPKI), SG_INTERNAL (it would have
 * been refused); L is as before. */
SG_MUST_USE enum sg_err lifecycle_apply(struct lifecycle *l,
					const struct operation *o,
					const struct outcome *out);

/* The kinds of K that no other key signs at AT, by what is set for them at NOW.
 */
unsigned lifecycle_unsigned(const struct lifecycle *l, const struct life *k,
			    int64_t at, int64_t now);

/* A key has come into another state. */
struct life_event {
	const struct life *key;
	enum key_state from, to;
	int64_t at; /* when that was due */
};
/*
 * Do the next thing that is due at NOW: a key that is to be activated, or
 * retired, or whose period is over; a key that activation has left without a
 * kind is retired.  In the order of their times, activations first.  False:
 * nothing is.  Call it until it says so.
 */
bool lifecycle_due(struct lifecycle *l, int64_t now, struct life_event *out);
/*
 * Do once more what lifecycle_due() has done before: the key of LABEL came into
 * the state TO, ACTIVE or RETIRED, at TIME.  In the same order among operations
 * as then, it comes to the same states, whatever a clock says now.  False: it
 * is not what can have happened to that key; nothing has changed.
 */
bool lifecycle_redo(struct lifecycle *l, struct span label, enum key_state to,
		    int64_t time);

#endif /* SG_LIFECYCLE_H */
