/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_METRICS_H
#define SG_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/*
 * metrics: one page of counters a process, in shared memory.  The supervisor
 * makes a page for each role slot and keeps it over the role's restarts, so
 * that counters only grow; the role maps it for writing, the fronts map all
 * of them read-only and print them on /metrics.
 *
 *	X(id, kind, roles, family, labels, help)
 * kind: C counter, G gauge.  roles: whose pages it is printed of, so that a
 * zero always means something.  Members of one family stand together and are
 * of the same roles.  Every series gets the labels role="front",slot="0" on
 * top of LABELS, and hsm="NAME" where the page has a name.
 */
enum metrics_roles {
	METRICS_SUPERVISOR = 1,
	METRICS_FRONT = 2,
	METRICS_CORE = 4,
	METRICS_HSM = 8,
	METRICS_WITNESS = 16,
	METRICS_SMITH = 32,
	METRICS_OF_HSM = 64, /* the supervisor's own page of an HSM */
	METRICS_ROLES = METRICS_FRONT | METRICS_CORE | METRICS_HSM |
			METRICS_WITNESS | METRICS_SMITH,
	METRICS_NOT_HSM = METRICS_SUPERVISOR | METRICS_FRONT | METRICS_CORE,
	METRICS_ALL = METRICS_SUPERVISOR | METRICS_ROLES
};

#define METRICS_MAP(X)                                                         \
	X(STARTS, C, METRICS_ROLES, "signer_process_starts_total", "",         \
	  "Times that the supervisor started this process")                    \
	X(PROCESS_UP, G, METRICS_ALL, "signer_process_up", "",                 \
	  "1 while the process of this slot serves")                           \
	X(CPU_US, C, METRICS_ALL, "signer_process_cpu_microseconds_total", "", \
	  "CPU time of this process, user and system, over its restarts")      \
	X(CPU_LOOP, C, METRICS_CORE, "signer_core_cpu_microseconds_total",     \
	  "thread=\"loop\"",                                                   \
	  "CPU time of the core's own threads; the rest of it is the index's") \
	X(CPU_JOURNAL, C, METRICS_CORE, "signer_core_cpu_microseconds_total",  \
	  "thread=\"journal\"", "")                                            \
	X(CPU_SCRIBE, C, METRICS_CORE, "signer_core_cpu_microseconds_total",   \
	  "thread=\"scribe\"", "")                                             \
	X(HSM_UP, G, METRICS_OF_HSM, "signer_hsm_up", "",                      \
	  "1 unless all processes of this HSM fail")                           \
	X(HSM_OUTAGES, C, METRICS_OF_HSM, "signer_hsm_outages_total", "",      \
	  "Times that an HSM went away")                                       \
	X(RSS_BYTES, G, METRICS_ALL, "signer_process_resident_bytes", "",      \
	  "Resident memory")                                                   \
	X(CONNECTIONS, G, METRICS_FRONT, "signer_connections", "",             \
	  "Open TLS connections")                                              \
	X(CONNECTIONS_TOTAL, C, METRICS_FRONT, "signer_connections_total", "", \
	  "TLS connections accepted")                                          \
	X(CONNECTIONS_FULL, C, METRICS_FRONT,                                  \
	  "signer_connections_limited_total", "limit=\"all\"",                 \
	  "Connections closed since there were too many of them")              \
	X(CONNECTIONS_OF_CLIENT, C, METRICS_FRONT,                             \
	  "signer_connections_limited_total", "limit=\"client\"", "")          \
	X(CONNECTIONS_OF_ADDRESS, C, METRICS_FRONT,                            \
	  "signer_connections_limited_total", "limit=\"address\"", "")         \
	X(CONNECTIONS_TOO_OFTEN, C, METRICS_FRONT,                             \
	  "signer_connections_limited_total", "limit=\"handshakes\"", "")      \
	X(HANDSHAKES_12, C, METRICS_FRONT, "signer_tls_handshakes_total",      \
	  "version=\"1.2\"", "TLS handshakes that were completed")             \
	X(HANDSHAKES_13, C, METRICS_FRONT, "signer_tls_handshakes_total",      \
	  "version=\"1.3\"", "")                                               \
	X(HANDSHAKES_FAILED, C, METRICS_FRONT,                                 \
	  "signer_tls_handshakes_failed_total", "",                            \
	  "TLS handshakes that failed, wrong client certificates included")    \
	X(HANDSHAKES_SIGNED, C, METRICS_CORE,                                  \
	  "signer_tls_key_signatures_total", "",                               \
	  "TLS handshakes that an HSM signed with the server's key")           \
	X(HANDSHAKES_UNSIGNED, C, METRICS_FRONT | METRICS_CORE,                \
	  "signer_tls_key_failures_total", "",                                 \
	  "TLS handshakes that no HSM signed in time")                         \
	X(CONNECTIONS_CLOSED_BY_RELOAD, C, METRICS_FRONT,                      \
	  "signer_connections_closed_by_reload_total", "",                     \
	  "Connections closed because their client is no longer valid")        \
	X(HTTP_2XX, C, METRICS_FRONT, "signer_http_responses_total",           \
	  "class=\"2xx\"", "HTTP responses by class of status")                \
	X(HTTP_4XX, C, METRICS_FRONT, "signer_http_responses_total",           \
	  "class=\"4xx\"", "")                                                 \
	X(HTTP_5XX, C, METRICS_FRONT, "signer_http_responses_total",           \
	  "class=\"5xx\"", "")                                                 \
	X(STREAMS, G, METRICS_FRONT, "signer_streams", "",                     \
	  "Streams of requests that are open")                                 \
	X(STREAM_RECORDS, C, METRICS_FRONT, "signer_stream_records_total", "", \
	  "Records of streams that were answered")                             \
	X(ISSUED, C, METRICS_CORE, "signer_certificates_issued_total", "",     \
	  "Certificates signed and released")                                  \
	X(RENEWED, C, METRICS_CORE, "signer_certificates_renewed_total", "",   \
	  "Of the certificates issued, those that renew another one")          \
	X(REPLAYED, C, METRICS_CORE, "signer_certificates_replayed_total", "", \
	  "Requests sent again, answered by the certificate on record")        \
	X(REFUSED, C, METRICS_CORE, "signer_certificates_refused_total", "",   \
	  "Requests that the policy refused, or whose UVCI is taken")          \
	X(FORBIDDEN, C, METRICS_CORE, "signer_requests_forbidden_total", "",   \
	  "Requests of nobody the policy knows, or for what it may not do")    \
	X(UNSIGNED, C, METRICS_CORE, "signer_requests_unsigned_total", "",     \
	  "Requests without the signature that their client has to give")      \
	X(FRONT_MESSAGE, C, METRICS_CORE, "signer_front_faults_total",         \
	  "fault=\"message\"", "What no front does that is as we made it")     \
	X(FRONT_DESCRIPTOR, C, METRICS_CORE, "signer_front_faults_total",      \
	  "fault=\"descriptor\"", "")                                          \
	X(FRONT_CREDIT, C, METRICS_CORE, "signer_front_faults_total",          \
	  "fault=\"credit\"", "")                                              \
	X(FRONT_UNREAD, C, METRICS_CORE, "signer_front_faults_total",          \
	  "fault=\"unread\"", "")                                              \
	X(QUOTA_REFUSED, C, METRICS_CORE, "signer_requests_limited_total",     \
	  "limit=\"quota\"",                                                   \
	  "Requests refused since their client had used up a limit")           \
	X(RATE_REFUSED, C, METRICS_CORE, "signer_requests_limited_total",      \
	  "limit=\"rate\"", "")                                                \
	X(ALARM_REFUSED, C, METRICS_CORE, "signer_requests_limited_total",     \
	  "limit=\"alarm\"", "")                                               \
	X(RATE_DELAYED, C, METRICS_CORE, "signer_requests_delayed_total", "",  \
	  "Times that a record of a stream was told to come later")            \
	X(ALARMS, C, METRICS_CORE, "signer_client_alarms_total", "",           \
	  "Hours in which a client signed far more than it usually does")      \
	X(CLIENTS_STOPPED, G, METRICS_CORE, "signer_clients_stopped", "",      \
	  "Clients that an alarm has stopped")                                 \
	X(FAILED, C, METRICS_CORE, "signer_certificates_failed_total", "",     \
	  "Requests that failed for the server's own reasons")                 \
	X(IN_FLIGHT, G, METRICS_CORE, "signer_requests_in_flight", "",         \
	  "Requests that this process works on")                               \
	X(REQUEUED, C, METRICS_CORE | METRICS_HSM,                             \
	  "signer_signatures_requeued_total", "",                              \
	  "Signing jobs given to another session or process after a failure")  \
	X(SIGNATURES, C, METRICS_HSM, "signer_hsm_signatures_total", "",       \
	  "C_Sign calls that succeeded")                                       \
	X(SIGN_ERRORS, C, METRICS_HSM, "signer_hsm_errors_total", "",          \
	  "PKCS#11 calls that failed")                                         \
	X(LAST_ERROR, G, METRICS_HSM, "signer_hsm_last_error", "",             \
	  "CKR_ value of this process's last call that failed; 0: none")       \
	X(VERIFIED, C, METRICS_CORE, "signer_signatures_verified_total", "",   \
	  "Signatures verified before their release")                          \
	X(VERIFY_FAILED, C, METRICS_CORE, "signer_signatures_wrong_total", "", \
	  "Signatures that did not verify and were thrown away")               \
	X(READY, G, METRICS_CORE, "signer_ready", "",                          \
	  "1 while each kind, and the ledger, can be signed and recorded")     \
	X(KEYS_DOWN, G, METRICS_CORE, "signer_keys_down", "",                  \
	  "Active keys that no HSM can sign with now")                         \
	X(DSC_EXPIRY, G, METRICS_CORE, "signer_dsc_expires_seconds", "",       \
	  "Earliest notAfter of the signing certificates, seconds since 1970") \
	X(LEDGER_ENTRIES, G, METRICS_CORE, "signer_ledger_entries", "",        \
	  "Entries in the ledger's tree")                                      \
	X(LEDGER_CHECKPOINT, G, METRICS_CORE,                                  \
	  "signer_ledger_checkpoint_entries", "",                              \
	  "Entries that the newest signed checkpoint covers")                  \
	X(LEDGER_CHECKPOINT_TIME, G, METRICS_CORE,                             \
	  "signer_ledger_checkpoint_seconds", "",                              \
	  "When the newest checkpoint was published, seconds since 1970")      \
	X(LEDGER_FAILURES, C, METRICS_CORE, "signer_ledger_failures_total",    \
	  "", "Times that the journal could not be written")                   \
	X(LEDGER_WITNESSES, G, METRICS_CORE, "signer_ledger_witnesses", "",    \
	  "Witnesses of the ledger that are configured")                       \
	X(LEDGER_WITNESSES_CURRENT, G, METRICS_CORE,                           \
	  "signer_ledger_witnesses_current", "",                               \
	  "Witnesses that have cosigned within three of their intervals")      \
	X(LEDGER_JOURNAL_BYTES, C, METRICS_CORE, "signer_ledger_bytes_total",  \
	  "part=\"journal\"", "Bytes written to the ledger's files")           \
	X(LEDGER_TILE_BYTES, C, METRICS_CORE, "signer_ledger_bytes_total",     \
	  "part=\"tiles\"", "")                                                \
	X(LEDGER_LOOP_CPU, C, METRICS_CORE,                                    \
	  "signer_ledger_loop_cpu_microseconds_total", "",                     \
	  "CPU time of the core's loop for the ledger, by one record in 64")   \
	X(REVOKED, G, METRICS_CORE, "signer_revocations", "",                  \
	  "Hashes of certificates and UVCIs that are revoked")                 \
	X(REVOCATIONS_REFUSED, C, METRICS_CORE,                                \
	  "signer_revocations_refused_total", "",                              \
	  "Statements of revocation that were refused")                        \
	X(KEYS_ACTIVE, G, METRICS_CORE, "signer_keys_active", "",              \
	  "Keys that sign certificates, wherever their HSMs are")              \
	X(KEYS_WARNED, G, METRICS_CORE, "signer_keys_warned", "",              \
	  "Keys of which something runs out soon: signer-officer keys")        \
	X(KEYS_END, G, METRICS_CORE, "signer_keys_end_seconds", "",            \
	  "When the first active key should not sign any more, since 1970")    \
	X(OPERATIONS, C, METRICS_CORE, "signer_operations_total", "",          \
	  "Operations of officers that were accepted")                         \
	X(OPERATIONS_REFUSED, C, METRICS_CORE,                                 \
	  "signer_operations_refused_total", "",                               \
	  "Operations of officers that were refused")                          \
	X(RELOADS, C, METRICS_NOT_HSM, "signer_reloads_total", "",             \
	  "Reloads that took effect")                                          \
	X(RELOADS_REFUSED, C, METRICS_NOT_HSM, "signer_reloads_refused_total", \
	  "", "Reloads refused because of faults")                             \
	X(BAD_MESSAGES, C, METRICS_ALL, "signer_ipc_bad_messages_total", "",   \
	  "Messages of another process that made no sense")                    \
	X(LOG_DROPPED, C, METRICS_ALL, "signer_log_lines_dropped_total", "",   \
	  "Log lines that nobody read in time")                                \
	X(SANDBOX_USER, G, METRICS_ALL, "signer_sandbox", "part=\"user\"",     \
	  "1 while this part of the process's sandbox is in force")            \
	X(SANDBOX_CAPABILITIES, G, METRICS_ALL, "signer_sandbox",              \
	  "part=\"capabilities\"", "")                                         \
	X(SANDBOX_SYSTEM_CALLS, G, METRICS_ALL, "signer_sandbox",              \
	  "part=\"system-calls\"", "")                                         \
	X(SANDBOX_FILES, G, METRICS_ALL, "signer_sandbox", "part=\"files\"",   \
	  "")                                                                  \
	X(SANDBOX_MEMORY, G, METRICS_ALL, "signer_sandbox", "part=\"memory\"", \
	  "")                                                                  \
	X(SANDBOX_KILLS, C, METRICS_ROLES, "signer_sandbox_kills_total", "",   \
	  "Times that this process ended over a forbidden system call")        \
	X(CLIENT_CERT_EXPIRY, G, METRICS_FRONT,                                \
	  "signer_tls_certificate_expires_seconds", "",                        \
	  "notAfter of the server's own TLS certificate, seconds since 1970")  \
	X(CLIENT_CA_EXPIRY, G, METRICS_FRONT,                                  \
	  "signer_tls_client_ca_expires_seconds", "",                          \
	  "Earliest notAfter of the client CAs, seconds since 1970")           \
	X(CRL_UPDATE, G, METRICS_FRONT, "signer_tls_crl_next_update_seconds",  \
	  "", "Earliest nextUpdate of the CRLs, seconds since 1970; 0: none")  \
	X(OCSP_UPDATE, G, METRICS_FRONT,                                       \
	  "signer_tls_ocsp_next_update_seconds", "",                           \
	  "nextUpdate of the OCSP response, seconds since 1970; 0: none")      \
	X(OCSP_MISSING, G, METRICS_FRONT, "signer_tls_ocsp_missing", "",       \
	  "1 while an OCSP response is wanted, and none can be stapled")       \
	X(TLS_FILES_REFUSED, G, METRICS_SUPERVISOR,                            \
	  "signer_tls_files_refused", "",                                      \
	  "1 while the files of tls are others, which cannot be taken")

/* Histograms of durations: H(id, roles, family, help).  */
#define METRICS_HISTOGRAM_MAP(H)                                               \
	H(REQUEST_TIME, METRICS_FRONT, "signer_request_seconds",               \
	  "Front: request complete to response handed to TLS")                 \
	H(RECORD_TIME, METRICS_FRONT, "signer_stream_record_seconds",          \
	  "Front: record of a stream taken to its answer known")               \
	H(QUEUE_TIME, METRICS_CORE, "signer_sign_queue_seconds",               \
	  "Core: verdict to start of C_Sign")                                  \
	H(SIGN_TIME, METRICS_HSM, "signer_sign_execution_seconds",             \
	  "HSM: duration of C_SignInit and C_Sign")                            \
	H(DECIDE_TIME, METRICS_CORE, "signer_decision_seconds",                \
	  "Core: decoding and policy decision")

enum metric_id {
#define X(id, kind, roles, family, labels, help) METRIC_##id,
	METRICS_MAP(X)
#undef X
		METRIC_COUNT
};

enum histogram_id {
#define H(id, roles, family, help) HISTOGRAM_##id,
	METRICS_HISTOGRAM_MAP(H)
#undef H
		HISTOGRAM_COUNT
};

/* Upper bounds of the buckets are 2^i microseconds, i = 3 (8 us) .. 25 (33 s);
 * the last bucket is +Inf. */
enum { HISTOGRAM_FIRST_SHIFT = 3, HISTOGRAM_BUCKETS = 24 };

struct metrics_page; /* opaque; atomics inside */

/* Bytes of one page, for ftruncate() of its memfd. */
size_t metrics_page_bytes(void);
/* A fresh memfd that holds one zeroed page; -1 with errno. */
int metrics_memfd(void);
/* Map the page in FD, writable or read-only.  NULL with errno.  The process's
 * own page is installed with metrics_install(), which sets its gauges to 0 and
 * leaves its counters; until then updates go to a private page, so that no
 * caller has to check. */
struct metrics_page *metrics_map(int fd, int writable);
void metrics_install(struct metrics_page *page);

/* Update this process's page.  Thread-safe, lock-free. */
void metric_add(enum metric_id id, uint64_t n);
void metric_set(enum metric_id id, uint64_t value);
void metric_sub(enum metric_id id, uint64_t n);
void metric_time(enum histogram_id id, uint64_t us);
/* The same on the page of another process, PAGE. */
void metrics_add_to(struct metrics_page *page, enum metric_id id, uint64_t n);
void metrics_set_in(struct metrics_page *page, enum metric_id id,
		    uint64_t value);
/* PAGE is of a process of the HSM called NAME: up to 63 letters, digits and any
 * of "._-". */
void metrics_set_hsm(struct metrics_page *page, const char *name);
/* Set the gauges of PAGE to 0: its process is gone. */
void metrics_clear_gauges(struct metrics_page *page);
/* Read from any page (for tests, and for the exposition). */
uint64_t metric_get(const struct metrics_page *page, enum metric_id id);
/* Update CPU_US and RSS_BYTES of this process from getrusage and
 * /proc/self/statm; call it about once a second, from one thread, and the first
 * time before the sandbox closes: it keeps the file open. */
void metrics_sample_process(void);
/* Add to ID, in microseconds, the CPU time that the calling thread has used
 * since it last did so.  One ID a thread. */
void metrics_sample_thread(enum metric_id id);
/* How often PAGE's processes have done so: one that is stuck no longer does. */
uint64_t metrics_samples(const struct metrics_page *page);

struct metrics_source {
	const struct metrics_page *page;
	const char *role; /* role_name() of it */
	unsigned slot;
};

/*
 * Write the Prometheus text exposition (format 0.0.4) of N sources to OUT:
 * per family that one of them has, one HELP and one TYPE line, then its series.
 * Sets *LEN to the bytes needed, also on SG_TOO_BIG (measure, then write).
 */
SG_MUST_USE enum sg_err metrics_render(const struct metrics_source *sources,
				       size_t n, char *out, size_t cap,
				       size_t *len);

#endif /* SG_METRICS_H */
