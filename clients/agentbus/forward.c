#include "forward.h"

#include "agentbus.h"
#include "common/json.h"
#include "common/text.h"
#include "follow.h"
#include "verb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A column of the table: heading, width (negative: to the left), and what stands there. */
struct column {
	const char *heading;
	int width;
	const char *(*text)(const struct agentbus_forward_lane *l, char *out, size_t size);
};

static const char *
signal_text(const struct agentbus_forward_lane *l, char *out, size_t size)
{
	return text_clip(l->signal, size - 1, out, size);
}

static const char *
state_text(const struct agentbus_forward_lane *l, char *out, size_t size)
{
	return text_clip(l->state, size - 1, out, size);
}

static const char *
queued_text(const struct agentbus_forward_lane *l, char *out, size_t size)
{
	return text_count(l->queued_items, out, size);
}

static const char *
bytes_text(const struct agentbus_forward_lane *l, char *out, size_t size)
{
	return text_count(l->queued_bytes, out, size);
}

static const char *
ago(uint64_t then, char *out, size_t size)
{
	const uint64_t now = text_now();

	return then ? text_duration(now > then ? now - then : 0, out, size) : "-";
}

static const char *
oldest_text(const struct agentbus_forward_lane *l, char *out, size_t size)
{
	return ago(l->oldest, out, size);
}

static const char *
sent_text(const struct agentbus_forward_lane *l, char *out, size_t size)
{
	return text_count(l->sent_items, out, size);
}

static const char *
rejected_text(const struct agentbus_forward_lane *l, char *out, size_t size)
{
	return text_count(l->rejected_items, out, size);
}

static const char *
dropped_text(const struct agentbus_forward_lane *l, char *out, size_t size)
{
	return text_count(l->dropped_items, out, size);
}

static const char *
retries_text(const struct agentbus_forward_lane *l, char *out, size_t size)
{
	return text_count(l->retries, out, size);
}

static const char *
success_text(const struct agentbus_forward_lane *l, char *out, size_t size)
{
	return ago(l->last_success, out, size);
}

static const struct column columns[] = {
	{ "SIGNAL", -8, signal_text },    { "STATE", -10, state_text },   { "QUEUED", 7, queued_text },
	{ "BYTES", 7, bytes_text },       { "OLDEST", 8, oldest_text },   { "SENT", 7, sent_text },
	{ "REJECTED", 8, rejected_text }, { "DROPPED", 7, dropped_text }, { "RETRIES", 7, retries_text },
	{ "SUCCESS", 8, success_text },
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void
print_heading(void)
{
	printf(" ");
	for (size_t i = 0; i < COLUMNS; i++)
		printf(" %*s", columns[i].width, columns[i].heading);
	printf("  LAST ERROR\n");
}

static void
print_lane(const struct agentbus_forward_lane *l)
{
	char cell[TEXT_SIZE], error[256];

	printf(" ");
	for (size_t i = 0; i < COLUMNS; i++)
		printf(" %*s", columns[i].width, columns[i].text(l, cell, sizeof(cell)));
	printf("  %s\n", *l->last_error ? text_clip(l->last_error, sizeof(error) - 1, error, sizeof(error)) : "-");
}

static bool
print_table(const struct agentbus_forward *f)
{
	if (f->destination_count == 0)
		return puts("Nothing is passed on: there are no destinations.") >= 0;
	for (size_t i = 0; i < f->destination_count; i++) {
		const struct agentbus_destination *d = &f->destinations[i];

		printf("%s%s to %s\n", i ? "\n" : "", d->name, d->url);
		print_heading();
		for (size_t k = 0; k < d->lane_count; k++)
			print_lane(&d->lanes[k]);
	}
	return !ferror(stdout);
}

static void
lane_json(struct json *j, const struct agentbus_forward_lane *l)
{
	json_object(j, NULL);
	json_string(j, "signal", l->signal);
	json_string(j, "state", l->state);
	json_uint(j, "queued_items", l->queued_items);
	json_uint(j, "queued_bytes", l->queued_bytes);
	json_time(j, "oldest", l->oldest);
	json_uint(j, "sent_items", l->sent_items);
	json_uint(j, "sent_requests", l->sent_requests);
	json_uint(j, "sent_bytes", l->sent_bytes);
	json_uint(j, "rejected_items", l->rejected_items);
	json_uint(j, "dropped_items", l->dropped_items);
	json_uint(j, "retries", l->retries);
	json_string_or_null(j, "last_error", l->last_error);
	json_time(j, "last_error_at", l->last_error_at);
	json_time(j, "last_success", l->last_success);
	json_time(j, "again", l->again);
	json_end(j);
}

static bool
print_json(const struct agentbus_forward *f)
{
	struct json j = { 0 };

	json_object(&j, NULL);
	json_array(&j, "destinations");
	for (size_t i = 0; i < f->destination_count; i++) {
		json_object(&j, NULL);
		json_string(&j, "name", f->destinations[i].name);
		json_string(&j, "url", f->destinations[i].url);
		json_array(&j, "signals");
		for (size_t k = 0; k < f->destinations[i].lane_count; k++)
			lane_json(&j, &f->destinations[i].lanes[k]);
		json_end(&j);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	json_newline(&j);
	const bool ok = json_print(&j, stdout);
	json_finish(&j);
	return ok;
}

int
forward_print(const char *runtime_dir, double timeout, bool json)
{
	char dir[FOLLOW_PATH_SIZE];
	struct agentbus_forward *f;
	const int e = agentbus_forward_read(runtime_dir, (int)(timeout * 1000), &f);

	if (e == AGENTBUS_ETIMEOUT) {
		verb_complain("no broker at %s", follow_runtime_dir(runtime_dir, dir));
		return 1;
	}
	if (e != AGENTBUS_OK) {
		verb_complain("%s", agentbus_strerror(e));
		return 1;
	}
	const bool ok = (json ? print_json : print_table)(f) && fflush(stdout) == 0;
	agentbus_forward_free(f);
	if (ok || errno == EPIPE)
		return 0;
	verb_complain("cannot print: %s", strerror(errno));
	return 1;
}
