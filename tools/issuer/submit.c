/* SPDX-License-Identifier: Apache-2.0 */
#include "submit.h"

#include <stdlib.h>

#include "tools/common/input.h"
#include "tools/common/request.h"

static enum sg_err read_body(const struct args *args, char **body, size_t *n,
			     char *why)
{
	const struct request_extra extra = {.exp = args->value[OPT_EXP],
					    .id = args->value[OPT_ID]};
	uint8_t *file;
	enum sg_err err;

	if (args->n != 1) {
		(void)snprintf(why, WHY_MAX,
			       "give one file with the record, or -");
		return SG_CONFIG;
	}
	err = input_bytes(args->rest[0], &file, n, why, WHY_MAX);
	if (err != SG_OK)
		return err;
	err = request_build(span_of(file, *n), &extra, body, n, why, WHY_MAX);
	free(file);
	return err;
}

enum sg_err submit_record(const struct args *args, const char *path,
			  const char *accept, struct https_reply *out,
			  char *why)
{
	struct https_request request = {
		.path = path,
		.content_type = "application/json",
		.accept = accept,
	};
	struct https *h;
	char *body;
	size_t n;
	enum sg_err err = read_body(args, &body, &n, why);

	if (err != SG_OK)
		return err;
	err = online_open(args, &h, why, WHY_MAX);
	if (err == SG_OK) {
		request.body = span_of(body, n);
		err = https_ask(h, &request, out, why, WHY_MAX);
		https_close(h);
	}
	free(body);
	return err;
}
