/* SPDX-License-Identifier: Apache-2.0 */
#include "err.h"

struct err_row {
	const char *problem;
	const char *text;
	int http;
	int retry;
};

static const struct err_row ROWS[SG_ERR_COUNT] = {
#define X(id, status, name, again, words)                                      \
	[SG_##id] = {.problem = (name),                                        \
		     .text = (words),                                          \
		     .http = (status),                                         \
		     .retry = (again)},
	SG_ERR_MAP(X)
#undef X
};

/* A value that is not in the table can only be a fault of ours. */
static const struct err_row *row_of(enum sg_err e)
{
	const unsigned i = (unsigned)e;

	return i < SG_ERR_COUNT ? &ROWS[i] : &ROWS[SG_INTERNAL];
}

int err_http(enum sg_err e)
{
	return row_of(e)->http;
}

const char *err_problem(enum sg_err e)
{
	return row_of(e)->problem;
}

int err_retry(enum sg_err e)
{
	return row_of(e)->retry;
}

const char *err_text(enum sg_err e)
{
	return row_of(e)->text;
}
