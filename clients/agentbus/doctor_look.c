#include "doctor.h"

#include "doctor_version.h"
#include "follow.h"
#include "setup_file.h"
#include "setup_mask.h"
#include "setup_place.h"
#include "verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_DEFAULT "http://127.0.0.1:4318"
#define GRPC_DEFAULT "http://127.0.0.1:4317"

const char *const doctor_kinds[DOCTOR_KINDS] = { "logs", "traces", "metrics", "hooks" };

/* --- the broker --- */

static void
take_sources(struct doctor *d, const struct agentbus_sources *s)
{
	for (size_t i = 0; i < s->source_count; i++)
		for (size_t c = 0; c < SETUP_CLIS; c++)
			for (size_t k = 0; k < DOCTOR_KINDS; k++) {
				if (strcmp(s->sources[i].provider, d->clis[c].cli->provider) != 0 ||
				    strcmp(s->sources[i].kind, doctor_kinds[k]) != 0)
					continue;
				d->clis[c].counts[k] = s->sources[i].count;
				d->clis[c].last[k] = s->sources[i].last;
			}
}

static void
count_sessions(struct doctor *d, const char *runtime_dir, int timeout_ms)
{
	struct agentbus *bus = NULL;

	if (!follow_connect(runtime_dir, timeout_ms / 1000.0, &bus))
		return;
	for (size_t i = 0; i < agentbus_session_count(bus); i++) {
		const struct agentbus_session *s = agentbus_session_at(bus, i);

		for (size_t c = 0; c < SETUP_CLIS; c++)
			d->clis[c].sessions +=
			    strcmp(s->provider, d->clis[c].cli->provider) == 0 && !s->auxiliary && s->state != AGENTBUS_ENDED;
	}
	agentbus_close(bus);
}

static void
look_at_broker(struct doctor *d, const char *runtime_dir, int timeout_ms)
{
	struct doctor_broker *b = &d->broker;
	struct agentbus_sources *sources = NULL;
	char dir[FOLLOW_PATH_SIZE];
	const int e = agentbus_sources_read(runtime_dir, timeout_ms, &sources);

	snprintf(b->dir, sizeof(b->dir), "%s", follow_runtime_dir(runtime_dir, dir));
	b->running = e == AGENTBUS_OK || e == AGENTBUS_EREFUSED;
	b->old = e == AGENTBUS_EREFUSED;
	if (e == AGENTBUS_OK) {
		snprintf(b->version, sizeof(b->version), "%s", sources->version);
		snprintf(b->addresses, sizeof(b->addresses), "%s", sources->addresses);
		take_sources(d, sources);
	}
	agentbus_sources_free(sources);
	if (b->running)
		count_sessions(d, runtime_dir, timeout_ms);
	if (!setup_place_program(VERB_PROGRAM, b->program))
		b->program[0] = '\0';
}

/* Where the CLIs should send to: the usual ports if the broker has them, else the first of its own. */
static void
choose_endpoint(struct doctor *d)
{
	const char *at = d->broker.addresses;
	char first[DOCTOR_TEXT_SIZE / 2] = "";

	snprintf(d->http, sizeof(d->http), HTTP_DEFAULT);
	snprintf(d->grpc, sizeof(d->grpc), GRPC_DEFAULT);
	d->usual = true;
	while (*at) {
		const size_t len = strcspn(at, " ");
		const char *port = memchr(at, ':', len);

		if (port && len >= 5 && memcmp(at + len - 5, ":4318", 5) == 0)
			return;
		if (port && !*first && *at != '[')
			snprintf(first, sizeof(first), "%s%.*s", strncmp(at, "0.0.0.0:", 8) == 0 ? "127.0.0.1" : "",
				 (int)(strncmp(at, "0.0.0.0:", 8) == 0 ? len - 7 : len),
				 strncmp(at, "0.0.0.0:", 8) == 0 ? port : at);
		at += len + (at[len] == ' ');
	}
	if (!*first)
		return;
	d->usual = false;
	snprintf(d->http, sizeof(d->http), "http://%s", first);
	snprintf(d->grpc, sizeof(d->grpc), "http://%s", first);
}

/* --- a CLI --- */

static bool
look_at_file(struct doctor_cli *c, size_t i, const struct setup_wish *w)
{
	const struct setup_file *f = &c->cli->files[i];
	const char *why = "no home directory is known";
	struct setup_disk disk = { 0 };
	struct setup_plan *p = c->plans[i] = calloc(1, sizeof(*p));

	if (!p)
		return false;
	if (!setup_place_file(c->cli, f, c->paths[i]) || !setup_disk_read(c->paths[i], &disk, &why)) {
		snprintf(c->faults[i], sizeof(c->faults[i]), "%s", why);
		return true;
	}
	setup_plan(p, c->cli, f, w, disk.text, disk.len);
	if (p->fault.what)
		snprintf(c->faults[i], sizeof(c->faults[i]), "line %zu: %s", edit_line(disk.text, disk.len, p->fault.at),
			 p->fault.what);
	c->telemetry_wanted += p->telemetry_wanted;
	c->telemetry_there += p->telemetry_there;
	c->hooks_wanted += p->hooks_wanted;
	c->hooks_there += p->hooks_there;
	c->conflicts += p->conflict_count;
	c->telemetry_reaches = c->telemetry_reaches || p->telemetry_reaches;
	setup_disk_finish(&disk);
	return true;
}

/* Telemetry that is switched on by the variables of this environment, as far as they are the file's rows, too. */
static bool
environment_has_all(const struct setup_cli *cli, const struct setup_wish *w)
{
	size_t rows = 0;

	for (const struct setup_row *r = cli->files[0].rows; r->path.depth > 0; r++) {
		char ours[SETUP_VALUE_SIZE];
		const char *value;

		if (r->part != SETUP_TELEMETRY || r->if_present || r->accept == SETUP_ANY || strcmp(r->path.key[0], "env") != 0)
			continue;
		value = getenv(r->path.key[1]);
		if (!value || !setup_value(w, cli->name, r->value, ours))
			return false;
		ours[strlen(ours) - 1] = '\0';
		if (!setup_accepts(w, r->accept, value, ours + 1))
			return false;
		rows++;
	}
	return rows > 0;
}

static void
look_at_environment(struct doctor_cli *c, const struct setup_wish *w)
{
	for (const char *const *name = c->cli->overrides; *name; name++) {
		const char *value = getenv(*name);

		if (!value || !*value || setup_reaches(w, value) || c->override_count == DOCTOR_OVERRIDES_MAX)
			continue;
		struct doctor_override *o = &c->overrides[c->override_count++];

		o->name = *name;
		setup_mask_value(*name, value, strlen(value), o->value, sizeof(o->value));
	}
	/* With it Codex says nothing at all. */
	const char *packed = getenv("OTEL_EXPORTER_OTLP_COMPRESSION");

	if (packed && strcmp(packed, "gzip") == 0 && strcmp(c->cli->name, "codex") == 0 &&
	    c->override_count < DOCTOR_OVERRIDES_MAX) {
		c->overrides[c->override_count].name = "OTEL_EXPORTER_OTLP_COMPRESSION";
		snprintf(c->overrides[c->override_count++].value, DOCTOR_TEXT_SIZE, "gzip, which switches its telemetry off");
	}
}

static bool
look_at_cli(struct doctor_cli *c, const struct setup_wish *w)
{
	bool valid = true;

	c->there = setup_place_has(c->cli);
	if (!setup_place_program(c->cli->name, c->program))
		c->program[0] = '\0';
	else if (!doctor_version(c->program, c->version, sizeof(c->version)))
		c->version[0] = '\0';
	for (size_t i = 0; i < SETUP_FILES_MAX && c->cli->files[i].name; i++) {
		if (!look_at_file(c, i, w))
			return false;
		valid = valid && !*c->faults[i];
	}
	look_at_environment(c, w);
	c->by_environment = c->telemetry_there < c->telemetry_wanted && environment_has_all(c->cli, w);
	if (c->by_environment) {
		c->telemetry_there = c->telemetry_wanted;
		c->telemetry_reaches = true;
	}
	const bool telemetry = c->telemetry_there == c->telemetry_wanted, hooks = c->hooks_there == c->hooks_wanted;
	const bool clear = valid && c->conflicts == 0 && c->override_count == 0;

	c->connected = c->telemetry_reaches || c->hooks_there > 0 || (c->there && !valid);
	c->well = clear && (telemetry || !c->telemetry_reaches) && (hooks || c->hooks_there == 0);
	c->complete = clear && telemetry && hooks;
	return true;
}

bool
doctor_look(struct doctor *d, const char *runtime_dir, int timeout_ms)
{
	*d = (struct doctor){ 0 };
	for (size_t i = 0; i < SETUP_CLIS; i++)
		d->clis[i].cli = &setup_clis[i];
	look_at_broker(d, runtime_dir, timeout_ms);
	choose_endpoint(d);
	const struct setup_wish wish = { d->http, d->grpc, VERB_PROGRAM, true, true, false };

	d->well = d->broker.running;
	for (size_t i = 0; i < SETUP_CLIS; i++) {
		struct doctor_cli *c = &d->clis[i];

		if (!look_at_cli(c, &wish))
			return false;
		d->well = d->well && (c->well || !c->connected);
	}
	return true;
}

void
doctor_finish(struct doctor *d)
{
	for (size_t i = 0; i < SETUP_CLIS; i++)
		for (size_t k = 0; k < SETUP_FILES_MAX; k++) {
			if (d->clis[i].plans[k])
				setup_plan_finish(d->clis[i].plans[k]);
			free(d->clis[i].plans[k]);
			d->clis[i].plans[k] = NULL;
		}
}

const char *
doctor_mend(const struct doctor *d, const struct doctor_cli *c, char out[DOCTOR_TEXT_SIZE * 2])
{
	const size_t size = (size_t)DOCTOR_TEXT_SIZE * 2;

	out[0] = '\0';
	for (size_t i = 0; i < SETUP_FILES_MAX; i++)
		if (*c->faults[i] && c->there) {
			snprintf(out, size, "${EDITOR:-vi} %.*s", DOCTOR_TEXT_SIZE, c->paths[i]);
			return out;
		}
	if (c->complete || !c->there)
		return out;
	if (c->override_count > 0)
		snprintf(out, size, "unset %s", c->overrides[0].name);
	else
		snprintf(out, size, "agentbus setup %s%s%s%s", c->cli->name, d->usual ? "" : " --endpoint ",
			 d->usual ? "" : d->http, c->conflicts ? "" : " --apply");
	return out;
}
