/* SPDX-License-Identifier: Apache-2.0 */
#include "server_keys.h"

#include <stdio.h>
#include <stdlib.h>

enum sg_err server_keys_pem(struct https *h, uint8_t **pem, size_t *n,
			    char *why, size_t cap)
{
	static const struct https_request request = {
		.path = "/v1/keys",
		.accept = "application/pem-certificate-chain",
	};
	struct https_reply reply;
	enum sg_err err = https_ask(h, &request, &reply, why, cap);

	if (err != SG_OK)
		return err;
	if (reply.status != 200) {
		(void)snprintf(why, cap, "/v1/keys: status %d", reply.status);
		https_add_request(reply.request, why, cap);
		free(reply.body);
		return SG_IO;
	}
	*pem = reply.body;
	*n = reply.n;
	return SG_OK;
}

enum sg_err server_keys(struct https *h, struct keyset *set, char *why,
			size_t cap)
{
	uint8_t *pem;
	size_t n;
	enum sg_err err = server_keys_pem(h, &pem, &n, why, cap);

	if (err != SG_OK)
		return err;
	err = keyset_add(set, span_of(pem, n), "/v1/keys");
	if (err != SG_OK)
		(void)snprintf(why, cap, "/v1/keys: %s", err_text(err));
	free(pem);
	return err;
}
