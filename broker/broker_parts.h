/* The parts of a broker: opened in an order in which each finds what it needs, and closed the other way round. */
#ifndef AGENTBUS_BROKER_PARTS_H
#define AGENTBUS_BROKER_PARTS_H

#include "broker.h"

/* Opens all parts and listens. False after logging why not; nothing is open then. */
bool broker_open_parts(struct broker *b);

/* Closes them. */
void broker_close_parts(struct broker *b);

/* Stores, publishes and answers, in this order, what has happened since the last time. ctx is the struct broker. */
void broker_settle(void *ctx);

#endif
