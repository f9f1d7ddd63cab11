/* How passing on goes, for whoever asks. */
#ifndef AGENTBUS_FORWARD_REPORT_H
#define AGENTBUS_FORWARD_REPORT_H

#include "forward.h"
#include "metrics_text.h"

/* Appends a packed agentbus.v1.Forward; ctx is a struct forward. False without memory. */
bool forward_report(void *ctx, struct buf *out);

/* The same as metrics. Returns how many; what they point to lives as long as the forwarder. */
size_t forward_report_lanes(const struct forward *f, struct metrics_lane out[DESTINATION_LANES_MAX]);

#endif
