/*
 * From the bytes of the bus to the public structs. Pure: what does not decode is told by false and nothing else.
 *
 * Decoded messages and the structs made from them point into the region given, and live until it is reset.
 */
#ifndef AGENTBUS_LIB_DECODE_H
#define AGENTBUS_LIB_DECODE_H

#include "agentbus.h"
#include "agentbus/v1/agentbus.pb-c.h"
#include "region.h"

/* Longer identities of a broker are taken for a malformed message. */
#define DECODE_BOOT_ID_MAX 127

/* A message of the events socket: topic, NUL, EventBatch. Its topic must begin with "v1/". */
bool decode_batch(struct region *r, const void *data, size_t len, Agentbus__V1__EventBatch **ret_batch);

/* A message of the query socket. An answer that is an error, or lacks the boot_id, is false too. */
bool decode_response(struct region *r, const void *data, size_t len, Agentbus__V1__Response **ret_response);

/* A session without provider or id is false. */
bool decode_session(struct region *r, const Agentbus__V1__Session *pb, struct agentbus_session *ret_session);

/* An event of the broker; ret_event->session is ret_session. False without a seq, a boot_id or a session. */
bool decode_event(struct region *r, const Agentbus__V1__Event *pb, struct agentbus_event *ret_event,
		  struct agentbus_session *ret_session);

/* A message of the query socket that answers a request for usage; *ret_refused: it is an answer, but no usage. */
bool decode_usage(struct region *r, const void *data, size_t len, struct agentbus_usage *ret_usage, bool *ret_refused);

/* An event of the library's own, all texts "". */
struct agentbus_event decode_blank_event(enum agentbus_kind kind);

#endif
