/* agentbus setup: the CLIs' own configuration, so that they tell the broker what they do. */
#include "common/options.h"
#include "setup_diff.h"
#include "setup_file.h"
#include "setup_place.h"
#include "setup_plan.h"
#include "setup_record.h"
#include "setup_write.h"
#include "terminal.h"
#include "verb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_DEFAULT "http://127.0.0.1:4318"
#define GRPC_DEFAULT "http://127.0.0.1:4317"

enum { DONE = 0, TO_DO = 1, MISTAKE = 2, TROUBLE = 3 };

struct settings {
	struct options options;
	bool apply, undo, force, hooks, telemetry;
	const char *endpoint;
};

static const struct option_row rows[] = {
	{
	    .name = "apply",
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, apply),
	    .help = "write what is shown, after a copy of each file",
	},
	{
	    .name = "undo",
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, undo),
	    .help = "take back what was written",
	},
	{
	    .name = "force",
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, force),
	    .help = "replace values of yours that are in conflict, too",
	},
	{
	    .name = "hooks",
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, hooks),
	    .help = "the hooks (default; --no-hooks leaves them out)",
	},
	{
	    .name = "telemetry",
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, telemetry),
	    .help = "the telemetry (default; --no-telemetry leaves it out)",
	},
	{
	    .name = "endpoint",
	    .env = "AGENTBUS_ENDPOINT",
	    .type = OPTION_STRING,
	    .offset = offsetof(struct settings, endpoint),
	    .value = "URL",
	    .help = "where the broker listens (default " HTTP_DEFAULT ")",
	},
	{ 0 },
};

static const struct option_program program = {
	.name = VERB_PROGRAM,
	.verb = "setup",
	.section = VERB_SECTION,
	.summary =
	    "Shows how the configuration of the CLIs must change so that they tell the broker what they do, or changes it.",
	.operands = "[claude|codex|gemini|qwen]...",
	.rows = rows,
	.max_operands = SETUP_CLIS,
};

/* What goes through all files. */
struct run {
	const struct settings *s;
	struct setup_wish wish;
	bool to_do, trouble, applied;
};

static void
complain(struct run *r, const char *path, const char *why)
{
	verb_complain("setup: %s: %s", path, why);
	r->trouble = true;
}

static void
print_conflicts(struct run *r, const char *shown, const struct setup_plan *p)
{
	for (size_t i = 0; i < p->conflict_count; i++) {
		const struct setup_conflict *c = &p->conflicts[i];

		printf("conflict: %s: %s%s%s\n  %s\n", shown, c->what, *c->found ? " is " : "", c->found, c->advice);
	}
	if (p->held)
		printf("  Until that is settled the telemetry of this file is left as it is.\n");
	r->trouble = r->trouble || p->conflict_count > 0;
}

static bool
print_diff(const struct setup_disk *d, const struct setup_plan *p)
{
	const struct setup_side before = { d->there ? d->path : "/dev/null", d->text, d->len };
	const struct setup_side after = { d->path, p->after.data, p->after.len };

	return setup_diff(stdout, &before, &after, terminal_coloured());
}

/* Returns whether it was written. */
static bool
act(struct run *r, const struct setup_cli *cli, const struct setup_file *f, const struct setup_disk *d, struct setup_plan *p)
{
	char shown[PATH_MAX];
	const char *why;

	setup_place_show(d->path, shown);
	print_conflicts(r, setup_place_show(d->path, shown), p);
	if (p->change_count == 0) {
		if (p->conflict_count == 0)
			printf("%s: %s: nothing to do\n", cli->title, setup_place_show(d->path, shown));
		return false;
	}
	if (!print_diff(d, p)) {
		complain(r, d->path, "no memory");
		return false;
	}
	if (!r->s->apply) {
		r->to_do = true;
		return false;
	}
	if (!setup_write(cli, f, d, p, &why)) {
		complain(r, d->path, why);
		return false;
	}
	return true;
}

static bool
setup_file(struct run *r, const struct setup_cli *cli, const struct setup_file *f)
{
	struct setup_plan *plan = malloc(sizeof(*plan));
	struct setup_disk disk = { 0 };
	char path[PATH_MAX];
	const char *why = "no home directory is known, or the path is too long";
	bool written = false;

	if (!plan || !setup_place_file(cli, f, path) || !setup_disk_read(path, &disk, &why)) {
		complain(r, plan ? path : f->name, why);
		free(plan);
		return false;
	}
	setup_plan(plan, cli, f, &r->wish, disk.text, disk.len);
	if (plan->fault.what) {
		verb_complain("setup: %s:%zu: %s; it is left as it is", disk.path, edit_line(disk.text, disk.len, plan->fault.at),
			      plan->fault.what);
		r->trouble = true;
	} else {
		written = act(r, cli, f, &disk, plan);
	}
	setup_plan_finish(plan);
	free(plan);
	setup_disk_finish(&disk);
	return written;
}

static void
undo_file(struct run *r, const struct setup_cli *cli, const struct setup_file *f)
{
	static const char *const said[] = {
		[SETUP_UNDONE_NOTHING] = "nothing to undo",
		[SETUP_UNDONE_RESTORED] = "is as it was",
		[SETUP_UNDONE_REMOVED] = "was made by setup, and is removed",
		[SETUP_UNDONE_PARTLY] = "what was added is taken out; what was changed since stays",
	};
	char path[PATH_MAX], shown[PATH_MAX];
	const char *why = "no home directory is known, or the path is too long";
	enum setup_undone done = SETUP_UNDONE_FAILED;
	size_t left = 0;

	path[0] = '\0';
	if (setup_place_file(cli, f, path))
		done = setup_undo(cli, f, path, &left, &why);
	if (done == SETUP_UNDONE_FAILED) {
		complain(r, *path ? path : f->name, why);
		return;
	}
	printf("%s: %s: %s\n", cli->title, setup_place_show(path, shown), said[done]);
	if (left > 0)
		printf("  %zu of the values that were added are not as they were written any more, and stay\n", left);
	r->applied = r->applied || done != SETUP_UNDONE_NOTHING;
}

/* A file that has nothing of what is wanted. */
static bool
has_part(const struct run *r, const struct setup_file *f)
{
	return f->rows[0].path.depth > 0 || r->wish.hooks;
}

static void
run_cli(struct run *r, const struct setup_cli *cli)
{
	bool written = false;

	/* Taken back in the other order: the directory was made with the first file. */
	for (size_t i = SETUP_FILES_MAX; i-- > 0 && r->s->undo;)
		if (cli->files[i].name)
			undo_file(r, cli, &cli->files[i]);
	for (size_t i = 0; i < SETUP_FILES_MAX && cli->files[i].name && !r->s->undo; i++)
		if (has_part(r, &cli->files[i]))
			written = setup_file(r, cli, &cli->files[i]) || written;
	if (written)
		printf("%s is set up. Next: %s.\n", cli->title, cli->next);
	r->applied = r->applied || written;
}

/* All that are named, or all that are there. False if there is none. */
static bool
run_all(struct run *r, char **operands)
{
	bool any = false;

	for (size_t i = 0; i < SETUP_CLIS; i++) {
		const struct setup_cli *cli = &setup_clis[i];
		bool chosen = !*operands && (r->s->undo || setup_place_has(cli));

		for (char **o = operands; *o; o++)
			chosen = chosen || setup_cli_named(*o) == cli;
		if (chosen)
			run_cli(r, cli);
		any = any || chosen;
	}
	return any;
}

static bool
check_operands(const struct settings *s, char **operands)
{
	for (; *operands; operands++) {
		if (setup_cli_named(*operands))
			continue;
		verb_complain("setup: unknown CLI %s: claude, codex, gemini and qwen are known", *operands);
		return false;
	}
	if (s->undo && (s->apply || s->force || !s->hooks || !s->telemetry)) {
		verb_complain("setup: --undo takes all back, and goes with no other option");
		return false;
	}
	if (!s->hooks && !s->telemetry) {
		verb_complain("setup: with neither hooks nor telemetry there is nothing to set up");
		return false;
	}
	return true;
}

/* Endpoints without the slash at their end: paths follow. The default has a port for each protocol. */
static bool
fill_wish(struct run *r, char endpoint[PATH_MAX], char self[PATH_MAX])
{
	const struct settings *s = r->s;
	size_t len = s->endpoint ? strlen(s->endpoint) : 0;

	if (s->endpoint && (strncmp(s->endpoint, "http://", 7) != 0 || len > 200 || strpbrk(s->endpoint, " \"'\\<>{}"))) {
		verb_complain("setup: %s is no address like " HTTP_DEFAULT, s->endpoint);
		return false;
	}
	while (len > 0 && s->endpoint[len - 1] == '/')
		len--;
	snprintf(endpoint, PATH_MAX, "%.*s", (int)len, s->endpoint ? s->endpoint : "");
	if (!setup_place_self(self)) {
		verb_complain("setup: cannot tell where agentbus is: it must be in PATH, for hooks run it");
		return false;
	}
	const bool given = len > 0 && strcmp(endpoint, HTTP_DEFAULT) != 0;

	r->wish = (struct setup_wish){
		.http = given ? endpoint : HTTP_DEFAULT,
		.grpc = given ? endpoint : GRPC_DEFAULT,
		.program = self,
		.telemetry = s->telemetry,
		.hooks = s->hooks,
		.force = s->force,
	};
	return true;
}

static void
print_end(const struct run *r)
{
	char dir[PATH_MAX], shown[PATH_MAX];

	if (r->to_do && setup_record_dir(dir))
		printf("agentbus setup --apply writes this, and keeps a copy of each file in %s.\n",
		       setup_place_show(dir, shown));
	if (r->applied && !r->s->undo)
		printf("The broker must run: systemctl --user enable --now agentbusd. agentbus doctor says what arrives.\n");
}

int
verb_setup(int argc, char **argv)
{
	struct settings s = { .hooks = true, .telemetry = true };
	char endpoint[PATH_MAX], self[PATH_MAX];
	struct run r = { .s = &s };
	char **operands;
	int status;

	if (!options_parse(&program, &s.options, argc, argv, &operands, &status))
		goto out;
	status = MISTAKE;
	if (!check_operands(&s, operands) || !fill_wish(&r, endpoint, self))
		goto out;
	if (!run_all(&r, operands))
		printf("No CLI is there: neither claude, codex, gemini or qwen in PATH, nor their configuration. Name one to set "
		       "it up.\n");
	print_end(&r);
	status = r.trouble ? TROUBLE : r.to_do ? TO_DO : DONE;
	if (fflush(stdout) != 0 && errno != EPIPE) {
		verb_complain("cannot print: %s", strerror(errno));
		status = TROUBLE;
	}
out:
	options_finish(&s.options);
	return status;
}
