/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_desk: a packet from a front, of whatever bytes, to a desk that has a
 * policy and a key but no hsm: decoding, judgement, assembly, answers.  The
 * desk lives on from input to input, as it would.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../unit/core/pki.h"
#include "base/log.h"
#include "desks.h"

static const char POLICY[] =
	DESKS_POLICY "  - name: slow\n"
		     "    identities: [\"uri:urn:test:slow\"]\n"
		     "    operations: [issue, validate, officer]\n"
		     "    kinds: [v, t, r]\n"
		     "    countries: [\"*\"]\n"
		     "    issuers: [\"*\"]\n"
		     "    profile: full\n"
		     "    rate: {per_second: 1, burst: 1}\n"
		     "    validity: {v: 365d, t: 365d, r: 365d}\n";

enum { TURNS = 4 }; /* of the loop, for a packet there and its answer */

static uv_loop_t loop;
static struct desk *desk;
static int front = -1; /* the front's end; -1: to be linked */

static void on_peer_bad(void *ctx, enum wire_role role, uint16_t slot)
{
	(void)ctx;
	must(role == WIRE_FRONT && slot == 0);
	(void)close(front);
	front = -1;
}

static void write_certificate(char *path)
{
	struct signer signer = signer_usual(COSE_ES256);
	const int fd = mkstemp(path);

	must(write(fd, signer.der, (size_t)signer.der_n) == signer.der_n);
	(void)close(fd);
	signer_free(&signer);
}

static void open_desk(void)
{
	static struct core_settings settings = {.nkeys = 1,
						.front_credit = 64,
						.verify_ecdsa_one_in = 1,
						.test_sign_ms = 1000};
	char path[] = "/tmp/fuzz_desk-XXXXXX";

	log_limit(LOG_ERROR);
	settings.key[0] = (struct core_key_settings){
		.label = "dsc-1", .alg = COSE_ES256, .kinds = DCC_ALL_KINDS};
	write_certificate(path);
	memcpy(settings.key[0].certificate, path, sizeof(path));
	must(uv_loop_init(&loop) == 0);
	desk = desks_open(&loop, &settings, POLICY, on_peer_bad);
	(void)unlink(path);
}

/* Whatever it was told, the desk speaks well. */
static void check_message(const struct wire_msg *m)
{
	struct wire_credit credit;
	struct wire_status status;
	struct wire_issued issued;
	struct wire_problem problem;
	struct wire_later later;
	struct wire_answer answer;

	switch (m->type) {
	case WIRE_CREDIT: must(wire_get_credit(m, &credit) == SG_OK); break;
	case WIRE_STATUS: must(wire_get_status(m, &status) == SG_OK); break;
	case WIRE_ANSWER: must(wire_get_answer(m, &answer) == SG_OK); break;
	case WIRE_ISSUED:
		must(wire_get_issued(m, &issued) == SG_OK);
		must(issued.dry_run); /* there is nobody to sign */
		break;
	case WIRE_LATER: must(wire_get_later(m, &later) == SG_OK); break;
	case WIRE_PROBLEM:
		must(wire_get_problem(m, &problem) == SG_OK);
		must(problem.err != SG_OK && problem.err != SG_INTERNAL);
		break;
	default: abort();
	}
}

static void read_answers(void)
{
	static uint8_t buf[WIRE_PACKET_MAX];
	struct wire_msg m;
	ssize_t n;

	while (front >= 0 &&
	       (n = recv(front, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		struct span rest = span_of(buf, (size_t)n);
		enum sg_err err;

		while ((err = wire_next(&rest, &m)) == SG_OK)
			check_message(&m);
		must(err == SG_NOT_FOUND);
	}
}

/* libFuzzer's name, and its to declare. */
/* NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (desk == NULL)
		open_desk();
	if (front < 0)
		front = desks_link(desk, WIRE_FRONT);
	if (size == 0 || size > WIRE_PACKET_MAX)
		return 0;
	must(send(front, data, size, MSG_DONTWAIT) == (ssize_t)size);
	for (int i = 0; i < TURNS; i++)
		(void)uv_run(&loop, UV_RUN_NOWAIT);
	read_answers();
	return 0;
}
