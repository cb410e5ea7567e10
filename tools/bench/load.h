/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_LOAD_H
#define SG_BENCH_LOAD_H

#include <stdatomic.h>

#include "latency.h"
#include "records.h"
#include "target.h"

/*
 * load: single requests to POST /v1/certificates, a set number in flight at
 * all times (a closed loop) or one each PACE_US (a probe), over one protocol;
 * one thread, and as little work a request as possible, for it shares the
 * machine with the server.
 */
enum load_protocol { LOAD_H1, LOAD_H2 };

enum {
	LOAD_CONCURRENCY_MAX = 16384,
	LOAD_STATUS_MAX = 600,
	LOAD_ANSWER_MAX = 16384 /* bytes of an answer kept for its sampling */
};

/* Look at the ANSWER to the request with that UVCI.  False: it is wrong, or
 * cannot be looked at. */
typedef bool (*load_sample)(void *ctx, struct span answer, struct span uvci);

struct load_settings {
	const struct target *target;
	enum load_protocol protocol;
	unsigned connections;
	unsigned concurrency; /* at least CONNECTIONS; LOAD_H1: the same */
	uint64_t requests;    /* stop after so many answers; 0: never */
	uint64_t warmup_us;   /* before anything is counted */
	uint64_t duration_us; /* and then stop; 0: never */
	/* 0: a closed loop.  Else one request each PACE_US, in flight or not
	 * what was asked before (CONCURRENCY at most), and latency counts from
	 * when it was due. */
	uint64_t pace_us;
	const _Atomic bool *stop; /* NULL: never; set by another thread */
	const char *accept;
	const struct records *records;
	uint64_t run;	       /* see records_uvci() */
	unsigned sample_every; /* 0: no answer is sampled */
	load_sample sample;
	void *sample_ctx;
};

struct load_result {
	/* While measuring: */
	uint64_t answers;
	uint64_t by_status[LOAD_STATUS_MAX];
	uint64_t broken; /* requests whose connection broke */
	uint64_t wall_us;
	struct latency latency; /* of answers with status 200 */
	/* Warm-up and end included: */
	uint64_t answers_all;
	uint64_t cpu_us; /* of this thread, sampling left out */
	uint64_t sampled, sampled_wrong;
	uint64_t unanswered; /* still open when the end was given up */
	uint64_t reconnects;
};

/*
 * Run the load.
 * Errors: SG_IO with WHY (CAP bytes): no connection, or refused before the
 * first answer; SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err load_run(const struct load_settings *settings,
				 struct load_result *out, char *why,
				 size_t cap);

#endif /* SG_BENCH_LOAD_H */
