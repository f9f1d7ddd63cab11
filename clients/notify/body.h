/* The text of a notification. Pure. Says what a session did and used, never what was said in it. */
#ifndef CLIENTS_NOTIFY_BODY_H
#define CLIENTS_NOTIFY_BODY_H

#include "common/roster.h"
#include "notify/notice.h"

#include <agentbus.h>
#include <stddef.h>

enum {
	BODY_SUMMARY_SIZE = 320,
	BODY_TEXT_SIZE = 512,
	BODY_MARKUP_SIZE = 5 * BODY_TEXT_SIZE /* "&amp;" for each character */
};

struct body {
	char summary[BODY_SUMMARY_SIZE]; /* one line */
	char text[BODY_TEXT_SIZE];       /* plain, lines parted by newlines */
};

/* total is what the session and its sub-agents have used. Both texts are valid UTF-8 without control characters but newlines. */
void body_render(struct body *ret, enum notice notice, const struct agentbus_session *s, const struct notice_turn *turn,
		 const struct roster_figures *total);

/* The same for a level of a budget that the session's request has reached. */
void body_render_budget(struct body *ret, const struct agentbus_budget *b, const struct agentbus_session *s);

/* The text as markup that shows it. Cut, between characters, to what size holds. */
const char *body_escape(const char *text, char *out, size_t size);

#endif
