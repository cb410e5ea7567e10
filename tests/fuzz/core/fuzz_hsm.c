/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an hsm process says to the core.  The desk has a front that asks for
 * certificates; the input is what the hsm does, a byte each: it says honestly
 * what the core asked, or something else, or the bytes of a chunk.  Whatever it
 * does: no certificate goes out that does not verify, and the desk drops an
 * hsm that talks nonsense.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../unit/core/pki.h"
#include "../files.h"
#include "base/clock.h"
#include "base/identity.h"
#include "base/log.h"
#include "desks.h"
#include "hcert/cbor.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	TURNS = 4,
	STEPS_MAX = 24,
	JOBS_MAX = 256,
	PATIENCE_US = 60 * 1000 * 1000,
	NUMBER = 7, /* of the key */
	HSM_SLOTS = 2,
	ID_AT = 8 /* in the head of a message */
};

enum step {
	STEP_READY,  /* what it can */
	STEP_ASK,    /* not the hsm: a client asks for a certificate */
	STEP_SIGN,   /* answers the oldest job as it should */
	STEP_WRONG,  /* with a signature of other bytes: the chunk's */
	STEP_FAIL,   /* with a failure */
	STEP_AGAIN,  /* answers once more what it has answered */
	STEP_PACKET, /* the chunk, in which ids from 1 on are of its jobs */
	STEP_GONE,   /* it ends, and another one begins */
	STEPS
};

struct job {
	uint64_t id;
	size_t n;
	uint8_t tbs[64];
};

/* The request of a seed of fuzz_desk. */
static const char REQUEST[] = "\xa1"
			      "cdcc"
			      "\xa4"
			      "av"
			      "\x81\xaa"
			      "bci"
			      "\x78\x1c"
			      "URN:UVCI:01:VN:TEST/00000001"
			      "bco"
			      "bVN"
			      "bdn"
			      "\x02"
			      "bdt"
			      "j2021-12-01"
			      "bis"
			      "kB\xe1\xbb\x99 Y t\xe1\xba\xbf"
			      "bma"
			      "mORG-100030215"
			      "bmp"
			      "lEU/1/20/1528"
			      "bsd"
			      "\x02"
			      "btg"
			      "i840539006"
			      "bvp"
			      "j1119349007"
			      "cdob"
			      "j1990-05-17"
			      "cnam"
			      "\xa4"
			      "bfn"
			      "dTRAN"
			      "bgn"
			      "bAn"
			      "cfnt"
			      "dTRAN"
			      "cgnt"
			      "bAN"
			      "cver"
			      "e1.3.0";

static uv_loop_t loop;
static struct desk *desk;
static struct signer signer;
static struct cose_key *verifier;
static int front = -1, hsm = -1;
static uint64_t asked;
static size_t njobs, answered;
static struct job job[JOBS_MAX];

/* --- the desk ------------------------------------------------------------- */

static void on_peer_bad(void *ctx, enum wire_role role, uint16_t slot)
{
	(void)ctx;
	must(role == WIRE_HSM && slot == 0);
	(void)close(hsm);
	hsm = -1;
}

static void open_desk(void)
{
	static struct core_settings settings = {.nkeys = 1,
						.front_credit = 64,
						.verify_ecdsa_one_in = 1,
						.verify_all_ms = 60000,
						.test_sign_ms = 5000};

	settings.key[0] = (struct core_key_settings){.label = "dsc-1",
						     .alg = COSE_ES256,
						     .kinds = DCC_ALL_KINDS,
						     .country = "VN"};
	desk = desks_open(&loop, &settings, DESKS_POLICY, on_peer_bad);
}

static void begin(void)
{
	if (signer.key == NULL) {
		log_limit((enum log_level) - 1);
		signer = signer_usual(COSE_ES256);
		must(cose_key_from_certificate(
			     span_of(signer.der, (size_t)signer.der_n),
			     &verifier) == SG_OK);
		must(uv_loop_init(&loop) == 0);
	}
	open_desk();
	front = desks_link(desk, WIRE_FRONT);
	hsm = desks_link(desk, WIRE_HSM);
	asked = 0;
	njobs = answered = 0;
}

static void end(void)
{
	(void)close(front);
	if (hsm >= 0)
		(void)close(hsm);
	hsm = -1;
	desk_free(desk);
	for (int i = 0; i < TURNS; i++)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
}

/* --- what the desk says --------------------------------------------------- */

static void take_job(const struct wire_msg *m)
{
	struct wire_sign sign;
	struct job *j = &job[njobs];

	if (wire_get_sign(m, &sign) != SG_OK || njobs == JOBS_MAX)
		return;
	must(sign.key == NUMBER && sign.tbs.n <= sizeof(j->tbs));
	*j = (struct job){.id = m->id, .n = sign.tbs.n};
	memcpy(j->tbs, sign.tbs.p, sign.tbs.n);
	njobs++;
}

/* What goes out verifies. */
static void check_certificate(const struct wire_issued *m)
{
	uint8_t tbs[4096];
	struct cose_sign1 s;
	size_t n;

	must(cose_sign1_decode(m->cose, &s) == SG_OK);
	must(cose_sig_structure(s.prot, span_of(NULL, 0), s.payload, tbs,
				sizeof(tbs), &n) == SG_OK);
	must(cose_key_verify(verifier, s.alg, span_of(tbs, n), s.signature) ==
	     SG_OK);
}

static void take_answer(const struct wire_msg *m)
{
	struct wire_issued issued;
	struct wire_problem problem;

	if (m->type == WIRE_ISSUED) {
		must(wire_get_issued(m, &issued) == SG_OK);
		check_certificate(&issued);
	}
	if (m->type == WIRE_PROBLEM)
		must(wire_get_problem(m, &problem) == SG_OK);
}

static void read_end(int fd, void (*take)(const struct wire_msg *m))
{
	static uint8_t buf[WIRE_PACKET_MAX];
	struct wire_msg m;
	ssize_t n;

	while (fd >= 0 && (n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		struct span rest = span_of(buf, (size_t)n);

		while (wire_next(&rest, &m) == SG_OK)
			take(&m);
	}
}

static void turn(void)
{
	for (int i = 0; i < TURNS; i++)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
	read_end(hsm, take_job);
	read_end(front, take_answer);
}

/* --- what is said to it --------------------------------------------------- */

static uint8_t out[WIRE_PACKET_MAX];

static struct wire_packet packet(void)
{
	return (struct wire_packet){.buf = out, .cap = sizeof(out)};
}

static void say(int fd, const struct wire_packet *w)
{
	if (fd >= 0)
		(void)!send(fd, w->buf, w->len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void say_ready(void)
{
	static struct wire_hsm_ready m;
	struct wire_packet w = packet();

	m = (struct wire_hsm_ready){.sessions = 2, .nkeys = 1};
	m.key[0] = (struct wire_hsm_key){
		.key = NUMBER,
		.alg = COSE_ES256,
		.label = SPAN_LIT("dsc-1"),
		.certificate = span_of(signer.der, (size_t)signer.der_n),
		.spki = span_of(signer.spki, (size_t)signer.spki_n)};
	must(wire_put_hsm_ready(&w, &m) == SG_OK);
	say(hsm, &w);
}

static void ask(void)
{
	uint8_t request[sizeof(REQUEST) - 1];
	uint8_t identity[IDENTITY_BYTES_MAX];
	struct identity id = {
		.n = 1, .name = {{IDENTITY_URI, SPAN_LIT("urn:test:issuer")}}};
	struct wire_issue m = {.deadline_us = clock_mono_us() + PATIENCE_US};
	struct wire_packet w = packet();
	size_t n;

	must(identity_encode(&id, identity, sizeof(identity), &n) == SG_OK);
	memcpy(request, REQUEST, sizeof(request));
	m.identity = span_of(identity, n);
	m.request = span_of(request, sizeof(request));
	must(wire_put_issue(&w, ++asked, &m) == SG_OK);
	say(front, &w);
}

static void say_signed(const struct job *j, struct span signature)
{
	const struct wire_signed m = {
		.queue_us = 3, .sign_us = 330, .signature = signature};
	struct wire_packet w = packet();

	if (wire_put_signed(&w, j->id, &m) == SG_OK)
		say(hsm, &w);
}

static void say_failed(const struct job *j, bool expired)
{
	const struct wire_sign_failed m = {.ckr = 0x30, .expired = expired};
	struct wire_packet w = packet();

	must(wire_put_sign_failed(&w, j->id, &m) == SG_OK);
	say(hsm, &w);
}

static void sign(const struct job *j)
{
	uint8_t sig[COSE_SIG_MAX];

	say_signed(j, span_of(sig, signer_sign(&signer, span_of(j->tbs, j->n),
					       sig)));
}

/* The chunk, with the ids of jobs where it has small ones. */
static void say_packet(struct span chunk)
{
	struct wire_packet w = packet();
	struct span rest;
	struct wire_msg m;
	size_t at = 0;

	if (chunk.n == 0)
		return;
	memcpy(out, chunk.p, chunk.n);
	w.len = chunk.n;
	rest = span_of(out, w.len);
	while (wire_next(&rest, &m) == SG_OK) {
		if (m.id >= 1 && m.id <= njobs)
			memcpy(out + at + ID_AT, &job[m.id - 1].id,
			       sizeof(m.id));
		at = w.len - rest.n;
	}
	say(hsm, &w);
}

static void answer(enum step step, struct span *in)
{
	const struct job *j = &job[answered];

	if (answered == njobs)
		return;
	answered++;
	if (step == STEP_SIGN)
		sign(j);
	else if (step == STEP_WRONG)
		say_signed(j, files_chunk(in));
	else
		say_failed(j, in->n % 2 == 1);
}

static void do_step(enum step step, struct span *in)
{
	switch (step) {
	case STEP_READY: say_ready(); break;
	case STEP_ASK: ask(); break;
	case STEP_SIGN:
	case STEP_WRONG:
	case STEP_FAIL: answer(step, in); break;
	case STEP_AGAIN:
		if (answered > 0)
			sign(&job[answered - 1]);
		break;
	case STEP_PACKET: say_packet(files_chunk(in)); break;
	default:
		if (hsm >= 0)
			(void)close(hsm);
		turn();
		hsm = desks_link(desk, WIRE_HSM);
		njobs = answered = 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);

	begin();
	for (int i = 0; i < STEPS_MAX && in.n > 0; i++) {
		const enum step step = (enum step)(in.p[0] % STEPS);

		in = span_of(in.p + 1, in.n - 1);
		do_step(step, &in);
		turn();
	}
	end();
	return 0;
}
