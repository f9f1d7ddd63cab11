/*
 * Two clocks in one session: hooks have the broker's, and telemetry may come from a container or another machine whose clock is
 * wrong by minutes. Where hooks have told anything of a session, its telemetry is put on the broker's clock, as far as that can
 * be known. For session*.c only.
 *
 * No record arrives before it was made: so the least time from a record to its arrival tells how far its clock is behind, or
 * ahead if that is below 0. Exporters keep records for seconds and send again what was refused: behind counts only from
 * CLOCK_BEHIND_NS on, and when no record of a whole CLOCK_WINDOW_NS was younger. What came earlier than the last window but one
 * is forgotten, for clocks are set, and machines sleep.
 */
#ifndef AGENTBUS_SESSION_CLOCK_H
#define AGENTBUS_SESSION_CLOCK_H

#include "session_table.h"

#define CLOCK_WINDOW_NS (60 * 1000000000ull)
#define CLOCK_BEHIND_NS (30 * 1000000000ll)
#define CLOCK_SLACK_NS  (10 * 1000000000ull)
#define CLOCK_AHEAD_NS  (24 * 3600 * 1000000000ll) /* a record that is more ahead is wrong by itself */

/* The observation by the clock that x goes by: o itself, or *own, which is o with other times. */
const struct observation *clock_align(struct session *x, const struct observation *o, struct observation *own, uint64_t now_ns);

#endif
