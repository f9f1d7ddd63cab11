/*
 * The gate: every connection comes through here before a byte of it is parsed.
 *
 * It counts (all together, and those of one address and user), finds out which user of this machine a connection comes from,
 * looks at the first bytes without taking them (HTTP/2 begins with "PRI "), and hands the connection to HTTP or gRPC. What is
 * one too many is told to come back and let go at once.
 */
#ifndef AGENTBUS_GATE_H
#define AGENTBUS_GATE_H

#include "clock.h"
#include "limit.h"
#include "parting.h"
#include "peer.h"
#include "refusal.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct gate_visitor;
struct gate_seat;
struct gate_crowd;

/* Who gets connections, by the protocol they speak. */
struct gate_host {
	void (*adopt)(void *ctx, int fd, const struct peer *peer);
	void *ctx;
};

struct gate {
	struct ev_loop *loop;
	const struct clock *clock;
	const struct limits *limits;
	struct refusals *refusals;
	struct gate_host http, grpc;
	bool allow_other_users;
	uid_t own;
	uint64_t serial;
	size_t seat_count; /* limits->max_connections when the gate was opened */
	struct gate_seat *seats;
	size_t seated;    /* seats that are taken */
	uint64_t refused; /* connections that found none */
	size_t free_seat; /* the first of a list; seat_count: none */
	struct gate_crowd *crowds;
	size_t crowd_count;
	struct gate_visitor *first, *last; /* have not said yet what they speak, the oldest first */
	size_t turned_away;                /* those among them that have no place */
	ev_timer impatience;
	struct partings partings;
};

/* False after logging why not: out of memory. All that is pointed to must outlive it. */
bool gate_open(struct gate *g, struct ev_loop *loop, const struct clock *clock, const struct limits *limits,
	       bool allow_other_users, struct refusals *refusals, struct gate_host http, struct gate_host grpc);

/* Takes an accepted connection and its descriptor. */
void gate_arrived(struct gate *g, int fd, const struct address *from);

/* A connection that was handed over is gone: its place is free again. */
void gate_left(struct gate *g, uint64_t peer);

/* The socket at the other end of a connection that has a place, and its user. False if that is not known. */
bool gate_socket_of(const struct gate *g, uint64_t peer, uint32_t *ret_inode, uid_t *ret_uid);

/* Sends away who has not said yet what they speak. */
void gate_close(struct gate *g);

#endif
