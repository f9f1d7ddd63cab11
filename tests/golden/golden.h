/* What the parts of the golden tests share: one recording while it is played, and what was seen of it. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "otlp.h"
#include "session.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#define MS           1000000ull
#define REQUESTS_MAX 4096
#define CHANGES_MAX  4096
#define PATH_SIZE    4096

/* One entry of the manifest. */
struct request {
	uint64_t t_ms;
	enum otlp_signal signal;
	enum otlp_encoding encoding;
	bool gzip;
	char file[64];
};

struct change {
	uint64_t seen_ms;    /* by the recording's clock */
	uint64_t arrival_ms; /* of the request being applied */
	char id[SESSION_ID_MAX];
	enum session_state state;
	bool auxiliary;
	bool timer; /* no request, but silence made it */
};

struct options {
	const char *expected_dir;
	bool update, delays, print;
};

struct play {
	struct event_sink sink;
	const char *dir;
	char name[128];
	struct request *requests;
	size_t request_count;
	uint64_t base_ns; /* epoch time of the recording's zero */
	uint64_t end_ms;  /* of the timeline, or of the last request */
	uint64_t arrival_ms;
	struct sessions *sessions;
	struct arena arena;
	FILE *out; /* the event stream */
	struct change *changes;
	size_t change_count;
	uint64_t last_seen_ms; /* of the timeline's last line */
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
void golden_add_time(struct play *p, const cJSON *m);
void golden_on_event(struct event_sink *sink, const struct event *e);
void golden_run_until(struct play *p, uint64_t t_ms);
bool golden_play(struct play *p);

/* golden_check.c */

void golden_check_not_stuck(const struct session *x, void *ctx);
void golden_check_totals(struct play *p);
void golden_check_stream(struct play *p, const char *expected_dir, const char *got, bool update);

/* golden_delays.c: a line of the table in README.md for a line of the timeline. */
void golden_print_delay(struct play *p, const cJSON *m);

#endif
