/* SPDX-License-Identifier: Apache-2.0 */
#include "anchor.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "ckr.h"
#include "object.h"
#include "unconst.h"

/*
 * An object's value: a line "NUMBER CHECKSUM", 16 and 64 hexadecimal digits,
 * then the core's bytes.  The checksum is SHA-256 over the 16 digits and the
 * bytes.
 */
enum {
	NUMBER_DIGITS = 16,
	SUM_DIGITS = 2 * SHA256_DIGEST_LENGTH,
	HEAD_BYTES = NUMBER_DIGITS + 1 + SUM_DIGITS + 1,
	STORED_MAX = HEAD_BYTES + ANCHOR_BYTES_MAX,
	TURNS = 2,	 /* objects */
	FOUND_MAX = 8,	 /* objects looked at: ours, and what went wrong */
	LABEL_MAX = 256, /* of a key */
	TEMPLATE_MAX = 6
};

static const char APPLICATION[] = "signerd";

/* What one call works on. */
struct work {
	const CK_FUNCTION_LIST *f;
	CK_SESSION_HANDLE session;
	const struct key *key;
	uint8_t label[LABEL_MAX]; /* of the private key */
	size_t nlabel;
	size_t n; /* objects, the one that counts first */
	struct found {
		CK_OBJECT_HANDLE handle;
		uint64_t number; /* 0: it is not whole */
	} found[FOUND_MAX];
	size_t nvalue; /* of the one that counts */
	uint8_t value[ANCHOR_BYTES_MAX];
};

/* The first line for VALUE; HEAD_BYTES and a NUL. */
static void make_head(uint64_t number, struct span value,
		      char out[HEAD_BYTES + 1])
{
	uint8_t all[NUMBER_DIGITS + ANCHOR_BYTES_MAX];
	uint8_t sum[SHA256_DIGEST_LENGTH];
	char *p = out + NUMBER_DIGITS + 1;

	(void)snprintf(out, HEAD_BYTES + 1, "%016" PRIx64 " ", number);
	memcpy(all, out, NUMBER_DIGITS);
	memcpy(all + NUMBER_DIGITS, value.p, value.n);
	SHA256(all, NUMBER_DIGITS + value.n, sum);
	(void)hex_encode(sum, sizeof(sum), p);
	p[2 * sizeof(sum)] = '\n';
	p[2 * sizeof(sum) + 1] = '\0';
}

static uint64_t read_number(const uint8_t *p)
{
	uint64_t number = 0;

	for (size_t i = 0; i < NUMBER_DIGITS; i++) {
		if (p[i] >= '0' && p[i] <= '9')
			number = number << 4 | (uint64_t)(p[i] - '0');
		else if (p[i] >= 'a' && p[i] <= 'f')
			number = number << 4 | (uint64_t)(p[i] - 'a' + 10);
		else
			return 0;
	}
	return number;
}

/* The number of what was STORED, and its value; 0: it is not whole. */
static uint64_t take_apart(struct span stored, struct span *value)
{
	char head[HEAD_BYTES + 1];
	uint64_t number;

	if (stored.n <= HEAD_BYTES || stored.n > STORED_MAX)
		return 0;
	*value = span_of(stored.p + HEAD_BYTES, stored.n - HEAD_BYTES);
	number = read_number(stored.p);
	make_head(number, *value, head);
	return memcmp(head, stored.p, HEAD_BYTES) == 0 ? number : 0;
}

/* The attributes by which an anchor is found. */
static CK_ULONG name_of(const struct work *k, CK_ATTRIBUTE *t)
{
	static const CK_OBJECT_CLASS class = CKO_DATA;
	static const CK_BBOOL yes = CK_TRUE;

	t[0] = (CK_ATTRIBUTE){CKA_CLASS, unconst(&class), sizeof(class)};
	t[1] = (CK_ATTRIBUTE){CKA_TOKEN, unconst(&yes), sizeof(yes)};
	t[2] = (CK_ATTRIBUTE){CKA_APPLICATION, unconst(APPLICATION),
			      sizeof(APPLICATION) - 1};
	t[3] = (CK_ATTRIBUTE){CKA_LABEL, unconst(k->label), k->nlabel};
	return 4;
}

/* Read object I; the one that counts goes first. */
static CK_RV take(struct work *k, size_t i)
{
	uint8_t stored[STORED_MAX];
	size_t n = sizeof(stored);
	struct found *o = &k->found[i];
	struct span value = {0};
	const CK_RV rv =
		object_read(k->f, k->session, o->handle, CKA_VALUE, stored, &n);

	o->number = 0;
	if (rv == CKR_OK)
		o->number = take_apart(span_of(stored, n), &value);
	else if (rv != CKR_BUFFER_TOO_SMALL && ckr_fault(rv) != CKR_FAULT_JOB)
		return rv;
	if (o->number == 0)
		log_event(LOG_WARNING, "anchor-damaged",
			  "key=\"%s\" bytes=%zu " CKR_FMT, k->key->label, n,
			  CKR_ARGS(rv));
	if (o->number > k->found[0].number || (i == 0 && o->number > 0)) {
		const struct found best = *o;

		*o = k->found[0];
		k->found[0] = best;
		memcpy(k->value, value.p, value.n);
		k->nvalue = value.n;
	}
	return CKR_OK;
}

/* Find the objects, and read the one that counts. */
static CK_RV look(struct work *k)
{
	CK_ATTRIBUTE t[TEMPLATE_MAX];
	CK_OBJECT_HANDLE found[FOUND_MAX];
	CK_ULONG n = FOUND_MAX;
	CK_RV rv = object_find(k->f, k->session, t, name_of(k, t), found, &n);

	k->n = k->nvalue = 0;
	if (rv != CKR_OK)
		return rv;
	if (n == FOUND_MAX) {
		/* One that was not found could be the one that counts. */
		log_event(LOG_ERROR, "anchor-ambiguous", "key=\"%s\"",
			  k->key->label);
		return CKR_DATA_INVALID;
	}
	for (size_t i = 0; i < n; i++)
		k->found[i] = (struct found){.handle = found[i]};
	for (size_t i = 0; i < n && rv == CKR_OK; i++)
		rv = take(k, i);
	k->n = n;
	return rv;
}

static CK_RV create(const struct work *k, struct span stored)
{
	static const CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE t[TEMPLATE_MAX + 1];
	CK_ULONG n = name_of(k, t);
	CK_OBJECT_HANDLE made;

	t[n++] = (CK_ATTRIBUTE){CKA_PRIVATE, unconst(&yes), sizeof(yes)};
	t[n++] = (CK_ATTRIBUTE){CKA_MODIFIABLE, unconst(&yes), sizeof(yes)};
	t[n++] = (CK_ATTRIBUTE){CKA_VALUE, unconst(stored.p), stored.n};
	return k->f->C_CreateObject(k->session, t, n, &made);
}

/* The object whose turn it is: the one with the lowest number, and never the
 * one that counts. */
static size_t oldest(const struct work *k)
{
	size_t i = k->n - 1;

	assert(k->n >= TURNS);
	for (size_t j = 1; j < k->n; j++)
		if (k->found[j].number < k->found[i].number)
			i = j;
	return i;
}

static CK_RV put(struct work *k, struct span stored)
{
	CK_RV rv;

	if (k->n >= TURNS) {
		CK_ATTRIBUTE t = {CKA_VALUE, unconst(stored.p), stored.n};

		rv = k->f->C_SetAttributeValue(
			k->session, k->found[oldest(k)].handle, &t, 1);
		/* Some modules never change a data object. */
		if (rv == CKR_OK || ckr_fault(rv) != CKR_FAULT_JOB)
			return rv;
	}
	while (k->n >= TURNS) {
		const size_t i = oldest(k);

		rv = k->f->C_DestroyObject(k->session, k->found[i].handle);
		if (rv != CKR_OK)
			return rv;
		k->found[i] = k->found[--k->n];
	}
	return create(k, stored);
}

/* Write VALUE, then look again, for what the token has made of it. */
static CK_RV replace(struct work *k, struct span value)
{
	char stored[STORED_MAX + 1];
	const uint64_t number = k->n > 0 ? k->found[0].number + 1 : 1;
	CK_RV rv;

	make_head(number, value, stored);
	memcpy(stored + HEAD_BYTES, value.p, value.n);
	rv = put(k, span_of(stored, HEAD_BYTES + value.n));
	if (rv == CKR_OK)
		rv = look(k);
	if (rv == CKR_OK && !span_eq(value, span_of(k->value, k->nvalue)))
		rv = CKR_DATA_INVALID;
	return rv;
}

static CK_RV keep(struct work *k, struct span value)
{
	CK_RV rv;

	k->nlabel = sizeof(k->label);
	rv = object_read(k->f, k->session, k->key->handle, CKA_LABEL, k->label,
			 &k->nlabel);
	if (rv != CKR_OK)
		return rv;
	rv = look(k);
	if (rv != CKR_OK)
		return rv;
	if (value.n > 0)
		return replace(k, value);
	/* To take it for none would be to forget it. */
	return k->n > 0 && k->nvalue == 0 ? CKR_DATA_INVALID : CKR_OK;
}

CK_RV anchor_keep(const struct session *s, const struct key *key,
		  struct span value, struct anchor *out, struct watch *w)
{
	struct work k = {
		.f = s->token->module->f, .session = s->handle, .key = key};

	assert(key->token == s->token);
	out->n = 0;
	out->rv = CKR_DATA_LEN_RANGE;
	if (value.n > ANCHOR_BYTES_MAX)
		return out->rv;
	pthread_rwlock_wrlock(&s->token->lock);
	watch_enter(w, value.n > 0 ? "writing an anchor" : "reading an anchor",
		    clock_mono_us());
	out->rv = keep(&k, value);
	watch_leave(w);
	pthread_rwlock_unlock(&s->token->lock);
	if (out->rv == CKR_OK) {
		out->n = k.nvalue;
		memcpy(out->value, k.value, k.nvalue);
	}
	return out->rv;
}
