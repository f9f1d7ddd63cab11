/*
 * Golden tests: a recording in, the exact event stream out, under virtual time.
 *
 *	golden [--update] [--delays] [--print] [RECORDING...]
 *
 * Plays each recording (a folder with manifest.jsonl) through decode, providers and sessions on the recording's own clock,
 * timers included, and then checks that
 * - the events are those of tests/golden/expected/<cli>-<scenario>.txt (where there is such a file);
 * - the totals per session are those of the recording's expected.json;
 * - no session is left working or waiting once silence has lasted longer than the quiet time.
 *
 * Without recordings on the command line it plays those in tests/recordings and, where they are, in ../shared/captures.
 * One line per check; exit status 1 if any failed. --update writes the expected streams, --print shows the stream, --delays
 * prints what the timeline says beside when it was seen (see README.md).
 */
#include "golden.h"

#include <glob.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>

void
golden_report(struct play *p, bool ok, const char *what, const char *fmt, ...)
{
	va_list ap;

	p->checks++;
	p->failures += !ok;
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

static int
run(const char *dir, const struct options *o)
{
	struct session_settings settings = session_settings_default();
	struct play p = { .sink = { golden_on_event }, .dir = dir };
	char *stream = NULL;
	size_t stream_len = 0;

	name_of(dir, p.name, sizeof(p.name));
	p.requests = calloc(REQUESTS_MAX, sizeof(*p.requests));
	p.changes = calloc(CHANGES_MAX, sizeof(*p.changes));
	p.out = open_memstream(&stream, &stream_len);
	p.sessions = sessions_create(&settings, &p.sink);
	arena_init(&p.arena, 256u << 20);
	if (!golden_each_line(&p, "manifest.jsonl", golden_add_request))
		golden_report(&p, false, "manifest", "no manifest.jsonl in %s", dir);
	golden_each_line(&p, "timeline.jsonl", golden_add_time);
	if (golden_play(&p)) {
		golden_run_until(&p, p.end_ms + settings.quiet_ns / MS + 1000);
		sessions_each(p.sessions, golden_check_not_stuck, &p);
		golden_check_totals(&p);
		golden_run_until(&p, p.end_ms + 3600000);
		fflush(p.out);
		if (o->delays)
			golden_each_line(&p, "timeline.jsonl", golden_print_delay);
		if (o->print)
			fputs(stream, stdout);
		golden_check_stream(&p, o->expected_dir, stream, o->update);
	}
	fclose(p.out);
	free(stream);
	sessions_destroy(p.sessions);
	arena_finish(&p.arena);
	free(p.requests);
	free(p.changes);
	return p.failures;
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

int
main(int argc, char **argv)
{
	struct options o = { .expected_dir = getenv("GOLDEN_EXPECTED") ? getenv("GOLDEN_EXPECTED") : "tests/golden/expected" };
	int failures = 0, recordings = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--update") == 0)
			o.update = true;
		else if (strcmp(argv[i], "--delays") == 0)
			o.delays = true;
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
