#include "live.h"

#include "common/table.h"
#include "common/text.h"
#include "follow.h"
#include "terminal.h"
#include "verb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Hides the cursor and lets no line wrap: going up by as many lines as were printed comes to where the picture began. */
#define HIDE_CURSOR "\033[?25l\033[?7l"
#define SHOW_CURSOR "\033[?7h\033[?25h"

/* Least seconds between two pictures. */
#define INTERVAL 0.1

/* Lines of a picture besides the rows: the summary, the heading, "and N more", and where the cursor stands. */
enum { OTHER_LINES = 4, SUMMARY_SIZE = 256 };

struct live {
	struct follow follow; /* first */
	enum roster_scope scope;
	struct roster roster;
	bool terminal;
	ev_tstamp drawn; /* when the last picture was */
	size_t lines;    /* of the last picture, below which the cursor stands */
	char *last;      /* picture */
};

static void
print_summary(const struct live *l, FILE *out, size_t width)
{
	char summary[SUMMARY_SIZE] = "The broker is gone; waiting for it.", clipped[SUMMARY_SIZE];

	if (agentbus_connected(l->follow.bus))
		table_summary(&l->roster, summary, sizeof(summary));
	fprintf(out, "%s\n", text_clip(summary, width ? width : SUMMARY_SIZE, clipped, sizeof(clipped)));
}

/* Returns the lines of the picture, 0 if memory runs out. */
static size_t
draw(const struct live *l, FILE *out)
{
	struct table_style style = { .now = text_now(), .colour = terminal_coloured() };
	struct terminal_size size;
	size_t lines;

	if (terminal_measure(&size)) {
		style.width = size.width;
		/* What does not fit would scroll, and going up would not come to its top. */
		style.max_rows = size.height > OTHER_LINES ? size.height - OTHER_LINES : 1;
	}
	print_summary(l, out, style.width);
	if (l->roster.count == 0)
		return 1;
	lines = table_print(out, &l->roster, &style);
	return lines ? lines + 1 : 0;
}

/* In one write, so that a terminal does not flicker. */
static bool
write_all(const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, data, len);

		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Without a terminal, a picture is only worth printing if it differs from the last. Takes the picture. */
static bool
show(struct live *l, char *picture, size_t len)
{
	bool news = l->terminal || !l->last || strcmp(l->last, picture) != 0;
	bool ok = !news || write_all(picture, len);

	free(l->last);
	l->last = picture;
	return ok;
}

/* Returns false to end, after an error that is no news or has been told. */
static bool
redraw(struct live *l)
{
	char *picture = NULL;
	size_t size, lines = 0;
	FILE *memory = open_memstream(&picture, &size);

	if (memory) {
		if (l->lines)
			fprintf(memory, "\033[%zuA", l->lines);
		if (l->terminal)
			fputs("\r\033[J", memory);
		if (roster_of_bus(&l->roster, l->follow.bus, l->scope))
			lines = draw(l, memory);
		if (fclose(memory) != 0)
			lines = 0;
	}
	if (lines) {
		l->lines = l->terminal ? lines : 0;
		return show(l, picture, size);
	}
	free(picture);
	verb_complain("%s", strerror(ENOMEM));
	l->follow.status = 1;
	return false;
}

static bool
on_quiet(struct follow *f)
{
	struct live *l = (struct live *)f;

	if (ev_now(f->loop) - l->drawn < INTERVAL) {
		follow_soon(f, INTERVAL);
		return true;
	}
	l->drawn = ev_now(f->loop);
	return redraw(l);
}

int
live_run(struct agentbus *bus, enum roster_scope scope)
{
	struct terminal_size size;
	struct live l = {
		.follow = { .bus = bus, .on_quiet = on_quiet },
		.scope = scope,
		.terminal = terminal_measure(&size),
	};
	int status;

	if (l.terminal) {
		/* Time passes in the picture. Elsewhere, only what happens is worth a new one. */
		l.follow.every = 1;
		write_all(HIDE_CURSOR, strlen(HIDE_CURSOR));
	}
	status = follow_run(&l.follow);
	if (l.terminal)
		write_all(SHOW_CURSOR, strlen(SHOW_CURSOR));
	roster_finish(&l.roster);
	free(l.last);
	return status;
}
