/* SPDX-License-Identifier: Apache-2.0 */
/* signer-officer and a signerd that says what the test wants, by its socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "command_fixture.h"
#include "ipc/wire.h"
#include "tools/common/json_cbor.h"
#include "tools/officer/opfile.h"

extern const struct command KEYS_COMMAND, CSR_COMMAND, STOP_COMMAND,
	PROPOSE_COMMAND, APPLY_COMMAND;

#define HASH "0101010101010101010101010101010101010101010101010101010101010101"

static char dir[] = "/tmp/test_daemon-XXXXXX";
static char socket_path[64], key_path[64], file_path[64], csr_path[64];

/* --- a signerd ------------------------------------------------------------ */

enum mood { MOOD_GOOD, MOOD_REFUSES, MOOD_NONSENSE, MOOD_HANGS_UP };

static struct {
	int fd;
	pthread_t thread;
	_Atomic enum mood mood;
	_Atomic unsigned operations;
	_Atomic enum operation_kind kind; /* of the last */
	_Atomic size_t signatures;
	uint8_t in[WIRE_PACKET_MAX], out[WIRE_PACKET_MAX];
	uint8_t *document;
	size_t n;
} daemon_;

static void see_operation(const struct wire_msg *m)
{
	static struct approved a;
	static struct operation o;
	const char *why;
	struct wire_operate q;

	if (wire_get_operate(m, &q) != SG_OK || q.identity.n > 0 ||
	    approved_decode(q.operation, &a) != SG_OK ||
	    operation_decode(a.operation, &o, &why) != SG_OK)
		return;
	daemon_.operations++;
	daemon_.kind = o.kind;
	daemon_.signatures = a.n;
}

/* The answer to M; 0: none. */
static size_t answer_to(const struct wire_msg *m)
{
	const bool refuses =
		m->type == WIRE_OPERATE && daemon_.mood == MOOD_REFUSES;
	struct wire_packet w = {.buf = daemon_.out, .cap = sizeof(daemon_.out)};
	const struct wire_problem problem = {
		.err = SG_FORBIDDEN, .detail = SPAN_LIT("not\033enough")};
	const struct wire_answer answer = {
		.document = m->type == WIRE_OPERATE
				    ? SPAN_LIT("\xa1\x61r\x01")
				    : span_of(daemon_.document, daemon_.n)};
	enum sg_err err;

	if (daemon_.mood == MOOD_NONSENSE)
		err = wire_put_bare(&w, WIRE_DRAIN);
	else if (refuses)
		err = wire_put_problem(&w, m->id, &problem);
	else
		err = wire_put_answer(&w, m->id, &answer);
	return err == SG_OK ? w.len : 0;
}

static void serve_one(int fd)
{
	for (;;) {
		const ssize_t n = recv(fd, daemon_.in, sizeof(daemon_.in), 0);
		struct span rest = span_of(daemon_.in, n > 0 ? (size_t)n : 0);
		struct wire_msg m;
		size_t len;

		if (wire_next(&rest, &m) != SG_OK ||
		    daemon_.mood == MOOD_HANGS_UP)
			return;
		if (m.type == WIRE_OPERATE)
			see_operation(&m);
		len = answer_to(&m);
		if (len == 0 || send(fd, daemon_.out, len, MSG_NOSIGNAL) < 0)
			return;
	}
}

static void *serve(void *arg)
{
	int fd;

	(void)arg;
	while ((fd = accept(daemon_.fd, NULL, NULL)) >= 0) {
		serve_one(fd);
		(void)close(fd);
	}
	return NULL;
}

/* The document as CBOR of this JSON: text where a signerd has bytes, which is
 * the same to who reads it as JSON. */
static const char DOCUMENT[] =
	"{\"origin\": \"log.example/1\", \"size\": 7, \"time\": 1, \"root\": "
	"\"" HASH "\", \"policy\": \"" HASH "\", \"roll\": {\"threshold\": 2, "
	"\"lead\": 60, \"stale\": 60, \"proposer-approves\": true, "
	"\"officers\": [{\"name\": \"anne\", \"alg\": \"ES256\", \"kid\": "
	"\"AAECAwQFBgc=\"}, {\"name\": \"bao\", \"alg\": \"EdDSA\", "
	"\"kid\": \"BwYFBAMCAQA=\"}]}, "
	"\"keys\": [{\"label\": \"dsc-1\", \"hsm\": \"east\", \"alg\": "
	"\"ES256\", \"kinds\": \"vtr\", \"country\": \"VN\", \"state\": "
	"\"active\", \"kid\": \"AAECAwQFBgc=\", \"notAfter\": 1896080400, "
	"\"usedUntil\": 1800000000, \"limit\": 9, \"signed\": 8, \"good\": 2, "
	"\"warnings\": [\"8 of 9 signatures\\u001b[2J\"]}, "
	"{\"label\": \"dsc-2\", \"hsm\": \"west\", \"state\": \"requested\", "
	"\"csr\": \"AAEC\", \"activate\": 1896080400}, "
	"{\"label\": \"dsc-3\", \"state\": \"active\"}, "
	"{\"label\": \"dsc-4\", \"state\": \"destroyed\", \"good\": 2, "
	"\"notAfter\": 1896080400, \"retire\": 5}, "
	"{\"label\": \"dsc-5\", \"state\": \"generated\", \"kinds\": \"v\"}, "
	"{\"label\": \"log-2\", \"state\": \"generated\", \"kinds\": \"\"}, "
	"{\"label\": \"dsc-6\", \"state\": \"certified\", \"kinds\": \"v\"}, "
	"{\"label\": \"dsc-7\", \"state\": \"published\", \"kinds\": \"v\", "
	"\"published\": 86400}, "
	"{\"label\": \"dsc-8\", \"state\": \"published\", \"kinds\": \"v\", "
	"\"published\": -60}, "
	"{\"label\": \"dsc-9\", \"state\": \"published\", \"kinds\": \"v\", "
	"\"published\": 86400, \"activate\": 90060}, "
	"{\"label\": \"old-1\", \"hsm\": \"east\", \"state\": \"active\", "
	"\"notAfter\": 1800000000, \"retire\": 1896080400, \"good\": 1}, "
	"{\"label\": \"old-2\", \"hsm\": \"east\", \"state\": \"active\", "
	"\"notAfter\": 1896080400, \"retire\": 1800000000, \"good\": 1}, "
	"{\"label\": \"old-3\", \"hsm\": \"east\", \"state\": \"retired\", "
	"\"notAfter\": 1896080400, \"retire\": 1800000000}], "
	"\"hsms\": [{\"name\": \"east\", \"state\": \"down\", \"up\": 0, "
	"\"processes\": 2, \"errors\": 3, \"makesKeys\": true}]}";

static int set_up(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	json_t *j = json_loads(DOCUMENT, 0, NULL);
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(socket_path, sizeof(socket_path), "%s/socket", dir);
	(void)snprintf(key_path, sizeof(key_path), "%s/key", dir);
	(void)snprintf(file_path, sizeof(file_path), "%s/op", dir);
	(void)snprintf(csr_path, sizeof(csr_path), "%s/csr", dir);
	f = fopen(key_path, "we");
	assert_non_null(f);
	assert_int_equal(
		PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(f), 0);
	EVP_PKEY_free(pkey);
	assert_non_null(j);
	assert_int_equal(json_cbor(j, &daemon_.document, &daemon_.n), SG_OK);
	json_decref(j);
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket_path);
	daemon_.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(
		bind(daemon_.fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(daemon_.fd, 4), 0);
	return pthread_create(&daemon_.thread, NULL, serve, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	(void)shutdown(daemon_.fd, SHUT_RDWR); /* wakes accept() */
	(void)pthread_join(daemon_.thread, NULL);
	(void)close(daemon_.fd);
	free(daemon_.document);
	(void)unlink(socket_path);
	(void)unlink(key_path);
	(void)unlink(file_path);
	(void)unlink(csr_path);
	return rmdir(dir);
}

/* --- the commands --------------------------------------------------------- */

static void has(const char *text, const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("no \"%s\" in: %s", what, text);
}

static void test_keys(void **state)
{
	char *text;

	(void)state;
	daemon_.mood = MOOD_GOOD;
	assert_int_equal(COMMAND(&KEYS_COMMAND, &text, "--socket", socket_path),
			 EXIT_GOOD);
	has(text, "dsc-1  east  active     vtr    VN   ES256  AAECAwQFBgc=  "
		  "2027-01-15   2030-01-31  8 of 9  2\n");
	has(text, "  ! dsc-1: 8 of 9 signatures\xef\xbf\xbd[2J\n");
	has(text, "  dsc-2: becomes active at 2030-01-31T09:00:00Z\n");
	has(text, "  dsc-2: next: have the CSCA sign its request");
	has(text, "  dsc-5: next: signer-officer propose csr,");
	has(text, "  log-2: next: signer-officer propose log-key\n");
	has(text, "  dsc-6: next: signer-officer propose publish\n");
	has(text, "  dsc-7: published at 1970-01-02T00:00:00Z\n"
		  "  dsc-7: next: signer-officer propose activate, from "
		  "1970-01-02T00:01:00Z\n");
	has(text, "  dsc-8: next: signer-officer propose activate\n");
	has(text, "  dsc-9: becomes active at 1970-01-02T01:01:00Z\n");
	assert_null(strstr(text, "dsc-9: next"));
	assert_null(strstr(text, "dsc-1: next"));
	/* The first end; none of what signs no more. */
	has(text, "old-1  east  active     -      -           -             "
		  "2027-01-15   2027-01-15");
	has(text, "old-2  east  active     -      -           -             "
		  "2027-01-15   2030-01-31");
	has(text, "old-3  east  retired    -      -           -             "
		  "-            2030-01-31");
	has(text, "  old-2: is retired at 2027-01-15T08:00:00Z\n");
	assert_null(strstr(text, "old-3: is"));
	assert_null(strstr(text, "dsc-4: is"));
	has(text, "  ! dsc-3: no HSM signs with it now\n");
	has(text, "destroyed  -      -    ");
	has(text, "0       -\n"); /* and no process has it */
	has(text, "east  down   0 of 2 ");
	has(text, "officers, 2 of whom decide: anne, bao\n");
	assert_null(strchr(text, '\033'));
	free(text);
	assert_int_equal(COMMAND(&KEYS_COMMAND, &text, "--json", "--socket",
				 socket_path),
			 EXIT_GOOD);
	has(text, "\"root\": \"" HASH "\"");
	assert_null(strchr(text, '\033'));
	free(text);
}

static void test_csr(void **state)
{
	char *text;

	(void)state;
	daemon_.mood = MOOD_GOOD;
	assert_int_equal(
		COMMAND(&CSR_COMMAND, &text, "dsc-2", "--socket", socket_path),
		EXIT_GOOD);
	assert_string_equal(text, "-----BEGIN CERTIFICATE REQUEST-----\nAAEC\n"
				  "-----END CERTIFICATE REQUEST-----\n");
	free(text);
	assert_int_equal(
		COMMAND(&CSR_COMMAND, NULL, "dsc-1", "--socket", socket_path),
		EXIT_REFUSED);
	assert_int_equal(
		COMMAND(&CSR_COMMAND, NULL, "dsc-9", "--socket", socket_path),
		EXIT_REFUSED);
}

static void test_apply(void **state)
{
	char *text;

	(void)state;
	daemon_.mood = MOOD_GOOD;
	assert_int_equal(COMMAND(&PROPOSE_COMMAND, NULL, "csr", "--socket",
				 socket_path, "--proposer", "anne", "--key",
				 "dsc-2", "--subject", "CN=x", "--out",
				 file_path),
			 EXIT_GOOD);
	assert_int_equal(COMMAND(&APPLY_COMMAND, &text, file_path, "--socket",
				 socket_path, "--csr", csr_path),
			 EXIT_GOOD);
	assert_string_equal(text,
			    "done: csr dsc-2: the key is requested now, and "
			    "becomes active at 2030-01-31T09:00:00Z\n");
	free(text);
	assert_int_equal(access(csr_path, F_OK), 0);
	assert_int_equal(daemon_.kind, OPERATION_REQUEST);
	assert_int_equal(daemon_.signatures, 0);
	assert_int_equal(COMMAND(&APPLY_COMMAND, &text, file_path, "--json",
				 "--socket", socket_path),
			 EXIT_GOOD);
	has(text, "\"r\": 1");
	free(text);
	daemon_.mood = MOOD_REFUSES;
	assert_int_equal(COMMAND(&APPLY_COMMAND, NULL, file_path, "--socket",
				 socket_path),
			 EXIT_REFUSED);
}

static void test_stop(void **state)
{
	const unsigned before = daemon_.operations;
	char *text;

	(void)state;
	daemon_.mood = MOOD_GOOD;
	assert_int_equal(COMMAND(&STOP_COMMAND, &text, "dsc-1", "--socket",
				 socket_path, "--key", key_path, "--name",
				 "anne", "--reason", "a doubt", "--out",
				 file_path),
			 EXIT_GOOD);
	has(text, "done: stop dsc-1");
	free(text);
	assert_int_equal(daemon_.operations, before + 1);
	assert_int_equal(daemon_.kind, OPERATION_STOP);
	assert_int_equal(daemon_.signatures, 1);
	assert_int_equal(access(file_path, F_OK), 0);
	assert_int_equal(COMMAND(&STOP_COMMAND, NULL, "two words", "--socket",
				 socket_path, "--key", key_path, "--name",
				 "anne"),
			 EXIT_TROUBLE);
	assert_int_equal(COMMAND(&STOP_COMMAND, NULL, "dsc-1", "--socket",
				 socket_path, "--key", file_path, "--name",
				 "anne"),
			 EXIT_TROUBLE);
	assert_int_equal(daemon_.operations, before + 1);
}

static void test_no_answer(void **state)
{
	(void)state;
	daemon_.mood = MOOD_NONSENSE;
	assert_int_equal(COMMAND(&KEYS_COMMAND, NULL, "--socket", socket_path),
			 EXIT_TROUBLE);
	daemon_.mood = MOOD_HANGS_UP;
	assert_int_equal(COMMAND(&KEYS_COMMAND, NULL, "--socket", socket_path),
			 EXIT_TROUBLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),	  cmocka_unit_test(test_csr),
		cmocka_unit_test(test_apply),	  cmocka_unit_test(test_stop),
		cmocka_unit_test(test_no_answer),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
