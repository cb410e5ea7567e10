/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as policy.yaml.  What is refused has a fault that says why; what
 * is taken grants nothing by half and can be told to its clients.
 */
#include "../require.h"
#include "hcert/cbor.h"
#include "policy/policy.h"
#include "policy/policy_file.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_client(const struct policy *p, const struct client *c)
{
	static uint8_t out[1 << 21];
	const struct cbor_limits limits = {.depth = 4, .items = 1 << 20};
	const struct client_limits *l = client_limits(c);
	const struct policy_usage usage = {.left = l->per_day, .ends = 1};
	size_t n;

	require(c->name != NULL && c->profile != NULL, "a name, a profile");
	require(c->operations != 0, "something to do");
	for (unsigned k = 0; k < DCC_KINDS; k++)
		require(client_may_kind(c, (enum dcc_kind)k) ==
				(c->validity_s[k] > 0),
			"a validity for each kind");
	require((l->per_second > 0) == (l->burst > 0), "a rate has a burst");
	require((l->alarm_factor > 0) == (l->alarm_minimum > 0),
		"an alarm has a minimum");
	require(policy_describe(p, c, &usage, out, sizeof(out), &n) == SG_OK,
		"can be described");
	require(cbor_check(span_of(out, n), limits) == SG_OK,
		"is described deterministically");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct faults faults = {.n = 0};
	struct policy_file file;
	struct policy *policy;
	enum sg_err err =
		policy_load(span_of(data, size), "fuzz", &policy, &faults);

	require((err == SG_OK) == (faults.n == 0), "faults say why");
	require((policy != NULL) == (err == SG_OK), "a policy or an error");
	if (err != SG_OK)
		return 0;
	err = policy_file_read(span_of(data, size), "fuzz", &file, &faults);
	require(err == SG_OK && file.nclients > 0, "the same again");
	for (size_t i = 0; i < file.nclients; i++)
		check_client(policy, &file.client[i]);
	policy_file_clear(&file);
	policy_unref(policy);
	return 0;
}
