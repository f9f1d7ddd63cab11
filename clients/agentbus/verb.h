/* The verbs of the agentbus command, and what they share. */
#ifndef CLIENTS_AGENTBUS_VERB_H
#define CLIENTS_AGENTBUS_VERB_H

#define VERB_PROGRAM "agentbus"

/* The section of the configuration file that all verbs read. */
#define VERB_SECTION "agentbus"

/* Each takes its own arguments, its name first, and returns the exit status. */
int verb_status(int argc, char **argv);
int verb_watch(int argc, char **argv);
int verb_cost(int argc, char **argv);
int verb_pricing(int argc, char **argv);
int verb_replay(int argc, char **argv);

/* Prints "agentbus: text" and a newline on stderr. */
__attribute__((format(printf, 1, 2))) void verb_complain(const char *format, ...);

#endif
