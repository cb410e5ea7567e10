/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults: what no client can bring about, for the contract test.  Linked into
 * signerd_contract, whose fronts' questions to the core come here (-Wl,--wrap):
 * those in the name of a client "...:contract:internal" fail as by a fault of
 * ours, those of "...:contract:deadline" as if no answer came in time.  The
 * metrics do not fit into an answer.
 */
#include "tests/wrapped.h"

enum sg_err __wrap_metrics_render(const struct metrics_source *sources,
				  size_t n, char *out, size_t cap, size_t *len)
{
	(void)sources;
	(void)n;
	(void)out;
	*len = cap + 1;
	return SG_TOO_BIG;
}

static bool is_within(struct span identity, const char *name)
{
	return identity.n > 0 &&
	       memmem(identity.p, identity.n, name, strlen(name)) != NULL;
}

static enum sg_err fault_of(struct span identity)
{
	if (is_within(identity, ":contract:internal"))
		return SG_INTERNAL;
	return is_within(identity, ":contract:deadline") ? SG_TIMED_OUT : SG_OK;
}

enum sg_err __wrap_core_link_issue(struct core_link *l,
				   const struct wire_issue *m,
				   core_answer answer, void *asker,
				   uint64_t *question)
{
	const enum sg_err err = fault_of(m->identity);

	return err != SG_OK
		       ? err
		       : __real_core_link_issue(l, m, answer, asker, question);
}

enum sg_err __wrap_core_link_ask(struct core_link *l, const struct wire_ask *m,
				 core_answer answer, void *asker,
				 uint64_t *question)
{
	const enum sg_err err = fault_of(m->identity);

	return err != SG_OK
		       ? err
		       : __real_core_link_ask(l, m, answer, asker, question);
}

enum sg_err __wrap_core_link_operate(struct core_link *l,
				     const struct wire_operate *m,
				     core_answer answer, void *asker,
				     uint64_t *question)
{
	const enum sg_err err = fault_of(m->identity);

	return err != SG_OK ? err
			    : __real_core_link_operate(l, m, answer, asker,
						       question);
}
