/*
 * Sessions and events as the bus's protobuf (agentbus.v1). Pure.
 *
 * An event is packed before its place in the order is known: its seq, which is field 1, is put before it later.
 */
#ifndef AGENTBUS_BUS_PACK_H
#define AGENTBUS_BUS_PACK_H

#include "buf.h"
#include "session.h"

/* The most bytes that bus_put_head() and bus_put_seq() write. */
#define BUS_HEAD_MAX 16

/* Appends one agentbus.v1.Session. False without memory; out is unchanged then. */
bool bus_pack_session(const struct session *s, struct buf *out);

/* Appends one agentbus.v1.Event without its seq. False without memory; out is unchanged then. */
bool bus_pack_event(const struct event *e, const char *boot_id, struct buf *out);

/* Writes the tag and length that precede len bytes of an embedded message or string. Returns the bytes written. */
size_t bus_put_head(uint8_t *out, unsigned field, uint64_t len);

/* Writes field 1 as a varint: an event's seq. Returns the bytes written. */
size_t bus_put_seq(uint8_t *out, uint64_t seq);

/* How many bytes bus_put_seq() writes. */
size_t bus_seq_size(uint64_t seq);

#endif
