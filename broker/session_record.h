/*
 * A session and how it is followed, as bytes for the store, and back. The format is agentbus.store.v1.SessionRecord, so that
 * later versions can read what earlier ones wrote. Pure.
 */
#ifndef AGENTBUS_SESSION_RECORD_H
#define AGENTBUS_SESSION_RECORD_H

#include "buf.h"
#include "session.h"

/* Appends the record of s. False without memory; out is unchanged then. */
bool session_record_write(const struct session *s, struct buf *out);

/*
 * Adds the session of a record to the table, as it was, but for its connections, which are gone: what was working or waiting, and
 * what was idle with a connection, begins its silence anew at now_ns. Times of the broker's clock that lie after now_ns, and
 * times of CLIs that are further ahead of it than they may be, count as now_ns (the wall clock was set back), a short timer that
 * runs ends as late as it may. A table that is full forgets another session, as ever; so add the one changed last at the end.
 * Whether a process that ran it still does is asked of the host; where it does not, the session is due, to be ended. Emits
 * nothing. False, with the table unchanged, for bytes that are no record of ours, for a session that is there already, or without
 * memory.
 */
bool session_record_read(struct sessions *table, const uint8_t *bytes, size_t len, uint64_t now_ns);

#endif
