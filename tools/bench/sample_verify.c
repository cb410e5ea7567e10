/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of a run, verified when it is over. */
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hcert/hc1.h"
#include "sample_state.h"
#include "tools/common/check.h"
#include "tools/common/payload.h"

enum { THREADS_MAX = 16, TRIES = 5, AGAIN_US = 1000000 };

/* A thread, with keys of its own: one is not for two threads at a time. */
struct verifier {
	struct sampler *s;
	struct checker *checker;
	struct keyset keys;
	struct deflate *deflate; /* the checker reads HC1 only */
	char text[HC1_TEXT_MAX];
	struct sample_result result;
};

/* --- one certificate -------------------------------------------------------
 */

static bool wrong(struct verifier *v, const char *what, const char *detail)
{
	v->result.wrong++;
	if (v->result.fault[0] == '\0')
		(void)snprintf(v->result.fault, sizeof(v->result.fault),
			       "%s: %s", what, detail);
	return false;
}

/* Is UVCI the "ci" of the payload's one entry? */
static bool has_uvci(struct span dcc, struct span uvci)
{
	static const char *const kinds[] = {"v", "t", "r"};
	bool found = false;
	json_t *payload;

	if (payload_json(dcc, &payload) != SG_OK)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const json_t *entries = json_object_get(payload, kinds[i]);
		const json_t *ci =
			json_object_get(json_array_get(entries, 0), "ci");

		if (json_is_string(ci) &&
		    span_eq(span_of(json_string_value(ci),
				    json_string_length(ci)),
			    uvci))
			found = true;
	}
	json_decref(payload);
	return found;
}

/* N more by the key KID; in the order of the numbers. */
static void count(struct sample_result *r, const uint8_t *kid, uint64_t n)
{
	size_t i = 0;
	int order = 1;

	while (i < r->nkids &&
	       (order = memcmp(r->kid[i].kid, kid, COSE_KID_BYTES)) < 0)
		i++;
	if (i < r->nkids && order == 0) {
		r->kid[i].n += n;
		return;
	}
	if (r->nkids == SAMPLE_KIDS_MAX)
		return;
	memmove(&r->kid[i + 1], &r->kid[i], (r->nkids - i) * sizeof(r->kid[0]));
	memcpy(r->kid[i].kid, kid, COSE_KID_BYTES);
	r->kid[i].n = n;
	r->nkids++;
}

/* The beginning of a signature, which is random; never 0. */
static uint64_t print_of(struct span signature)
{
	uint64_t print = 0;

	memcpy(&print, signature.p,
	       signature.n < sizeof(print) ? signature.n : sizeof(print));
	return print | 1;
}

/* Verify what has come at AT for the record with UVCI.  Its print, or 0. */
static uint64_t verify(struct verifier *v, struct span text, struct span uvci,
		       int64_t at)
{
	struct check check;

	if (text.n == 0)
		return wrong(v, "answer", "no certificate in it");
	if (v->s->form == SAMPLE_CBOR) {
		size_t n;

		if (hc1_encode(v->deflate, text, v->text, sizeof(v->text),
			       &n) != SG_OK)
			return wrong(v, "answer", "too large a certificate");
		text = span_of(v->text, n);
	}
	/* A second of grace: the core's clock may be read just before ours. */
	if (!checker_run(v->checker, text, &v->keys, at + 1, &check))
		return wrong(v, check_step_name(check.failed),
			     check.detail[check.failed]);
	if (!check.sign1.has_kid)
		return wrong(v, "signature", "no kid says by which key");
	if (!has_uvci(check.claims.dcc, uvci))
		return wrong(v, "payload", "it is another request's");
	count(&v->result, check.key->dsc.kid, 1);
	return print_of(check.sign1.signature);
}

static void verify_chunk(struct verifier *v, const struct sample_chunk *c)
{
	size_t at = 0;

	for (uint64_t i = c->first; at < c->used; i++) {
		struct sample_kept k;
		const uint8_t *uvci = c->bytes + at + sizeof(k);

		memcpy(&k, c->bytes + at, sizeof(k));
		v->s->print[i] = verify(v, span_of(uvci + k.uvci_n, k.n),
					span_of(uvci, k.uvci_n), k.at);
		at += (sizeof(k) + k.uvci_n + k.n + SAMPLE_ALIGN - 1) &
		      ~(size_t)(SAMPLE_ALIGN - 1);
	}
}

static void *work(void *arg)
{
	struct verifier *v = arg;
	size_t i;

	while ((i = atomic_fetch_add(&v->s->next, 1)) < v->s->nchunks)
		verify_chunk(v, v->s->chunk[i]);
	return NULL;
}

/* --- all of them -----------------------------------------------------------
 */

static enum sg_err open_verifier(struct sampler *s, struct verifier *v)
{
	enum sg_err err;

	v->s = s;
	err = checker_create(&v->checker);
	if (err == SG_OK && s->form == SAMPLE_CBOR)
		err = deflate_create(&v->deflate);
	/* Twice the same is no harm. */
	if (err == SG_OK)
		err = keyset_add(&v->keys, span_of(s->before.pem, s->before.n),
				 "/v1/keys");
	if (err == SG_OK)
		err = keyset_add(&v->keys, span_of(s->after.pem, s->after.n),
				 "/v1/keys");
	return err;
}

static void close_verifier(struct verifier *v)
{
	keyset_clear(&v->keys);
	checker_free(v->checker);
	deflate_free(v->deflate);
}

static void add(struct sample_result *sum, const struct sample_result *r)
{
	sum->wrong += r->wrong;
	for (size_t i = 0; i < r->nkids; i++)
		count(sum, r->kid[i].kid, r->kid[i].n);
	if (sum->fault[0] == '\0')
		memcpy(sum->fault, r->fault, sizeof(sum->fault));
}

static enum sg_err run(struct sampler *s, struct verifier *v, size_t n,
		       struct sample_result *out)
{
	pthread_t thread[THREADS_MAX];
	bool runs[THREADS_MAX] = {false};
	enum sg_err err = SG_OK;

	for (size_t i = 0; i < n && err == SG_OK; i++)
		err = open_verifier(s, &v[i]);
	/* The first is this one. */
	for (size_t i = 1; i < n && err == SG_OK; i++)
		runs[i] = pthread_create(&thread[i], NULL, work, &v[i]) == 0;
	if (err == SG_OK)
		(void)work(&v[0]);
	for (size_t i = 0; i < n; i++) {
		if (runs[i])
			(void)pthread_join(thread[i], NULL);
		add(out, &v[i].result);
		close_verifier(&v[i]);
	}
	return err;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a;
	const uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t count_repeated(uint64_t *print, uint64_t n)
{
	uint64_t repeated = 0;

	qsort(print, n, sizeof(print[0]), compare);
	for (uint64_t i = 1; i < n; i++)
		repeated += print[i] != 0 && print[i] == print[i - 1];
	return repeated;
}

/* The server may still be busy with what it was asked. */
static enum sg_err read_again(struct sampler *s, char *why, size_t cap)
{
	enum sg_err err = SG_OK;

	free(s->after.pem);
	s->after = (struct sample_keys){.n = 0};
	for (int i = 0; i < TRIES; i++) {
		if (i > 0)
			(void)usleep(AGAIN_US);
		err = sampler_read_keys(s, &s->after, why, cap);
		if (err == SG_OK)
			return SG_OK;
	}
	return err;
}

static size_t count_threads(const struct sampler *s)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = cpus > 0 ? (size_t)cpus : 1;

	if (n > s->nchunks)
		n = s->nchunks > 0 ? s->nchunks : 1;
	return n < THREADS_MAX ? n : THREADS_MAX;
}

enum sg_err sampler_verify(struct sampler *s, struct sample_result *out,
			   char *why, size_t cap)
{
	const size_t n = count_threads(s);
	struct verifier *v;
	enum sg_err err = read_again(s, why, cap);

	*out = (struct sample_result){.kept = s->kept};
	if (err != SG_OK)
		return err;
	v = calloc(n, sizeof(v[0]));
	free(s->print);
	s->print = calloc(s->kept + 1, sizeof(s->print[0]));
	atomic_store(&s->next, 0);
	err = v != NULL && s->print != NULL ? run(s, v, n, out) : SG_NO_MEMORY;
	free(v);
	if (err == SG_OK)
		out->repeated = count_repeated(s->print, s->kept);
	else
		(void)snprintf(why, cap, "/v1/keys: %s", err_text(err));
	return err;
}
