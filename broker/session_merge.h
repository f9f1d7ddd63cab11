/* What every observation tells of its session, whatever it means. For session*.c only. */
#ifndef AGENTBUS_SESSION_MERGE_H
#define AGENTBUS_SESSION_MERGE_H

#include "session_table.h"

/* Takes over the fields that o has, before it is applied. */
void merge_fields(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns);

/* Remembers whose trace it is, after it was applied. */
void merge_trace(struct sessions *s, struct session *x, const struct observation *o);

#endif
