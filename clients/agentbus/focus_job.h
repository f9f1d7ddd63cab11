/* Bringing a session's window to the front: what is known of where it is, and what each step does with it. */
#ifndef CLIENTS_AGENTBUS_FOCUS_JOB_H
#define CLIENTS_AGENTBUS_FOCUS_JOB_H

#include "agentbus.h"
#include "focus_hints.h"
#include "focus_ipc.h"
#include "focus_kin.h"
#include "focus_program.h"
#include "focus_windows.h"

enum focus_act {
	ACT_RAISE, /* bring it to the front */
	ACT_CHECK, /* only look whether it has the focus */
	ACT_PRINT  /* only look, and say what would be done */
};

enum focus_verdict {
	FOCUS_NOT_MINE,  /* this way is none here: another one may be */
	FOCUS_DONE,      /* it is in front now; ACT_CHECK: it has the focus */
	FOCUS_ELSEWHERE, /* ACT_CHECK alone: something else has it */
	FOCUS_UNKNOWN    /* nobody can tell which window it is, or bring it to the front: see why */
};

enum { FOCUS_WHY_SIZE = 256 };

struct focus_job {
	enum focus_act act;
	bool verbose;     /* each step is said, on standard output */
	const char *proc; /* "/proc" */
	/* Where it is shown: at first the CLI itself, and once tmux is passed, the client that tmux shows it in. */
	struct focus_hints hints;
	struct focus_kin kin;
	char tty[EMIT_TTY_MAX]; /* "": unknown */
	struct focus_clue clue;
	unsigned in_terminal;   /* focus_terminal.c: which, from 1 on */
	struct focus_hints own; /* of our own environment: of the desktop that we are asked from */
	char why[FOCUS_WHY_SIZE];
};

/*
 * Does it. root is "/proc". Returns FOCUS_DONE, FOCUS_ELSEWHERE, or FOCUS_UNKNOWN with the reason in job->why. Blocks for a
 * second for each program and socket that is asked at most.
 */
enum focus_verdict focus_job_run(struct focus_job *job, const struct agentbus_session *s);

/* --- for the steps --- */

/* Says what is done, if anybody wants to know. */
__attribute__((format(printf, 2, 3))) void focus_job_say(const struct focus_job *job, const char *format, ...);

/* Gives up: why is kept. Returns FOCUS_UNKNOWN. */
__attribute__((format(printf, 2, 3))) enum focus_verdict focus_job_give_up(struct focus_job *job, const char *format, ...);

/* FOCUS_ELSEWHERE, after having said so. */
__attribute__((format(printf, 2, 3))) enum focus_verdict focus_job_elsewhere(const struct focus_job *job, const char *format,
									     ...);

/* Whether a process is the job's, or one that it descends from. */
bool focus_job_has(const struct focus_job *job, uint64_t pid);

/* Runs a program that changes something: not if it is only to be said. */
enum focus_ran focus_job_act(const struct focus_job *job, const char *const argv[], const char *extra);

#endif
