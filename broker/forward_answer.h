/*
 * What a destination answers, read without trust: any bytes are allowed, and what makes no sense says nothing. Pure.
 */
#ifndef AGENTBUS_FORWARD_ANSWER_H
#define AGENTBUS_FORWARD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORWARD_ANSWER_MAX   ((size_t)64 << 10) /* bytes of an answer that are looked at */
#define FORWARD_MESSAGE_SIZE 160

/* What Export*ServiceResponse says under partial_success, in protobuf or in JSON. */
struct forward_partial {
	uint64_t rejected;                  /* items; 0 with a message is a warning */
	char message[FORWARD_MESSAGE_SIZE]; /* cut, fit for a log */
};

/* Nothing rejected and no message: there is none, or the bytes are anything else. */
void forward_answer_partial(const uint8_t *bytes, size_t len, struct forward_partial *ret);

/*
 * How long Retry-After asks to wait, in seconds or until an HTTP date, from now (since the epoch). False if the text is neither;
 * NULL is neither. A date in the past is 0.
 */
bool forward_answer_wait(const char *text, uint64_t now_ns, uint64_t *ret_ns);

#endif
