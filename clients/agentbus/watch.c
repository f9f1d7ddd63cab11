/* agentbus watch: events as they happen, in words or as JSON lines. */
#include "common/event_text.h"
#include "common/json.h"
#include "common/options.h"
#include "common/session_json.h"
#include "common/text.h"
#include "common/tool.h"
#include "follow.h"
#include "verb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Of the project's name. */
enum { PROJECT_COLUMNS = 16, PROJECT_SIZE = PROJECT_COLUMNS * 4 + 4 };

/* Seconds until a person is told that there is no broker; --since, which means a broker that runs, gives up then. */
#define PATIENCE 2.0

struct settings {
	struct options options;
	bool json;
	const char *topic;
	uint64_t since, count;
};

struct watch {
	struct follow follow; /* first */
	const struct settings *settings;
	struct json json;
	uint64_t printed;
	ev_tstamp begun;
	bool told; /* that there is no broker, or there was one */
};

/* No --since. */
#define FROM_NOW UINT64_MAX

static const struct option_row rows[] = {
	{
	    .name = "json",
	    .letter = 'j',
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, json),
	    .help = "print one JSON object per line",
	},
	{
	    .name = "topic",
	    .letter = 't',
	    .type = OPTION_STRING,
	    .no_file = true,
	    .offset = offsetof(struct settings, topic),
	    .value = "PREFIX",
	    .help = "only events below this topic: v1/codex/, v1/codex/ID",
	},
	{
	    .name = "since",
	    .letter = 's',
	    .type = OPTION_UINT,
	    .no_file = true,
	    .offset = offsetof(struct settings, since),
	    .value = "SEQ",
	    .help = "begin after this event of the running broker: 0 for all it still has",
	},
	{
	    .name = "count",
	    .letter = 'n',
	    .type = OPTION_UINT,
	    .no_file = true,
	    .offset = offsetof(struct settings, count),
	    .min = 1,
	    .value = "N",
	    .help = "exit after N events",
	},
	{ 0 },
};

static const struct option_program program = {
	.name = VERB_PROGRAM,
	.verb = "watch",
	.section = VERB_SECTION,
	.summary = "Prints what AI coding CLIs do, as it happens.",
	.rows = rows,
};

static void
print_words(const struct agentbus_event *e)
{
	char clock[TEXT_SIZE], project[PROJECT_SIZE], id[TEXT_SIZE], text[EVENT_TEXT_SIZE];

	text_clock(e->time ? e->time : text_now(), clock, sizeof(clock));
	event_text(e, text, sizeof(text));
	if (!e->session) {
		printf("%s  %s\n", clock, text);
		return;
	}
	text_clip(*e->session->project ? e->session->project : tool_of(e->session->provider)->name, PROJECT_COLUMNS, project,
		  sizeof(project));
	text_clip(text_short_id(e->session->id), 8, id, sizeof(id));
	printf("%s  %-8s  %s%*s  %s\n", clock, id, project, (int)(PROJECT_COLUMNS - text_columns(project)), "", text);
}

static bool
print_json(struct json *j, const struct agentbus_event *e)
{
	json_clear(j);
	event_json(j, NULL, e);
	json_newline(j);
	if (!json_text(j)) {
		errno = ENOMEM;
		return false;
	}
	return fputs(json_text(j), stdout) >= 0;
}

static bool
on_event(struct follow *f, const struct agentbus_event *e)
{
	struct watch *w = (struct watch *)f;
	bool ok = true;

	if (w->settings->json)
		ok = print_json(&w->json, e);
	else
		print_words(e);
	if (!ok || fflush(stdout) != 0) {
		if (errno == EPIPE || errno == EINTR)
			return false;
		verb_complain("cannot print: %s", strerror(errno));
		f->status = 1;
		return false;
	}
	if (e->seq)
		w->printed++;
	return !w->settings->count || w->printed < w->settings->count;
}

/* A person who sees nothing wants to know why. */
static bool
on_quiet(struct follow *f)
{
	struct watch *w = (struct watch *)f;
	char path[FOLLOW_PATH_SIZE];

	if (w->told || agentbus_connected(f->bus)) {
		w->told = true;
	} else if (ev_now(f->loop) - w->begun < PATIENCE) {
		follow_soon(f, PATIENCE);
	} else {
		w->told = true;
		verb_complain("no broker at %s yet; waiting for it", follow_runtime_dir(w->settings->options.runtime_dir, path));
	}
	return true;
}

/* Only the broker itself tells its boot_id, which --since is about. */
static bool
find_boot_id(const struct settings *s, char *out, size_t size)
{
	struct agentbus *bus;

	if (!follow_connect(s->options.runtime_dir, PATIENCE, &bus))
		return false;
	snprintf(out, size, "%s", agentbus_boot_id(bus));
	agentbus_close(bus);
	return true;
}

static int
watch(const struct settings *s)
{
	struct watch w = { .follow = { .on_event = on_event, .on_quiet = on_quiet }, .settings = s };
	struct agentbus_options options = { .runtime_dir = s->options.runtime_dir, .topic = s->topic };
	char boot_id[128];
	int status;

	if (s->topic && strncmp(s->topic, "v1/", 3) != 0) {
		verb_complain("--topic: '%s' does not begin with v1/", s->topic);
		return 2;
	}
	if (s->since != FROM_NOW) {
		if (!find_boot_id(s, boot_id, sizeof(boot_id)))
			return 1;
		options.after_boot_id = boot_id;
		options.after_seq = s->since;
	}
	status = agentbus_open(&options, &w.follow.bus);
	if (status < 0) {
		verb_complain("%s", agentbus_strerror(status));
		return 1;
	}
	w.begun = ev_time();
	status = follow_run(&w.follow);
	agentbus_close(w.follow.bus);
	json_finish(&w.json);
	return status;
}

int
verb_watch(int argc, char **argv)
{
	struct settings s = { .since = FROM_NOW };
	char **operands;
	int status;

	if (options_parse(&program, &s.options, argc, argv, &operands, &status))
		status = watch(&s);
	options_finish(&s.options);
	return status;
}
