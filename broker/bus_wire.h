/*
 * Protobuf written from its end to its beginning, so that the length of an embedded message is known when it is due: one
 * pass, and no tree. The fields of a message are put in falling order of their numbers. As proto3 has it, numbers that are
 * 0 and text that is empty leave no trace.
 */
#ifndef AGENTBUS_BUS_WIRE_H
#define AGENTBUS_BUS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes of a tag and a length, or a tag and a number. */
#define BUS_WIRE_HEAD_MAX 16

struct bus_wire {
	uint8_t *begin; /* of the memory */
	uint8_t *at;    /* what is written is from here to the end of the memory */
	bool full;      /* something did not fit; nothing is written any more */
};

/* An empty message at the end of size bytes. */
struct bus_wire bus_wire_start(uint8_t *bytes, size_t size);

void bus_wire_number(struct bus_wire *w, unsigned field, uint64_t value);
void bus_wire_fixed64(struct bus_wire *w, unsigned field, uint64_t value);
void bus_wire_text(struct bus_wire *w, unsigned field, const char *text);
void bus_wire_bytes(struct bus_wire *w, unsigned field, const uint8_t *bytes, size_t len);

/* Puts the head of an embedded message whose fields are all that was put since `end`, the value of w->at at that time. */
void bus_wire_embed(struct bus_wire *w, unsigned field, const uint8_t *end);

/* Forwards, for messages that are put together from pieces: a tag and a length, or a tag and a number. Return their size. */
size_t bus_wire_put_head(uint8_t out[BUS_WIRE_HEAD_MAX], unsigned field, uint64_t len);
size_t bus_wire_put_number(uint8_t out[BUS_WIRE_HEAD_MAX], unsigned field, uint64_t value);

#endif
