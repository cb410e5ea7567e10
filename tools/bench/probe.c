/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct probe {
	struct load_settings settings;
	pthread_t thread;
	_Atomic bool stop;
	bool joined;
	enum sg_err err;
	char why[200];
	struct load_result result;
};

static void *run(void *arg)
{
	struct probe *p = arg;

	p->err = load_run(&p->settings, &p->result, p->why, sizeof(p->why));
	return NULL;
}

enum sg_err probe_start(const struct load_settings *settings,
			struct probe **out)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return SG_NO_MEMORY;
	p->settings = *settings;
	p->settings.stop = &p->stop;
	if (pthread_create(&p->thread, NULL, run, p) != 0) {
		free(p);
		return SG_NO_MEMORY;
	}
	*out = p;
	return SG_OK;
}

enum sg_err probe_stop(struct probe *p, const struct load_result **out,
		       char *why, size_t cap)
{
	atomic_store(&p->stop, true);
	if (!p->joined)
		(void)pthread_join(p->thread, NULL);
	p->joined = true;
	*out = &p->result;
	if (p->err != SG_OK)
		(void)snprintf(why, cap, "%s", p->why);
	return p->err;
}

void probe_free(struct probe *p)
{
	const struct load_result *result;
	char why[sizeof(p->why)];

	if (p == NULL)
		return;
	(void)!probe_stop(p, &result, why, sizeof(why));
	free(p);
}
