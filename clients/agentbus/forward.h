/* agentbus status --forward: how passing on telemetry goes. */
#ifndef CLIENTS_AGENTBUS_FORWARD_H
#define CLIENTS_AGENTBUS_FORWARD_H

#include <stdbool.h>

/* Asks the broker, and prints a table or JSON. Returns the exit status, after having said what is wrong. */
int forward_print(const char *runtime_dir, double timeout, bool json);

#endif
