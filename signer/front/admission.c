/* SPDX-License-Identifier: Apache-2.0 */
#include "admission.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "shares.h"

enum {
	WAYS = 8, /* places that an address may have */
	SETS = 512,
	TOKEN = 1000 /* so that a millisecond refills RATE of a bucket */
};

/* No /64 that anybody has begins like this: it is multicast. */
#define IS_IPV4 (UINT64_C(0xffff) << 48)

struct place {
	uint64_t address; /* 0: free */
	uint64_t at_ms;
	uint64_t spent; /* then; TOKENs are 1 / 1000 */
};

/* Apart: who connects often must not wash away who fails often. */
enum table { FAILURES, HANDSHAKES, TABLES };

struct admission {
	uint64_t secret; /* nobody chooses whose places he takes */
	uint32_t connections[SHARES_CLIENTS];
	struct place place[TABLES][SETS][WAYS];
};

enum sg_err admission_create(struct admission **out)
{
	struct admission *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return SG_NO_MEMORY;
	if (getrandom(&a->secret, sizeof(a->secret), 0) !=
	    (ssize_t)sizeof(a->secret)) {
		free(a);
		return SG_IO;
	}
	*out = a;
	return SG_OK;
}

void admission_free(struct admission *a)
{
	free(a);
}

/* --- addresses ------------------------------------------------------------ */

static uint64_t of_ipv4(const uint8_t bytes[4])
{
	return IS_IPV4 | (uint64_t)bytes[0] << 24 | (uint64_t)bytes[1] << 16 |
	       (uint64_t)bytes[2] << 8 | bytes[3];
}

static uint64_t of_ipv6(const struct in6_addr *in)
{
	uint64_t out = 0;

	if (IN6_IS_ADDR_V4MAPPED(in))
		return of_ipv4(in->s6_addr + 12);
	for (int i = 0; i < 8; i++)
		out = out << 8 | in->s6_addr[i];
	/* ::1, and what else has no prefix. */
	return out != 0 ? out : 1;
}

uint64_t admission_address(const struct sockaddr *sa)
{
	/* Copies: the caller's may be aligned as a struct sockaddr is. */
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&in, sa, sizeof(in));
		return of_ipv4((const uint8_t *)&in.sin_addr);
	case AF_INET6:
		memcpy(&in6, sa, sizeof(in6));
		return of_ipv6(&in6.sin6_addr);
	default: return 0;
	}
}

void admission_address_text(uint64_t address, char text[ADMISSION_ADDRESS_TEXT])
{
	const bool v4 = (address & IS_IPV4) == IS_IPV4;
	uint8_t bytes[sizeof(struct in6_addr)] = {0};
	const size_t n = v4 ? sizeof(struct in_addr) : sizeof(address);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(address >> (8 * (n - 1 - i)));
	if (inet_ntop(v4 ? AF_INET : AF_INET6, bytes, text,
		      ADMISSION_ADDRESS_TEXT) == NULL)
		text[0] = '\0';
}

/* SplitMix64's finish: each bit of KEY reaches each of the result. */
static size_t set_of(const struct admission *a, uint64_t key)
{
	key ^= a->secret;
	key = (key ^ key >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	key = (key ^ key >> 27) * UINT64_C(0x94d049bb133111eb);
	return (size_t)((key ^ key >> 31) % SETS);
}

static uint64_t spent_at(const struct place *p, uint32_t rate, uint64_t now_ms)
{
	const uint64_t ms = now_ms > p->at_ms ? now_ms - p->at_ms : 0;

	/* Both are below 2^44: hours, and bounded by the configuration. */
	return p->spent > ms * rate ? p->spent - ms * rate : 0;
}

/* The place of ADDRESS in TABLE, or else the one that is missed least. */
static struct place *find(struct admission *a, enum table table,
			  uint64_t address, uint32_t rate, uint64_t now_ms)
{
	struct place *set = a->place[table][set_of(a, address)];
	struct place *least = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].address == address)
			return &set[i];
		if (spent_at(&set[i], rate, now_ms) <
		    spent_at(least, rate, now_ms))
			least = &set[i];
	}
	return least;
}

static bool take(struct admission *a, enum table table, uint64_t address,
		 uint32_t rate, uint64_t now_ms)
{
	const uint64_t full = (uint64_t)rate * ADMISSION_BURST_S * TOKEN;
	struct place *p;

	if (rate == 0 || address == 0)
		return true;
	p = find(a, table, address, rate, now_ms);
	if (p->address != address)
		*p = (struct place){.address = address};
	p->spent = spent_at(p, rate, now_ms);
	p->at_ms = now_ms;
	if (p->spent + TOKEN > full)
		return false;
	p->spent += TOKEN;
	return true;
}

bool admission_begin(struct admission *a, uint64_t address, uint32_t rate,
		     uint64_t now_ms)
{
	return take(a, FAILURES, address, rate, now_ms);
}

bool admission_handshake(struct admission *a, uint64_t address, uint32_t rate,
			 uint64_t now_ms)
{
	return take(a, HANDSHAKES, address, rate, now_ms);
}

void admission_succeeded(struct admission *a, uint64_t address, uint32_t rate,
			 uint64_t now_ms)
{
	struct place *p;

	if (rate == 0 || address == 0)
		return;
	p = find(a, FAILURES, address, rate, now_ms);
	if (p->address != address)
		return; /* forgotten meanwhile */
	p->spent = spent_at(p, rate, now_ms);
	p->at_ms = now_ms;
	p->spent = p->spent > TOKEN ? p->spent - TOKEN : 0;
}

/* --- clients -------------------------------------------------------------- */

bool admission_enter(struct admission *a, uint16_t client, size_t max)
{
	if (max != 0 && a->connections[client] >= max)
		return false;
	a->connections[client]++;
	return true;
}

void admission_leave(struct admission *a, uint16_t client)
{
	a->connections[client]--;
}
