/* What the parts of the golden tests share: one recording while it is played, and what was seen of it. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "claude_session.h"
#include "otlp.h"
#include "provider.h"
#include "session.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#define MS           1000000ull
#define REQUESTS_MAX 4096
#define CHANGES_MAX  4096
#define HOOKS_MAX    256
#define TIMELINE_MAX 128
#define PATH_SIZE    4096

/* One entry of the manifest. */
struct request {
	uint64_t t_ms;
	enum otlp_signal signal;
	enum otlp_encoding encoding;
	bool gzip;
	char file[64];
};

/* What a hook or notify program was told. */
struct hook_line {
	uint64_t t_ms;
	bool timed; /* t_ms is recorded */
	bool file;  /* no hook, but Claude Code's session file was written */
	char event[32];
	char *payload; /* JSON */
};

/* When telemetry says that a hook of Claude Code began. */
struct hook_start {
	char event[32];
	uint64_t ns;
};

struct change {
	uint64_t seen_ms;    /* by the recording's clock */
	uint64_t arrival_ms; /* of the request being applied */
	char id[SESSION_ID_MAX];
	enum session_state from, state;
	bool auxiliary;
	bool timer; /* no request, but silence made it */
};

/* A line of the timeline that says something of a state. */
struct seen {
	uint64_t t_ms;
	uint64_t next_ms; /* of the next prompt; UINT64_MAX: there is none */
	char what[64];
};

struct options {
	const char *expected_dir;
	bool update, delays, print;
	unsigned shuffles; /* runs per recording */
	uint64_t seed;
};

struct play {
	struct event_sink sink;
	const char *dir;
	char name[128];
	struct request *requests;
	size_t request_count;
	struct hook_line *hooks; /* in the order of their time */
	size_t hook_count;
	struct claude_known known; /* of the session file */
	struct hook_start *starts;
	size_t start_count;
	uint64_t newest_log_ns;
	bool told;        /* hooks are played, too */
	uint64_t base_ns; /* epoch time of the recording's zero */
	uint64_t skew_ns; /* by how much the clock of broker and hooks is ahead of the telemetry's; as a sum, so it wraps */
	uint64_t end_ms;  /* of the timeline, or of the last request */
	uint64_t arrival_ms;
	struct sessions *sessions;
	struct arena arena;
	FILE *out; /* the event stream */
	char *stream;
	size_t stream_len;
	struct change *changes;
	size_t change_count;
	struct seen *timeline;
	size_t timeline_count;
	uint64_t last_seen_ms; /* of the timeline's last line */
	bool quiet;            /* only failures are printed */
	int failures;
	int checks;
};

/* Prints one line of the result; the rest says what is wrong, and is not read if ok. */
void golden_report(struct play *p, bool ok, const char *what, const char *fmt, ...);

/* golden_play.c: the recording's files, and playing them on their own clock. */

/* A file as a whole, ended by a NUL; the caller frees it. NULL if it cannot be read. */
char *golden_read_file(const char *dir, const char *file, size_t *ret_len);

/* A member of an object, "" and 0 if there is none. */
const char *golden_text(const cJSON *o, const char *key);
double golden_number(const cJSON *o, const char *key);

/* Calls fn for each line of a file of JSON lines. Returns false if there is no such file. */
bool golden_each_line(struct play *p, const char *file, void (*fn)(struct play *, const cJSON *));

void golden_add_request(struct play *p, const cJSON *m);
void golden_on_event(struct event_sink *sink, const struct event *e);
/* The broker's clock then. */
uint64_t golden_now_at(const struct play *p, uint64_t t_ms);

void golden_run_until(struct play *p, uint64_t t_ms);

/* Reads all of its telemetry once, for the times in it. False if some of it does not decode. */
bool golden_prepare(struct play *p);

bool golden_decode(struct play *p, const struct request *r, struct otlp_request *ret);
void golden_apply_request(struct play *p, const struct request *r, uint64_t t_ms);
void golden_apply_hook(struct play *p, const struct hook_line *h, uint64_t t_ms);
void golden_close_peers(struct play *p, uint64_t t_ms);

/* All of it in its own time, hooks only if p->told. */
void golden_play(struct play *p);

/* golden_hooks.c: hooks.jsonl, notify.jsonl, and sessions.jsonl. */

void golden_load_hooks(struct play *p);
void golden_free_hooks(struct play *p);

/* Remembers which hooks this log record says to have begun. */
void golden_note_start(struct play *p, const Opentelemetry__Proto__Logs__V1__LogRecord *r, uint64_t ns);

/* Gives each hook its time, once those of the telemetry are known, and puts them in order. */
void golden_time_hooks(struct play *p);

/* Applies what the session file says, at now_ns. */
void golden_apply_file(struct play *p, const struct hook_line *h, uint64_t now_ns);

/* What a hook means; views are the arena's. Whose it is, is the provider of the recording. False for a session file. */
bool golden_read_hook(struct play *p, const struct hook_line *h, uint64_t now_ns, struct observation *ret);

/* golden_check.c */

void golden_check_not_stuck(const struct session *x, void *ctx);
void golden_check_totals(struct play *p);
void golden_check_stream(struct play *p, const char *expected_dir, const char *got, bool update);

/* golden_told.c: states beside the hooks that told of them. */
void golden_check_told(struct play *p);

/* golden_delays.c */

/* Adds a line of the timeline. */
void golden_add_time(struct play *p, const cJSON *m);

/* When the person answered the dialog that was open at t_ms, 0 if the timeline does not say. */
uint64_t golden_answered_ms(const struct play *p, uint64_t t_ms);

/* The head of a table in README.md, and the rows that a recording has. `told` is the same with hooks, NULL: it has none. */
void golden_print_delays_head(void);
void golden_print_delays(struct play *alone, struct play *told);

/* golden_shuffle.c: the same evidence in any order. */
void golden_shuffle(struct play *p, const struct options *o);

#endif
