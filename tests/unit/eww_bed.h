/* What the tests of eww-subscriber's formats share: sessions in, a line out; and names that people ought not to have. */
#ifndef AGENTBUS_TEST_EWW_BED_H
#define AGENTBUS_TEST_EWW_BED_H

#include "common/json.h"
#include "eww/view.h"
#include "sample_session.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Markup, tags, quotes, commands of terminals, marks that turn the direction, bytes that are not UTF-8, and plain ones. */
static const char *const bed_hostile[] = {
	"R&D <core>",
	"'\"`$(id)",
	"%{A1:xterm:}x%{A}",
	"100%",
	"</span></b>",
	"&amp;",
	"a\nb\tc\033[31m",
	"\xe2\x80\xae"
	"abc",
	"\xff\xfe\xc3",
	"\xc3",
	"{waiting}",
	"\\\"}",
	"<b",
	"日本語",
	"%%{F#f00}",
};
enum { BED_HOSTILE = sizeof(bed_hostile) / sizeof(bed_hostile[0]) };

typedef bool bed_render_fn(const struct view *v, struct json *out);

/* Renders sessions as the view says otherwise; the text is valid until the next call. */
static inline const char *
bed_render(bed_render_fn *render, struct view view, const struct agentbus_session *sessions, size_t count)
{
	static struct json out;
	struct agentbus_session const **pointers = calloc(count + 1, sizeof(*pointers));
	struct roster r = { 0 };

	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < count; i++)
		pointers[i] = &sessions[i];
	cr_assert(roster_build(&r, pointers, count, ROSTER_SHOWN));
	view.roster = &r;
	view.empty = view.empty ? view.empty : "";
	view.away = view.away ? view.away : "";
	json_clear(&out);
	cr_assert(render(&view, &out));
	roster_finish(&r);
	free(pointers);
	return json_text(&out);
}

/* A session of a project. Times make the order of sessions that of their ids. */
static inline struct agentbus_session
bed_session(const char *id, enum agentbus_state state, const char *project)
{
	struct agentbus_session s = sample_session(id, state);

	s.project = project;
	return s;
}

/* One that has failed and is over. */
static inline struct agentbus_session
bed_failed(const char *id, const char *project)
{
	struct agentbus_session s = bed_session(id, AGENTBUS_COMPLETED, project);

	s.failed = true;
	s.last_error = (struct agentbus_failure){ .type = "rate_limit", .message = "slow <down>", .status = 429 };
	return s;
}

/* Whether a text is markup that Pango takes: known entities, and tags that close in order. */
static inline bool
bed_is_markup(const char *p)
{
	static const char *const entities[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
	const char *open[16];
	size_t depth = 0, i;

	for (; *p; p++) {
		if ((unsigned char)*p < 0x20 && *p != '\n')
			return false;
		if (*p == '&') {
			for (i = 0; i < 5 && strncmp(p, entities[i], strlen(entities[i])) != 0; i++)
				continue;
			if (i == 5)
				return false;
		} else if (strncmp(p, "</", 2) == 0) {
			size_t len = strcspn(p + 2, ">");

			if (depth == 0 || strncmp(open[--depth], p + 2, len) != 0 || !strchr(" >", open[depth][len]))
				return false;
			p += 2 + len;
		} else if (*p == '<') {
			if (depth == 16 || !strchr(p, '>'))
				return false;
			open[depth++] = p + 1;
			p = strchr(p, '>');
		} else if (*p == '>') {
			return false;
		}
	}
	return depth == 0;
}

#endif
