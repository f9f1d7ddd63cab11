/*
 * Tells the person: events go through the policy (what) and the agenda (when), a look at the focus (whether), and to the
 * desktop. What the person does with a notification runs a command.
 */
#ifndef CLIENTS_NOTIFY_TELLER_H
#define CLIENTS_NOTIFY_TELLER_H

#include "notify/agenda.h"
#include "notify/command.h"
#include "notify/notice.h"
#include "notify/policy.h"

#include <agentbus.h>
#include <ev.h>
#include <stdbool.h>

struct teller_settings {
	struct policy_settings policy;
	struct agenda_settings agenda;
	unsigned urgency[NOTICE_COUNT]; /* enum desktop_urgency */
	struct command focus;           /* none: it is not offered */
	struct command check;           /* exits with 0 if the session's window has the focus; none: nobody asks */
	struct command acknowledge;     /* none: Dismiss only dismisses */
	bool focus_is_own;              /* the person's own command, which may know windows that we do not */
	bool sound;
	const char *runtime_dir; /* for commands; NULL: as we found it */
};

struct teller;

/* Both must outlive it. Returns NULL without memory. */
struct teller *teller_create(struct ev_loop *loop, struct agentbus *bus, const struct teller_settings *settings);
void teller_destroy(struct teller *t);

/* For each event of the bus. */
void teller_event(struct teller *t, const struct agentbus_event *e);

#endif
