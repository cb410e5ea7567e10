/* SPDX-License-Identifier: Apache-2.0 */
#include "uplink.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct uplink {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct link_end *now; /* held by the uplink; NULL: none yet */
	uint64_t generation;  /* of the newest */
	bool draining;
};

enum sg_err uplink_create(struct uplink **out)
{
	struct uplink *u = calloc(1, sizeof(*u));

	*out = NULL;
	if (u == NULL)
		return SG_NO_MEMORY;
	pthread_mutex_init(&u->lock, NULL);
	pthread_cond_init(&u->changed, NULL);
	*out = u;
	return SG_OK;
}

/* Under the lock. */
static void release(struct link_end *end)
{
	assert(end->holders > 0);
	if (--end->holders > 0)
		return;
	close(end->fd);
	free(end);
}

void uplink_free(struct uplink *u)
{
	if (u == NULL)
		return;
	if (u->now != NULL)
		release(u->now);
	pthread_cond_destroy(&u->changed);
	pthread_mutex_destroy(&u->lock);
	free(u);
}

enum sg_err uplink_replace(struct uplink *u, int fd, uint16_t slot)
{
	struct link_end *end = calloc(1, sizeof(*end));
	enum sg_err e = SG_OK;

	if (end == NULL) {
		close(fd);
		return SG_NO_MEMORY;
	}
	*end = (struct link_end){.fd = fd, .slot = slot, .holders = 1};
	pthread_mutex_lock(&u->lock);
	if (u->draining) {
		release(end);
		e = SG_CLOSED;
	} else {
		end->generation = ++u->generation;
		if (u->now != NULL) {
			shutdown(u->now->fd, SHUT_RDWR);
			release(u->now);
		}
		u->now = end;
		pthread_cond_broadcast(&u->changed);
	}
	pthread_mutex_unlock(&u->lock);
	return e;
}

static bool is_new(const struct uplink *u, uint64_t seen)
{
	return u->now != NULL && u->now->generation > seen;
}

struct link_end *uplink_get(struct uplink *u, uint64_t seen)
{
	struct link_end *end = NULL;

	pthread_mutex_lock(&u->lock);
	while (!is_new(u, seen) && !u->draining)
		pthread_cond_wait(&u->changed, &u->lock);
	/* Also when draining: there may be work in it already. */
	if (is_new(u, seen)) {
		end = u->now;
		end->holders++;
	}
	pthread_mutex_unlock(&u->lock);
	return end;
}

void uplink_put(struct uplink *u, struct link_end *end)
{
	pthread_mutex_lock(&u->lock);
	release(end);
	pthread_mutex_unlock(&u->lock);
}

bool uplink_drop(struct uplink *u, struct link_end *end)
{
	bool first;

	pthread_mutex_lock(&u->lock);
	first = !end->dropped;
	end->dropped = true;
	shutdown(end->fd, SHUT_RDWR);
	pthread_mutex_unlock(&u->lock);
	return first;
}

void uplink_drain(struct uplink *u)
{
	pthread_mutex_lock(&u->lock);
	u->draining = true;
	if (u->now != NULL)
		shutdown(u->now->fd, SHUT_RD);
	pthread_cond_broadcast(&u->changed);
	pthread_mutex_unlock(&u->lock);
}
