/*
 * A command line of the person's, which no shell ever sees. Pure.
 *
 * Words are parted by blanks; '…' keeps all that is in it, "…" too, but for \" and \\, and a backslash elsewhere keeps what
 * follows it. In every word {id}, {provider}, {pid}, {window}, {project} and {directory} stand for what a session has.
 * Each stays within its word, whatever it holds.
 */
#ifndef CLIENTS_NOTIFY_COMMAND_H
#define CLIENTS_NOTIFY_COMMAND_H

#include <agentbus.h>
#include <stdbool.h>
#include <stddef.h>

enum { COMMAND_SIZE = 1024, COMMAND_WORDS_MAX = 64 };

struct command {
	size_t count;             /* of words; 0: no command */
	char words[COMMAND_SIZE]; /* one after the other, each ended by a NUL */
};

/* Returns false and sets *ret_why to a static text if the line is no command. An empty line is one without words. */
bool command_parse(const char *line, struct command *ret_command, const char **ret_why);

/* The words for a session, ended by NULL, in one piece that the caller frees. NULL without memory. */
char **command_expand(const struct command *c, const struct agentbus_session *s);

#endif
