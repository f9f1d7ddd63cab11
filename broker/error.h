/*
 * What kind of failure an error is. Pure.
 */
#ifndef AGENTBUS_ERROR_H
#define AGENTBUS_ERROR_H

#include "observation.h"

/*
 * The class by HTTP status (0: none), else by the CLI's own class, else by whole words of its message: "author" is not
 * auth and "generate" is not rate. Never ERROR_NONE.
 */
enum error_class error_classify(unsigned status, struct str cli_class, struct str message);

#endif
