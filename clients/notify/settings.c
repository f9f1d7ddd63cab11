#include "notify/settings.h"

#include "notify/desktop.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM      "notify-subscriber"
#define MIN_TURN     10.0 /* seconds */
#define DELAY        0.3
#define COOLDOWN     5.0
#define LOOK_AGAIN   10.0
#define MAX_TURN     86400 /* seconds that min-turn may ask for */
#define MAX_DELAY    3600
#define URGENCY_OFF  3
#define FOCUSED_HIDE 0
#define MS_PER_S     1000
#define SEPARATORS   ", \t"

#define FOCUS_ARGUMENTS       "focus -- {provider}/{id}"
#define CHECK_ARGUMENTS       "focus --check -- {provider}/{id}"
#define ACKNOWLEDGE_ARGUMENTS "ack -- {provider}/{id}"

/* The first three are numbered as on the bus. */
static const char *const urgencies[] = { "low", "normal", "critical", [URGENCY_OFF] = "off", NULL };
static const char *const focused[] = { [FOCUSED_HIDE] = "hide", "show", NULL };

#define URGENCY_ROW(key, notice, text)                                                                                           \
	.name = key, .type = OPTION_CHOICE, .offset = offsetof(struct settings, urgency[notice]), .choices = urgencies,          \
	.value = "URGENCY", .help = text

static const struct option_row rows[] = {
	{ .name = "min-turn",
	  .type = OPTION_DURATION,
	  .offset = offsetof(struct settings, min_turn),
	  .env = "AGENTBUS_NOTIFY_MIN_TURN",
	  .max = MAX_TURN,
	  .value = "TIME",
	  .help = "be silent about turns that finish sooner (default 10s; 0: none)" },
	{ URGENCY_ROW("completed", NOTICE_COMPLETED, "of a finished turn: low, normal (default), critical or off"),
	  .env = "AGENTBUS_NOTIFY_COMPLETED" },
	{ URGENCY_ROW("failed", NOTICE_FAILED, "of a turn that failed (default critical)"), .env = "AGENTBUS_NOTIFY_FAILED" },
	{ URGENCY_ROW("waiting", NOTICE_WAITING, "of a session that waits for you (default critical)"),
	  .env = "AGENTBUS_NOTIFY_WAITING" },
	{ URGENCY_ROW("budget-warn", NOTICE_BUDGET_WARN, "of spending that reaches a warning level (default normal)"),
	  .env = "AGENTBUS_NOTIFY_BUDGET_WARN" },
	{ URGENCY_ROW("budget-limit", NOTICE_BUDGET_LIMIT, "of a budget that is spent (default critical)"),
	  .env = "AGENTBUS_NOTIFY_BUDGET_LIMIT" },
	{ .name = "waiting-delay",
	  .type = OPTION_DURATION,
	  .offset = offsetof(struct settings, waiting_delay),
	  .env = "AGENTBUS_NOTIFY_WAITING_DELAY",
	  .max = MAX_DELAY,
	  .value = "TIME",
	  .help = "a dialog that is answered sooner is not shown (default 300ms)" },
	{ .name = "cooldown",
	  .type = OPTION_DURATION,
	  .offset = offsetof(struct settings, cooldown),
	  .env = "AGENTBUS_NOTIFY_COOLDOWN",
	  .max = MAX_DELAY,
	  .value = "TIME",
	  .help = "least time between two ends of turns of one session (default 5s)" },
	{ .name = "quiet-hours",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct settings, quiet_hours),
	  .env = "AGENTBUS_NOTIFY_QUIET_HOURS",
	  .value = "TIMES",
	  .help = "show nothing then, for example 22:00-07:00, sat, sun (default none)" },
	{ .name = "quiet-hours-allow",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct settings, quiet_hours_allow),
	  .env = "AGENTBUS_NOTIFY_QUIET_HOURS_ALLOW",
	  .value = "NOTICES",
	  .help = "but show these, for example waiting, budget-limit (default none)" },
	{ .name = "when-focused",
	  .type = OPTION_CHOICE,
	  .choices = focused,
	  .offset = offsetof(struct settings, when_focused),
	  .env = "AGENTBUS_NOTIFY_WHEN_FOCUSED",
	  .value = "WHAT",
	  .help = "hide (default) or show what is about the window that has the focus" },
	{ .name = "focus-command",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct settings, focus_command),
	  .env = "AGENTBUS_NOTIFY_FOCUS_COMMAND",
	  .value = "COMMAND",
	  .help = "run when you choose Focus (default: agentbus focus {provider}/{id})" },
	{ .name = "focus-check-command",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct settings, focus_check_command),
	  .env = "AGENTBUS_NOTIFY_FOCUS_CHECK_COMMAND",
	  .value = "COMMAND",
	  .help = "exits with 0 if the session's window has the focus (default: agentbus focus --check {provider}/{id})" },
	{ .name = "dismiss-acknowledges",
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct settings, dismiss_acknowledges),
	  .env = "AGENTBUS_NOTIFY_DISMISS_ACKNOWLEDGES",
	  .help = "Dismiss on the end of a turn also makes its session idle" },
	{ .name = "sound",
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct settings, sound),
	  .env = "AGENTBUS_NOTIFY_SOUND",
	  .help = "ask the desktop to play the sounds of its theme" },
	{ 0 },
};

static const struct option_program program = {
	.name = PROGRAM,
	.section = PROGRAM,
	.summary = "Shows a desktop notification when a session has finished, has failed or waits for you, or a budget is spent.",
	.rows = rows,
};

static bool
read_quiet_hours(const struct settings *s, struct teller_settings *t)
{
	if (!s->quiet_hours || quiet_parse(s->quiet_hours, &t->agenda.quiet))
		return true;
	fprintf(stderr, PROGRAM ": quiet-hours: '%s' is not of the form 22:00-07:00, mon-fri 12:00-13:00, sat, sun\n",
		s->quiet_hours);
	return false;
}

static bool
allow(struct teller_settings *t, const char *name, size_t len)
{
	static const char *const names[NOTICE_COUNT] = {
		[NOTICE_COMPLETED] = "completed",       [NOTICE_FAILED] = "failed",
		[NOTICE_WAITING] = "waiting",           [NOTICE_BUDGET_WARN] = "budget-warn",
		[NOTICE_BUDGET_LIMIT] = "budget-limit",
	};

	for (size_t i = 0; i < NOTICE_COUNT; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return t->agenda.allowed[i] = true;
	return false;
}

static bool
read_allowed(const struct settings *s, struct teller_settings *t)
{
	const char *p = s->quiet_hours_allow ? s->quiet_hours_allow : "";

	for (p += strspn(p, SEPARATORS); *p; p += strspn(p, SEPARATORS)) {
		size_t len = strcspn(p, SEPARATORS);

		if (!allow(t, p, len)) {
			fprintf(stderr,
				PROGRAM
				": quiet-hours-allow: '%.*s' is none of completed, failed, waiting, budget-warn, budget-limit\n",
				(int)len, p);
			return false;
		}
		p += len;
	}
	return true;
}

/* Our own command of that name: the one beside this program, where there is one, whatever PATH is. */
static void
own_command(struct command *c, const char *arguments)
{
	char path[PATH_MAX], line[COMMAND_SIZE];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	const char *why;
	char *slash;
	int n;

	path[len > 0 ? len : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	n = snprintf(line, sizeof(line), "'%.900s/agentbus' %s", path, arguments);
	if (slash && n > 0 && (size_t)n < sizeof(line) && command_parse(line, c, &why) && access(c->words, X_OK) == 0)
		return;
	snprintf(line, sizeof(line), "agentbus %s", arguments);
	command_parse(line, c, &why);
}

static bool
read_command(const char *key, const char *line, const char *own_arguments, struct command *ret)
{
	const char *why;

	if (!line) {
		own_command(ret, own_arguments);
		return true;
	}
	if (command_parse(line, ret, &why))
		return true;
	fprintf(stderr, PROGRAM ": %s: '%s' is no command: %s\n", key, line, why);
	return false;
}

static bool
read_commands(const struct settings *s, struct teller_settings *t)
{
	if (s->dismiss_acknowledges)
		own_command(&t->acknowledge, ACKNOWLEDGE_ARGUMENTS);
	t->focus_is_own = s->focus_command != NULL;
	if (!read_command("focus-command", s->focus_command, FOCUS_ARGUMENTS, &t->focus))
		return false;
	return s->when_focused != FOCUSED_HIDE ||
	       read_command("focus-check-command", s->focus_check_command, CHECK_ARGUMENTS, &t->check);
}

static uint64_t
ms_of(double seconds)
{
	return (uint64_t)(seconds * MS_PER_S);
}

bool
settings_read(struct settings *s, struct teller_settings *ret_teller, int argc, char **argv, int *ret_status)
{
	static const struct settings defaults = {
		.min_turn = MIN_TURN,
		.waiting_delay = DELAY,
		.cooldown = COOLDOWN,
		.urgency = {
			[NOTICE_COMPLETED] = DESKTOP_NORMAL,
			[NOTICE_FAILED] = DESKTOP_CRITICAL,
			[NOTICE_WAITING] = DESKTOP_CRITICAL,
			[NOTICE_BUDGET_WARN] = DESKTOP_NORMAL,
			[NOTICE_BUDGET_LIMIT] = DESKTOP_CRITICAL,
		},
	};
	struct teller_settings t = { 0 };
	char **operands;

	*s = defaults;
	if (!options_parse(&program, &s->options, argc, argv, &operands, ret_status))
		return false;
	*ret_status = 2;
	if (!read_quiet_hours(s, &t) || !read_allowed(s, &t) || !read_commands(s, &t))
		return false;
	t.policy.min_turn_ms = ms_of(s->min_turn);
	t.agenda.waiting_delay_ms = ms_of(s->waiting_delay);
	t.agenda.cooldown_ms = ms_of(s->cooldown);
	t.agenda.look_again_ms = ms_of(LOOK_AGAIN);
	for (int i = 0; i < NOTICE_COUNT; i++) {
		t.urgency[i] = s->urgency[i];
		t.policy.wanted[i] = s->urgency[i] != URGENCY_OFF;
	}
	t.sound = s->sound;
	t.runtime_dir = s->options.runtime_dir;
	*ret_teller = t;
	return true;
}
