/* SPDX-License-Identifier: Apache-2.0 */
/* child: is a process alive, or stopped and stuck? */
#include <time.h>

#include "child.h"

/* Has it used the CPU since the last time?  Who starts has no time for samples:
 * a core reads its journal, for minutes. */
static bool has_worked(struct child *c)
{
	struct timespec t;
	clockid_t cpu;
	uint64_t ns;

	if (clock_getcpuclockid(c->process->pid, &cpu) != 0 ||
	    clock_gettime(cpu, &t) != 0)
		return true; /* it is gone, which others see to */
	ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	if (ns == c->cpu_ns)
		return false;
	c->cpu_ns = ns;
	return true;
}

void child_look(struct child *c, uint64_t now_us)
{
	const uint64_t samples = metrics_samples(c->page);
	const uint64_t within_ms = c->up ? CHILD_SILENT_MS : CHILD_STILL_MS;

	if (c->process == NULL)
		return;
	if (samples != c->samples || (!c->up && has_worked(c))) {
		c->samples = samples;
		c->lively_us = now_us;
	} else if (now_us - c->lively_us > within_ms * 1000) {
		child_kill(c, "it is stopped or stuck");
	}
}

void child_forgive(struct child *c, uint64_t now_us)
{
	c->samples = metrics_samples(c->page);
	c->lively_us = now_us;
}
