/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CORE_H
#define SG_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "hcert/cose.h"

/*
 * core: the office.  Decodes, judges, assembles, has signed, releases.  One
 * process, one loop thread.  No TLS, no HTTP, no PKCS#11.
 */
enum {
	CORE_KEYS_MAX = 64,
	CORE_LABEL_MAX = 64,
	CORE_PATH_MAX = 1024,
	CORE_ORIGIN_MAX = 201, /* with its NUL: ledger/note.h */
	CORE_VKEY_MAX = 272,
	CORE_WITNESSES_MAX = 16,
	CORE_OFFICERS_MAX = 16,
	CORE_HSMS_MAX = 16
};

/* An HSM, and the slots of its hsm processes. */
struct core_hsm_settings {
	char name[CORE_LABEL_MAX];
	uint16_t first_slot, processes;
	bool makes_keys; /* there is a smith for it, in the slot of its number
			    in the list; */
	bool makes_ledger_keys; /* and they are for the ledger */
};

struct core_key_settings {
	char label[CORE_LABEL_MAX];
	char hsm[CORE_LABEL_MAX]; /* the name of its HSM */
	enum cose_alg alg;
	unsigned kinds;	 /* DCC_KIND_BIT()s that it may sign */
	char country[3]; /* iss claim: alpha-2, or empty for none */
	char certificate[CORE_PATH_MAX]; /* DSC, PEM or DER; empty: the token's
					  */
	bool ledger; /* it signs the ledger's checkpoints, and nothing else:
			EdDSA, no kinds, no certificate */
	bool tls;    /* it signs the fronts' handshakes, and nothing else: no
			kinds, no certificate here */
};

/* The ledger: see README.md, "On record". */
struct core_ledger_settings {
	char origin[CORE_ORIGIN_MAX]; /* of the log; empty: nothing is recorded,
					 which config.h never lets through */
	uint32_t checkpoint_ms;	      /* at most one checkpoint in that time */
	uint32_t stale_ms; /* entries may wait so long for one; then nothing is
			      signed any more */
	uint32_t witness_ms; /* between two requests to a witness */
	uint32_t quorum;     /* witnesses that must have cosigned lately, for
				readiness; 0: none need have */
	size_t nwitnesses;
	char witness[CORE_WITNESSES_MAX][CORE_VKEY_MAX]; /* verifier keys */
	/* Who may let it go on after a disaster, and how many must: recovery.h
	 */
	uint32_t approvals; /* 0: nobody may */
	size_t nofficers;
	char officer[CORE_OFFICERS_MAX][CORE_VKEY_MAX]; /* verifier keys */
};

struct core_settings {
	size_t nhsms;
	struct core_hsm_settings hsm[CORE_HSMS_MAX];
	size_t nkeys;
	struct core_key_settings key[CORE_KEYS_MAX];
	uint32_t front_credit;	      /* requests in flight per front */
	uint32_t verify_ecdsa_one_in; /* 1: all; 100: one in a hundred */
	uint32_t verify_all_ms; /* after an HSM error, verify all that long */
	uint32_t test_sign_ms;	/* between test signatures for readiness */
	uint32_t hang_ms; /* the longest that an hsm gives one call; 0: 3 s */
	char csca[CORE_PATH_MAX];  /* PEM: who issues document signer
				      certificates; empty: not checked */
	char state[CORE_PATH_MAX]; /* directory: ledger/, journal/, index/ */
	struct core_ledger_settings ledger;
};

/* As in front.h: reads what a WIRE_RELOAD brings. */
typedef enum sg_err (*core_read_settings)(int config_fd,
					  struct core_settings *out,
					  char *reason, size_t cap);

/* Run the role until it has drained (0) or fails (1).  Descriptors as in
 * ipc/role.h; role_begin() has been called. */
int core_run(const struct core_settings *settings, core_read_settings read);

#endif /* SG_CORE_H */
