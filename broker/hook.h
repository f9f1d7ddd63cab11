/*
 * What a CLI's hook or notify program is told, as an observation. Pure: JSON and time in, at most one observation out. What
 * each event means is in the providers' tables (provider_*.c); this is what they have in common.
 *
 * What people wrote (prompts, tools' arguments and output) is never looked at.
 */
#ifndef AGENTBUS_HOOK_H
#define AGENTBUS_HOOK_H

#include "provider.h"

#define HOOK_MESSAGE_MAX ((size_t)64 << 10)

/*
 * Reads the payload that a CLI gave to its hook. Returns VERDICT_OK, and in *ret what it means: MEANS_NOTHING if that is nothing,
 * or VERDICT_BAD_HOOK, TOO_DEEP, TOO_LARGE, NO_MEMORY. Views point into the arena.
 */
enum verdict hook_read_payload(const struct provider *p, const char *text, size_t len, uint64_t now_ns, struct arena *a,
			       struct observation *ret);

/*
 * The same for what `agentbus emit` sends:
 * {"v":1,"provider":"codex","source":"hook","self":2,"pid":1,"tty":"/dev/pts/3","env":{…}, "time_unix_nano":"1","payload":{…}}.
 * All but the payload may be missing; of env the variables in hint.c are read. "self" is the pid of the hook's command, by
 * which the kernel's word for it shows whether both use the same numbers.
 */
enum verdict hook_read_message(const char *text, size_t len, uint64_t now_ns, struct arena *a, struct observation *ret);

/* The provider of that name, or of the short one that people type ("claude"); NULL if there is none. */
const struct provider *hook_provider(struct str name);

#endif
