/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_WITNESSES_STATE_H
#define SG_WITNESSES_STATE_H

#include "ipc/channel.h"
#include "ledger/tiles.h"
#include "witnesses.h"

/*
 * witnesses_state: the inside of the witnesses, for their files alone:
 * witnesses.c (rounds, link), witnesses_ask.c (a request), witnesses_answer.c
 * (what comes back).
 */
enum {
	WITNESSES_NOTE_MAX = WIRE_ANCHOR_MAX, /* with one signature */
	WITNESSES_WAIT_MS = 1000 /* after the first failure; then twice that */
};

/* A checkpoint that is signed by the log. */
struct witnessed {
	uint64_t size;
	struct merkle_hash root;
	size_t n, text_n;
	uint8_t note[WITNESSES_NOTE_MAX]; /* begins with its text */
};

struct witness {
	struct note_key key;
	uint64_t size; /* that it cosigned last, as far as is known */
	/* The request that is under way. */
	bool flying;
	uint64_t id;
	uint64_t old; /* what it said that the witness knows */
	struct witnessed about;
	uint64_t given_up_us;
	/* In this round. */
	bool done;  /* it has cosigned */
	bool tried; /* it has cosigned, or failed: at the start, twice where
		       it could not be reached */
	unsigned corrections; /* times that it named another size */
	/* The round's checkpoint, cosigned by it; 0: not yet. */
	size_t line_n;
	uint8_t line[NOTE_LINE_MAX];

	bool failing; /* its last request did */
	uint64_t wait_ms, again_us;
	uint64_t logged_us;   /* 0: nothing is wrong */
	uint64_t cosigned_us; /* 0: never since the start */
	bool estranged;	      /* it contradicts us */
};

struct witnesses {
	struct witnesses_parts part;
	uint64_t witness_us;	 /* the interval */
	struct channel *channel; /* NULL: not linked */
	struct tiles *tiles;	 /* NULL: not opened yet */
	struct merkle *merkle;
	uint64_t ids; /* the newest */
	bool has_newest;
	struct witnessed newest; /* published */
	/* The round. */
	bool in_round;
	struct witnessed about;
	bool published; /* it has been */
	bool fresh;	/* it has lines that are not given out yet, */
	bool unkept;	/* or are not kept yet */
	uint64_t began_us;
	size_t kept; /* cosignatures of the one that is kept */
	bool consulting;
	uint64_t consult_until_us;
	size_t n;
	struct witness witness[CORE_WITNESSES_MAX];
};

bool witnessed_same(const struct witnessed *a, const struct witnessed *b);

/* --- witnesses.c ------------------------------------------------------ */

/* Something has come of asking: give out what can be. */
void witnesses_settle(struct witnesses *w, uint64_t now_us);

/* --- witnesses_ask.c -------------------------------------------------- */

/* Ask X about the round's checkpoint. */
void witnesses_ask(struct witnesses *w, struct witness *x, uint64_t now_us);
/* What X was asked has failed, because of REASON. */
void witnesses_failed(struct witness *x, uint64_t witness_us, uint64_t now_us,
		      const char *reason);

/* --- witnesses_answer.c ----------------------------------------------- */

/* M answers what X was asked. */
void witnesses_answer(struct witnesses *w, struct witness *x,
		      const struct wire_cosigned *m, uint64_t now_us);

#endif /* SG_WITNESSES_STATE_H */
