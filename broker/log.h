/*
 * Messages of the daemon, on stderr, one line each. Never a person's content: what a CLI sent is not for our log.
 */
#ifndef AGENTBUS_LOG_H
#define AGENTBUS_LOG_H

#include <stdbool.h>

enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG, LEVEL_COUNT };

struct log {
	enum log_level level; /* less important ones are dropped */
	bool journal;         /* lines begin with "<6>" as systemd's journal wants it, not with the program's name */
};

/* Looks into the environment for whether stderr goes to systemd's journal. */
void log_init(struct log *l, enum log_level level);

const char *log_level_name(enum log_level level);

/* Writes one line with one write(2). Control characters become '?', lines over 1000 bytes are cut. */
void log_at(const struct log *l, enum log_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define log_error(l, ...)   log_at((l), LEVEL_ERROR, __VA_ARGS__)
#define log_warning(l, ...) log_at((l), LEVEL_WARNING, __VA_ARGS__)
#define log_info(l, ...)    log_at((l), LEVEL_INFO, __VA_ARGS__)
#define log_debug(l, ...)   log_at((l), LEVEL_DEBUG, __VA_ARGS__)

#endif
