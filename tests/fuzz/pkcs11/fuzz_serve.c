/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the core says to an hsm process: packets, a chunk each, to a thread of
 * its own whose vault has three keys, of which one has an anchor.  Of a job the
 * vault makes what its first byte says.  Whatever the core says: only sound
 * jobs reach the vault, none is answered twice, and after nonsense the
 * supervisor hears of it, once.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../files.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "pkcs11/serve.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEYS = 3, LEDGER = 2, PACKETS_MAX = 32 };

struct vault {
	struct key key[KEYS];
	size_t asked, jobs, answers; /* messages, and what came of them */
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* --- a vault -------------------------------------------------------------- */

static struct vault vault = {
	.key = {{.label = "dsc-1", .alg = COSE_ES256},
		{.label = "dsc-2", .alg = COSE_PS256},
		{.label = "ledger", .alg = COSE_EDDSA, .ledger = true}}};

uint32_t vault_lanes(const struct vault *v)
{
	(void)v;
	return 1;
}

size_t vault_keys(const struct vault *v)
{
	(void)v;
	return KEYS;
}

size_t vault_configured(const struct vault *v)
{
	(void)v;
	return KEYS;
}

const struct key *vault_key(const struct vault *v, size_t number)
{
	must(number < KEYS);
	return &v->key[number];
}

bool vault_has_anchor(const struct vault *v, size_t number)
{
	return number < KEYS && v->key[number].ledger;
}

/* What the first byte of a job asks for. */
static enum sg_err outcome(struct vault *v, struct span job)
{
	v->jobs++;
	if (job.n == 0)
		return SG_OK;
	if (job.p[0] == 'x')
		return SG_INTERNAL;
	return job.p[0] == 'y' ? SG_TOKEN_DOWN : SG_OK;
}

void vault_serves(struct vault *v, uint32_t lane, uint64_t name, uint32_t line)
{
	(void)v;
	(void)name;
	(void)line;
	must(lane == 0);
}

enum sg_err vault_sign(struct vault *v, uint32_t lane, size_t number,
		       struct span tbs, struct signature *out)
{
	must(lane == 0 && number < KEYS);
	*out = (struct signature){.n = COSE_SIG_MAX, .rv = 0x30};
	return outcome(v, tbs);
}

enum sg_err vault_anchor(struct vault *v, uint32_t lane, size_t number,
			 struct span value, struct anchor *out)
{
	must(lane == 0 && vault_has_anchor(v, number));
	must(value.n <= ANCHOR_BYTES_MAX);
	*out = (struct anchor){.n = value.n};
	if (value.n > 0)
		memcpy(out->value, value.p, value.n);
	return outcome(v, value);
}

enum sg_err vault_find(struct vault *v, uint32_t lane, struct span label,
		       enum cose_alg alg, size_t *number)
{
	(void)alg;
	must(lane == 0 && key_label_is_good(label));
	*number = 1;
	v->jobs++;
	if (label.p[0] == 'y')
		return SG_TOKEN_DOWN;
	return label.p[0] == 'x' ? SG_NOT_FOUND : SG_OK;
}

/* --- the core ------------------------------------------------------------- */

static void ask(int fd, struct span packet)
{
	struct span rest = packet;
	struct wire_msg m;

	if (packet.n == 0 ||
	    send(fd, packet.p, packet.n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
	while (wire_next(&rest, &m) == SG_OK)
		vault.asked++;
}

static void read_answer(const struct wire_msg *m)
{
	static struct wire_hsm_ready ready;
	struct wire_signed done;
	struct wire_sign_failed failed;
	struct wire_anchored anchored;
	struct wire_found_key found;

	must(wire_get_signed(m, &done) == SG_OK ||
	     wire_get_sign_failed(m, &failed) == SG_OK ||
	     wire_get_anchored(m, &anchored) == SG_OK ||
	     wire_get_found_key(m, &found) == SG_OK ||
	     wire_get_hsm_ready(m, &ready) == SG_OK);
	vault.answers++;
}

static void read_answers(int fd)
{
	static uint8_t buf[WIRE_PACKET_MAX];
	struct wire_msg m;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		struct span rest = span_of(buf, (size_t)n);

		while (wire_next(&rest, &m) == SG_OK)
			read_answer(&m);
	}
}

/* The supervisor hears of one bad core at most. */
static void read_control(int fd)
{
	static uint8_t buf[WIRE_PACKET_MAX];
	struct wire_peer_bad bad;
	struct wire_msg m;
	const ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	struct span rest = span_of(buf, n > 0 ? (size_t)n : 0);

	if (n <= 0)
		return;
	must(wire_next(&rest, &m) == SG_OK &&
	     wire_get_peer_bad(&m, &bad) == SG_OK && bad.slot == 3 &&
	     rest.n == 0);
	must(recv(fd, buf, sizeof(buf), MSG_DONTWAIT) <= 0);
}

/* As it begins: which keys it has. */
static void say_ready(int fd, struct server *s)
{
	struct wire_packet w = {.buf = s->out, .cap = WIRE_PACKET_MAX};

	must(serve_ready(&vault, "hsm-1", &w) == SG_OK);
	must(send(fd, w.buf, w.len, 0) == (ssize_t)w.len);
	vault.asked++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct server s = {.vault = &vault};
	int core[2];
	int control[2];

	log_limit((enum log_level) - 1);
	must(channel_pair(core) == 0 && channel_pair(control) == 0);
	must(uplink_create(&s.uplink) == SG_OK && serve_begin(&s) == SG_OK);
	must(uplink_replace(s.uplink, core[1], 3) == SG_OK);
	s.control = control[1];
	vault.asked = vault.jobs = vault.answers = 0;
	say_ready(core[1], &s);
	for (int i = 0; i < PACKETS_MAX && in.n > 0; i++) {
		const struct span chunk = files_chunk(&in);

		ask(core[0], chunk);
	}
	/* What has been sent is served, then it ends. */
	uplink_drain(s.uplink);
	(void)!serve_run(&s);
	read_answers(core[0]);
	must(vault.jobs <= vault.asked && vault.answers <= vault.asked);
	read_control(control[0]);
	(void)close(core[0]);
	(void)close(control[0]);
	(void)close(control[1]);
	serve_end(&s);
	uplink_free(s.uplink);
	return 0;
}
