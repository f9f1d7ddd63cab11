/*
 * What kind of failure an error is. Pure.
 */
#ifndef AGENTBUS_ERROR_H
#define AGENTBUS_ERROR_H

#include "observation.h"

/*
 * The class by HTTP status (0: none), else by the CLI's own class, else by its message, both of which may be raw JSON: a status
 * that the text announces ("status 503", "code": 429, or in front of all else), else whole words. "author" is not auth,
 * "generate" is not rate, and 500 is a status neither in "500 ms" nor in "req_500". Never ERROR_NONE.
 */
enum error_class error_classify(unsigned status, struct str cli_class, struct str message);

#endif
