/* SPDX-License-Identifier: Apache-2.0 */
#include "submit.h"

#include <stdlib.h>

#include "base/clock.h"
#include "client_signing.h"
#include "tools/common/input.h"
#include "tools/common/request.h"

enum sg_err submit_text(const struct args *args, struct span file,
			const struct submit_to *to, struct https_reply *out,
			char *why)
{
	const struct request_extra extra = {.exp = args->value[OPT_EXP],
					    .id = args->value[OPT_ID]};
	struct https_request request = {
		.path = to->path,
		.content_type = "application/json",
		.accept = to->accept,
	};
	struct client_signing *signing;
	struct https *h;
	char *body = NULL;
	size_t n;
	enum sg_err err =
		client_signing_open(args, to->operation, &signing, why);

	if (err == SG_OK)
		err = request_build(file, &extra, &body, &n, why, WHY_MAX);
	if (err == SG_OK) {
		request.body = span_of(body, n);
		err = client_signing_sign(signing, clock_wall_s(),
					  &request.body);
	}
	if (err == SG_OK)
		err = online_open(args, &h, why, WHY_MAX);
	if (err == SG_OK) {
		err = https_ask(h, &request, out, why, WHY_MAX);
		https_close(h);
	}
	free(body);
	client_signing_close(signing);
	return err;
}

enum sg_err submit_record(const struct args *args, const struct submit_to *to,
			  struct https_reply *out, char *why)
{
	uint8_t *file;
	enum sg_err err;
	size_t n;

	if (args->n != 1) {
		(void)snprintf(why, WHY_MAX,
			       "give one file with the record, or -");
		return SG_CONFIG;
	}
	err = input_bytes(args->rest[0], &file, &n, why, WHY_MAX);
	if (err != SG_OK)
		return err;
	err = submit_text(args, span_of(file, n), to, out, why);
	free(file);
	return err;
}
