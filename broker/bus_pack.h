/*
 * Sessions, events and usage as the bus's protobuf (agentbus.v1), byte for byte as protobuf-c would pack them. Pure.
 *
 * An event is packed before its place in the order is known: its seq, which is field 1, is put before it later.
 */
#ifndef AGENTBUS_BUS_PACK_H
#define AGENTBUS_BUS_PACK_H

#include "budget.h"
#include "buf.h"
#include "session.h"

/* What was used under some key. */
struct bus_usage {
	const char *key, *provider, *project;
	uint64_t requests, api_errors;
	struct tokens tokens;
	struct cost cost;
};

/* Appends one agentbus.v1.Session. False without memory; out is unchanged then. */
bool bus_pack_session(const struct session *s, struct buf *out);

/* Appends one agentbus.v1.Event without its seq. False without memory; out is unchanged then. */
bool bus_pack_event(const struct event *e, const char *boot_id, struct buf *out);

/* The same for an agentbus.v1.Budget and an agentbus.v1.UsageRow. */
bool bus_pack_budget(const struct budget_alarm *a, struct buf *out);
bool bus_pack_usage(const struct bus_usage *u, struct buf *out);

#endif
