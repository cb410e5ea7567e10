/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TESTS_WITNESSED_H
#define SG_TESTS_WITNESSED_H

#include <openssl/evp.h>

#include "base/base64.h"
#include "base/clock.h"
#include "core/witnesses.h"
#include "ipc/channel.h"
#include "published.h"

/*
 * Two witnesses in software, behind a channel of their process's; the log's
 * directory is published.h's.
 */
enum { N = 2, ASKED_MAX = 32, BODY_MAX = 8192, SECOND_US = 1000000 };

struct asked {
	uint64_t id;
	uint16_t witness;
	size_t n;
	uint8_t body[BODY_MAX];
};

/* What a witness makes of a body. */
struct seen {
	uint64_t old;
	struct merkle_proof proof;
	struct checkpoint c;
	struct span text;
};

static uv_loop_t loop;
static struct core_ledger_settings settings;
static struct witnesses *w;
static struct channel *far_end;
static struct asked asked[ASKED_MAX];
static size_t nasked;
static struct note_key key[N];
static EVP_PKEY *private_key[N];

static uint64_t ahead_us; /* of the clock */
static size_t consulted, contradictions, cosigned, kept, bad;
static uint64_t said_size;
static bool said_fork;
static char said_name[NOTE_NAME_MAX + 1];
static uint8_t note[CHECKPOINT_NOTE_MAX], kept_note[CHECKPOINT_NOTE_MAX];
static size_t note_n, kept_n;

/* --- what the core hears ---------------------------------------------- */

static inline void on_consulted(void *ctx)
{
	(void)ctx;
	consulted++;
}

static inline void on_contradicted(void *ctx, const char *name, uint64_t size,
				   bool fork)
{
	(void)ctx;
	contradictions++;
	said_size = size;
	said_fork = fork;
	(void)snprintf(said_name, sizeof(said_name), "%s", name);
}

static inline void on_cosigned(void *ctx, uint64_t size, struct span text)
{
	(void)ctx;
	cosigned++;
	said_size = size;
	memcpy(note, text.p, text.n);
	note_n = text.n;
}

static inline void on_keep(void *ctx, struct span text)
{
	(void)ctx;
	kept++;
	memcpy(kept_note, text.p, text.n);
	kept_n = text.n;
}

static inline void on_bad(void *ctx)
{
	(void)ctx;
	bad++;
}

/* --- the process of the witnesses ------------------------------------- */

static inline bool on_message(void *ctx, const struct wire_msg *m,
			      const int *fds, size_t n)
{
	struct asked *a = &asked[nasked];
	struct wire_cosign ask;

	(void)ctx;
	(void)fds;
	(void)n;
	assert_int_equal(m->type, WIRE_COSIGN);
	assert_int_equal(wire_get_cosign(m, &ask), SG_OK);
	assert_true(nasked < ASKED_MAX && ask.body.n <= BODY_MAX);
	a->id = m->id;
	a->witness = ask.witness;
	a->n = ask.body.n;
	memcpy(a->body, ask.body.p, ask.body.n);
	nasked++;
	return true;
}

static inline void on_end(void *ctx, bool nonsense)
{
	(void)ctx;
	(void)nonsense;
	channel_close(far_end);
	far_end = NULL;
}

static inline void turn(void)
{
	for (int i = 0; i < 20; i++) {
		(void)uv_run(&loop, UV_RUN_NOWAIT);
		(void)usleep(200);
	}
}

static inline void link_process(void)
{
	static const struct channel_events events = {.message = on_message,
						     .end = on_end};
	int fd[2];

	channel_close(far_end);
	assert_int_equal(channel_pair(fd), 0);
	assert_int_equal(channel_open(&loop, fd[0], &events, NULL, &far_end),
			 SG_OK);
	assert_int_equal(witnesses_link(w, fd[1]), SG_OK);
	turn();
}

static inline void say(uint64_t id, const struct wire_cosigned *m)
{
	struct wire_packet *p = channel_room(far_end, 256 + m->body.n);

	assert_non_null(p);
	assert_int_equal(wire_put_cosigned(p, id, m), SG_OK);
	turn();
}

static inline void say_status(size_t i, uint16_t status, const char *type,
			      const char *body)
{
	const struct wire_cosigned m = {.status = status,
					.type = span_str(type),
					.body = span_str(body)};

	say(asked[i].id, &m);
}

static inline void say_size(size_t i, uint64_t size)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%llu\n", (unsigned long long)size);
	say_status(i, 409, "text/x.tlog.size", text);
}

/* --- a witness -------------------------------------------------------- */

static inline struct span line(struct span *rest)
{
	const uint8_t *end = memchr(rest->p, '\n', rest->n);
	struct span out;

	assert_non_null(end);
	out = span_of(rest->p, (size_t)(end - rest->p));
	*rest = span_of(end + 1, rest->n - out.n - 1);
	return out;
}

static inline struct seen read_body(size_t i)
{
	static char first[64];
	struct span rest = span_of(asked[i].body, asked[i].n);
	struct span s = line(&rest);
	struct seen seen = {0};
	struct note parts;
	size_t n;

	(void)snprintf(first, sizeof(first), "%.*s", (int)s.n,
		       (const char *)s.p);
	assert_memory_equal(first, "old ", 4);
	seen.old = strtoull(first + 4, NULL, 10);
	for (s = line(&rest); s.n > 0; s = line(&rest)) {
		assert_int_equal(s.n, 44);
		assert_true(base64_decode(s, seen.proof.hash[seen.proof.n++].b,
					  &n));
		assert_int_equal(n, MERKLE_HASH_BYTES);
	}
	assert_int_equal(note_parse(rest, &parts), SG_OK);
	assert_int_equal(parts.n, 1);
	assert_int_equal(checkpoint_parse(parts.text, &seen.c), SG_OK);
	seen.text = parts.text;
	return seen;
}

/* The body of request I is what a witness takes that knows OLD leaves. */
static inline struct seen expect_body(size_t i, uint64_t old, uint64_t size)
{
	const struct merkle_hash old_root = root_of(old);
	const struct merkle_hash root = root_of(size);
	const struct seen seen = read_body(i);

	assert_int_equal(seen.old, old);
	assert_int_equal(seen.c.size, size);
	assert_memory_equal(seen.c.root.b, root.b, sizeof(root.b));
	if (old == 0 || old == size)
		assert_int_equal(seen.proof.n, 0);
	else
		assert_int_equal(merkle_check_consistency(merkle, &seen.proof,
							  old, &old_root, size,
							  &root),
				 SG_OK);
	return seen;
}

/* The line by which the witness WHO cosigns TEXT, with the key of BY. */
static inline size_t cosign_text(struct span text, size_t who, size_t by,
				 uint8_t out[NOTE_LINE_MAX])
{
	const int64_t now = clock_wall_s();
	uint8_t message[1024];
	uint8_t signature[64];
	size_t n;
	size_t signature_n = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	assert_int_equal(
		note_cosigned_message(text, now, message, sizeof(message), &n),
		SG_OK);
	assert_int_equal(
		EVP_DigestSignInit(ctx, NULL, NULL, NULL, private_key[by]), 1);
	assert_int_equal(
		EVP_DigestSign(ctx, signature, &signature_n, message, n), 1);
	EVP_MD_CTX_free(ctx);
	assert_int_equal(note_signature_line(&key[who], now, signature, out,
					     NOTE_LINE_MAX, &n),
			 SG_OK);
	return n;
}

/* The witness WHO cosigns what request I asks, with the key of BY. */
static inline void cosign(size_t i, size_t who, size_t by)
{
	uint8_t out[NOTE_LINE_MAX];
	const size_t n = cosign_text(read_body(i).text, who, by, out);
	const struct wire_cosigned m = {.status = 200,
					.type = SPAN_LIT("text/plain"),
					.body = span_of(out, n)};

	say(asked[i].id, &m);
}

/* --- the core's side -------------------------------------------------- */

static inline struct span newest(uint64_t size)
{
	static uint8_t text[CHECKPOINT_NOTE_MAX];
	size_t n = 0;

	publish(size);
	assert_int_equal(
		tiles_read_file(tiles, "checkpoint", text, sizeof(text), &n),
		SG_OK);
	return span_of(text, n);
}

static inline void grow(uint64_t size)
{
	witnesses_published(w, newest(size));
	turn();
}

/* Let SECONDS pass, as far as it is told. */
static inline void tick_in(unsigned seconds)
{
	ahead_us += (uint64_t)seconds * SECOND_US;
	witnesses_tick(w, clock_mono_us() + ahead_us);
	turn();
}

/* TEXT is a checkpoint of SIZE with the cosignatures of WHO, a bit each, and
 * no other lines but the log's. */
static inline void expect_note(const uint8_t *text, size_t n, uint64_t size,
			       unsigned who)
{
	struct checkpoint c;
	struct note parts;
	size_t lines = 1;

	assert_int_equal(note_parse(span_of(text, n), &parts), SG_OK);
	assert_int_equal(checkpoint_parse(parts.text, &c), SG_OK);
	assert_int_equal(c.size, size);
	for (size_t i = 0; i < N; i++) {
		const bool has = (who >> i & 1) != 0;

		assert_int_equal(note_verify(&parts, &key[i], NULL),
				 has ? SG_OK : SG_NOT_FOUND);
		lines += has;
	}
	assert_int_equal(parts.n, lines);
}

static inline void begin(size_t n)
{
	static const struct witnesses_events events = {
		.consulted = on_consulted,
		.contradicted = on_contradicted,
		.cosigned = on_cosigned,
		.keep = on_keep,
		.bad = on_bad};
	const struct witnesses_parts parts = {.loop = &loop,
					      .settings = &settings,
					      .ledger_dir = dir,
					      .events = &events};
	char name[32];
	uint8_t raw[32];

	settings = (struct core_ledger_settings){.witness_ms = 1000,
						 .nwitnesses = n};
	for (size_t i = 0; i < N; i++) {
		size_t raw_n = sizeof(raw);

		memset(raw, (int)i + 1, sizeof(raw));
		private_key[i] = EVP_PKEY_new_raw_private_key(
			EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
		assert_int_equal(EVP_PKEY_get_raw_public_key(private_key[i],
							     raw, &raw_n),
				 1);
		(void)snprintf(name, sizeof(name), "witness.example/%zu", i);
		assert_int_equal(note_key_make(span_str(name), NOTE_COSIGNATURE,
					       raw, &key[i]),
				 SG_OK);
		note_key_text(&key[i], settings.witness[i]);
	}
	assert_int_equal(witnesses_create(&parts, &w), SG_OK);
	link_process();
}

static inline int before(void **state)
{
	nasked = consulted = contradictions = cosigned = kept = bad = 0;
	note_n = kept_n = 0;
	ahead_us = 0;
	assert_int_equal(uv_loop_init(&loop), 0);
	return setup(state);
}

static inline int after(void **state)
{
	witnesses_free(w);
	channel_close(far_end);
	far_end = NULL;
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	for (size_t i = 0; i < N; i++)
		EVP_PKEY_free(private_key[i]);
	return teardown(state);
}

#endif /* SG_TESTS_WITNESSED_H */
