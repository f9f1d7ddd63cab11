/* The version of a CLI, told without running it. */
#ifndef CLIENTS_AGENTBUS_DOCTOR_VERSION_H
#define CLIENTS_AGENTBUS_DOCTOR_VERSION_H

#include <stdbool.h>
#include <stddef.h>

/*
 * From the name of the file that the program's path leads to, or the package.json of npm that it belongs to. False if neither
 * tells. Blocks on the file system.
 */
bool doctor_version(const char *program, char *out, size_t size);

#endif
