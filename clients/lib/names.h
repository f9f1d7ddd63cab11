/*
 * Values of the wire as values of the public enums; what this version does not know becomes the enum's 0.
 */
#ifndef AGENTBUS_LIB_NAMES_H
#define AGENTBUS_LIB_NAMES_H

#include "agentbus.h"

enum agentbus_state names_state(int wire);
enum agentbus_evidence names_evidence(int wire);

/* Only the broker's own kinds: a message must not pass for one of the library's. */
enum agentbus_kind names_kind(int wire);

#endif
