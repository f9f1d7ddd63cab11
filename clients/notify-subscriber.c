/* notify-subscriber: tells the person, by desktop notifications, which session has finished, has failed or waits. */
#include "common/options.h"
#include "notify/body.h"
#include "notify/desktop.h"
#include "notify/policy.h"

#include <agentbus.h>
#include <ev.h>
#include <locale.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#define PROGRAM        "notify-subscriber"
#define MIN_TURN       10.0  /* seconds */
#define MAX_TURN       86400 /* seconds that min-turn may ask for */
#define NEWS_SECONDS   300   /* how long the end of a turn waits for a daemon that shows it */
#define BUDGET_SECONDS 3600
#define URGENCY_OFF    3
#define KEY_SIZE       256
#define MS_PER_S       1000

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct settings {
	struct options options;
	double min_turn;
	unsigned urgency[NOTICE_COUNT]; /* as in urgencies */
};

struct subscriber {
	struct settings settings;
	struct ev_loop *loop;
	struct agentbus *bus;
	struct policy *policy;
	struct desktop *desktop;
	ev_io readable;
	ev_signal term, interrupt;
	int status;
};

/* The first three are numbered as on the bus. */
static const char *const urgencies[] = { "low", "normal", "critical", [URGENCY_OFF] = "off", NULL };

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
	{ 0 },
};

static const struct option_program program = {
	.name = PROGRAM,
	.section = PROGRAM,
	.summary = "Shows a desktop notification when a session has finished, has failed or waits for you, or a budget is spent.",
	.rows = rows,
};

static const struct {
	const char *icon, *category;
	double keep;
} looks[NOTICE_COUNT] = {
	[NOTICE_COMPLETED] = { "dialog-information", "transfer.complete", NEWS_SECONDS },
	[NOTICE_FAILED] = { "dialog-error", "transfer.error", NEWS_SECONDS },
	[NOTICE_WAITING] = { "dialog-question", "x-agentbus.waiting", 0 },
	[NOTICE_BUDGET_WARN] = { "dialog-warning", "x-agentbus.budget", BUDGET_SECONDS },
	[NOTICE_BUDGET_LIMIT] = { "dialog-error", "x-agentbus.budget", BUDGET_SECONDS },
};

static void
show(struct subscriber *s, const char *key, enum notice notice, const struct body *body)
{
	desktop_show(s->desktop, key,
		     &(struct desktop_note){ .summary = body->summary,
					     .body = body->text,
					     .icon = looks[notice].icon,
					     .category = looks[notice].category,
					     .urgency = (enum desktop_urgency)s->settings.urgency[notice],
					     .keep = looks[notice].keep });
}

static void
show_session(struct subscriber *s, const char *key, const struct policy_verdict *v, const struct agentbus_session *session)
{
	struct body body;

	body_render(&body, v->notice, session, v->turn_duration_ms);
	show(s, key, v->notice, &body);
}

static void
show_budget(struct subscriber *s, const struct agentbus_event *e)
{
	const struct policy_verdict v = policy_budget(s->policy, e);
	struct body body;
	char key[KEY_SIZE];

	if (v.action != POLICY_SHOW)
		return;
	body_render_budget(&body, &e->budget, e->session);
	show(s, policy_budget_key(&e->budget, key, sizeof(key)), v.notice, &body);
}

static void
obey(struct subscriber *s, struct policy_verdict v, const struct agentbus_session *session)
{
	char key[KEY_SIZE];

	if (v.action == POLICY_NOTHING)
		return;
	policy_key(session, key, sizeof(key));
	switch (v.action) {
	case POLICY_SHOW:
		show_session(s, key, &v, session);
		break;
	case POLICY_CLOSE:
		desktop_close(s->desktop, key);
		break;
	case POLICY_DROP:
		desktop_drop(s->desktop, key);
		break;
	case POLICY_NOTHING:
		break;
	}
}

static void
compare_all(struct subscriber *s)
{
	const char *key;

	policy_begin(s->policy);
	for (size_t i = 0; i < agentbus_session_count(s->bus); i++) {
		const struct agentbus_session *session = agentbus_session_at(s->bus, i);

		obey(s, policy_session(s->policy, session), session);
	}
	while ((key = policy_vanished(s->policy)))
		desktop_close(s->desktop, key);
}

/* For `systemctl status`. */
static void
say_status(const struct subscriber *s)
{
	sd_notify(0, agentbus_connected(s->bus) ? "STATUS=Following the broker" : "STATUS=Waiting for the broker");
}

static void
on_event(struct subscriber *s, const struct agentbus_event *e)
{
	if (e->session && e->kind == AGENTBUS_BUDGET)
		show_budget(s, e);
	if (e->session) {
		obey(s, policy_event(s->policy, e), e->session);
		return;
	}
	if (e->kind != AGENTBUS_DISCONNECTED)
		compare_all(s);
	say_status(s);
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct subscriber *s = container_of(w, struct subscriber, readable);
	const struct agentbus_event *e;
	int got;

	(void)revents;
	while ((got = agentbus_next(s->bus, &e)) > 0)
		on_event(s, e);
	if (got < 0) {
		fprintf(stderr, PROGRAM ": %s\n", agentbus_strerror(got));
		s->status = 1;
		ev_break(loop, EVBREAK_ALL);
	}
}

static void
on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)w, (void)revents;
	ev_break(loop, EVBREAK_ALL);
}

static bool
create(struct subscriber *s)
{
	struct policy_settings wanted = { .min_turn_ms = (uint64_t)(s->settings.min_turn * MS_PER_S) };
	int error;

	for (int i = 0; i < NOTICE_COUNT; i++)
		wanted.wanted[i] = s->settings.urgency[i] != URGENCY_OFF;
	error = agentbus_open(&(struct agentbus_options){ .runtime_dir = s->settings.options.runtime_dir }, &s->bus);
	if (error < 0) {
		fprintf(stderr, PROGRAM ": %s\n", agentbus_strerror(error));
		return false;
	}
	s->loop = ev_default_loop(EVFLAG_AUTO);
	s->policy = policy_create(&wanted);
	s->desktop = s->loop ? desktop_create(s->loop) : NULL;
	if (!s->policy || !s->desktop)
		fprintf(stderr, PROGRAM ": out of memory\n");
	return s->policy && s->desktop;
}

static void
run(struct subscriber *s)
{
	ev_io_init(&s->readable, on_readable, agentbus_fd(s->bus), EV_READ);
	ev_signal_init(&s->term, on_signal, SIGTERM);
	ev_signal_init(&s->interrupt, on_signal, SIGINT);
	ev_io_start(s->loop, &s->readable);
	ev_signal_start(s->loop, &s->term);
	ev_signal_start(s->loop, &s->interrupt);
	s->status = 0;
	sd_notify(0, "READY=1");
	say_status(s);
	ev_run(s->loop, 0);
}

int
main(int argc, char **argv)
{
	struct subscriber s = {
		.settings = {
			.min_turn = MIN_TURN,
			.urgency = {
				[NOTICE_COMPLETED] = DESKTOP_NORMAL,
				[NOTICE_FAILED] = DESKTOP_CRITICAL,
				[NOTICE_WAITING] = DESKTOP_CRITICAL,
				[NOTICE_BUDGET_WARN] = DESKTOP_NORMAL,
				[NOTICE_BUDGET_LIMIT] = DESKTOP_CRITICAL,
			},
		},
		.status = 1,
	};
	char **operands;

	/* D-Bus speaks UTF-8, whatever the session does. */
	setlocale(LC_CTYPE, "C.UTF-8");
	signal(SIGPIPE, SIG_IGN);
	if (options_parse(&program, &s.settings.options, argc, argv, &operands, &s.status)) {
		s.status = 1;
		if (create(&s))
			run(&s);
	}
	desktop_destroy(s.desktop);
	policy_destroy(s.policy);
	agentbus_close(s.bus);
	options_finish(&s.settings.options);
	return s.status;
}
