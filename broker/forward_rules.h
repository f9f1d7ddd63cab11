/*
 * What an attempt to pass something on comes to: sent, to be tried again, or refused for good. Pure: what happened, the time and
 * chance go in.
 */
#ifndef AGENTBUS_FORWARD_RULES_H
#define AGENTBUS_FORWARD_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORWARD_WAIT_MAX_NS (600ull * 1000000000) /* the longest that Retry-After may ask for */

enum forward_result {
	FORWARD_SENT,
	FORWARD_AGAIN,     /* the same again later */
	FORWARD_REFUSED,   /* for what it holds: a part of it may pass */
	FORWARD_UNWELCOME, /* whatever it holds */
};

/* What came back; status 0: nothing did, or not all of it. */
enum forward_result forward_rules_judge(unsigned status);

/* What a status means, for people. Static; "" if it has no common name. */
const char *forward_rules_name(unsigned status);

/* How long a lane waits between its attempts. */
struct forward_pace {
	uint64_t min_ns, max_ns;
	uint64_t next_ns; /* before chance; 0: the last attempt succeeded */
};

/* It worked: the next wait is the shortest. */
void forward_rules_succeeded(struct forward_pace *p);

/*
 * It did not: how long to wait. The waits grow from min to max, half as much again each time, and chance (any number) makes each
 * up to a fifth shorter or longer. Retry-After, if not NULL, counts instead if it asks for more.
 */
uint64_t forward_rules_wait(struct forward_pace *p, const char *retry_after, uint64_t now_ns, uint32_t chance);

/* How many rows the next request should hold at most, after one of so many rows had that result; 0: any number. */
uint64_t forward_rules_rows(enum forward_result r, uint64_t limit, uint64_t rows);

/* A trouble that is told of once a minute at most, with how much of it came since the last time. Zeroed is a new one. */
struct forward_warning {
	uint64_t told_ns, untold;
};

/* So much more of it: whether to tell of it now, and of how much. */
bool forward_rules_tell(struct forward_warning *w, uint64_t count, uint64_t now_ns, uint64_t *ret_count);

#endif
