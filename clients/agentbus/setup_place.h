/* Where the CLIs keep their configuration, and where programs are. */
#ifndef CLIENTS_AGENTBUS_SETUP_PLACE_H
#define CLIENTS_AGENTBUS_SETUP_PLACE_H

#include "setup_table.h"

#include <limits.h>

/* The directory of a CLI's configuration. False if no home is known, or the path is too long. */
bool setup_place_dir(const struct setup_cli *cli, char out[PATH_MAX]);
bool setup_place_file(const struct setup_cli *cli, const struct setup_file *f, char out[PATH_MAX]);

/* A program that a shell would find. */
bool setup_place_program(const char *name, char out[PATH_MAX]);

/* Whether a CLI seems to be there: its program, or its directory. */
bool setup_place_has(const struct setup_cli *cli);

/* How a hook is to call this program: "agentbus" where a shell finds that, else by its path. */
bool setup_place_self(char out[PATH_MAX]);

/* The path with "~" for the home directory, as people read it. */
const char *setup_place_show(const char *path, char out[PATH_MAX]);

#endif
