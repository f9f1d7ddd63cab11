/*
 * Claude Code's own file of a session, ~/.claude/sessions/PID.json: what it says, and what that means beside what the file said
 * before. Pure: text in, observations out.
 */
#ifndef AGENTBUS_CLAUDE_SESSION_H
#define AGENTBUS_CLAUDE_SESSION_H

#include "arena.h"
#include "observation.h"
#include "session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLAUDE_SESSION_FILE_MAX ((size_t)64 << 10)

/* CLAUDE_UNSAID: it says nothing (yet), or a word that is not known here. */
enum claude_status { CLAUDE_UNSAID, CLAUDE_IDLE, CLAUDE_BUSY, CLAUDE_WAITING };

struct claude_session {
	uint32_t pid;
	uint64_t start_ticks;  /* of its process, as /proc/PID/stat has it; 0: unknown */
	struct str pid_domain; /* which ends in the name of its pid namespace; empty: unknown */
	struct str id, cwd;
	enum claude_status status;
	const char *reason;  /* CLAUDE_WAITING: a static word for what it waits */
	uint64_t status_ns;  /* since when; 0: unknown */
	uint64_t started_ns; /* 0: unknown */
	uint64_t updated_ns; /* 0: unknown */
};

/*
 * Reads len bytes of a file. Returns false, *ret untouched, if they are no JSON object with a pid and a session id: as long as it
 * is being written, they are none. At most CLAUDE_SESSION_FILE_MAX bytes; the arena must hold a struct cJSON for each value.
 * Views point into the arena.
 */
bool claude_session_read(const char *text, size_t len, struct arena *a, struct claude_session *ret);

/* What is remembered of a file between two readings; {0} before the first. */
struct claude_known {
	char id[SESSION_ID_MAX], last_id[SESSION_ID_MAX]; /* "": none */
	enum claude_status status;
	uint64_t status_ns;
	uint64_t told_ns; /* of the newest status that was told */
};

/*
 * The next thing that a reading says and the ones before did not; call it until it returns false. *ret is to be used before the
 * next call. `file_ns` is when the file was written, for a file that does not say since when; a time far ahead of now_ns counts
 * as now_ns.
 */
bool claude_session_next(struct claude_known *k, const struct claude_session *c, uint64_t file_ns, uint64_t now_ns,
			 struct observation *ret);

/* Its process is gone: the end of the session, if one was known. */
bool claude_session_gone(struct claude_known *k, uint64_t now_ns, struct observation *ret);

#endif
