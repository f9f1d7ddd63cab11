/* A session file of Claude Code, and the process that it is of. May block on the file system. */
#ifndef AGENTBUS_CLAUDE_SESSION_FILE_H
#define AGENTBUS_CLAUDE_SESSION_FILE_H

#include "claude_session.h"

#include <sys/types.h>

/* The pid that a file of that name is of; 0: it is another file, which is nobody's business (keys lie beside them). */
uint32_t claude_file_pid(const char *name);

/* Opens a directory that belongs to `own`. -1 with errno, EACCES if it is another's. */
int claude_file_open_directory(const char *path, uid_t own);

/*
 * Reads a file of an open directory into text, which has room for CLAUDE_SESSION_FILE_MAX bytes. False if there is none, if it is
 * larger, no regular file, or not of `own`; never waits for whatever is there.
 */
bool claude_file_read(int directory, const char *name, uid_t own, char *text, size_t *ret_len, uint64_t *ret_modified_ns);

/* When a process was started, in ticks since the machine was; 0: there is none, or it has ended. */
uint64_t claude_file_process_start(uint32_t pid);

/* Whether the process that wrote this still runs, as far as can be told; false too if it is of another pid namespace. */
bool claude_file_process_runs(const struct claude_session *c);

#endif
