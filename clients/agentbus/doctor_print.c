#include "doctor.h"

#include "common/json.h"
#include "common/text.h"
#include "setup_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL "  %-13s"

/* --- for people --- */

static void
print_broker(const struct doctor *d)
{
	const struct doctor_broker *b = &d->broker;
	const char *run = getenv("XDG_RUNTIME_DIR");

	printf("Broker\n");
	if (!b->running)
		printf(LABEL "no, not at %s: systemctl --user start agentbusd\n", "runs", b->dir);
	else if (b->old)
		printf(LABEL "yes, an older one, at %s: restart it, so that it tells what arrives\n", "runs", b->dir);
	else
		printf(LABEL "yes, %s, at %s\n" LABEL "%s\n", "runs", b->version, b->dir, "listens on", b->addresses);
	if (!run || !*run)
		printf(LABEL "XDG_RUNTIME_DIR is not set: hooks of what is started so tell nobody\n", "environment");
	if (*b->program)
		printf(LABEL "%s\n", "agentbus", b->program);
	else
		printf(LABEL "not in PATH; hooks run it by its path\n", "agentbus");
}

static void
print_program(const struct doctor_cli *c)
{
	if (*c->program)
		printf(LABEL "%s%s%s\n", "program", c->program, *c->version ? ", " : "", c->version);
	else
		printf(LABEL "not in PATH\n", "program");
}

static void
print_count(const char *label, unsigned there, unsigned wanted, const char *more)
{
	const char *state = there == 0 ? "none" : there == wanted ? "all" : "some";

	printf(LABEL "%s, %u of %u%s\n", label, state, there, wanted, more);
}

static void
print_files(const struct doctor_cli *c)
{
	char shown[PATH_MAX];

	for (size_t i = 0; i < SETUP_FILES_MAX && c->cli->files[i].name; i++) {
		const struct setup_plan *p = c->plans[i];

		if (*c->faults[i])
			printf(LABEL "%s: %s\n", "not valid", setup_place_show(c->paths[i], shown), c->faults[i]);
		for (size_t k = 0; k < p->conflict_count; k++)
			printf(LABEL "%s: %s is %s\n", "conflict", setup_place_show(c->paths[i], shown), p->conflicts[k].what,
			       *p->conflicts[k].found ? p->conflicts[k].found : "in the way");
	}
	for (size_t i = 0; i < c->override_count; i++)
		printf(LABEL "%s is %s\n", "environment", c->overrides[i].name, c->overrides[i].value);
}

static void
print_arrived(const struct doctor *d, const struct doctor_cli *c)
{
	const uint64_t now = text_now();
	bool any = false;

	if (!d->broker.running || d->broker.old)
		return;
	printf(LABEL, "arrived");
	for (size_t k = 0; k < DOCTOR_KINDS; k++) {
		char ago[TEXT_SIZE];

		if (c->counts[k] == 0)
			continue;
		printf("%s%s %s ago", any ? ", " : "", doctor_kinds[k],
		       text_duration(now > c->last[k] ? now - c->last[k] : 0, ago, sizeof(ago)));
		any = true;
	}
	printf("%s; %zu session%s\n", any ? "" : "nothing since the broker's start", c->sessions, c->sessions == 1 ? "" : "s");
}

/* What is configured and silent while the other speaks. */
static void
print_silence(const struct doctor *d, const struct doctor_cli *c)
{
	const bool telemetry = c->counts[0] || c->counts[1] || c->counts[2], hooks = c->counts[3];

	if (!d->broker.running || d->broker.old || telemetry == hooks)
		return;
	if (!hooks && c->hooks_there > 0)
		printf(LABEL "its hooks have not told anything: %s\n", "silent", c->cli->next);
	if (!telemetry && c->telemetry_there > 0)
		printf(LABEL "its telemetry has not come: %s\n", "silent", c->cli->next);
}

static void
print_cli(const struct doctor *d, const struct doctor_cli *c)
{
	char mend[DOCTOR_TEXT_SIZE * 2];

	printf("\n%s\n", c->cli->title);
	if (!c->there) {
		printf(LABEL "not installed\n", "program");
		return;
	}
	print_program(c);
	print_count("telemetry", c->telemetry_there, c->telemetry_wanted, c->by_environment ? " by the environment" : "");
	print_count("hooks", c->hooks_there, c->hooks_wanted, "");
	print_files(c);
	print_arrived(d, c);
	print_silence(d, c);
	if (*doctor_mend(d, c, mend))
		printf(LABEL "%s\n", !c->connected ? "connect it" : c->well ? "add the rest" : "mend it", mend);
}

bool
doctor_print(const struct doctor *d)
{
	print_broker(d);
	for (size_t i = 0; i < SETUP_CLIS; i++)
		print_cli(d, &d->clis[i]);
	return !ferror(stdout);
}

/* --- for programs --- */

static void
broker_json(struct json *j, const struct doctor_broker *b)
{
	const char *at = b->addresses;

	json_object(j, "broker");
	json_bool(j, "running", b->running);
	json_string_or_null(j, "version", b->version);
	json_string_or_null(j, "runtime_dir", b->dir);
	json_array(j, "addresses");
	while (*at) {
		const size_t len = strcspn(at, " ");
		char address[128];

		snprintf(address, sizeof(address), "%.*s", (int)len, at);
		json_string(j, NULL, address);
		at += len + (at[len] == ' ');
	}
	json_end(j);
	json_string_or_null(j, "agentbus", b->program);
	json_end(j);
}

static void
count_json(struct json *j, const char *key, unsigned there, unsigned wanted)
{
	json_object(j, key);
	json_uint(j, "there", there);
	json_uint(j, "wanted", wanted);
	json_end(j);
}

static void
files_json(struct json *j, const struct doctor_cli *c)
{
	json_array(j, "files");
	for (size_t i = 0; i < SETUP_FILES_MAX && c->cli->files[i].name; i++) {
		json_object(j, NULL);
		json_string(j, "path", c->paths[i]);
		json_string_or_null(j, "fault", c->faults[i]);
		json_array(j, "conflicts");
		for (size_t k = 0; k < c->plans[i]->conflict_count; k++) {
			json_object(j, NULL);
			json_string(j, "what", c->plans[i]->conflicts[k].what);
			json_string_or_null(j, "found", c->plans[i]->conflicts[k].found);
			json_end(j);
		}
		json_end(j);
		json_end(j);
	}
	json_end(j);
	json_object(j, "environment");
	for (size_t i = 0; i < c->override_count; i++)
		json_string(j, c->overrides[i].name, c->overrides[i].value);
	json_end(j);
}

static void
cli_json(struct json *j, const struct doctor *d, const struct doctor_cli *c)
{
	char mend[DOCTOR_TEXT_SIZE * 2];

	json_object(j, NULL);
	json_string(j, "name", c->cli->name);
	json_string(j, "provider", c->cli->provider);
	json_bool(j, "there", c->there);
	json_string_or_null(j, "program", c->program);
	json_string_or_null(j, "version", c->version);
	json_bool(j, "connected", c->connected);
	json_bool(j, "well", c->well);
	count_json(j, "telemetry", c->telemetry_there, c->telemetry_wanted);
	json_bool(j, "telemetry_by_environment", c->by_environment);
	count_json(j, "hooks", c->hooks_there, c->hooks_wanted);
	files_json(j, c);
	json_object(j, "arrived");
	for (size_t k = 0; k < DOCTOR_KINDS; k++) {
		json_object(j, doctor_kinds[k]);
		json_uint(j, "count", c->counts[k]);
		json_time(j, "last", c->last[k]);
		json_end(j);
	}
	json_end(j);
	json_uint(j, "sessions", c->sessions);
	json_string_or_null(j, "mend", doctor_mend(d, c, mend));
	json_end(j);
}

bool
doctor_print_json(const struct doctor *d)
{
	struct json j = { 0 };

	json_object(&j, NULL);
	json_bool(&j, "well", d->well);
	broker_json(&j, &d->broker);
	json_array(&j, "clis");
	for (size_t i = 0; i < SETUP_CLIS; i++)
		cli_json(&j, d, &d->clis[i]);
	json_end(&j);
	json_end(&j);
	json_newline(&j);
	const bool ok = json_print(&j, stdout);

	json_finish(&j);
	return ok;
}
