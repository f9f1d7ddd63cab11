/* What has come from each CLI, for whoever asks. */
#ifndef AGENTBUS_SOURCES_REPORT_H
#define AGENTBUS_SOURCES_REPORT_H

#include "buf.h"
#include "sources.h"

/* Appends a packed agentbus.v1.Sources: those that anything came from, and the addresses with blanks between. False without
 * memory. */
bool sources_report(const struct sources *s, const char *addresses, struct buf *out);

#endif
