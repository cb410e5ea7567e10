/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_VAULT_STATE_H
#define SG_VAULT_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "flood.h"
#include "vault.h"

/* vault_state: what vault.c and vault_find.c share. */

/* Aligned so that threads do not share cache lines through their watches. */
struct lane {
	_Alignas(64) struct watch watch;
	struct session session[TOKENS_MAX]; /* by token */
	uint64_t name; /* of the request that it signs for, for the log */
	uint32_t line;
};

/*
 * Keys are numbered by their places.  Those of the settings come first; each
 * that is found later is complete before keys.n counts it, and stays: a thread
 * that has seen the count sees the key.
 */
struct vault {
	struct module *module;
	struct token_set tokens;
	struct session_keys keys;	  /* room for WORKER_KEYS_MAX */
	size_t configured;		  /* of them are of the settings */
	size_t token_of[WORKER_KEYS_MAX]; /* by key: index in tokens */
	_Atomic unsigned failures;	  /* in a row */
	struct flood flood;		  /* of sign-failed */
	uint32_t nlanes;
	struct lane *lane;
	/* Keys that are found later. */
	const char *made_on; /* URI of their token; NULL: none are looked for */
	size_t made_token;   /* its index in tokens */
	pthread_mutex_t
		finding;  /* one looks at a time; before a token's lock */
	uint64_t told_us; /* when one that is missing was last logged */
	char found_label[WORKER_KEYS_MAX][KEY_LABEL_MAX]; /* by key */
};

/* Key NUMBER, at which an attempt in LANE has failed, may have been gone: has
 * it come back?  One that is not gone is not looked for. */
bool vault_is_back(struct vault *v, uint32_t lane, size_t number);

#endif /* SG_VAULT_STATE_H */
