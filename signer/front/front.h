/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_FRONT_H
#define SG_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "hcert/cose.h"

/*
 * front: the desk.  TLS, HTTP, JSON and CBOR, HC1, QR.  One process, one loop
 * thread.  It holds no secret but the server's TLS key.
 */
enum { FRONT_PATH_MAX = 1024 };

struct front_settings {
	char certificate[FRONT_PATH_MAX]; /* PEM chain of the server */
	char key[FRONT_PATH_MAX];	  /* PEM, unencrypted; empty: */
	enum cose_alg key_alg;		  /* the core has a key for it that is
					     in an HSM; else COSE_NONE */
	char client_ca[FRONT_PATH_MAX];	  /* PEM, one or more */
	char crl[FRONT_PATH_MAX];	  /* PEM, empty: no revocation check */
	char ocsp[FRONT_PATH_MAX];	  /* DER, empty: nothing is stapled */
	char ledger[FRONT_PATH_MAX];	  /* directory of checkpoint, vkey and
					     tile/; empty: there is none */
	bool public; /* ROLE_FD_PUBLIC is given: anybody reads the ledger */
	bool tls12;  /* also TLS 1.2, AEAD suites only */
	uint32_t client_rsa_bits; /* least of clients and CAs; 0: any */
	uint32_t client_ec_bits;
	uint32_t client_chain; /* most CAs between a client and client_ca */
	size_t connections_max;
	size_t client_connections_max; /* of one client; 0: any */
	uint32_t failures_max; /* handshakes of an address that fail, a second;
				  0: any */
	uint32_t address_handshakes_max; /* of an address, a second; 0: any */
	size_t header_bytes_max; /* of one request, all headers together */
	size_t body_bytes_max;	 /* of one single request */
	uint32_t streams_max;	 /* HTTP/2, per connection */
	uint32_t handshake_ms;	 /* to finish the TLS handshake */
	uint32_t header_ms;	 /* from first byte to the end of headers */
	uint32_t body_ms;	 /* to receive a single request's body */
	uint32_t idle_ms;	 /* without a request in progress */
	uint32_t request_ms;	 /* deadline of a request in the core */
};

/* Reads the settings anew from the descriptor of a WIRE_RELOAD: the main
 * program's, since the configuration is above this floor.  REASON gets the
 * fault (safe for the log).  Errors: SG_CONFIG. */
typedef enum sg_err (*front_read_settings)(int config_fd,
					   struct front_settings *out,
					   char *reason, size_t cap);

/*
 * Run the role until it has drained (0) or fails (1).  Descriptors as in
 * ipc/role.h; role_begin() has been called.
 */
int front_run(const struct front_settings *settings, front_read_settings read);

#endif /* SG_FRONT_H */
