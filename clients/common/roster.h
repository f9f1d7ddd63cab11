/* The sessions of a bus in the order of a panel, with the figures of sub-agents where they belong. */
#ifndef CLIENTS_COMMON_ROSTER_H
#define CLIENTS_COMMON_ROSTER_H

#include "agentbus.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct roster_figures {
	uint64_t prompts, requests, tool_calls, errors;
	struct agentbus_tokens tokens;
	int64_t cost; /* pico-dollars: of each request what the CLI says, else what was computed */
	bool cost_known;
	bool cost_estimated;
};

struct roster_row {
	const struct agentbus_session *session;
	struct roster_figures figures;
	bool child; /* stands below its parent's row */
};

/* All zero is an empty roster. */
struct roster {
	struct roster_row *rows;
	size_t count;
	size_t states[AGENTBUS_ENDED + 1]; /* rows per state */
	struct roster_figures totals;      /* of all rows; without all also of auxiliary sessions that have lost their parent */
};

enum roster_scope {
	ROSTER_SHOWN, /* what lives and is nobody's child; its figures include those of its auxiliary sessions */
	ROSTER_ALL    /* ended and auxiliary sessions too, each with its own figures, children below their parent */
};

/*
 * Builds the roster of count sessions, which must stay valid as long as it is used. ret_roster is finished first, so that
 * one roster can be built again and again. Returns false if memory runs out; the roster is empty then.
 */
bool roster_build(struct roster *ret_roster, const struct agentbus_session *const *sessions, size_t count,
		  enum roster_scope scope);

/* The same for the sessions of a bus, valid until the next agentbus_next(). */
bool roster_of_bus(struct roster *ret_roster, const struct agentbus *bus, enum roster_scope scope);

void roster_finish(struct roster *r);

/*
 * What a person calls the place of a session: its project, in a linked work tree with the branch, which tells it from the
 * project's other ones: "shop (login)". "" if it is not known. As it came: whoever shows it makes it harmless. Returns out.
 */
enum { ROSTER_PLACE_SIZE = 264 };
const char *roster_place(const struct agentbus_session *s, char out[ROSTER_PLACE_SIZE]);

/*
 * Since when a session is in its state, in nanoseconds by this machine's clock: the CLI's word, unless the broker learned of
 * it so much later that the two clocks cannot be the same (a replay, a container).
 */
uint64_t roster_since(const struct agentbus_session *s);

/* The figures of one session alone. */
struct roster_figures roster_figures_of(const struct agentbus_session *s);

/* Sums that grow too large stand still. */
void roster_figures_add(struct roster_figures *sum, const struct roster_figures *f);

#endif
