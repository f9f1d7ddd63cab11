/*
 * Golden tests: a recording in, the exact event stream out, under virtual time.
 *
 *	golden [--update] [--delays] [--print] [RECORDING...]
 *
 * Plays each recording (a folder with manifest.jsonl, hooks.jsonl, or both) through decode, providers and sessions on the
 * recording's own clock, timers included: its telemetry alone, and with its hooks beside it. Then it checks that
 * - the events are those of tests/golden/expected/<cli>-<scenario>.txt (where there is such a file);
 * - the totals per session are those of the recording's expected.json;
 * - no session is left working or waiting once silence has lasted longer than the quiet time;
 * - what hooks tell is the state within 100 ms (golden_told.c), and the order of arrival changes nothing (golden_shuffle.c).
 *
 * Without recordings on the command line it plays those in tests/recordings and, where they are, in ../shared/captures.
 * One line per check; exit status 1 if any failed. --update writes the expected streams, --print shows the stream, --delays
 * prints what the timeline says beside when it was seen (see README.md). SHUFFLES is how many orders are tried (200), SEED
 * the first.
 */
#include "golden.h"

#include <glob.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#define SHUFFLES 200

void
golden_report(struct play *p, bool ok, const char *what, const char *fmt, ...)
{
	va_list ap;

	p->checks++;
	p->failures += !ok;
	if (ok && p->quiet)
		return;
	printf("%s %s %s", ok ? "ok" : "FAIL", p->name, what);
	if (!ok) {
		printf(": ");
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
	}
	printf("\n");
}

static void
name_of(const char *dir, char *name, size_t size)
{
	char a[PATH_SIZE], b[PATH_SIZE];

	snprintf(a, sizeof(a), "%s", dir);
	snprintf(b, sizeof(b), "%s", dir);
	snprintf(name, size, "%s%s-%s", strstr(dir, "tests/recordings/") ? "bundled-" : "", basename(dirname(a)), basename(b));
}

static bool
begin(struct play *p, const char *dir)
{
	struct session_settings settings = session_settings_default();

	*p = (struct play){ .sink = { golden_on_event }, .dir = dir };
	name_of(dir, p->name, sizeof(p->name));
	p->requests = calloc(REQUESTS_MAX, sizeof(*p->requests));
	p->changes = calloc(CHANGES_MAX, sizeof(*p->changes));
	p->timeline = calloc(TIMELINE_MAX, sizeof(*p->timeline));
	p->out = open_memstream(&p->stream, &p->stream_len);
	p->sessions = sessions_create(&settings, &p->sink);
	arena_init(&p->arena, 256u << 20);
	golden_load_hooks(p);
	if (!golden_each_line(p, "manifest.jsonl", golden_add_request) && p->hook_count == 0) {
		golden_report(p, false, "recording", "neither manifest.jsonl nor hooks.jsonl in %s", dir);
		return false;
	}
	golden_each_line(p, "timeline.jsonl", golden_add_time);
	return golden_prepare(p);
}

static void
end(struct play *p)
{
	fclose(p->out);
	free(p->stream);
	sessions_destroy(p->sessions);
	arena_finish(&p->arena);
	golden_free_hooks(p);
	free(p->requests);
	free(p->changes);
	free(p->timeline);
}

static void
play(struct play *p, const struct options *o)
{
	const uint64_t quiet_ms = session_settings_default().quiet_ns / MS;

	golden_play(p);
	golden_run_until(p, p->end_ms + quiet_ms + 1000);
	sessions_each(p->sessions, golden_check_not_stuck, p);
	golden_check_totals(p);
	golden_run_until(p, p->end_ms + 3600000);
	fflush(p->out);
	if (o->print)
		fputs(p->stream, stdout);
	golden_check_stream(p, o->expected_dir, p->stream, o->update);
}

/* Once with its telemetry alone, if it has any, and once with hooks, if it has those. */
static int
run(const char *dir, const struct options *o)
{
	struct play alone, told = { .hook_count = 0 };
	bool ok = begin(&alone, dir);
	int failures;

	if (ok && alone.request_count)
		play(&alone, o);
	if (ok && alone.hook_count && begin(&told, dir)) {
		told.told = true;
		strcat(told.name, "+hooks");
		play(&told, o);
		golden_check_told(&told);
		golden_shuffle(&told, o);
	}
	if (ok && o->delays)
		golden_print_delays(&alone, told.hook_count ? &told : NULL);
	failures = alone.failures + told.failures;
	end(&alone);
	if (told.hook_count)
		end(&told);
	return failures;
}

static int
run_all(const char *pattern, const struct options *o)
{
	glob_t g;
	int failures = 0;

	if (glob(pattern, 0, NULL, &g) != 0) {
		printf("skip %s: no recordings there\n", pattern);
		return 0;
	}
	for (size_t i = 0; i < g.gl_pathc; i++)
		failures += run(g.gl_pathv[i], o);
	globfree(&g);
	return failures;
}

static unsigned long
number(const char *variable, unsigned long otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

int
main(int argc, char **argv)
{
	struct options o = { .expected_dir = getenv("GOLDEN_EXPECTED") ? getenv("GOLDEN_EXPECTED") : "tests/golden/expected",
			     .shuffles = number("SHUFFLES", SHUFFLES),
			     .seed = number("SEED", (unsigned long)time(NULL)) };
	int failures = 0, recordings = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--update") == 0)
			o.update = true;
		else if (strcmp(argv[i], "--delays") == 0)
			o.delays = true, o.shuffles = 0, golden_print_delays_head();
		else if (strcmp(argv[i], "--print") == 0)
			o.print = true;
		else
			failures += run(argv[i], &o), recordings++;
	}
	if (!recordings) {
		failures += run_all("tests/recordings/*/*", &o);
		failures += run_all("../shared/captures/*/*", &o);
	}
	return failures ? 1 : 0;
}
