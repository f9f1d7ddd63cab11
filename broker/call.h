/*
 * What log records tell of calls to models and tools, remembered for a while: so that the spans of the same calls, which mostly
 * lack tokens, cost or how it ended, can be completed, and calls that no span will tell of can be made into spans. Pure.
 */
#ifndef AGENTBUS_CALL_H
#define AGENTBUS_CALL_H

#include "price.h"
#include "provider.h"

#define CALLS_MAX      2048                  /* remembered; the oldest goes first */
#define CALL_TEXT_SIZE 896                   /* for all texts of one; what does not fit is cut */
#define CALL_WINDOW_NS (120 * 1000000000ull) /* for so long after it arrived a call may meet its span */

enum call_kind { CALL_MODEL, CALL_TOOL };

/* A call as its log record tells it. Everything it points at is its own, or static. */
struct call {
	enum call_kind kind;
	const struct provider *provider; /* NULL: an empty place */
	struct observation o;            /* time_ns: when it ended; start_ns: when it began, time_ns where nothing tells */
	int64_t cost;                    /* pico-dollars: the CLI's own figure, else computed */
	bool has_cost, estimated;
	uint64_t turn_ns;          /* when its turn began, by the CLI's clock; 0: unknown */
	char version[32];          /* of the service */
	uint64_t arrived_ns;       /* by the broker's clock */
	uint64_t made;             /* the span that was made of it and waits; 0: none */
	bool is_whole;             /* false: a fault that is no call, or the second one of a call */
	uint8_t span_id[8];        /* of the span it belongs to */
	bool claimed;              /* span_id is set */
	char text[CALL_TEXT_SIZE]; /* what o's texts point at */
};

struct calls;

/* NULL without memory. */
struct calls *calls_create(void);
void calls_destroy(struct calls *c);

/* What joins a session's calls and spans: never 0. */
uint64_t call_session_hash(const struct provider *p, struct str session);

/*
 * Whether a log record tells of a call; only then calls_add() takes it. Records that begin a call
 * (MEANS_CALL, OBS_ASKS) or a turn (MEANS_PROMPT) are told by calls_note(): for CLIs that do not say how long an answer took, and
 * what belongs together. Others may be, too.
 */
bool call_is_told(const struct observation *o, enum call_kind *ret);

void calls_note(struct calls *c, const struct provider *p, const struct observation *o);

/* Nobody claimed what was made of a call of this session: its CLI exports no spans. And whether that was said of it lately. */
void calls_say_untraced(struct calls *c, uint64_t session_hash);
bool calls_are_untraced(struct calls *c, uint64_t session_hash);

/* Remembers a call; o->session must be known. The result belongs to c and may be changed until the next calls_add(). */
struct call *calls_add(struct calls *c, const struct provider *p, enum call_kind kind, const struct observation *o,
		       const struct price_table *prices, struct str version, uint64_t now_ns);

/*
 * The call that a span tells of, and makes it that span's: the one that it is already, else by the id of the span, the request or
 * the tool call, else the one of the same session, model and prompt that ended nearest to the span's end while it ran. What is no
 * call of its own (MEANS_FAULT), and, where only times tell, an attempt that failed before the span went on, are taken only if
 * this is the `last` try. NULL: none has arrived.
 */
const struct call *calls_claim(struct calls *c, const struct provider *p, enum call_kind kind, const struct observation *span,
			       bool last, uint64_t now_ns);

#endif
