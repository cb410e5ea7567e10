/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_CONFIG_H
#define SG_CONFIG_H

#include "base/err.h"
#include "base/faults.h"
#include "base/span.h"
#include "core/core.h"
#include "front/front.h"
#include "ipc/role.h"
#include "pkcs11/worker.h"
#include "policy/policy.h"
#include "witness/witness.h"

/*
 * config: signerd.yaml.  Relative paths are relative to the file's directory.
 *
 *	version: 1
 *	listen:
 *	  address: 127.0.0.1        # or ::1, 0.0.0.0, ::
 *	  port: 8443
 *	  fronts: 1                 # processes, 1..64
 *	ops:                        # plain HTTP: /livez /readyz /metrics
 *	  listen: 127.0.0.1:9443    # loopback only; or unix:run/ops.sock
 *	tls:
 *	  certificate: tls/server.pem
 *	  key: tls/server.key       # or, with TLS 1.3 alone:
 *	  # hsm_key:
 *	  #   hsm: demo              # of hsms
 *	  #   uri: pkcs11:token=tls;object=server
 *	  #   alg: ES256             # PS256, EdDSA
 *	  #   label: tls             # optional
 *	  client_ca: ca.pem
 *	  crl: crl.pem              # optional
 *	  ocsp_response: ocsp.der   # optional: is stapled
 *	  watch: true               # optional: take the files as they change
 *	  min_version: "1.3"        # optional; or "1.2"
 *	  client_rsa_bits: 3072     # optional: keys of clients and their CAs
 *	  client_ec_bits: 256       # optional
 *	  client_chain: 3           # optional: CAs between client and client_ca
 *	policy: policy.yaml
 *	state: state                # directory
 *	run: run                    # directory of signerd.pid, officer.sock
 *	hsms:
 *	  - name: demo
 *	    module: /usr/lib/softhsm/libsofthsm2.so
 *	    pin: file:pin           # or credential:NAME (systemd)
 *	    token: pkcs11:token=demo # optional: where officers have keys made
 *	    processes: 2            # 1..16
 *	    sessions: 2             # threads and sessions a process, 1..256
 *	    hang: 3s                # optional
 *	    session_copies: false   # optional: sign with session copies
 *	    environment:            # optional, for the module
 *	      # a value that names an existing file relative to the base is
 *	      # made absolute
 *	      - SOFTHSM2_CONF=softhsm2.conf
 *	    access:                 # optional: what the module needs
 *	      read: [/opt/vendor]   # files and directories
 *	      write: [/dev/hsm0]    # and devices
 *	      network: false        # may it open connections?
 *	csca: csca/csca.pem         # optional: who issues what officers import
 *	keys:                       # optional where an HSM has a token
 *	  - label: dsc-1
 *	    hsm: demo
 *	    uri: pkcs11:token=demo;object=dsc-1
 *	    alg: ES256              # PS256, EdDSA
 *	    kinds: [v, t, r]
 *	    country: VN             # optional: the iss claim
 *	    certificate: dsc/dsc-1.pem   # optional: else from the token
 *	ledger:                     # the record of all that is signed
 *	  origin: signer.example/ledger # its name; it never changes
 *	  hsm: ledger               # of hsms
 *	  uri: pkcs11:token=ledger;object=ledger # Ed25519, a token of its own
 *	  label: ledger             # optional
 *	  checkpoint: 1s            # optional: at most one in that time
 *	  stale: 60s                # optional: with entries that wait so long
 *	                            # for one nothing is signed any more
 *	  public: 127.0.0.1:8480    # optional: plain HTTP, for anybody
 *	  witnesses:                # optional, up to 16
 *	    - key: example.org/w+1f2e3d4c+BG...   # verifier key, type 0x04
 *	      url: https://witness.example.org
 *	  witness_ca: ca.pem        # optional: else the system's
 *	  witness_interval: 60s     # optional
 *	  quorum: 0                 # optional: witnesses that readiness needs
 *	  officers:                 # optional: who may let it go on after a
 *	    - officer-1+12ab34cd+AT... # disaster, core/recovery.h
 *	  approvals: 2              # optional: how many of them must
 *	limits:                     # all optional, with these defaults
 *	  connections: 20000        # of a front
 *	  client_connections: 15000 # of them, for one client; 0: any
 *	  failed_handshakes: 20     # a second, of an address; 0: any
 *	  address_handshakes: 500   # all of them; 0: any
 *	  header_bytes: 16384
 *	  body_bytes: 65536
 *	  streams: 256
 *	  handshake: 10s
 *	  header: 10s
 *	  body: 20s
 *	  idle: 120s
 *	  request: 10s              # deadline
 *	  in_flight: 2048           # requests per front in the core
 *	  drain: 20s
 *	verify:                     # optional
 *	  ecdsa: 100                # verify one in N; or all
 *	  after_error: 60s          # verify all that long after an HSM error
 *	  test_signature: 5s        # interval of the readiness test
 *	sandbox:                    # optional: sandbox/README.md
 *	  users:                    # optional: where it is started as root
 *	    front: signerd-front    # core, hsm, witness
 *	  off:                      # optional: what is given up of it
 *	    hsm: [files]            # supervisor, front, core, hsm, witness;
 *	                            # user, capabilities, system-calls, files,
 *	                            # memory
 *	log: info                   # optional: error, warning, info, debug
 *	log_requests: false         # optional: a line for each request
 *
 * Durations: an integer and one of ms, s, m, h, d.
 */
enum {
	CONFIG_BYTES_MAX = 1 << 20,
	CONFIG_HSMS_MAX = 16,
	CONFIG_FRONTS_MAX = 64,
	CONFIG_PROCESSES_MAX = 16,
	CONFIG_PATHS_MAX = 8,
	CONFIG_USER_BYTES = 64,
	CONFIG_NOTE_BYTES = 4096
};

/* What the module of an HSM needs beside the token directory of a SoftHSM2. */
struct config_access {
	size_t nread, nwrite;
	char read[CONFIG_PATHS_MAX][WORKER_PATH_MAX];
	char write[CONFIG_PATHS_MAX][WORKER_PATH_MAX]; /* devices, too */
	bool network;
};

struct config_hsm {
	struct worker_settings worker;
	uint32_t processes;
	struct config_access access;
};

/* By enum wire_role; a smith is as its HSM's processes are. */
struct config_sandbox {
	char user[WIRE_ROLE_COUNT][CONFIG_USER_BYTES]; /* empty: as started */
	unsigned off[WIRE_ROLE_COUNT];		       /* SANDBOX_BIT()s */
};

struct config {
	char base[FRONT_PATH_MAX]; /* directory of the file, absolute */
	char address[64];
	uint16_t port;
	uint32_t fronts;
	char ops[FRONT_PATH_MAX]; /* "127.0.0.1:9443" or "unix:/abs/path" */
	/* "ADDRESS:PORT": who reads the ledger without being a client; empty:
	 * nobody does. */
	char public_listen[FRONT_PATH_MAX];
	char policy[FRONT_PATH_MAX];
	char run[FRONT_PATH_MAX];
	struct front_settings front;
	struct core_settings core;
	struct witness_settings witness;
	struct config_sandbox sandbox;
	size_t nhsms;
	struct config_hsm hsm[CONFIG_HSMS_MAX];
	uint32_t drain_ms;
	bool tls_watch; /* take the files of tls when they change */
	int log_level;	/* enum log_level */
	bool log_requests;
	/* What config_load() found beside faults, lines as theirs.  What is
	 * wrong only for its time, a CRL past its next update: nothing that is
	 * in force gives way to it, but a start is not refused, so that a
	 * SIGHUP can mend it. */
	char outdated[CONFIG_NOTE_BYTES];
	char doubts[CONFIG_NOTE_BYTES]; /* to be said, and no more */
};

/*
 * Parse TEXT, the file at NAME in directory BASE.  No file is opened; paths
 * are made absolute.
 * Owns: *OUT is the caller's; config_free().
 * Errors: SG_CONFIG with FAULTS filled (each with its line), SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err config_parse(struct span text, const char *name,
				     const char *base, struct config **out,
				     struct faults *faults);
/* Read and parse the file PATH, and then check what it names: files that are
 * missing or unreadable, certificates that do not parse, a key that does not
 * fit its certificate, the policy file.  *TEXT (may be NULL) gets the text
 * with "# base: DIR" before it, *POLICY (may be NULL) the policy's text;
 * config_text_free() both. */
SG_MUST_USE enum sg_err config_load(const char *path, struct config **out,
				    struct faults *faults, struct span *text,
				    struct span *policy);
void config_free(struct config *c);
/* free() a text of config_load() or config_join().  NULL is allowed. */
void config_text_free(struct span *s);

/* Slots of hsm processes, over all HSMs. */
unsigned config_hsm_slots(const struct config *c);
/* The HSM that the hsm process in SLOT serves; NULL beyond the last. */
const struct config_hsm *config_hsm_of(const struct config *c, unsigned slot);

/*
 * Some sections cannot change while the processes run: listen, ops, run,
 * state, hsms, keys (but for their certificates), ledger and sandbox.  Put
 * BEGAN's into NOW. NAMES gets those that differed, as in "listen, keys";
 * empty: none.
 */
void config_keep_fixed(const struct config *began, struct config *now,
		       char *names, size_t cap);

/*
 * The text for the roles after a reload: NOW, and with it BEGAN for the fixed
 * sections.  Both are texts of config_load().
 * Owns: *OUT; config_text_free().  Errors: SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err config_join(struct span began, struct span now,
				    struct span *out);
/* What a role does with its ROLE_FD_CONFIG, or a WIRE_RELOAD's descriptor:
 * a text of config_load() or config_join().  Does not close FD.  Errors: as
 * config_parse(), SG_IO. */
SG_MUST_USE enum sg_err config_from_fd(int fd, struct config **out,
				       struct faults *faults);

#endif /* SG_CONFIG_H */
