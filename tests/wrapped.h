/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_WRAPPED_H
#define SG_TEST_WRAPPED_H

#include "base/metrics.h"
#include "front/core_link.h"

/*
 * wrapped: what the daemons of the tests put in place of the daemon's own
 * functions (-Wl,--wrap, in CMakeLists.txt), and by which names they reach
 * those.  The linker's names.
 */
enum sg_err __real_core_link_issue(struct core_link *l,
				   const struct wire_issue *m,
				   core_answer answer, void *asker,
				   uint64_t *question);
enum sg_err __real_core_link_ask(struct core_link *l, const struct wire_ask *m,
				 core_answer answer, void *asker,
				 uint64_t *question);
enum sg_err __real_core_link_operate(struct core_link *l,
				     const struct wire_operate *m,
				     core_answer answer, void *asker,
				     uint64_t *question);
enum sg_err __wrap_core_link_issue(struct core_link *l,
				   const struct wire_issue *m,
				   core_answer answer, void *asker,
				   uint64_t *question);
enum sg_err __wrap_core_link_ask(struct core_link *l, const struct wire_ask *m,
				 core_answer answer, void *asker,
				 uint64_t *question);
enum sg_err __wrap_core_link_operate(struct core_link *l,
				     const struct wire_operate *m,
				     core_answer answer, void *asker,
				     uint64_t *question);
enum sg_err __wrap_metrics_render(const struct metrics_source *sources,
				  size_t n, char *out, size_t cap, size_t *len);

void __wrap_core_link_on_bad(struct core_link *l, void (*bad)(void *ctx),
			     void *ctx);
void __real_core_link_attach(struct core_link *l, int fd);
void __wrap_core_link_attach(struct core_link *l, int fd);

#endif /* SG_TEST_WRAPPED_H */
