/* The verbs of the agentbus command, and what they share. */
#ifndef CLIENTS_AGENTBUS_VERB_H
#define CLIENTS_AGENTBUS_VERB_H

#define VERB_PROGRAM "agentbus"

/* The section of the configuration file that all verbs read. */
#define VERB_SECTION "agentbus"

/* The option that all verbs have that ask the broker: `settings` is their struct, with a member `timeout` (seconds, a double). */
#define VERB_TIMEOUT(settings)                                                                                                   \
	{                                                                                                                        \
		.name = "timeout", .env = "AGENTBUS_TIMEOUT", .type = OPTION_DURATION, .offset = offsetof(settings, timeout),    \
		.max = 3600, .value = "TIME", .help = "how long to wait for the broker (default 2s)",                            \
	}

/* Each takes its own arguments, its name first, and returns the exit status. */
int verb_status(int argc, char **argv);
int verb_watch(int argc, char **argv);
int verb_cost(int argc, char **argv);
int verb_pricing(int argc, char **argv);
int verb_ack(int argc, char **argv);
int verb_focus(int argc, char **argv);
int verb_setup(int argc, char **argv);
int verb_doctor(int argc, char **argv);
int verb_replay(int argc, char **argv);

/* Prints "agentbus: text" and a newline on stderr. */
__attribute__((format(printf, 1, 2))) void verb_complain(const char *format, ...);

#endif
