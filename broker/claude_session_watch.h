/*
 * The directory of Claude Code's session files, watched by inotify: nothing runs while nothing is written there. Neither it nor
 * the ones above need exist, and it may go and come again.
 */
#ifndef AGENTBUS_CLAUDE_SESSION_WATCH_H
#define AGENTBUS_CLAUDE_SESSION_WATCH_H

#include "arena.h"
#include "claude_session.h"
#include "intake.h"
#include "log.h"

#include <ev.h>
#include <sys/types.h>

#define CLAUDE_WATCH_PATH_MAX 512
#define CLAUDE_WATCH_FILES    256 /* processes remembered at a time */

struct claude_file {
	uint32_t pid; /* 0: free */
	uint64_t start_ticks;
	struct claude_known known;
};

struct claude_watch {
	struct ev_loop *loop; /* NULL: nothing is watched */
	struct intake *intake;
	const struct log *log;
	uid_t own;
	ev_io readable;
	int fd;      /* of inotify */
	int wd;      /* of the directory, -1: it is not there */
	int above;   /* of the nearest directory above that is there, -1: none */
	bool missed; /* some file could not be taken: all are read again with the next one */
	char path[CLAUDE_WATCH_PATH_MAX];
	size_t awaited; /* length of the path's beginning that is to appear next */
	struct claude_file *files;
	struct arena arena;
	char *text; /* CLAUDE_SESSION_FILE_MAX bytes */
};

/*
 * Watches the directory `path` and takes what its files say now; "" watches nothing. False after logging why not, if the system
 * gives no inotify or memory; nothing is open then, and the broker does without.
 */
bool claude_watch_open(struct claude_watch *w, struct ev_loop *loop, const char *path, struct intake *intake,
		       const struct log *log);

/* Does nothing if it is not open. */
void claude_watch_close(struct claude_watch *w);

#endif
