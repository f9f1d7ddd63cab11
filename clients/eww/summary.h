/* The sessions in a few words: how many are in which state, which state is the strongest, and which session shows it. */
#ifndef CLIENTS_EWW_SUMMARY_H
#define CLIENTS_EWW_SUMMARY_H

#include "eww/view.h"

#include <stdbool.h>
#include <stddef.h>

/* The states of a bar as a whole, and from SUMMARY_IDLE on of a session, too; a higher one is stronger. */
enum summary_state {
	SUMMARY_DISCONNECTED,
	SUMMARY_EMPTY,
	SUMMARY_IDLE,
	SUMMARY_COMPLETED,
	SUMMARY_WORKING,
	SUMMARY_FAILED, /* a turn that is over, and failed, and nobody has looked yet */
	SUMMARY_WAITING,
	SUMMARY_STATES
};

struct summary {
	size_t counts[SUMMARY_STATES]; /* sessions; a failed one is not counted as completed */
	enum summary_state state;      /* the strongest */
	const struct roster_row *top;  /* the first session in that state, in the order of a panel; NULL if there is none */
};

struct summary summary_of(const struct view *v);

enum summary_state summary_of_session(const struct agentbus_session *s);

/* "waiting", "failed" …, "empty", "disconnected". Static. */
const char *summary_name(enum summary_state state);

/* "#rrggbb". Static. */
const char *summary_colour(enum summary_state state);

/*
 * Writes a bar's text: "1 waiting 2 working 1 done"; how many are idle only if there is nothing else. With named, it says what
 * waits or has failed: "1 waiting (agentbus) 2 working".
 */
void summary_write(const struct view *v, const struct summary *sum, bool named, struct rich *out);

enum { SUMMARY_LABEL_COLUMNS = 48 };
enum { SUMMARY_LABEL_SIZE = SUMMARY_LABEL_COLUMNS * 4 + 4 };

/* What a person calls the session: its title, its project, or its tool and the end of its id. Returns out. */
const char *summary_label(const struct agentbus_session *s, char out[SUMMARY_LABEL_SIZE]);

/* "14:02", since when the session is in its state, by local time. Returns out. */
enum { SUMMARY_SINCE_SIZE = 8 };
const char *summary_since(const struct agentbus_session *s, char out[SUMMARY_SINCE_SIZE]);

#endif
