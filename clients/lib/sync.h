/*
 * How a subscriber stays in step with its broker. Pure: what happened and the time go in, what to do next comes out.
 *
 *	AWAY ──link up──► SNAPSHOT ──answer──► LIVE ──hole, or something is missing──► CATCH_UP
 *	  ▲                   ▲                 │ ▲                                       │
 *	  │                   └──after a gap────│─┴──────────────the goal is reached──────┤
 *	  └───────────────────────link lost─────┴─────────────────────────────────────────┘
 *
 * One rule gives every event that still exists exactly once and in order: seq only ever grows by one, except over events
 * that a GAP has told of. Events come from two sources, the live socket and the journal, and only what the live socket
 * lacks is asked of the journal. In every phase but LIVE the live socket is left unread, where nng keeps the newest; what
 * it drops meanwhile is a hole later, and the journal fills it.
 *
 * A snapshot is taken at a seq of its own, mostly above ours. It is put aside until events have brought us to that seq, and
 * adopted there, before the next event. So the table is at all times the broker's as of the last event taken, but for
 * sessions whose events are lost: those are right again at the snapshot that follows every gap. In order, then:
 *
 *	a lost stretch:    GAP, the events after it up to the snapshot, RESET, the events after that
 *	reconnection:      DISCONNECTED, the events missed, CONNECTED, the events after that
 *	a new counter:     DISCONNECTED, GAP (last_seq 0), its events from 1 on, CONNECTED, the events after that
 *
 * Time is in nanoseconds of any clock that does not jump and is never 0.
 */
#ifndef AGENTBUS_LIB_SYNC_H
#define AGENTBUS_LIB_SYNC_H

#include "agentbus.h"
#include "decode.h"

#define SYNC_MS          UINT64_C(1000000)
#define SYNC_CHECK_AFTER (500 * SYNC_MS)   /* from the last activity to the check for a lost last message */
#define SYNC_PATIENCE    (1000 * SYNC_MS)  /* for an answer; doubles each time in vain */
#define SYNC_RETRY       (100 * SYNC_MS)   /* after an answer that is of no use, or a request that did not go out; doubles */
#define SYNC_WAIT_MAX    (30000 * SYNC_MS) /* what doubles ends here */
#define SYNC_REPLAYS_MAX 3 /* useless answers of the journal in a row before what it was asked for counts as lost */

enum sync_phase {
	SYNC_AWAY,     /* no broker */
	SYNC_SNAPSHOT, /* waiting for a snapshot */
	SYNC_CATCH_UP, /* asking the journal, or taking its events, until seq is at the goal */
	SYNC_LIVE,     /* taking events from the live socket */
};

enum sync_query {
	SYNC_ASK_NOTHING,
	SYNC_ASK_SNAPSHOT,
	SYNC_ASK_REPLAY, /* of what comes after seq */
	SYNC_ASK_POSITION,
};

/* What to do next. */
enum sync_action {
	SYNC_WAIT,        /* for the link, an answer, or sync_deadline() */
	SYNC_TELL,        /* hand note to the subscriber; then sync_told() */
	SYNC_ADOPT,       /* let the snapshot that was put aside take the table's place; then sync_adopted() */
	SYNC_ASK,         /* send query; then sync_asked() */
	SYNC_TAKE_REPLAY, /* offer the next event of the journal's answer, or sync_replay_end() */
	SYNC_TAKE_LIVE,   /* offer the next event of the live socket, or sync_live_empty() */
};

/* What became of an event that was offered. */
enum sync_verdict {
	SYNC_TAKEN,   /* apply and deliver it */
	SYNC_DROPPED, /* seen before, or of another broker: go on with the one after it */
	SYNC_HELD,    /* something comes first: offer it again whenever its source is asked for again */
	SYNC_ENOUGH,  /* this answer is of no more use: go on as if it ended here */
};

/* An event of the library's own. kind is 0 if there is none to tell. */
struct sync_note {
	unsigned kind;
	uint64_t first_seq, last_seq; /* with boot_id: for GAP */
	char boot_id[DECODE_BOOT_ID_MAX + 1];
};

struct sync {
	enum sync_phase phase;
	bool linked;    /* both sockets have a peer */
	bool leaving;   /* the link was lost in LIVE: what has arrived already is taken first */
	bool connected; /* CONNECTED was told, and no DISCONNECTED since */
	bool known;     /* seq and boot_id are those of an event or snapshot */
	bool lost;      /* events were lost since the last snapshot */
	bool aside;     /* a snapshot waits for seq to be at aside_seq */
	bool answered;  /* an answer of the journal is being taken */
	bool more;      /* and it is not the journal's last */

	uint64_t seq; /* of the newest event taken or told to be lost */
	char boot_id[DECODE_BOOT_ID_MAX + 1];
	uint64_t aside_seq;
	uint64_t goal;     /* CATCH_UP: the seq to reach */
	uint64_t begun_at; /* CATCH_UP: seq when the answer began */

	enum sync_query query; /* the one that is wanted, or waits for its answer */
	bool asked;
	uint64_t due; /* asked: when to give up waiting; not asked: when to ask */
	unsigned timeouts, useless;
	uint64_t check_at; /* LIVE: when to ask for the position; 0 when there is nothing to check */

	struct sync_note note;
};

/* boot_id NULL or "" begins with the present, else events after that seq of boot_id are fetched first. False: boot_id is too
 * long. */
bool sync_init(struct sync *s, const char *boot_id, uint64_t seq);

enum sync_action sync_next(struct sync *s, uint64_t now);

/* When sync_next() has something new to say though nothing arrives; 0 is never. */
uint64_t sync_deadline(const struct sync *s);

/* A peer has come or gone: whether both sockets have one now. */
void sync_link(struct sync *s, bool linked, uint64_t now);

void sync_told(struct sync *s);
void sync_adopted(struct sync *s);
void sync_asked(struct sync *s, bool sent, uint64_t now);

/* Something came on the live socket, of whatever use. */
void sync_activity(struct sync *s, uint64_t now);

/* An event of the source that sync_next() named. */
enum sync_verdict sync_offer(struct sync *s, const char *boot_id, uint64_t seq, uint64_t now);

/* Nothing has arrived at all. Returns whether that changes anything. */
bool sync_live_empty(struct sync *s, uint64_t now);

/* Answers. Each is for the query that waits for one. */
void sync_snapshot(struct sync *s, const char *boot_id, uint64_t seq, uint64_t now);
bool sync_replay(struct sync *s, const char *boot_id, uint64_t lost_up_to, bool more,
		 uint64_t now); /* false: its events are of no use */
void sync_replay_end(struct sync *s, uint64_t now);
void sync_position(struct sync *s, const char *boot_id, uint64_t seq, uint64_t now);
void sync_useless_answer(struct sync *s, uint64_t now);

/* Asks for a fresh snapshot when the table holds too much that the broker has forgotten. */
void sync_refresh(struct sync *s, uint64_t now);

#endif
