/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_OPERATIONS_FIXTURE_H
#define TEST_OPERATIONS_FIXTURE_H

/* Four officers with keys, a ledger's directory in place of a daemon, and
 * operations in files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "command_fixture.h"
#include "tools/officer/approving.h"

extern const struct command PROPOSE_COMMAND, SHOW_OPERATION_COMMAND,
	APPROVE_COMMAND, JOIN_COMMAND, DROP_COMMAND, APPLY_COMMAND,
	STOP_COMMAND, CSR_COMMAND, KEYS_COMMAND;

enum { OFFICERS = 4 };
static const char *const NAMES[OFFICERS] = {"anne", "bao", "chi", "dung"};

static char dir[] = "/tmp/test_operations-XXXXXX";

static inline const char *at(const char *name)
{
	static char path[8][128];
	static unsigned i;

	i = (i + 1) % 8;
	(void)snprintf(path[i], sizeof(path[0]), "%s/%s", dir, name);
	return path[i];
}

static inline EVP_PKEY *make_key(size_t i)
{
	switch (i) {
	case 0: return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case 1: return EVP_EC_gen("P-256");
	case 2: return EVP_EC_gen("P-384");
	default: return EVP_RSA_gen(2048);
	}
}

static void write_key(const char *name, EVP_PKEY *pkey)
{
	char file[32];
	FILE *f;

	(void)snprintf(file, sizeof(file), "%s.key", name);
	f = fopen(at(file), "we");
	assert_non_null(f);
	assert_int_equal(
		PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(f), 0);
	(void)snprintf(file, sizeof(file), "%s.pub", name);
	f = fopen(at(file), "we");
	assert_non_null(f);
	assert_int_equal(PEM_write_PUBKEY(f, pkey), 1);
	assert_int_equal(fclose(f), 0);
	EVP_PKEY_free(pkey);
}

static int set_up(void **state)
{
	static const char note[] =
		"log.example/1\n7\n"
		"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n\n"
		"\xe2\x80\x94 log.example/1 "
		"AAAAAGFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh"
		"YWFhYWFhYWFhYWFhYWFhYWE=\n";
	FILE *to;

	(void)state;
	assert_non_null(mkdtemp(dir));
	to = fopen(at("checkpoint"), "we");
	assert_non_null(to);
	assert_true(fputs(note, to) >= 0);
	assert_int_equal(fclose(to), 0);
	for (size_t i = 0; i < OFFICERS; i++)
		write_key(NAMES[i], make_key(i));
	write_key("brainpool", EVP_EC_gen("brainpoolP256r1"));
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define PROPOSE(status, ...)                                                   \
	assert_int_equal(COMMAND(&PROPOSE_COMMAND, NULL, __VA_ARGS__,          \
				 "--ledger", dir, "--proposer", "anne"),       \
			 status)

static void approve(const char *file, const char *name, int status)
{
	char key[32];

	(void)snprintf(key, sizeof(key), "%s.key", name);
	assert_int_equal(COMMAND(&APPROVE_COMMAND, NULL, file, "--key", at(key),
				 "--name", name, "--yes"),
			 status);
}

static inline const char *officer(const char *name, const char *file)
{
	static char text[4][160];
	static unsigned i;

	i = (i + 1) % 4;
	(void)snprintf(text[i], sizeof(text[0]), "%s=%s", name, at(file));
	return text[i];
}

static void propose_genesis(const char *file)
{
	PROPOSE(EXIT_GOOD, "genesis", "--out", file, "--officer",
		officer("anne", "anne.pub"), "--officer",
		officer("bao", "bao.pub"), "--officer",
		officer("chi", "chi.pub"), "--officer",
		officer("dung", "dung.pub"), "--threshold", "2", "--lead",
		"0s");
}

/* A name for a new file. */
static inline const char *fresh(const char *name)
{
	const char *path = at(name);

	(void)unlink(path);
	return path;
}

static struct opfile f; /* the last one read; large for a frame */

static void read_file(const char *file)
{
	char why[WHY_MAX] = "";

	if (opfile_read(file, &f, why, sizeof(why)) != SG_OK)
		fail_msg("%s", why);
}

#endif /* TEST_OPERATIONS_FIXTURE_H */
