#include "notify/teller.h"

#include "common/container.h"
#include "common/roster.h"
#include "notify/body.h"
#include "notify/child.h"
#include "notify/desktop.h"
#include "notify/look.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COMMAND_SECONDS 5.0
#define CHECK_SECONDS   0.3
#define WALL_SLACK      0.01 /* the loop's idea of the time is about right */
#define MS_PER_S        1000
#define NS_PER_MS       1000000
#define SETTING_SIZE    4200 /* of a path and the name of its variable */
#define TOKEN_SIZE      300

struct teller {
	struct teller_settings settings;
	struct ev_loop *loop;
	struct agentbus *bus;
	struct policy *policy;
	struct agenda *agenda;
	struct desktop *desktop;
	struct desktop_user desktop_user;
	struct children *children;
	ev_timer due;
	ev_periodic quiet_over; /* by the wall's clock, which may be set */
	const char *icons[NOTICE_COUNT];
	char runtime_dir[SETTING_SIZE]; /* for commands, "" if they need not be told */
};

static void pump(struct teller *t);

static struct agenda_time
time_now(void)
{
	struct timespec since_boot, wall;

	clock_gettime(CLOCK_BOOTTIME, &since_boot);
	clock_gettime(CLOCK_REALTIME, &wall); /* time() may be some milliseconds late, and so before what it waited for */
	return (struct agenda_time){ .ms = (uint64_t)since_boot.tv_sec * MS_PER_S + (uint64_t)since_boot.tv_nsec / NS_PER_MS,
				     .wall = wall.tv_sec };
}

/* The session of a notice, or NULL: it is of a budget, or the session is gone. */
static const struct agentbus_session *
find_session(const struct teller *t, const char *key)
{
	char provider[NOTICE_KEY_SIZE];
	const char *slash = strchr(key, '/');

	if (!slash)
		return NULL;
	snprintf(provider, sizeof(provider), "%.*s", (int)(slash - key), key);
	return agentbus_session_find(t->bus, provider, slash + 1);
}

/* Whether anything tells where its window is. */
static bool
has_place(const struct agentbus_session *s)
{
	return s->pid || s->tty[0] || s->tmux_pane[0] || s->window[0];
}

/* What the session has used, with the sub-agents and title threads that worked for it. */
static struct roster_figures
figures_of(const struct teller *t, const struct agentbus_session *s)
{
	struct roster_figures sum = roster_figures_of(s);

	for (size_t i = 0; i < agentbus_session_count(t->bus); i++) {
		const struct agentbus_session *other = agentbus_session_at(t->bus, i);
		const struct roster_figures theirs = roster_figures_of(other);

		if (other->auxiliary && strcmp(other->parent_id, s->id) == 0 && strcmp(other->provider, s->provider) == 0)
			roster_figures_add(&sum, &theirs);
	}
	return sum;
}

/* --- commands --- */

/* Runs a command for a session, as usual says but for its words and environment. Returns 0 or -errno. */
static int
run_command(struct teller *t, const struct command *c, const struct agentbus_session *s, const char *token,
	    const struct child_order *usual)
{
	struct child_order order = *usual;
	char activation[TOKEN_SIZE], startup[TOKEN_SIZE];
	const char *env[4] = { NULL };
	size_t count = 0;
	char **argv = command_expand(c, s);
	int r = -ENOMEM;

	if (token[0]) {
		snprintf(activation, sizeof(activation), "XDG_ACTIVATION_TOKEN=%s", token);
		snprintf(startup, sizeof(startup), "DESKTOP_STARTUP_ID=%s", token);
		env[count++] = activation;
		env[count++] = startup;
	}
	if (t->runtime_dir[0])
		env[count++] = t->runtime_dir;
	order.argv = argv;
	order.env = env;
	if (argv)
		r = children_run(t->children, &order);
	free(argv);
	return r;
}

static void
run_for_person(struct teller *t, const struct command *c, const struct agentbus_session *s, const char *token)
{
	const struct child_order usual = { .seconds = COMMAND_SECONDS };
	int r;

	if (!c->count)
		return;
	r = run_command(t, c, s, token, &usual);
	if (r < 0)
		fprintf(stderr, "notify-subscriber: cannot run '%s': %s\n", c->words,
			r == -EAGAIN ? "too many commands run already" : strerror(-r));
}

/* --- what the person does --- */

static void
focus(struct teller *t, const char *key, const struct agentbus_session *s, const char *token)
{
	/* Most daemons have closed it by now. */
	desktop_close(t->desktop, key);
	run_for_person(t, &t->settings.focus, s, token);
}

static void
dismiss(struct teller *t, const char *key, const struct agentbus_session *s, const char *token)
{
	desktop_close(t->desktop, key);
	if (s->state == AGENTBUS_COMPLETED)
		run_for_person(t, &t->settings.acknowledge, s, token);
}

static void
on_acted(struct desktop_user *user, const char *key, const char *action, const char *token)
{
	static const struct {
		const char *action;
		void (*act)(struct teller *t, const char *key, const struct agentbus_session *s, const char *token);
	} actions[] = { { "default", focus }, { "focus", focus }, { "dismiss", dismiss } };
	struct teller *t = container_of(user, struct teller, desktop_user);
	const struct agentbus_session *s = find_session(t, key);

	for (size_t i = 0; s && i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].action, action) == 0)
			actions[i].act(t, key, s, token);
}

/* --- showing --- */

static const struct desktop_action *
actions_for(const struct teller *t, const struct agentbus_session *s)
{
	static const struct desktop_action both[] = {
		{ "default", "Focus" },
		{ "focus", "Focus" },
		{ "dismiss", "Dismiss" },
		{ NULL, NULL },
	};

	if (!s)
		return NULL;
	return t->settings.focus.count && (t->settings.focus_is_own || has_place(s)) ? both : &both[2];
}

static void
show(struct teller *t, const struct agenda_item *item)
{
	const struct look *look = look_of(item->notice);

	desktop_show(t->desktop, item->key,
		     &(struct desktop_note){ .summary = item->body.summary,
					     .body = item->body.text,
					     .icon = t->icons[item->notice],
					     .plain_icon = look->icon,
					     .category = look->category,
					     .sound = t->settings.sound ? look->sound : NULL,
					     .actions = actions_for(t, find_session(t, item->key)),
					     .urgency = (enum desktop_urgency)t->settings.urgency[item->notice],
					     .keep = look->keep });
}

static void
answer(struct teller *t, uint64_t serial, bool focused)
{
	const struct agenda_time now = time_now();
	const struct agenda_item *item = agenda_answer(t->agenda, serial, focused, &now);

	if (item)
		show(t, item);
}

static void
on_looked(void *user, uint64_t serial, int status)
{
	answer(user, serial, status == 0);
	pump(user);
}

static bool
has_display(void)
{
	const char *wayland = getenv("WAYLAND_DISPLAY"), *x11 = getenv("DISPLAY");

	return (wayland && wayland[0]) || (x11 && x11[0]);
}

/* Begins to find out whether the session's window has the focus. Returns false if that cannot be known. */
static bool
look(struct teller *t, const struct agenda_item *item)
{
	const struct agentbus_session *s = find_session(t, item->key);
	const struct child_order usual = {
		.seconds = CHECK_SECONDS, .silent = true, .done = on_looked, .user = t, .tag = item->serial
	};

	return s && t->settings.check.count && has_place(s) && has_display() &&
	       run_command(t, &t->settings.check, s, "", &usual) == 0;
}

static void
set_timers(struct teller *t, const struct agenda_time *now)
{
	uint64_t after_ms;
	time_t wall;

	agenda_next(t->agenda, now, &after_ms, &wall);
	ev_timer_stop(t->loop, &t->due);
	ev_periodic_stop(t->loop, &t->quiet_over);
	if (after_ms != UINT64_MAX) {
		ev_timer_set(&t->due, (double)after_ms / MS_PER_S, 0);
		ev_timer_start(t->loop, &t->due);
	}
	if (wall) {
		ev_periodic_set(&t->quiet_over, (double)wall + WALL_SLACK, 0, NULL);
		ev_periodic_start(t->loop, &t->quiet_over);
	}
}

/* Shows what is due, or begins to, and sees to it that the rest is when its time has come. */
static void
pump(struct teller *t)
{
	const struct agenda_time now = time_now();
	const struct agenda_item *item;

	while ((item = agenda_take(t->agenda, &now)))
		if (!look(t, item))
			answer(t, item->serial, false);
	set_timers(t, &now);
}

static void
on_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop, (void)revents;
	pump(container_of(w, struct teller, due));
}

static void
on_quiet_over(struct ev_loop *loop, ev_periodic *w, int revents)
{
	(void)loop, (void)revents;
	pump(container_of(w, struct teller, quiet_over));
}

/* --- events --- */

static void
take_back(struct teller *t, const char *key)
{
	agenda_cancel(t->agenda, key);
	desktop_close(t->desktop, key);
	pump(t);
}

/* What the key has on the screen is no longer true: it is replaced, or goes at once if that has to wait. */
static void
offer(struct teller *t, const char *key, enum notice notice, const struct body *body)
{
	const struct agenda_time now = time_now();

	agenda_offer(t->agenda, key, notice, body, &now);
	pump(t);
	if (agenda_holds(t->agenda, key))
		desktop_close(t->desktop, key);
}

static void
obey(struct teller *t, const struct policy_verdict *v, const struct agentbus_session *s)
{
	struct roster_figures figures;
	struct body body;
	char key[NOTICE_KEY_SIZE];

	if (v->action == POLICY_NOTHING)
		return;
	policy_key(s, key, sizeof(key));
	if (v->action == POLICY_CLOSE) {
		take_back(t, key);
		return;
	}
	figures = figures_of(t, s);
	body_render(&body, v->notice, s, &v->turn, &figures);
	offer(t, key, v->notice, &body);
}

static void
take_budget(struct teller *t, const struct agentbus_event *e)
{
	const struct policy_verdict v = policy_budget(t->policy, e);
	struct body body;
	char key[NOTICE_KEY_SIZE];

	if (v.action != POLICY_SHOW)
		return;
	body_render_budget(&body, &e->budget, e->session);
	offer(t, policy_budget_key(&e->budget, key, sizeof(key)), v.notice, &body);
}

static void
compare_all(struct teller *t)
{
	const char *key;

	policy_begin(t->policy);
	for (size_t i = 0; i < agentbus_session_count(t->bus); i++) {
		const struct agentbus_session *s = agentbus_session_at(t->bus, i);
		const struct policy_verdict v = policy_session(t->policy, s);

		obey(t, &v, s);
	}
	while ((key = policy_vanished(t->policy)))
		take_back(t, key);
}

void
teller_event(struct teller *t, const struct agentbus_event *e)
{
	struct policy_verdict v;

	if (e->session && e->kind == AGENTBUS_BUDGET) {
		take_budget(t, e);
	} else if (e->session) {
		v = policy_event(t->policy, e);
		obey(t, &v, e->session);
	} else if (e->kind != AGENTBUS_DISCONNECTED) {
		compare_all(t);
	}
}

struct teller *
teller_create(struct ev_loop *loop, struct agentbus *bus, const struct teller_settings *settings)
{
	struct teller *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->settings = *settings;
	t->loop = loop;
	t->bus = bus;
	t->desktop_user.acted = on_acted;
	ev_init(&t->due, on_due);
	ev_periodic_init(&t->quiet_over, on_quiet_over, 0, 0, NULL);
	for (int i = 0; i < NOTICE_COUNT; i++) {
		t->icons[i] = look_icon((enum notice)i);
		t->settings.agenda.keep_ms[i] = (uint64_t)(look_of((enum notice)i)->keep * MS_PER_S);
	}
	if (settings->runtime_dir)
		snprintf(t->runtime_dir, sizeof(t->runtime_dir), "AGENTBUS_RUNTIME_DIR=%s", settings->runtime_dir);
	t->policy = policy_create(&t->settings.policy);
	t->agenda = agenda_create(&t->settings.agenda);
	t->children = children_create(loop);
	t->desktop = desktop_create(loop, &t->desktop_user);
	if (t->policy && t->agenda && t->children && t->desktop)
		return t;
	teller_destroy(t);
	return NULL;
}

void
teller_destroy(struct teller *t)
{
	if (!t)
		return;
	ev_timer_stop(t->loop, &t->due);
	ev_periodic_stop(t->loop, &t->quiet_over);
	desktop_destroy(t->desktop);
	children_destroy(t->children);
	agenda_destroy(t->agenda);
	policy_destroy(t->policy);
	free(t);
}
