/*
 * Sessions and events as the bus's protobuf (agentbus.v1), byte for byte as protobuf-c would pack them. Pure.
 *
 * An event is packed before its place in the order is known: its seq, which is field 1, is put before it later.
 */
#ifndef AGENTBUS_BUS_PACK_H
#define AGENTBUS_BUS_PACK_H

#include "buf.h"
#include "session.h"

/* Appends one agentbus.v1.Session. False without memory; out is unchanged then. */
bool bus_pack_session(const struct session *s, struct buf *out);

/* Appends one agentbus.v1.Event without its seq. False without memory; out is unchanged then. */
bool bus_pack_event(const struct event *e, const char *boot_id, struct buf *out);

#endif
