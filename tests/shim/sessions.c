/* SPDX-License-Identifier: Apache-2.0 */
#include "sessions.h"

#include <stdlib.h>

enum { BUCKETS = 512 };

static struct session *buckets[BUCKETS];

static struct session **bucket(CK_SESSION_HANDLE handle)
{
	return &buckets[handle % BUCKETS];
}

enum sg_err sessions_add(CK_SESSION_HANDLE handle, CK_SLOT_ID slot)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return SG_NO_MEMORY;
	s->handle = handle;
	s->slot = slot;
	s->next = *bucket(handle);
	*bucket(handle) = s;
	return SG_OK;
}

struct session *sessions_find(CK_SESSION_HANDLE handle)
{
	struct session *s = *bucket(handle);

	while (s != NULL && s->handle != handle)
		s = s->next;
	return s;
}

static void drop(struct session **at)
{
	struct session *s = *at;

	*at = s->next;
	for (size_t i = 0; i < SPEC_KEYS_MAX; i++)
		EVP_PKEY_CTX_free(s->ctx[i]);
	free(s);
}

uint32_t sessions_remove(CK_SESSION_HANDLE handle)
{
	struct session **at = bucket(handle);

	while (*at != NULL && (*at)->handle != handle)
		at = &(*at)->next;
	if (*at == NULL)
		return 0;
	drop(at);
	return 1;
}

static uint32_t remove_slot(struct session **at, CK_SLOT_ID slot)
{
	uint32_t n = 0;

	while (*at != NULL) {
		if ((*at)->slot != slot) {
			at = &(*at)->next;
			continue;
		}
		drop(at);
		n++;
	}
	return n;
}

uint32_t sessions_remove_slot(CK_SLOT_ID slot)
{
	uint32_t n = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		n += remove_slot(&buckets[i], slot);
	return n;
}

bool sessions_any(CK_SLOT_ID *slot)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		if (buckets[i] != NULL) {
			*slot = buckets[i]->slot;
			return true;
		}
	}
	return false;
}
