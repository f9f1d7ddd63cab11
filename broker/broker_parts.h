/* The parts of a broker: opened in an order in which each finds what it needs, and closed the other way round. */
#ifndef AGENTBUS_BROKER_PARTS_H
#define AGENTBUS_BROKER_PARTS_H

#include "broker.h"

/* Opens all parts and listens. False after logging why not; nothing is open then. */
bool broker_open_parts(struct broker *b);

/* Closes them. */
void broker_close_parts(struct broker *b);

/*
 * Stores and publishes, in this order, what has happened since the last time, and decides on the answers; those over HTTP are
 * sent by http_send_answers(). Takes no further requests.
 */
void broker_settle(struct broker *b);

/* The page of metrics, for struct http_setup; ctx is the broker. */
bool broker_scrape(void *ctx, enum metrics_format format, struct buf *out);

#endif
