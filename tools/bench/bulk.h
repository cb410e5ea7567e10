/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_BENCH_BULK_H
#define SG_BENCH_BULK_H

#include <stdatomic.h>

#include "load.h"

/*
 * bulk: streams of records, one a connection, each with a set number of
 * records in flight; one thread, and as little work a record as possible, for
 * it shares the machine with the server.
 */
enum {
	BULK_CONNECTIONS_MAX = 256,
	BULK_WINDOW_MAX = 1 << 20,
	BULK_REASON_MAX = 200,
	BULK_SECONDS_MAX = 3600 /* that are told one by one */
};

/* How far a run has come.  With a reader that stops, what is measured has
 * three parts: before it, while it does not read, and after. */
enum bulk_phase {
	BULK_OPENING,
	BULK_WARMING,
	BULK_MEASURING,
	BULK_DEAF,
	BULK_AFTER,
	BULK_DRAINING,
	BULK_PHASES
};

/* What another thread may look at while it runs. */
struct bulk_progress {
	_Atomic uint64_t answers;
	_Atomic int phase; /* enum bulk_phase */
};

struct bulk_settings {
	const struct target *target;
	bool http2;
	enum records_form form;
	bool validate; /* /v1/validations instead of /v1/certificates */
	unsigned connections;
	unsigned window;      /* records in flight a stream, at most */
	uint64_t nrecords;    /* send so many in all; 0: until the time is up */
	uint64_t warmup_us;   /* before anything is counted */
	uint64_t duration_us; /* and then stop; 0: after NRECORDS */
	/* Not 0: a further connection sends what it can and reads nothing for
	 * so long, DURATION_US before and after which are measured too. */
	uint64_t deaf_us;
	const struct records *records; /* of the form FORM */
	uint64_t run;		       /* see records_uvci() */
	unsigned sample_every;	       /* 0: no answer is sampled */
	load_sample sample;
	void *sample_ctx;
	struct bulk_progress *progress; /* NULL: nobody looks */
};

struct bulk_result {
	/* While measuring, by all connections but the one that stops: */
	uint64_t answers;
	uint64_t by_status[LOAD_STATUS_MAX]; /* 0: not understood */
	uint64_t wall_us;
	uint64_t begun_us; /* clock_mono_us() of then */
	/* In each second of BULK_MEASURING. */
	uint32_t second[BULK_SECONDS_MAX];
	/* Answers and time of each phase, of the same. */
	uint64_t phase_answers[BULK_PHASES], phase_us[BULK_PHASES];
	/* From beginning to end: */
	uint64_t sent_all, answers_all;
	uint64_t unexpected; /* a good record refused, a faulty one accepted */
	uint64_t missing;    /* records without an answer */
	unsigned broken;     /* streams that were broken off */
	uint64_t cpu_us;     /* of this thread, sampling left out */
	uint64_t sampled, sampled_wrong;
	/* Of the one that stops, also counted above: */
	uint64_t deaf_sent; /* records, until it read again */
	uint64_t deaf_answers;
	bool deaf_broken;
	char reason[BULK_REASON_MAX]; /* of the last that broke; or empty */
	/* The first answer that was not as its record deserves, if it was a
	 * problem in JSON. */
	char surprise[BULK_REASON_MAX];
};

/*
 * Run the streams.
 * Errors: SG_IO with OUT->reason: no connection, or every stream was refused
 * or broken off; SG_NO_MEMORY.
 */
SG_MUST_USE enum sg_err bulk_run(const struct bulk_settings *settings,
				 struct bulk_result *out);

#endif /* SG_BENCH_BULK_H */
