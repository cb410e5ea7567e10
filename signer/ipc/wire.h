/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_WIRE_H
#define SG_WIRE_H

#include "base/err.h"
#include "base/span.h"

/*
 * wire: the messages between the processes.  A packet of a SEQPACKET channel
 * holds one or more messages; a message is a head, a fixed part and byte runs,
 * in the machine's own byte order (both ends are the same executable).  Each
 * message starts at a multiple of 8 bytes from the packet's start, padding is
 * zero.  Pure; no allocation; spans of a decoded message lie in the packet.
 *
 * A packet that does not decode is fatal for the sender: the reader closes the
 * channel, and the supervisor replaces the sender's process.
 */
enum {
	WIRE_PACKET_MAX = 131072, /* bytes of a packet */
	WIRE_REQUEST_MAX = 65536, /* bytes of a request in CBOR */
	WIRE_PRESENTED_MAX = 512, /* bytes of a signature */
	WIRE_SIGNATURE_MAX = 640, /* the same in a COSE_Sign1, detached */
	WIRE_HSM_KEYS_MAX = 64	  /* keys that one hsm process may offer */
};

enum wire_type {
	/* front -> core */
	WIRE_ISSUE = 1, /* judge a request, and sign it, or renew it */
	WIRE_ASK,	/* what the policy or the keyring says */
	WIRE_OPERATE,	/* an operation that officers have signed */
	WIRE_HANDSHAKE, /* sign with the server's TLS key, which is in an HSM */
	/* core -> front */
	WIRE_CREDIT,  /* how many requests may be outstanding */
	WIRE_ISSUED,  /* to ISSUE: the signed certificate, or the verdict */
	WIRE_PROBLEM, /* to what a front asks: refused or failed */
	WIRE_LATER,   /* to ISSUE of a stream: ask again, its client is over its
			 rate */
	WIRE_ANSWER,  /* to ASK, OPERATE, HANDSHAKE: a document in CBOR, or a
			 signature */
	WIRE_STATUS,  /* whenever readiness or the policy changes */
	/* core -> hsm */
	WIRE_SIGN,
	WIRE_ANCHOR,   /* read, or replace, the data object beside a key */
	WIRE_FIND_KEY, /* a key that was made since the hsm began */
	/* hsm -> core */
	WIRE_HSM_READY, /* first message: the keys and the sessions */
	WIRE_SIGNED,
	WIRE_SIGN_FAILED,
	WIRE_ANCHORED,	/* to ANCHOR */
	WIRE_FOUND_KEY, /* to FIND_KEY */
	/* core -> smith */
	WIRE_FORGE, /* make a key, a CSR for one, or destroy one */
	/* smith -> core */
	WIRE_FORGED, /* to FORGE */
	/* core -> witness */
	WIRE_COSIGN, /* send a checkpoint to a witness */
	/* witness -> core */
	WIRE_COSIGNED, /* to COSIGN: what the witness said */
	/* supervisor -> role */
	WIRE_LINK,   /* an end of a channel, as a descriptor beside it */
	WIRE_PAGE,   /* a process's metrics page, read-only, for the fronts */
	WIRE_RELOAD, /* new configuration; descriptors beside it */
	WIRE_DRAIN,  /* finish what is in flight, take nothing new, then exit */
	/* role -> supervisor */
	WIRE_UP,       /* initialised; slot is serving */
	WIRE_RELOADED, /* to RELOAD: what became of it */
	WIRE_PEER_BAD, /* the process at the other end of a link misbehaves */
	WIRE_TYPE_COUNT
};

/* One message of a packet, before its own fields are read. */
struct wire_msg {
	enum wire_type type;
	uint64_t id; /* of the request it belongs to; 0 where there is none */
	struct span body;
};

/* WIRE_ISSUE.  The id is the front's. */
struct wire_issue {
	uint64_t deadline_us; /* CLOCK_MONOTONIC */
	bool dry_run;	      /* /v1/validations: judge only */
	bool renew;	      /* /v1/renewals; never together with DRY_RUN */
	bool bulk;	      /* of a stream: single requests go first */
	uint8_t language;     /* enum wire_language */
	struct span identity; /* see base/identity.h */
	struct span request;  /* the whole request in deterministic CBOR */
	/* Of a renewal that brings a certificate: its signature, unverified.
	 * Else empty. */
	struct span presented;
	/* Of a request that its client has signed: a COSE_Sign1 over REQUEST,
	 * which is detached, unverified.  Else empty. */
	struct span signature;
	uint64_t name; /* of it in the log: base/request_id.h; or 0 */
	uint32_t line; /* of a stream: which of its requests, from 1; else 0 */
};

enum wire_language { WIRE_ENGLISH, WIRE_VIETNAMESE, WIRE_LANGUAGE_COUNT };

/* WIRE_ASK */
enum wire_question {
	WIRE_ASK_POLICY, /* the policy that applies to the caller */
	WIRE_ASK_KEYS,	 /* the signing certificates and their states */
	WIRE_ASK_CLIENT, /* is the identity still a client?  Answer is empty */
	WIRE_ASK_AUDIT,	 /* may it audit?  Answer is empty, or a problem */
	WIRE_ASK_CEREMONY, /* keys, officers and HSMs, for an officer: the
			      document of ceremony/README.md */
	WIRE_ASK_PROOF, /* that leaf INDEX is on record: the answer is the text
			   of a C2SP tlog-proof, not CBOR */
	WIRE_QUESTION_COUNT
};
struct wire_ask {
	uint8_t question;     /* enum wire_question */
	uint64_t index;	      /* of a leaf of the ledger; else 0 */
	struct span identity; /* PROOF: may be empty */
	uint64_t name;	      /* as in ISSUE */
};

/* WIRE_OPERATE */
enum { WIRE_OPERATION_MAX = 32768 };
struct wire_operate {
	struct span identity;  /* empty: of the administration socket */
	struct span operation; /* a COSE_Sign, see ceremony/approval.h */
	uint64_t name;	       /* as in ISSUE */
};

/* WIRE_HANDSHAKE */
enum {
	WIRE_HANDSHAKE_MAX = 64 + 33 + 1 + 48, /* bytes */
	WIRE_HANDSHAKES_MAX = 512	       /* of a front, at a time */
};
struct wire_handshake {
	uint64_t deadline_us; /* CLOCK_MONOTONIC */
	/* The content that a server's CertificateVerify signs, whole: RFC 8446
	 * section 4.4.3.  Nothing else is signed with that key. */
	struct span content;
	uint64_t name; /* of the connection in the log: base/request_id.h */
};

/* WIRE_CREDIT */
struct wire_credit {
	uint32_t credit; /* requests in flight that the core takes at a time */
};

/* WIRE_ISSUED */
enum { WIRE_NO_LEDGER_INDEX = -1 };
struct wire_issued {
	bool dry_run; /* a verdict: cose, uvci are empty */
	bool replayed;
	int32_t alg;	      /* enum cose_alg */
	int64_t iat, exp;     /* seconds since 1970 */
	int64_t ledger_index; /* WIRE_NO_LEDGER_INDEX: not on record */
	uint8_t kid[8];
	struct span cose;	/* the COSE_Sign1 */
	struct span uvci;	/* UTF-8 */
	struct span violations; /* warnings: see wire_violation_next() */
};

/* WIRE_PROBLEM */
struct wire_problem {
	uint16_t err; /* enum sg_err, never SG_OK */
	uint32_t retry_after_s;
	struct span detail; /* UTF-8, safe for the client; may be empty */
	struct span violations;
};

/* WIRE_LATER */
struct wire_later {
	uint32_t wait_ms;    /* until it may be asked again, at least 1 */
	uint32_t per_second; /* the client's rate, at least 1 */
	struct span request, presented, signature; /* as they came */
};

/* WIRE_ANSWER */
struct wire_answer {
	/* Deterministic CBOR; to HANDSHAKE: the signature, in COSE form. */
	struct span document;
};

/* WIRE_STATUS */
enum { WIRE_SPKI_MAX = 1024 };
struct wire_status {
	bool ready;
	struct span reason;	   /* when not ready: safe text */
	uint8_t policy_hash[32];   /* SHA-256 of the active policy file */
	struct span ledger_origin; /* empty: no ledger */
	struct span remark;	   /* when ready: what will stop it if it lasts,
				      safe text; or empty */
	struct span tls_key; /* DER of the server's public key, as the HSM has
				shown it; empty: in none, or not yet known */
};

/* WIRE_SIGN.  The id is the core's. */
struct wire_sign {
	uint16_t key; /* as numbered in the reader's WIRE_HSM_READY */
	uint64_t deadline_us;
	struct span tbs; /* SHA-256 digest; the whole message for EdDSA */
	uint64_t name;	 /* of the request, as in ISSUE; 0: of none */
	uint32_t line;
};

/* WIRE_HSM_READY */
struct wire_hsm_key {
	uint16_t key;		 /* the number that WIRE_SIGN names */
	int32_t alg;		 /* enum cose_alg */
	struct span label;	 /* of the configuration's key */
	struct span certificate; /* DER, from the token; empty if it has none */
	struct span spki; /* DER of the token's public key; may be empty */
};
struct wire_hsm_ready {
	struct span hsm;   /* its name in the configuration */
	uint32_t sessions; /* signing jobs at a time */
	uint32_t nkeys;
	struct wire_hsm_key key[WIRE_HSM_KEYS_MAX];
};

/* WIRE_SIGNED */
struct wire_signed {
	uint32_t queue_us;     /* from the packet's arrival to C_SignInit */
	uint32_t sign_us;      /* in C_SignInit and C_Sign */
	struct span signature; /* COSE form */
};

/* WIRE_SIGN_FAILED */
struct wire_sign_failed {
	uint64_t ckr; /* CK_RV, for the log */
	bool expired; /* dropped unsigned: past its deadline */
};

/* WIRE_ANCHOR.  The id is the core's.  VALUE replaces the data object's value;
 * empty: it is only read. */
enum { WIRE_ANCHOR_MAX = 1024 };
struct wire_anchor {
	uint16_t key; /* as WIRE_SIGN */
	struct span value;
};

/* WIRE_ANCHORED: what the data object holds now; empty: there is none. */
struct wire_anchored {
	bool ok;
	uint64_t ckr; /* CK_RV when it failed, for the log */
	struct span value;
};

/* WIRE_FIND_KEY.  The id is the core's. */
struct wire_find_key {
	struct span label; /* CKA_LABEL, on the token for new keys of the HSM */
	int32_t alg;	   /* enum cose_alg */
};

/* WIRE_FOUND_KEY: KEY is set if OK. */
struct wire_found_key {
	bool ok;
	struct wire_hsm_key key;
};

/* WIRE_FORGE.  The id is the core's. */
enum wire_task {
	WIRE_TASK_GENERATE, /* answered with its public key */
	WIRE_TASK_CSR,	    /* answered with the request too */
	WIRE_TASK_DESTROY,  /* the key and what belongs to it; its absence is
			       checked */
	WIRE_TASK_COUNT
};
enum { WIRE_LABEL_MAX = 63, WIRE_SUBJECT_MAX = 1024 };
struct wire_forge {
	uint8_t task;	     /* enum wire_task */
	uint8_t kinds;	     /* CSR: DCC_KIND_BIT()s, for the EKU */
	int32_t alg;	     /* enum cose_alg */
	uint32_t bits;	     /* of an RSA key; else 0 */
	struct span label;   /* CKA_LABEL */
	struct span subject; /* CSR: an X.501 Name in DER; else empty */
	struct span spki;    /* CSR, DESTROY: the key that is meant, DER */
};

/* WIRE_FORGED */
struct wire_forged {
	bool ok;
	uint64_t ckr;	    /* CK_RV when it failed, for the log; or 0 */
	struct span reason; /* when it failed: safe text for officers */
	struct span spki;   /* DER */
	struct span csr;    /* DER: PKCS #10 */
};

/* WIRE_COSIGN.  The id is the core's. */
struct wire_cosign {
	uint16_t witness;     /* as the configuration counts them, from 0 */
	uint64_t deadline_us; /* CLOCK_MONOTONIC */
	struct span body;     /* of add-checkpoint (C2SP tlog-witness) */
};

/* WIRE_COSIGNED */
struct wire_cosigned {
	uint16_t status;  /* HTTP; 0: the witness could not be asked */
	struct span type; /* media type of the body, without parameters */
	struct span body;
	struct span reason; /* when status is 0: for the log */
};

/* WIRE_LINK: descriptor 0 is the channel's end.  A new link to the same role
 * and slot replaces the old one.
 * WIRE_PAGE: descriptor 0 is that process's metrics page. */
enum wire_role {
	WIRE_SUPERVISOR,
	WIRE_FRONT,
	WIRE_CORE,
	WIRE_HSM,
	WIRE_WITNESS, /* takes checkpoints to the witnesses of the ledger */
	WIRE_SMITH,   /* makes and destroys keys, one process an HSM; slot: the
			 HSM's number in the configuration */
	WIRE_ROLE_COUNT
};
struct wire_link {
	uint8_t role;  /* enum wire_role of the other end */
	uint16_t slot; /* its slot, from 0 */
};

/* WIRE_RELOAD: descriptor 0 configuration memfd, 1 policy memfd (core). */
/* WIRE_RELOADED */
struct wire_reloaded {
	bool ok;
	struct span reason; /* of a refusal, for the log */
};

/* WIRE_PEER_BAD */
struct wire_peer_bad {
	uint8_t role;
	uint16_t slot;
	/* Of the core, about a front: it has said nothing wrong, but closed its
	 * link, which there was at LINKED_US (CLOCK_MONOTONIC; else 0). */
	bool left;
	uint64_t linked_us;
};

/* --- writing ------------------------------------------------------------ */

/* A packet being filled; BUF has room for CAP (at most WIRE_PACKET_MAX). */
struct wire_packet {
	uint8_t *buf;
	size_t cap;
	size_t len;
};

/* Each appends one message, or returns SG_TOO_BIG and leaves W as it was. */
SG_MUST_USE enum sg_err wire_put_issue(struct wire_packet *w, uint64_t id,
				       const struct wire_issue *m);
SG_MUST_USE enum sg_err wire_put_ask(struct wire_packet *w, uint64_t id,
				     const struct wire_ask *m);
SG_MUST_USE enum sg_err wire_put_operate(struct wire_packet *w, uint64_t id,
					 const struct wire_operate *m);
SG_MUST_USE enum sg_err wire_put_handshake(struct wire_packet *w, uint64_t id,
					   const struct wire_handshake *m);
SG_MUST_USE enum sg_err wire_put_credit(struct wire_packet *w,
					const struct wire_credit *m);
SG_MUST_USE enum sg_err wire_put_issued(struct wire_packet *w, uint64_t id,
					const struct wire_issued *m);
SG_MUST_USE enum sg_err wire_put_problem(struct wire_packet *w, uint64_t id,
					 const struct wire_problem *m);
SG_MUST_USE enum sg_err wire_put_later(struct wire_packet *w, uint64_t id,
				       const struct wire_later *m);
SG_MUST_USE enum sg_err wire_put_answer(struct wire_packet *w, uint64_t id,
					const struct wire_answer *m);
SG_MUST_USE enum sg_err wire_put_status(struct wire_packet *w,
					const struct wire_status *m);
SG_MUST_USE enum sg_err wire_put_sign(struct wire_packet *w, uint64_t id,
				      const struct wire_sign *m);
SG_MUST_USE enum sg_err wire_put_hsm_ready(struct wire_packet *w,
					   const struct wire_hsm_ready *m);
SG_MUST_USE enum sg_err wire_put_signed(struct wire_packet *w, uint64_t id,
					const struct wire_signed *m);
SG_MUST_USE enum sg_err wire_put_sign_failed(struct wire_packet *w, uint64_t id,
					     const struct wire_sign_failed *m);
SG_MUST_USE enum sg_err wire_put_anchor(struct wire_packet *w, uint64_t id,
					const struct wire_anchor *m);
SG_MUST_USE enum sg_err wire_put_anchored(struct wire_packet *w, uint64_t id,
					  const struct wire_anchored *m);
SG_MUST_USE enum sg_err wire_put_find_key(struct wire_packet *w, uint64_t id,
					  const struct wire_find_key *m);
SG_MUST_USE enum sg_err wire_put_found_key(struct wire_packet *w, uint64_t id,
					   const struct wire_found_key *m);
SG_MUST_USE enum sg_err wire_put_forge(struct wire_packet *w, uint64_t id,
				       const struct wire_forge *m);
SG_MUST_USE enum sg_err wire_put_forged(struct wire_packet *w, uint64_t id,
					const struct wire_forged *m);
SG_MUST_USE enum sg_err wire_put_cosign(struct wire_packet *w, uint64_t id,
					const struct wire_cosign *m);
SG_MUST_USE enum sg_err wire_put_cosigned(struct wire_packet *w, uint64_t id,
					  const struct wire_cosigned *m);
SG_MUST_USE enum sg_err wire_put_link(struct wire_packet *w,
				      const struct wire_link *m);
SG_MUST_USE enum sg_err wire_put_page(struct wire_packet *w,
				      const struct wire_link *m);
SG_MUST_USE enum sg_err wire_put_reloaded(struct wire_packet *w,
					  const struct wire_reloaded *m);
SG_MUST_USE enum sg_err wire_put_peer_bad(struct wire_packet *w,
					  const struct wire_peer_bad *m);
/* A message without fields: WIRE_RELOAD, WIRE_DRAIN, WIRE_UP. */
SG_MUST_USE enum sg_err wire_put_bare(struct wire_packet *w,
				      enum wire_type type);

/* --- reading ------------------------------------------------------------ */

/*
 * Take the next message from *REST, which begins as the whole packet.
 * Errors: SG_NOT_FOUND at the packet's end; SG_MALFORMED.
 */
SG_MUST_USE enum sg_err wire_next(struct span *rest, struct wire_msg *out);

/* Read the fields of a message of that type.  SG_MALFORMED: lengths that do
 * not add up, an enum out of range, a bool that is neither 0 nor 1. */
SG_MUST_USE enum sg_err wire_get_issue(const struct wire_msg *m,
				       struct wire_issue *out);
SG_MUST_USE enum sg_err wire_get_ask(const struct wire_msg *m,
				     struct wire_ask *out);
SG_MUST_USE enum sg_err wire_get_operate(const struct wire_msg *m,
					 struct wire_operate *out);
SG_MUST_USE enum sg_err wire_get_handshake(const struct wire_msg *m,
					   struct wire_handshake *out);
SG_MUST_USE enum sg_err wire_get_credit(const struct wire_msg *m,
					struct wire_credit *out);
SG_MUST_USE enum sg_err wire_get_issued(const struct wire_msg *m,
					struct wire_issued *out);
SG_MUST_USE enum sg_err wire_get_problem(const struct wire_msg *m,
					 struct wire_problem *out);
SG_MUST_USE enum sg_err wire_get_later(const struct wire_msg *m,
				       struct wire_later *out);
SG_MUST_USE enum sg_err wire_get_answer(const struct wire_msg *m,
					struct wire_answer *out);
SG_MUST_USE enum sg_err wire_get_status(const struct wire_msg *m,
					struct wire_status *out);
SG_MUST_USE enum sg_err wire_get_sign(const struct wire_msg *m,
				      struct wire_sign *out);
SG_MUST_USE enum sg_err wire_get_hsm_ready(const struct wire_msg *m,
					   struct wire_hsm_ready *out);
SG_MUST_USE enum sg_err wire_get_signed(const struct wire_msg *m,
					struct wire_signed *out);
SG_MUST_USE enum sg_err wire_get_sign_failed(const struct wire_msg *m,
					     struct wire_sign_failed *out);
SG_MUST_USE enum sg_err wire_get_anchor(const struct wire_msg *m,
					struct wire_anchor *out);
SG_MUST_USE enum sg_err wire_get_anchored(const struct wire_msg *m,
					  struct wire_anchored *out);
SG_MUST_USE enum sg_err wire_get_find_key(const struct wire_msg *m,
					  struct wire_find_key *out);
SG_MUST_USE enum sg_err wire_get_found_key(const struct wire_msg *m,
					   struct wire_found_key *out);
SG_MUST_USE enum sg_err wire_get_forge(const struct wire_msg *m,
				       struct wire_forge *out);
SG_MUST_USE enum sg_err wire_get_forged(const struct wire_msg *m,
					struct wire_forged *out);
SG_MUST_USE enum sg_err wire_get_cosign(const struct wire_msg *m,
					struct wire_cosign *out);
SG_MUST_USE enum sg_err wire_get_cosigned(const struct wire_msg *m,
					  struct wire_cosigned *out);
SG_MUST_USE enum sg_err wire_get_link(const struct wire_msg *m,
				      struct wire_link *out);
SG_MUST_USE enum sg_err wire_get_reloaded(const struct wire_msg *m,
					  struct wire_reloaded *out);
SG_MUST_USE enum sg_err wire_get_peer_bad(const struct wire_msg *m,
					  struct wire_peer_bad *out);

/* --- violations in ISSUED and PROBLEM ------------------------------------ */

struct wire_violation {
	bool warning;	     /* else an error */
	struct span pointer; /* JSON Pointer (RFC 6901) into the request */
	struct span code;
	struct span detail; /* for a person, in the language asked for */
};

/* Append one to a list in BUF (CAP bytes, *LEN used).  SG_TOO_BIG. */
SG_MUST_USE enum sg_err wire_violation_put(uint8_t *buf, size_t cap,
					   size_t *len,
					   const struct wire_violation *v);
/* Take the next one from *REST.  SG_NOT_FOUND at the end; SG_MALFORMED. */
SG_MUST_USE enum sg_err wire_violation_next(struct span *rest,
					    struct wire_violation *out);

#endif /* SG_WIRE_H */
